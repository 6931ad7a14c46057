"""Values of axes as people read them, and as the text that reads as them again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

from comfygradio.forms.describe import describe_value
from comfygradio.forms.field import MEDIA, TEXTS, Field
from comfygradio.sweeps.axes.catalog import Catalog
from comfygradio.sweeps.axes.text import quote, quote_if_split

LONG_NUMBER = 10
"""Characters; longer floats, such as a third, are rounded where people read them."""


def label_value(field: Field, catalog: Catalog, value: Any) -> str:
    """A checked value, short and for people: numbers without trailing zeros, choices by their
    label, texts whole.
    """
    if value is None or value == ():
        return "none"
    if value == "" and field.widget in TEXTS:
        return "(empty)"
    if field.widget == "loras":
        return " + ".join(
            row.name if row.strength == 1 else f"{row.name}:{label_number(row.strength)}"
            for row in value
        )
    if field.choices is not None:
        listed = value if field.is_multiple else [describe_value(field, value)]
        return ", ".join(catalog.label(one) for one in listed)
    if field.widget == "checkbox":
        return "on" if value else "off"
    if isinstance(value, float):
        return label_number(value)
    return str(describe_value(field, value))


def label_number(number: float) -> str:
    """A float without trailing zeros; long ones are rounded to six digits, or to the point.

    No zero has a sign.
    """
    text = repr(number + 0.0)
    if len(text) > LONG_NUMBER and "e" not in text:
        before = len(text.lstrip("-").partition(".")[0])
        text = format(Context(prec=max(6, before)).create_decimal(Decimal(text)), "f")
        text = text.rstrip("0") if "." in text else text
    return text.removesuffix(".0").removesuffix(".")


def write_value(
    field: Field, catalog: Catalog, value: Any, write_path: Callable[[Path], str] = str
) -> str:
    """The item of an axis text that reads as this checked value, whatever it holds."""
    if value is None or value == ():
        return '""' if field.optional or catalog.find_exact("") is None else '" "'
    if field.widget in TEXTS:
        return quote(value)
    if field.widget in MEDIA:
        return quote(write_path(value))
    if field.widget == "loras":
        return quote(", ".join(quote_if_split(f"{row.name}:{row.strength!r}") for row in value))
    if field.widget in ("dropdown", "radio"):
        listed = [catalog.write(one) for one in value] if field.is_multiple else []
        return quote(", ".join(map(quote_if_split, listed)) if listed else catalog.write(value))
    if field.widget == "checkbox":
        return "on" if value else "off"
    return (
        repr(value).removesuffix(".0")
        if isinstance(value, float)
        else str(describe_value(field, value))
    )
