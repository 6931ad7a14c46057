"""Import of contact sheets: one that is dropped where settings are restored from a picture opens
the editor with its sweep.
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
    """Make the value for the page of sweeps that opens its editor; `values` are those of the form's
    components.
    """
    draft: Json = {
        "preset": preset,
        "values": dict(values),
        "stamp": secrets.token_hex(8),  # so that the same draft again is another value
        **more,
    }
    return {"compose": draft}


def load_dropped_sheet(service: Service, payload: Any) -> Json | None:
    """Load the sweep of an uploaded sheet; return the value that opens the editor with it, or None
    if the file is not such a sheet.

    Raises PresetError and DefinitionError for a sheet whose sweep cannot be made here.
    """
    path = read_upload(payload)
    if path is None:
        return None
    data = load_sweep(path)
    if data is None:
        return None
    definition = load_definition(data)
    form = service.forms.get(definition.preset)
    if form is None or form.problems:
        raise PresetError(
            f"This is the sheet of a comparison of {definition.preset}, which cannot be used here."
        )
    return open_editor_again(form, definition)


def open_editor_again(form: Form, definition: Definition, space: Space | None = None) -> Json:
    """Make the value that opens the editor with a definition.

    Files come from the `space` of its sweep; without one, the person has to add them again.
    """
    values = {}
    for name, field in form.fields.items():
        if field.kind.is_media:
            continue
        value = definition.values.get(name, field.default)
        values[name] = sent_to_component_value(field, value, definition.values)
    if space is not None:
        values |= _copy_files(space.base)
    axes = []
    for axis in definition.axes:
        entries = []
        for name, given in axis.items():
            if name in form.fields:
                entries.append(_write_entry(form, name, given, space))
        axes.append(entries)
    return open_editor(
        form.name,
        values,
        axes=axes,
        carry=definition.carry,
        title=definition.title,
    )


def _copy_files(values: Mapping[str, Any]) -> dict[str, Json]:
    """Copy the files among some values to the uploads; those that are gone are left out."""
    files = {}
    for name, value in values.items():
        if not isinstance(value, Path):
            continue
        copied = _copy_as_upload(value)
        if copied:
            files[name] = copied
    return files


def _write_entry(form: Form, name: str, given: Any, space: Space | None) -> Json:
    """Describe one field of an axis as JSON for the editor."""
    field = form.fields[name]
    if field.kind.is_media:
        files = _copy_axis_files(space, name)
        return {"field": name, "text": "", "files": files}
    if isinstance(given, str):
        return {"field": name, "text": given}
    texts = format_unquoted(form, name, given)
    return {"field": name, "text": ", ".join(texts)}


def _copy_axis_files(space: Space | None, name: str) -> list[Json]:
    """Copy the files of an axis to the uploads; those that are gone are left out."""
    if space is None:
        return []
    files = []
    for path in _list_files(space, name):
        copied = _copy_as_upload(path)
        if copied:
            files.append(copied)
    return files


def _list_files(space: Space, name: str) -> list[Path]:
    """List the files that an axis sets a field to."""
    paths = []
    for axis in space.axes:
        for step in axis.steps:
            for change in step.changes:
                if change.field == name and isinstance(change.value, Path):
                    paths.append(change.value)
    return paths


def _copy_as_upload(path: Path) -> Json | None:
    """Copy a file to the uploads; return it as a browser holds an upload, or None if it is gone."""
    copied = copy_to_uploads(path)
    if not copied:
        return None
    return {"path": copied, "name": path.name}
