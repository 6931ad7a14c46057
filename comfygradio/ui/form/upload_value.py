"""Uploads: turns what Gradio received for a component, or a program sent, into values that a form
can check.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.picture import compose_mask

KEPT_SECONDS = 86_400
"""Our own files among the uploads are kept for a day, as long as Gradio keeps its files."""


def read_payload(field: Field, payload: Any, clock: Clock = SYSTEM_CLOCK) -> Any:
    """Read the value out of what Gradio received for a component, or a program sent.

    An uploaded file becomes its path; a path outside of Gradio's upload folder is not an upload,
    and is dropped. A painted mask becomes one picture, with the mask in its alpha channel.
    """
    if not field.kind.is_media:
        return payload
    if field.widget == "mask" and isinstance(payload, Mapping) and "background" in payload:
        return _compose_painting(payload, clock)
    return read_upload(payload)


def read_upload(payload: Any) -> Path | None:
    """Read the path of an uploaded file; None if there is none in Gradio's upload folder."""
    if not isinstance(payload, Mapping):
        return None
    file = payload.get("video") if "video" in payload else payload
    if not isinstance(file, Mapping):
        return None
    named = file.get("path")
    if not isinstance(named, str) or "\0" in named:
        return None
    path = Path(named).resolve()
    folder = Path(get_upload_folder()).resolve()
    if not path.is_relative_to(folder):
        return None
    return path


def _compose_painting(payload: Mapping[str, Any], clock: Clock) -> Path | None:
    """Compose a picture and the layers painted on it into one file; return its path."""
    background = read_upload(payload.get("background"))
    if background is None:
        return None
    layers = []
    sent = payload.get("layers")
    if isinstance(sent, list):
        for layer in sent:
            path = read_upload(layer)
            if path:
                layers.append(path)
    folder = open_upload_folder("comfygradio-masks", clock)
    # The same picture and layers give the same file.
    sources = [str(path) for path in (background, *layers)]
    digest = hashlib.sha256("\n".join(sources).encode()).hexdigest()
    try:
        return compose_mask(background, layers, folder / f"{digest[:32]}.png")
    except (OSError, ValueError):
        return background


def find_upload_folder(name: str) -> Path:
    """Find our folder with this name among Gradio's uploads, where forms take files from."""
    return Path(get_upload_folder()) / name


def open_upload_folder(name: str, clock: Clock = SYSTEM_CLOCK) -> Path:
    """Make sure that this folder of ours exists, and remove what has been in it for a day."""
    folder = find_upload_folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        try:
            age = clock.time() - path.stat().st_mtime
            if age > KEPT_SECONDS:
                _remove(path)
        except OSError:  # somebody else has just removed it
            continue
    return folder


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()
