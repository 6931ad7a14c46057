"""Converts checked values to JSON, as stored in a picture's metadata and used to refill a form."""

from __future__ import annotations

from typing import Any

from comfygradio.forms.exempt_value import format_stand_in, has_stand_in
from comfygradio.forms.field import Field


def value_to_json(field: Field, value: Any) -> Any:
    """A checked value as JSON that `check_value` takes again, except for files, of which only the
    name stays.

    A kept text of more than 100,000 characters becomes what stands for it. Sizes become
    "768x512", colors "#rrggbb", LoRA lists [{"name": …, "strength": …}]; empty ones
    None.
    """
    if has_stand_in(field, value):
        return format_stand_in(value)
    return field.kind.to_json(value)


def format_word(described: Any) -> str:
    """A described value as templates write it: lists with commas, LoRAs by name, empty ones as
    nothing.
    """
    if described is None:
        return ""
    if not isinstance(described, list):
        return str(described)
    words = [item["name"] if isinstance(item, dict) else item for item in described]
    return ", ".join(map(str, words))
