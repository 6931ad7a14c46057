"""Values of axes as people read them, and as the text that reads as them again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

from comfygradio.forms.field import Field
from comfygradio.forms.kinds.value import Lora
from comfygradio.forms.value_json import value_to_json
from comfygradio.sweeps.axes.axis_text import quote, quote_if_split
from comfygradio.sweeps.axes.choice_index import ChoiceIndex

MAX_LABEL_DIGITS = 10
"""Characters; longer floats, such as a third, are rounded where people read them."""


def format_label(field: Field, catalog: ChoiceIndex, value: Any) -> str:
    """A checked value, short and for people: numbers without trailing zeros, choices by their
    label, texts whole.
    """
    if value is None or value == ():
        return "none"
    if value == "" and field.kind.is_text:
        return "(empty)"
    if field.widget == "loras":
        return " + ".join(_label_lora(row) for row in value)
    if field.choices is not None:
        listed = value if field.is_multiple else [value_to_json(field, value)]
        return ", ".join(catalog.get_label(one) for one in listed)
    if field.widget == "checkbox":
        return "on" if value else "off"
    if isinstance(value, float):
        return format_number_label(value)
    return str(value_to_json(field, value))


def format_number_label(number: float) -> str:
    """A float without trailing zeros; long ones are rounded to six digits, or to the point.

    No zero has a sign.
    """
    text = repr(number + 0.0)
    if len(text) > MAX_LABEL_DIGITS and "e" not in text:
        before = len(text.lstrip("-").partition(".")[0])
        context = Context(prec=max(6, before))
        rounded = context.create_decimal(Decimal(text))
        text = format(rounded, "f")
        if "." in text:
            text = text.rstrip("0")
    return text.removesuffix(".0").removesuffix(".")


def format_value(
    field: Field, catalog: ChoiceIndex, value: Any, write_path: Callable[[Path], str] = str
) -> str:
    """The item of an axis text that reads as this checked value, whatever it holds."""
    if value is None or value == ():
        return _write_nothing(field, catalog)
    if field.kind.is_text:
        return quote(value)
    if field.kind.is_media:
        return quote(write_path(value))
    if field.widget == "loras":
        rows = [quote_if_split(f"{row.name}:{row.strength!r}") for row in value]
        return quote(", ".join(rows))
    if field.kind.is_list:
        return quote(_write_choices(field, catalog, value))
    if field.widget == "checkbox":
        return "on" if value else "off"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value_to_json(field, value))


def _label_lora(row: Lora) -> str:
    if row.strength == 1:
        return row.name
    return f"{row.name}:{format_number_label(row.strength)}"


def _write_nothing(field: Field, catalog: ChoiceIndex) -> str:
    if field.optional or catalog.find_exact("") is None:
        return '""'
    # Here "" is one of the choices, and a space is nothing.
    return '" "'


def _write_choices(field: Field, catalog: ChoiceIndex, value: Any) -> str:
    if not field.is_multiple:
        return catalog.format_value(value)
    texts = [catalog.format_value(one) for one in value]
    return ", ".join(quote_if_split(text) for text in texts)
