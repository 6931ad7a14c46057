"""Reuse of finished jobs: puts a job's settings, or one of its pictures, into a form."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.jobs.job_store import JobRecord
from comfygradio.ui.form.field_component import sent_to_component_value
from comfygradio.ui.form.upload_value import open_upload_folder


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
        field = _find_media_field(form, upload.slots)
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


def _find_media_field(form: Form, slots: Iterable[tuple[str, str]]) -> Field | None:
    """Find the field of a form that puts a file into one of these slots; None if there is none."""
    for node, slot in slots:
        field = form.find_field(node, slot)
        if field and field.kind.is_media:
            return field
    return None


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
