"""Saving a draft under a name that suits its source."""

from __future__ import annotations

import re
from pathlib import Path

from comfygradio.drafting.draft import Draft
from comfygradio.drafting.naming import make_name
from comfygradio.drafting.preset_folder import save_preset
from comfygradio.drafting.writer import write_draft
from comfygradio.forms.preset import Preset

AUTOMATIC_NAME = re.compile(
    r"(?:comfyui|output|image|img|temp|untitled|workflow|unsaved workflow)?[\W_\d]*", re.IGNORECASE
)
"""Names that files get by themselves."""


def suggest_name(stem: str, draft: Draft) -> str:
    """A preset's name, made of a file's name, or of the draft's title where that tells nothing."""
    stem_name = "" if AUTOMATIC_NAME.fullmatch(stem) else make_name(stem)
    return stem_name or make_name(draft.title) or "preset"


def save_draft(draft: Draft, folder: Path, name: str, overwrite: bool = False) -> Preset:
    """Write NAME.yaml and NAME.json into a folder, as `save_preset` does. Raises PresetError."""
    workflow_file = f"{name}.json"
    text = write_draft(draft, workflow_file)
    path = save_preset(folder, name, text, draft.workflow, overwrite)
    return Preset(name, path, draft.to_file(workflow_file), draft.workflow)
