"""Visibility: decide which fields of a form are shown, given the values of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.forms.field import Field


def find_visible(fields: Mapping[str, Field], values: Mapping[str, Any]) -> dict[str, bool]:
    """Map each field's name to whether it is shown.

    `values` are values as JSON (see `value_to_json`); missing ones count as the default. For a
    field that depends on a hidden field, that field's default counts.
    """
    shown: dict[str, bool] = {}
    for name in fields:
        _resolve_shown(name, fields, values, shown)
    return shown


def find_condition_cycle(fields: Mapping[str, Field]) -> list[str] | None:
    """Find fields whose `show_if` leads back to themselves. Returns their names, or None."""
    safe: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> list[str] | None:
        if name in way:
            return list(way[way.index(name) :])
        for other in fields[name].show_if:
            if other in fields and other not in safe:
                circle = visit(other, (*way, name))
                if circle:
                    return circle
        safe.add(name)
        return None

    for name in fields:
        circle = visit(name, ())
        if circle:
            return circle
    return None


def _resolve_shown(
    name: str, fields: Mapping[str, Field], values: Mapping[str, Any], shown: dict[str, bool]
) -> bool:
    if name in shown:
        return shown[name]
    # Set before the others are asked, so that fields that depend on one another come to an end.
    shown[name] = True
    for other, wanted in fields[name].show_if.items():
        value = fields[other].default
        if _resolve_shown(other, fields, values, shown):
            value = values.get(other, value)
        if not _matches(value, wanted):
            shown[name] = False
    return shown[name]


def _matches(value: Any, wanted: tuple[Any, ...]) -> bool:
    chosen = value if isinstance(value, list) else [value]
    for one in chosen:
        for item in wanted:
            # Python takes True for 1, a switch is no number.
            is_same_kind = isinstance(one, bool) == isinstance(item, bool)
            if is_same_kind and one == item:
                return True
    return False
