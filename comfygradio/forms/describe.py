"""Checked values as JSON: what a picture remembers, and what fills a form again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comfygradio.forms.field import Field, Lora
from comfygradio.forms.kept import describe_kept, is_stood_for


def describe_value(field: Field, value: Any) -> Any:
    """A checked value as JSON that `check_value` takes again, except for files, of which only the
    name stays.

    A kept text of more than 100,000 characters becomes what stands for it. Sizes become
    "768x512", colors "#rrggbb", LoRA lists [{"name": …, "strength": …}]; empty ones
    None.
    """
    if isinstance(value, Path):
        return value.name
    if is_stood_for(field, value):
        return describe_kept(value)
    if field.widget == "size" and isinstance(value, tuple):
        return "x".join(map(str, value))
    if field.widget == "color" and isinstance(value, int):
        return f"#{value:06x}"
    if field.widget == "loras" and value is not None:
        rows = [row for row in value if isinstance(row, Lora)]
        return [{"name": row.name, "strength": row.strength} for row in rows]
    return list(value) if isinstance(value, tuple) else value


def write_word(described: Any) -> str:
    """A described value as templates write it: lists with commas, LoRAs by name, empty ones as
    nothing.
    """
    if described is None:
        return ""
    if not isinstance(described, list):
        return str(described)
    words = [item["name"] if isinstance(item, dict) else item for item in described]
    return ", ".join(map(str, words))
