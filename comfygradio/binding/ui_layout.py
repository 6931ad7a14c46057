"""The layout of a preset: its workflow in UI format, and the server that values are written for."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from comfygradio.comfy.envelope import find_ui_format
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import WrittenLayout, is_deep, load_json
from comfygradio.errors import WorkflowError

MAX_MB = 20
"""Maximum size of a layout. ComfyUI takes 100 MB with a prompt, and every picture gets it; real
ones have less than one.
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LayoutFile:
    """A workflow in UI format, as it lies beside a preset."""

    workflow: Mapping[str, Any]

    @cached_property
    def digest(self) -> str:
        """Tells this layout from others."""
        return hashlib.sha256(json.dumps(self.workflow).encode()).hexdigest()


@dataclass(frozen=True)
class UiLayout:
    """The layout of a preset that is bound to a server with these node classes."""

    file: LayoutFile
    object_info: ObjectInfo

    @property
    def digest(self) -> str:
        """Tells this layout from others."""
        return self.file.digest

    def write(self, graph: Mapping[str, Any]) -> WrittenLayout | None:
        """Write the values of a graph into a copy; None where that is not possible."""
        # Most presets have no layout, and importing the conversion takes a tenth of a whole
        # `comfygradio run`.
        from comfygradio.conversion.write_back import write_back

        try:
            written = write_back(self.file.workflow, self.object_info.to_json(), graph)
        except WorkflowError as error:
            log.warning("values cannot be written into the author's layout: %s", error)
            return None
        except Exception:
            # Pictures are made without it, so no job may fail because of it.
            log.exception("values could not be written into the author's layout")
            return None
        return WrittenLayout(written.workflow, written.notes)


def load_layout(path: Path, folder: Path) -> tuple[LayoutFile | None, tuple[str, ...]]:
    """Load the workflow in UI format that belongs to a preset, if there is one in the folder. A
    preset works without it, so that one that cannot be used is only noted.
    """
    if not path.is_file() or folder not in path.resolve().parents:
        return None, ()
    try:
        if path.stat().st_size > MAX_MB * 10**6:
            raise WorkflowError(f"{path.name} has more than {MAX_MB} MB.")
        workflow = find_ui_format(load_json(path))
        if is_deep(workflow):
            raise WorkflowError(f"{path.name} is nested too deeply.")
    except WorkflowError as error:
        reason = str(error).replace(str(path), path.name)
        note = f"The results do not open in ComfyUI as the author arranged the workflow: {reason}"
        return None, (note,)
    return LayoutFile(workflow), ()
