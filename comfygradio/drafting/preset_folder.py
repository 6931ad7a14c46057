"""Write presets and drafts into a folder: a preset file and its workflow, atomically."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import NAME, Preset, name_ui_workflow
from comfygradio.comfy.workflow import Workflow
from comfygradio.drafting.draft import Draft
from comfygradio.drafting.naming import make_name
from comfygradio.drafting.writer import write_draft
from comfygradio.errors import PresetError
from comfygradio.forms.preset_schema import SCHEMA_FILE as SCHEMA
from comfygradio.forms.preset_schema import write_schema

AUTOMATIC_NAME = re.compile(
    r"(?:comfyui|output|image|img|temp|untitled|workflow|unsaved workflow)?[\W_\d]*", re.IGNORECASE
)
"""File names that ComfyUI and browsers choose, and that say nothing about the workflow."""

MAX_NAME = 100
"""Maximum number of characters of a preset's name."""


def save_draft(draft: Draft, folder: Path, name: str, overwrite: bool = False) -> Preset:
    """Save a draft with `save_preset`. Raises PresetError."""
    workflow_file = f"{name}.json"
    text = write_draft(draft, workflow_file)
    path = save_preset(folder, name, text, draft.workflow, overwrite, draft.saved)
    file = draft.to_file(workflow_file)
    return Preset(name, path, file, draft.workflow)


def save_preset(
    folder: Path,
    name: str,
    text: str,
    workflow: Workflow,
    overwrite: bool = False,
    saved: Mapping[str, Any] | None = None,
) -> Path:
    """Write NAME.yaml with this text and NAME.json with the workflow, and the schema if it is
    missing. The same workflow in UI format becomes NAME.ui.json.

    Creates the folder if necessary. An existing file is replaced only with `overwrite`, and never
    partially. Returns the path of the preset file. Raises PresetError.
    """
    check_preset_name(name)
    taken = None if overwrite else find_existing_file(folder, name)
    if taken is not None:
        raise PresetError(f"{taken.name} exists already; choose another name, or overwrite it.")
    path = folder / f"{name}.yaml"
    workflow_path = folder / f"{name}.json"
    ui_path = name_ui_workflow(workflow_path)
    graph = json.dumps(workflow.to_json(), indent=2, ensure_ascii=False)
    texts = {workflow_path: f"{graph}\n"}
    if saved is not None:
        # Without indentation, as ComfyUI saves it.
        texts[ui_path] = json.dumps(saved, ensure_ascii=False)
    # The preset comes last, so that its workflow is there when it is found.
    texts[path] = text
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_all(texts)
        if overwrite:
            # The preset that is replaced may have had the other suffix.
            (folder / f"{name}.yml").unlink(missing_ok=True)
        if overwrite and saved is None:
            # It belongs to the workflow that was replaced.
            ui_path.unlink(missing_ok=True)
    except OSError as error:
        raise PresetError(f"{path.name} cannot be written: {error.strerror or error}.") from error
    if not (folder / SCHEMA).exists():
        write_schema(folder)
    return path


def suggest_name(stem: str, draft: Draft) -> str:
    """Suggest a preset's name from a file name, or from the draft's title if that says nothing."""
    name = ""
    if not AUTOMATIC_NAME.fullmatch(stem):
        name = make_name(stem)
    return name or make_name(draft.title) or "preset"


def check_preset_name(name: str) -> None:
    """Raise PresetError if this is no valid name for a preset."""
    if NAME.fullmatch(name) and len(name) <= MAX_NAME:
        return
    problem = f"{name[:40]} is not a name for a preset" if name else "A preset needs a name"
    raise PresetError(f"{problem}; use small letters, digits and _, for example my_preset.")


def find_existing_file(folder: Path, name: str) -> Path | None:
    """Return an existing file that a preset of this name would overwrite, or None."""
    for suffix in ("yaml", "yml", "json", "ui.json"):
        path = folder / f"{name}.{suffix}"
        if path.exists():
            return path
    return None


def _write_all(texts: Mapping[Path, str]) -> None:
    """Write each file under a temporary name beside its target, then rename them one after the
    other.

    Raises OSError.
    """
    ready: dict[Path, Path] = {}
    try:
        for path, text in texts.items():
            beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
            # Noted before it is written, so that a half written file is deleted too.
            ready[path] = beside
            # A lone surrogate, which JSON may hold, has no bytes in UTF-8.
            beside.write_bytes(text.encode("utf-8", "backslashreplace"))
        for path, written in ready.items():
            os.replace(written, path)
    finally:
        for written in ready.values():
            written.unlink(missing_ok=True)
