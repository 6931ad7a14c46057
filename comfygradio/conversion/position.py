"""Place values as ComfyUI's page does: by their position, or by their keys where they have some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from comfygradio.conversion.placement import MAX_WIDGETS, PlacedValue, Placement, add_value
from comfygradio.conversion.widget import Widget

MAX_GROWN = 1000
"""Maximum number of widgets that one growing widget stands for."""


def place_in_order(widgets: Sequence[Widget], values: Sequence[Any]) -> Placement:
    """Place values by position, as ComfyUI's page does."""
    placed: dict[str, PlacedValue] = {}
    waiting = list(reversed(widgets))
    position = 0
    while waiting and len(placed) < MAX_WIDGETS:
        widget = waiting.pop()
        if widget.grows:
            position = _place_growing(widget, values, position, placed)
            continue
        index: int | None = None
        value = widget.default
        if widget.is_saved and position < len(values):
            index = position
            # No value at all stands for the default.
            if values[position] is not None:
                value = values[position]
            position += 1
        add_value(placed, PlacedValue(widget, value, index))
        waiting.extend(reversed(widget.list_added(value)))
    left = tuple((index, "", values[index]) for index in range(position, len(values)))
    _number_choice(placed)
    return Placement(placed, left)


def place_by_key(widgets: Sequence[Widget], values: Mapping[str, Any]) -> Placement:
    """Place values that have names, as some node packs save them. All of them are posted, also
    those of inputs that the server does not list: a pack's page may add some.
    """
    placed: dict[str, PlacedValue] = {}
    waiting = list(reversed(widgets))
    while waiting and len(placed) < MAX_WIDGETS:
        widget = waiting.pop()
        if widget.grows:
            continue
        index: str | None = None
        value = widget.default
        if widget.is_saved and widget.name in values:
            index = widget.name
            value = values[index]
        add_value(placed, PlacedValue(widget, value, index))
        waiting.extend(reversed(widget.list_added(value)))
    for name, value in values.items():
        if name in placed:
            continue
        widget = Widget(name, "PAGE", is_posted=not _is_page_state(name, value))
        placed[name] = PlacedValue(widget, value, name)
    return Placement(placed)


def _place_growing(
    widget: Widget, values: Sequence[Any], position: int, placed: dict[str, PlacedValue]
) -> int:
    """Place all the values that are left. Returns the new position."""
    number = 1
    while (position < len(values) and number <= MAX_GROWN) or number == 1:
        name = f"{widget.name}{number}"
        grown = replace(widget, name=name, grows=False)
        if position < len(values):
            placed[name] = PlacedValue(grown, values[position], position)
            position += 1
        else:
            placed[name] = PlacedValue(grown, widget.default, None)
        number += 1
    return position


def _number_choice(placed: dict[str, PlacedValue]) -> None:
    """Set the index of a choice among options that stand in the node itself (Custom Combo)."""
    index = placed.get("index")
    if index is None or "option1" not in placed or "choice" not in placed:
        return
    options: list[Any] = []
    while f"option{len(options) + 1}" in placed:
        options.append(placed[f"option{len(options) + 1}"].value)
    if placed["choice"].value in options:
        number = options.index(placed["choice"].value)
        placed["index"] = replace(index, value=number)


def _is_page_state(name: str, value: Any) -> bool:
    """Whether a value only says how the page shows something: a player for videos, or a button
    for uploads.
    """
    if isinstance(value, dict):
        return "hidden" in value and "paused" in value
    return value == "image" and "upload" in name
