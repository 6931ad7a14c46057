"""`comfygradio new`: drafts a preset from a workflow, or from a file that ComfyUI made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import Preset
from comfygradio.cli.server import open_object_info
from comfygradio.drafting.draft import Draft, draft_for_server
from comfygradio.drafting.draft_field import DraftField
from comfygradio.drafting.preset_folder import find_existing_file, save_draft, suggest_name
from comfygradio.drafting.workflow_source import convert_source, load_workflow_source
from comfygradio.errors import PresetError, SettingsError
from comfygradio.forms.form import Form
from comfygradio.forms.preset_file import SlotEntry, list_addresses
from comfygradio.settings import Settings, shipped_presets

PACKAGE = Path(__file__).parent.parent


def new_preset(
    settings: Settings,
    source: Path,
    name: str | None,
    folder: Path | None,
    force: bool,
    saved: Path | None,
    as_json: bool,
    object_info_file: Path | None = None,
) -> int:
    """Write a preset for a workflow into a folder, and print what was guessed; return 1 if the form
    has problems.

    With `object_info_file` no server is asked. Raises ComfyGradioError.
    """
    if saved is not None:
        saved = saved.expanduser()
    found = load_workflow_source(source.expanduser(), saved)
    target = _find_folder(settings, folder)
    with open_object_info(settings, object_info_file) as fetch:
        draft, object_info = draft_for_server(convert_source(found, fetch), fetch)
    name = name or suggest_name(source.stem, draft)
    # `save_draft` refuses too, but its sentence knows no flags.
    taken = None if force else find_existing_file(target, name)
    if taken:
        raise PresetError(
            f"{taken} exists already; choose another name with --name, or overwrite it with "
            "--force."
        )
    preset = save_draft(draft, target, name, force)
    form = preset.bind(object_info)
    if as_json:
        report = _describe(preset, draft, form)
        print(json.dumps(report, ensure_ascii=False, indent=2, default=str))
    else:
        print("\n".join(_tell(preset, draft, form)))
    return 1 if form.problems else 0


def _find_folder(settings: Settings, folder: Path | None) -> Path:
    """Find the folder that was named, else the first one of the settings, else ./presets; never
    that of the package.
    """
    own = [one for one in settings.presets if one != shipped_presets()]
    if folder is not None:
        target = folder
    elif own:
        target = own[0]
    else:
        target = Path("presets")
    target = target.expanduser()
    if target.resolve().is_relative_to(PACKAGE):
        raise SettingsError(
            f"{target} belongs to the installed comfygradio; name a folder of your own with "
            "--presets."
        )
    return target


def _tell(preset: Preset, draft: Draft, form: Form) -> Iterator[str]:
    yield f"{preset.path}: {draft.title}, {len(draft.fields)} fields"
    widths = [len(field.name) for field in draft.fields]
    width = max(widths, default=0)
    for field in draft.fields:
        slots = ", ".join(_list_slots(field))
        more = " (more settings)" if field.entry.advanced else ""
        yield f"  {field.name:{width}}  {slots}: {field.why}{more}"
    for note in (*draft.notes, *form.notes):
        yield f"note: {note}"
    for problem in form.problems:
        yield f"problem: {problem}"


def _describe(preset: Preset, draft: Draft, form: Form) -> dict[str, Any]:
    return {
        "preset": str(preset.path),
        "title": draft.title,
        "fields": [_describe_field(field) for field in draft.fields],
        "left_out": [_describe_field(field) for field in draft.left_out],
        "outputs": list(draft.outputs),
        "notes": [*draft.notes, *form.notes],
        "problems": [problem.to_json() for problem in form.problems],
    }


def _describe_field(field: DraftField) -> dict[str, Any]:
    return {
        "name": field.name,
        "role": field.role,
        "slots": _list_slots(field),
        "advanced": field.entry.advanced,
        "why": field.why,
    }


def _list_slots(field: DraftField) -> list[str]:
    """List the addresses that a drafted field fills, as NODE.INPUT."""
    slots = []
    for address in list_addresses(field.entry):
        if isinstance(address, SlotEntry):
            slots.append(f"{address.node}.{address.input}")
        else:
            slots.append(address)
    return slots
