"""Place values by their position, as ComfyUI's page does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from comfygradio.conversion.placement import (
    MAX_WIDGETS,
    PlacedValue,
    Placement,
    add_value,
    number_choice,
)
from comfygradio.conversion.widget import Widget

MAX_GROWN = 1000
"""Maximum number of widgets that one growing widget stands for."""


def place_in_order(widgets: Sequence[Widget], values: Sequence[Any]) -> Placement:
    """Place a list of values in the order of the widgets."""
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
    number_choice(widgets, placed)
    return Placement(placed, left)


def _place_growing(
    widget: Widget, values: Sequence[Any], position: int, placed: dict[str, PlacedValue]
) -> int:
    """Place all the values that are left. Returns the new position."""
    number = 1
    while (position < len(values) and number <= MAX_GROWN) or number == 1:
        name = f"{widget.name}{number}"
        grown = replace(widget, name=name, grows=False)
        index: int | None = None
        value = widget.default
        if position < len(values):
            index = position
            # No value at all stands for the default.
            if values[position] is not None:
                value = values[position]
            position += 1
        placed[name] = PlacedValue(grown, value, index)
        number += 1
    return position
