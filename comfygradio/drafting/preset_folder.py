"""Write a preset file and its workflow into a folder, atomically."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from comfygradio.comfy.workflow import Workflow
from comfygradio.errors import PresetError
from comfygradio.forms.preset import NAME
from comfygradio.forms.preset_schema import SCHEMA_FILE as SCHEMA
from comfygradio.forms.preset_schema import write_schema


def save_preset(
    folder: Path, name: str, text: str, workflow: Workflow, overwrite: bool = False
) -> Path:
    """Write NAME.yaml with this text and NAME.json with the workflow, and the schema where there is
    none.

    The folder is made if need be; a file that is there already is replaced only with `overwrite`,
    and never half. Returns the path of the preset file. Raises PresetError.
    """
    check_preset_name(name)
    taken = None if overwrite else find_existing_file(folder, name)
    if taken is not None:
        raise PresetError(f"{taken.name} exists already; choose another name, or overwrite it.")
    path = folder / f"{name}.yaml"
    graph = json.dumps(workflow.to_json(), indent=2, ensure_ascii=False)
    texts = {folder / f"{name}.json": f"{graph}\n", path: text}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_all(texts)
        if overwrite:
            # The preset that is replaced may have had the other suffix.
            (folder / f"{name}.yml").unlink(missing_ok=True)
    except OSError as error:
        raise PresetError(f"{path.name} cannot be written: {error.strerror or error}.") from error
    if not (folder / SCHEMA).exists():
        write_schema(folder)
    return path


def check_preset_name(name: str) -> None:
    """Raises PresetError for what is no preset's name."""
    if NAME.fullmatch(name) and len(name) <= 100:
        return
    shown = f"{name[:40]} is no name for a preset" if name else "A preset needs a name"
    raise PresetError(f"{shown}; use small letters, digits and _, for example my_preset.")


def find_existing_file(folder: Path, name: str) -> Path | None:
    """Return an existing file that a preset of this name would overwrite, or None."""
    for suffix in ("yaml", "yml", "json"):
        path = folder / f"{name}.{suffix}"
        if path.exists():
            return path
    return None


def _write_all(texts: Mapping[Path, str]) -> None:
    """Write every file beside its place first, then move them there one after the other.

    Raises OSError.
    """
    ready: dict[Path, Path] = {}
    try:
        for path, text in texts.items():
            beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
            # Noted before it is written, so that a half written file is deleted too.
            ready[path] = beside
            beside.write_bytes(text.encode("utf-8", "backslashreplace"))
        for path, written in ready.items():
            os.replace(written, path)
    finally:
        for written in ready.values():
            written.unlink(missing_ok=True)
