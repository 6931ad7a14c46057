"""What goes from the history back into a form: a job's settings, or a picture as the input of the
next job.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.jobs.job_store import JobRecord
from comfygradio.ui.form.field_component import sent_to_component_value

KEPT_SECONDS = 86_400
"""Files that were put into a form are kept as long as Gradio keeps uploads."""


def restore_settings(
    form: Form, record: JobRecord, clock: Clock = SYSTEM_CLOCK
) -> tuple[dict[str, Any], list[str]]:
    """Field → what its component shall hold, and sentences about what could not be taken over."""
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
        lent = copy_to_uploads(upload.path, upload.name, clock)
        if lent:
            values[field.name] = lent
        else:
            notes.append(
                f"{field.label}: the file {upload.name} is no longer here; please add it again."
            )
    return values, notes


def _find_media_field(form: Form, slots: Iterable[tuple[str, str]]) -> Field | None:
    """The field of a form that puts a file into these slots; None where there is none any more."""
    for node, slot in slots:
        field = form.find_field(node, slot)
        if field and field.kind.is_media:
            return field
    return None


def copy_to_uploads(path: Path, name: str = "", clock: Clock = SYSTEM_CLOCK) -> str | None:
    """A copy of a file among Gradio's uploads, where forms take files from; None if the file is
    gone.
    """
    folder = Path(get_upload_folder()) / "comfygradio-history"
    folder.mkdir(parents=True, exist_ok=True)
    _prune_folder(folder, clock)
    own_name = Path(name or path.name).name
    target = folder / secrets.token_hex(16) / own_name
    try:
        target.parent.mkdir()
        return str(shutil.copyfile(path, target))
    except OSError:
        return None


def list_targets(forms: Mapping[str, Form]) -> list[dict[str, str]]:
    """Every field that takes a picture, with the preset that has it."""
    targets = []
    for form in forms.values():
        if form.problems:
            continue
        for field in _list_pictures(form):
            label = _name_target(form, field)
            targets.append({"preset": form.name, "field": field.name, "label": label})
    return targets


def is_target(form: Form, name: str) -> bool:
    """Whether a form has a field of this name that takes a picture."""
    if form.problems:
        return False
    return any(field.name == name for field in _list_pictures(form))


def _list_pictures(form: Form) -> Sequence[Field]:
    return [field for field in form.fields.values() if field.kind.is_picture]


def _name_target(form: Form, field: Field) -> str:
    if len(_list_pictures(form)) == 1:
        return form.title
    return f"{form.title} · {field.label}"


def _prune_folder(folder: Path, clock: Clock) -> None:
    for path in folder.iterdir():
        try:
            if clock.time() - path.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue
