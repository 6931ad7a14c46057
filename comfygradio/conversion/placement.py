"""The widgets of a node with the values that were placed in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from comfygradio.conversion.fit import is_fit
from comfygradio.conversion.widget import Widget

MAX_WIDGETS = 5000
"""Maximum number of widgets of a node."""

LeftValue = tuple[int | str, str, Any]
"""A value that belongs to no widget: its position or key in `widgets_values`, name or "", value."""


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
    """The widgets of a node by name, and the values that belong to none of them. `reason` says why
    the values are not placed by position.
    """

    widgets: Mapping[str, PlacedValue]
    left: tuple[LeftValue, ...] = ()
    reason: str = ""

    @property
    def fits(self) -> bool:
        """Whether values that were placed by position fit their widgets, in type and in number."""
        if self.left:
            return False
        has_values = any(placed.index is not None for placed in self.widgets.values())
        for placed in self.widgets.values():
            if placed.index is None:
                if placed.widget.is_saved and has_values:
                    return False
            elif not _is_default(placed) and not is_fit(placed.widget, placed.value):
                return False
        return True

    @property
    def is_in_order(self) -> bool:
        """Whether each value stands where ComfyUI's page, which goes by the order alone, reads it.
        Values behind those of all widgets move nothing.
        """
        saved = []
        for placed in self.widgets.values():
            if placed.widget.is_saved:
                saved.append(placed.index)
        return saved == list(range(len(saved)))

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


def _is_default(placed: PlacedValue) -> bool:
    """Whether a value is the default, which some classes declare of another type than their own."""
    default = placed.widget.default
    # False is equal to 0, and no number.
    is_same_kind = isinstance(placed.value, bool) == isinstance(default, bool)
    return is_same_kind and bool(placed.value == default)


def add_value(placed: dict[str, PlacedValue], value: PlacedValue) -> None:
    """Add a widget with its value."""
    name = value.widget.name
    # A node may have several controls, and a class an input of the name of one of them.
    if name in placed and not value.widget.is_posted:
        name = f"{name}#{len(placed)}"
    placed[name] = value


def says_nothing(name: str, value: Any) -> bool:
    """Whether a value that belongs to no widget says nothing: some files have an empty text for a
    button of an older node.
    """
    return value is None or (value == "" and not name)


def number_choice(widgets: Sequence[Widget], placed: dict[str, PlacedValue]) -> None:
    """Set the index of a choice among options that stand in the node itself (Custom Combo)."""
    if not any(widget.grows for widget in widgets):
        return
    index = placed.get("index")
    if index is None or "option1" not in placed or "choice" not in placed:
        return
    options: list[Any] = []
    while f"option{len(options) + 1}" in placed:
        options.append(placed[f"option{len(options) + 1}"].value)
    if placed["choice"].value in options:
        number = options.index(placed["choice"].value)
        placed["index"] = replace(index, value=number)
