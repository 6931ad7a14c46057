"""What goes from the history back into a form: a job's settings, or a picture as the input of the
next job.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.forms.field import MEDIA, Field
from comfygradio.forms.form import Form
from comfygradio.jobs.store import Record
from comfygradio.ui.fields import show_sent

KEPT_SECONDS = 86_400
"""Files that were put into a form are kept as long as Gradio keeps uploads."""

PICTURES = ("image", "mask")


def fill_again(
    form: Form, record: Record, clock: Clock = SYSTEM_CLOCK
) -> tuple[dict[str, Any], list[str]]:
    """Field → what its component shall hold, and sentences about what could not be taken over."""
    values, notes = dict[str, Any](), list[str]()
    for name, value in record.order.values.items():
        field = form.fields.get(name)
        if field is None or field.widget in MEDIA:
            continue
        values[name] = show_sent(field, value, record.order.values)
    for upload in record.order.prompt.uploads:
        found = [form.find_field(node, slot) for node, slot in upload.slots]
        field = next((one for one in found if one and one.widget in MEDIA), None)
        lent = lend_file(upload.path, upload.name, clock) if field else None
        if field and lent:
            values[field.name] = lent
        elif field:
            notes.append(
                f"{field.label}: the file {upload.name} is no longer here; please add it again."
            )
    return values, notes


def lend_file(path: Path, name: str = "", clock: Clock = SYSTEM_CLOCK) -> str | None:
    """A copy of a file among Gradio's uploads, where forms take files from; None if the file is
    gone.
    """
    folder = Path(get_upload_folder()) / "comfygradio-history"
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder, clock)
    target = folder / secrets.token_hex(16) / Path(name or path.name).name
    try:
        target.parent.mkdir()
        return str(shutil.copyfile(path, target))
    except OSError:
        return None


def list_targets(forms: Mapping[str, Form]) -> list[dict[str, str]]:
    """Every field that takes a picture, with the preset that has it."""
    return [
        {"preset": form.name, "field": field.name, "label": _name_target(form, field)}
        for form in forms.values()
        if not form.problems
        for field in _list_pictures(form)
    ]


def is_target(form: Form, name: str) -> bool:
    """Whether a form has a field of this name that takes a picture."""
    return not form.problems and name in {field.name for field in _list_pictures(form)}


def _list_pictures(form: Form) -> Sequence[Field]:
    return [field for field in form.fields.values() if field.widget in PICTURES]


def _name_target(form: Form, field: Field) -> str:
    return f"{form.title} · {field.label}" if len(_list_pictures(form)) > 1 else form.title


def _sweep(folder: Path, clock: Clock) -> None:
    for path in folder.iterdir():
        try:
            if clock.time() - path.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue
