"""Choices for the editor of sweeps: the fields that can be swept, and lists to tick instead of to
type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.errors import AxisError
from comfygradio.forms.choice_search import search_choices
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.forms.value_check import check_value
from comfygradio.sweeps.axes.axis_parser import format_unquoted
from comfygradio.sweeps.axes.syntax_help import describe_syntax

MAX_WRITTEN = 60
"""Up to so many choices are written out one by one; more are `*`."""

ACCEPTED = {"image": "image/*", "mask": "image/*", "video": "video/*", "audio": "audio/*"}
"""What a browser offers to add for a field that takes files."""

Json = dict[str, Any]


def describe_fields(form: Form, values: Mapping[str, Any]) -> list[Json]:
    """Every field as the editor offers it; `values` are the form's, as they were sent."""
    return [
        _describe_field(form, field, values.get(field.name, field.default))
        for field in form.fields.values()
    ]


def describe_suggestions(form: Form) -> list[Json]:
    """The axes that the preset suggests, as far as their fields are there."""
    return [
        {"field": name, "text": str(text)}
        for name, text in form.file.sweep.items()
        if name in form.fields
    ]


def list_choices(form: Form, name: str, query: str) -> Json:
    """Some choices of a field that fit a search, each with the text that names it on an axis."""
    field = form.fields[name]
    found, count = search_choices(field.choices or (), query[:200])
    values = [_wrap(field, choice.value) for choice in found]
    texts = format_unquoted(form, name, values)
    rows = []
    for choice, text in zip(found, texts, strict=True):
        rows.append({"label": choice.label, "text": text})
    return {"found": rows, "count": count}


def write_all_choices(form: Form, name: str) -> str:
    """The axis text that names every choice of a field."""
    field = form.fields[name]
    choices = field.choices or ()
    if len(choices) > MAX_WRITTEN:
        return "*"
    values = [_wrap(field, choice.value) for choice in choices]
    return ", ".join(format_unquoted(form, name, values))


def _describe_field(form: Form, field: Field, value: Any) -> Json:
    has_list = field.choices is not None and not field.kind.is_lora_list
    return {
        "name": field.name,
        "label": field.label,
        "help": "" if field.kind.is_media else describe_syntax(field),
        "choices": len(field.choices or ()) if has_list else 0,
        "suggested": str(form.file.sweep.get(field.name, "")),
        "takes": _name_kind(field),
        "accept": ACCEPTED.get(field.widget, ""),
        "now": _write_now(form, field, value),
    }


def _name_kind(field: Field) -> str:
    """How the editor takes an axis of this field: files, one text a line, or values in a row."""
    if field.kind.is_media:
        return "files"
    if field.kind.is_text:
        return "lines"
    return "values"


def _write_now(form: Form, field: Field, value: Any) -> str:
    """What the form holds, as the first value of an axis; "" for what is long, left open, or a
    file.
    """
    if value in (None, "", []):
        return ""
    if field.kind.is_media or field.kind.is_text or field.kind.is_lora_list:
        return ""
    try:
        checked = check_value(field, value)
        if field.kind.is_open(value):
            return ""
        return format_unquoted(form, field.name, [checked])[0]
    except (InvalidValue, AxisError):
        return ""


def _wrap(field: Field, value: Any) -> Any:
    """A choice as a whole value of its field."""
    return [value] if field.is_multiple else value
