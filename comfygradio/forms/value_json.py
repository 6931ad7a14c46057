"""Converts checked values to JSON, as stored in a picture's metadata and used to refill a form."""

from __future__ import annotations

from typing import Any

from comfygradio.forms.field import Field


def value_to_json(field: Field, value: Any) -> Any:
    """Convert a checked value to JSON that `check_value` takes again, except for files, of which
    only the name stays.

    An exempt text of more than 100,000 characters becomes what stands for it. Sizes become
    "768x512", colors "#rrggbb", LoRA lists [{"name": …, "strength": …}]; empty ones None.
    """
    return field.kind.to_json(field, value)


def format_word(described: Any) -> str:
    """Format a value that is JSON as templates write it: lists with commas, LoRAs by name, None
    as "".
    """
    if described is None:
        return ""
    if not isinstance(described, list):
        return str(described)
    words = [item["name"] if isinstance(item, dict) else item for item in described]
    return ", ".join(map(str, words))
