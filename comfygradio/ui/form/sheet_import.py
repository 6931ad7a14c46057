"""Contact sheets: one that is dropped where settings are taken from a picture opens the editor with
its sweep.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfygradio.errors import PresetError
from comfygradio.forms.form import Form
from comfygradio.service.service import Service
from comfygradio.sweeps.axes.axis_parser import format_unquoted
from comfygradio.sweeps.definition import Definition, load_definition
from comfygradio.sweeps.export.contact_sheet import load_sweep
from comfygradio.sweeps.space import Space
from comfygradio.ui.form.field_component import sent_to_component_value
from comfygradio.ui.form.reuse import copy_to_uploads
from comfygradio.ui.form.upload_value import read_upload

Json = dict[str, Any]


def open_editor(preset: str, values: Mapping[str, Any], **more: Any) -> Json:
    """The value of the page of sweeps that opens its editor; `values` as the components of the form
    hold them.
    """
    stamp = secrets.token_hex(8)
    return {"compose": {"preset": preset, "values": dict(values), "stamp": stamp, **more}}


def load_dropped_sheet(service: Service, payload: Any) -> Json | None:
    """The value that opens the editor for an uploaded sheet of a sweep; None for any other file.

    Raises PresetError and DefinitionError for a sheet whose sweep cannot be made here.
    """
    path = read_upload(payload)
    data = load_sweep(path) if path else None
    if data is None:
        return None
    definition = load_definition(data)
    form = service.forms.get(definition.preset)
    if form is None or form.problems:
        raise PresetError(
            f"This is the sheet of a sweep of {definition.preset}, which cannot be used here."
        )
    return open_editor_again(form, definition)


def open_editor_again(form: Form, definition: Definition, space: Space | None = None) -> Json:
    """The same for a definition.

    Files come from the `space` of its sweep; without one they are asked for again.
    """
    values = {}
    for name, field in form.fields.items():
        if not field.kind.is_media:
            value = definition.values.get(name, field.default)
            values[name] = sent_to_component_value(field, value, definition.values)
    if space is not None:
        values |= _copy_files(space.base)
    axes = []
    for axis in definition.axes:
        entries = [_write_entry(form, name, given, space) for name, given in axis.items()]
        axes.append([entry for entry in entries if entry])
    return open_editor(form.name, values, axes=axes, carry=definition.carry, title=definition.title)


def _copy_files(values: Mapping[str, Any]) -> dict[str, Json]:
    """Copies of the files among some values, as far as they are still there."""
    files = {}
    for name, value in values.items():
        lent = _copy_as_upload(value) if isinstance(value, Path) else None
        if lent:
            files[name] = lent
    return files


def _write_entry(form: Form, name: str, given: Any, space: Space | None) -> Json:
    """One field of an axis as the editor shows it; nothing for a field that is gone."""
    field = form.fields.get(name)
    if field is None:
        return {}
    if field.kind.is_media:
        paths = _list_files(space, name) if space is not None else []
        lent = [_copy_as_upload(path) for path in paths]
        return {"field": name, "text": "", "files": [file for file in lent if file]}
    text = given if isinstance(given, str) else ", ".join(format_unquoted(form, name, given))
    return {"field": name, "text": text}


def _list_files(space: Space, name: str) -> list[Path]:
    """The files that an axis sets a field to."""
    paths = []
    for axis in space.axes:
        for step in axis.steps:
            for change in step.changes:
                if change.field == name and isinstance(change.value, Path):
                    paths.append(change.value)
    return paths


def _copy_as_upload(path: Path) -> Json | None:
    """A copy among Gradio's uploads, as a browser holds it; None where the file is gone."""
    lent = copy_to_uploads(path)
    if not lent:
        return None
    return {"path": lent, "name": path.name}
