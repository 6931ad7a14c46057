"""Visibility: which fields of a form are shown, given the values of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.forms.field import Field


def find_visible(fields: Mapping[str, Field], values: Mapping[str, Any]) -> dict[str, bool]:
    """Field name → whether it is shown. `values` hold described values (see `describe`); missing
    ones are the default.

    A field that depends on a hidden one sees that one's default, and what depends on it in turn.
    """
    shown: dict[str, bool] = {}
    for name in fields:
        _decide(name, fields, values, shown)
    return shown


def find_circle(fields: Mapping[str, Field]) -> list[str] | None:
    """Names of fields whose `show_if` leads back to themselves, or None."""
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


def _decide(
    name: str, fields: Mapping[str, Field], values: Mapping[str, Any], shown: dict[str, bool]
) -> bool:
    if name in shown:
        return shown[name]
    shown[name] = True
    for other, wanted in fields[name].show_if.items():
        value = fields[other].default
        if _decide(other, fields, values, shown):
            value = values.get(other, value)
        if not _fits(value, wanted):
            shown[name] = False
    return shown[name]


def _fits(value: Any, wanted: tuple[Any, ...]) -> bool:
    chosen = value if isinstance(value, list) else [value]
    for one in chosen:
        for item in wanted:
            # Python takes True for 1, a switch is no number.
            is_same_kind = isinstance(one, bool) == isinstance(item, bool)
            if is_same_kind and one == item:
                return True
    return False
