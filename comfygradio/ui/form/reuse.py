"""Reuse of finished jobs: puts a job's settings, or one of its pictures, into a form."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import JobStoreError, PresetError
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.jobs.job_store import JobRecord
from comfygradio.ui.form.field_component import sent_to_component_value
from comfygradio.ui.form.upload_value import open_upload_folder

FormUpdate = tuple[str, dict[str, Any], list[str]]
"""What is put into a form: its preset, field → value, and notes."""

GONE = "This picture is no longer here."


def restore_settings(
    form: Form, record: JobRecord, clock: Clock = SYSTEM_CLOCK
) -> tuple[dict[str, Any], list[str]]:
    """Map the fields to the values that a job had, as their components hold them; also return notes
    about what could not be taken over.
    """
    values = {}
    notes = []
    sent = record.order.values
    for name, value in sent.items():
        field = form.fields.get(name)
        if field is not None and not field.kind.is_media:
            values[name] = sent_to_component_value(field, value, sent)
    for upload in record.order.prompt.uploads:
        field = form.find_media_field(upload.slots)
        if field is None:
            continue
        copied = copy_to_uploads(upload.path, upload.name, clock)
        if copied:
            values[field.name] = copied
        else:
            notes.append(
                f"{field.label}: the file {upload.name} is no longer here; please add it again."
            )
    return values, notes


def use_picture(
    record: JobRecord, event: gr.EventData, forms: Mapping[str, Form], clock: Clock = SYSTEM_CLOCK
) -> FormUpdate:
    """Copy the picture of a job that an event names by its index to the uploads; return the preset
    that the event names, its field → the copy, and no notes.

    Raises PresetError for a field that takes no picture, and JobStoreError for a picture that is
    gone.
    """
    preset = str(getattr(event, "preset", ""))
    name = str(getattr(event, "field", ""))
    form = forms.get(preset)
    if form is None or not is_target(form, name):
        raise PresetError("This form takes no picture (any more); reload the page.")
    pictures = _list_pictures(record)
    index = getattr(event, "index", 0)
    if not isinstance(index, int) or not 0 <= index < len(pictures):
        raise JobStoreError(GONE)
    copied = copy_to_uploads(pictures[index], clock=clock)
    if copied is None:
        raise JobStoreError(GONE)
    return form.name, {name: copied}, []


def _list_pictures(record: JobRecord) -> list[Path]:
    """List the pictures that a job made."""
    pictures = []
    for result in record.results:
        if result.path and result.kind in ("image", "preview"):
            pictures.append(result.path)
    return pictures


def copy_to_uploads(path: Path, name: str = "", clock: Clock = SYSTEM_CLOCK) -> str | None:
    """Copy a file to Gradio's uploads, where forms take files from; return the path of the copy,
    or None if the file is gone.
    """
    folder = open_upload_folder("comfygradio-history", clock)
    base_name = Path(name or path.name).name
    target = folder / secrets.token_hex(16) / base_name
    try:
        target.parent.mkdir()
        shutil.copyfile(path, target)
    except OSError:
        return None
    return str(target)


def list_targets(forms: Mapping[str, Form]) -> list[dict[str, str]]:
    """List every field that takes a picture, with its preset."""
    targets = []
    for form in forms.values():
        fields = _list_picture_fields(form)
        for field in fields:
            label = form.title
            if len(fields) > 1:
                label = f"{form.title} · {field.label}"
            targets.append({"preset": form.name, "field": field.name, "label": label})
    return targets


def is_target(form: Form, name: str) -> bool:
    """Return whether a form has a field of this name that takes a picture."""
    return any(field.name == name for field in _list_picture_fields(form))


def _list_picture_fields(form: Form) -> list[Field]:
    """List the fields of a form that take a picture; none if the form cannot be used."""
    if form.problems:
        return []
    fields = form.fields.values()
    return [field for field in fields if field.kind.is_picture]
