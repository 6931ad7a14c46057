"""The widgets of a node with the values that were placed in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from comfygradio.conversion.widget import Widget

MAX_WIDGETS = 5000
"""Maximum number of widgets of a node."""


@dataclass(frozen=True)
class PlacedValue:
    """A widget with its value. `index` is the value's position or key in `widgets_values`; None
    for a default that the file does not hold.
    """

    widget: Widget
    value: Any
    index: int | str | None


@dataclass(frozen=True)
class Placement:
    """The widgets of a node by name, and the values that belong to none of them: position, name
    or "", and value. `reason` says why the values are not placed by position.
    """

    widgets: Mapping[str, PlacedValue]
    left: tuple[tuple[int, str, Any], ...] = ()
    reason: str = ""

    @cached_property
    def controlled(self) -> frozenset[str]:
        """The widgets behind which the page puts a control."""
        found = []
        before = ""
        for name, placed in self.widgets.items():
            if placed.widget.kind == "CONTROL":
                found.append(before)
            before = name
        return frozenset(found)

    @cached_property
    def names(self) -> Mapping[int | str, str]:
        """The names of the widgets by the positions or keys of their values."""
        found: dict[int | str, str] = {}
        for name, placed in self.widgets.items():
            if placed.index is not None:
                found[placed.index] = name
        return found


def add_value(placed: dict[str, PlacedValue], value: PlacedValue) -> None:
    """Add a widget with its value."""
    name = value.widget.name
    # A node may have several controls, and a class an input of the name of one of them.
    if name in placed and not value.widget.is_posted:
        name = f"{name}#{len(placed)}"
    placed[name] = value
