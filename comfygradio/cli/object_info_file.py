"""A file with what a ComfyUI answers to `GET /object_info`: it stands in for the server where only
the node classes are asked for.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from comfygradio.errors import SettingsError

HOW = "make it with comfygradio api GET /object_info > FILE."


def load_object_info_file(path: Path) -> dict[str, Any]:
    """Load the node classes in a file, as JSON. Raises SettingsError."""
    path = path.expanduser()
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        reason = error.strerror or error
        raise SettingsError(
            f"--object-info: the file {path} cannot be read: {reason}; {HOW}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"--object-info: the file {path} is not valid JSON; {HOW}") from error
    if not _is_object_info(data):
        raise SettingsError(
            f"--object-info: the file {path} describes no node classes, as a ComfyUI does; {HOW}"
        )
    found: dict[str, Any] = data
    return found


def _is_object_info(data: Any) -> bool:
    """Whether this is a description of node classes: at least one entry tells its inputs."""
    if not isinstance(data, dict):
        return False
    return any(isinstance(entry, dict) and "input" in entry for entry in data.values())
