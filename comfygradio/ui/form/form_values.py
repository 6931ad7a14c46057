"""The values of a form as a page holds them: which differ from the defaults, and what of stored
ones the form still takes.

A value of this module is what a field's component holds. Files are left out everywhere here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.value import InvalidValue, shorten
from comfygradio.forms.value_check import check_value
from comfygradio.ui.form.field_component import to_component_value


@dataclass(frozen=True)
class CheckedValues:
    """The values that a form takes, by field, and a sentence for each of the others."""

    values: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def list_defaults(form: Form) -> dict[str, Any]:
    """List the value of every field's component in a form that nobody has touched."""
    defaults: dict[str, Any] = {}
    for name, one in form.fields.items():
        if one.kind.is_media:
            defaults[name] = None
        else:
            defaults[name] = read_default(one)
    return defaults


def read_default(one: Field) -> Any:
    """Read what a field's component holds in a form that nobody has touched."""
    return "" if one.starts_empty else to_component_value(one, one.default)


def find_changed(form: Form, sent: Mapping[str, Any]) -> CheckedValues:
    """Find the values that differ from the defaults, among those that a page sent."""
    known = {name: sent[name] for name in form.fields if name in sent}
    checked = check_values(form, known)
    values: dict[str, Any] = {}
    for name, value in checked.values.items():
        one = form.fields[name]
        if not _is_same(value, read_default(one)):
            values[name] = value
    return CheckedValues(values, checked.refused)


def check_values(form: Form, values: Mapping[str, Any]) -> CheckedValues:
    """Check values as the form checks those that are sent by a click on Generate; an empty one is
    taken, since somebody may have emptied the box. Names that are no fields are refused.
    """
    checked = CheckedValues()
    for name, value in values.items():
        one = form.fields.get(name)
        if one is None:
            shown_name = shorten(name)
            checked.refused[shown_name] = form.describe_unknown_field(shown_name)
        elif not one.kind.is_media:
            _check_one(one, value, checked)
    return checked


def _check_one(one: Field, value: Any, checked: CheckedValues) -> None:
    if _is_blank(value):
        checked.values[one.name] = to_component_value(one, None)
        return
    try:
        check_value(one, value)
    except InvalidValue as refusal:
        checked.refused[one.name] = str(refusal)
        return
    checked.values[one.name] = to_component_value(one, value)


def _is_same(value: Any, other: Any) -> bool:
    if _is_blank(value) and _is_blank(other):
        return True
    # Python takes True for 1, a form does not.
    if isinstance(value, bool) != isinstance(other, bool):
        return False
    return bool(value == other)


def _is_blank(value: Any) -> bool:
    return value is None or value == [] or value == ""
