"""What the editor of sweeps offers: the fields that can be swept, suggested axes, and lists of
choices to tick.
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
"""If a field has more choices, all of them are written as `*`."""

ACCEPTED = {"image": "image/*", "mask": "image/*", "video": "video/*", "audio": "audio/*"}
"""The kinds of files that a browser offers to add for a field."""

Json = dict[str, Any]


def describe_fields(form: Form, values: Mapping[str, Any]) -> list[Json]:
    """Describe every field for the editor; `values` are the form's, as they were sent."""
    described = []
    for name, field in form.fields.items():
        value = values.get(name, field.default)
        described.append(_describe_field(form, field, value))
    return described


def describe_suggestions(form: Form) -> list[Json]:
    """Describe the axes that the preset suggests, if the form has their fields."""
    suggestions = []
    for name, text in form.file.sweep.items():
        if name in form.fields:
            suggestions.append({"field": name, "text": str(text)})
    return suggestions


def list_choices(form: Form, name: str, query: str) -> Json:
    """List some choices of a field that match a query, each with its text on an axis."""
    field = form.fields[name]
    choices = field.choices or ()
    found, count = search_choices(choices, query[:200])
    values = [_wrap(field, choice.value) for choice in found]
    texts = format_unquoted(form, name, values)
    rows = []
    for choice, text in zip(found, texts, strict=True):
        rows.append({"label": choice.label, "text": text})
    return {"found": rows, "count": count}


def write_all_choices(form: Form, name: str) -> str:
    """Write the axis text for all choices of a field."""
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
    """Name the input that the editor shows for this field: files, a text per line, or values in one
    line.
    """
    if field.kind.is_media:
        return "files"
    if field.kind.is_text:
        return "lines"
    return "values"


def _write_now(form: Form, field: Field, value: Any) -> str:
    """Write the form's value as the first value of an axis; "" for a file, a long text, and a seed
    that is left open.
    """
    if value in (None, "", []):
        return ""
    if field.kind.is_media or field.kind.is_text or field.kind.is_lora_list:
        return ""
    try:
        checked = check_value(field, value)
        if field.kind.is_open(value):
            return ""
        text, *_ = format_unquoted(form, field.name, [checked])
    except (InvalidValue, AxisError):
        return ""
    return text


def _wrap(field: Field, value: Any) -> Any:
    """Make a whole value of a field out of one choice."""
    return [value] if field.is_multiple else value
