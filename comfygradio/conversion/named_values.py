"""Place values whose names are known: by the file's own names, or by the keys of an object."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.conversion.fit import is_fit
from comfygradio.conversion.placement import (
    MAX_WIDGETS,
    LeftValue,
    PlacedValue,
    Placement,
    add_value,
    number_choice,
)
from comfygradio.conversion.ui_graph import UiNode
from comfygradio.conversion.widget import CONTROL, CONTROL_WORDS, Widget

BY_NAME = (
    "the file was saved for another version of this node, so its values were placed by their names."
)


@dataclass(frozen=True)
class NamedValue:
    """A value of the file with its position or key in `widgets_values`."""

    index: int | str
    value: Any


def list_names(node: UiNode, values: Sequence[Any]) -> list[str] | None:
    """List the name that each value had when the file was saved. Returns None where the file does
    not say it.
    """
    names = list_stored_names(node, values)
    if names is not None:
        return names
    # Frontends up to 1.45 list all widgets among the inputs, but for controls.
    names = []
    waiting = [entry.widget for entry in reversed(node.inputs) if entry.is_widget]
    for position, value in enumerate(values):
        is_word = isinstance(value, str) and value in CONTROL_WORDS
        if is_word and position > 0 and names[-1] != CONTROL:
            names.append(CONTROL)
        elif waiting:
            names.append(waiting.pop())
        else:
            return None
    if waiting or len(set(names)) != len(names):
        return None
    return names


def list_stored_names(node: UiNode, values: Sequence[Any]) -> list[str] | None:
    """List the names that `widgets_values_named` has for the values. Returns None where it is older
    than they are.
    """
    named = node.named_values
    if named and list(named.values()) == list(values):
        return list(named)
    return None


def place_by_name(
    widgets: Sequence[Widget], values: Sequence[Any], names: Sequence[str]
) -> Placement:
    """Place a list of values. `names` has one for each of them."""
    named = {}
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        named[name] = NamedValue(index, value)
    return replace(_place(widgets, named), reason=BY_NAME)


def place_by_key(widgets: Sequence[Widget], values: Mapping[str, Any]) -> Placement:
    """Place values that have keys, as some node packs save them. All of them are posted, also
    those of inputs that the server does not list: a pack's page may add some.
    """
    named = {key: NamedValue(key, value) for key, value in values.items()}
    placement = _place(widgets, named)
    placed = dict(placement.widgets)
    left = []
    for index, name, value in placement.left:
        if name in placed:
            left.append((index, name, value))
        elif value is not None:
            widget = Widget(name, "PAGE", is_posted=not _is_page_state(name, value))
            placed[name] = PlacedValue(widget, value, index)
    return Placement(placed, tuple(left))


def _place(widgets: Sequence[Widget], named: Mapping[str, NamedValue]) -> Placement:
    """Place values in the widgets of their names, where these can take them."""
    waiting_values = dict(named)
    placed: dict[str, PlacedValue] = {}
    waiting = list(reversed(widgets))
    while waiting and len(placed) < MAX_WIDGETS:
        widget = waiting.pop()
        if widget.grows:
            waiting.extend(reversed(_list_grown(widget, waiting_values)))
            continue
        index: int | str | None = None
        value = widget.default
        found = waiting_values.get(widget.name)
        if found is not None and is_fit(widget, found.value):
            del waiting_values[widget.name]
            index = found.index
            # No value at all stands for the default.
            if found.value is not None:
                value = found.value
        add_value(placed, PlacedValue(widget, value, index))
        waiting.extend(reversed(widget.list_added(value)))
    _place_moved(placed, waiting_values)
    number_choice(widgets, placed)
    left: list[LeftValue] = []
    for name, found in waiting_values.items():
        is_control = _read_last(name) == CONTROL
        if not is_control or found.value not in CONTROL_WORDS:
            left.append((found.index, name, found.value))
    return Placement(placed, tuple(left))


def _list_grown(widget: Widget, names: Container[str]) -> list[Widget]:
    """List the widgets that a growing widget stands for."""
    grown: list[Widget] = []
    while f"{widget.name}{len(grown) + 1}" in names:
        name = f"{widget.name}{len(grown) + 1}"
        grown.append(replace(widget, name=name, grows=False))
    return grown


def _place_moved(placed: dict[str, PlacedValue], waiting: dict[str, NamedValue]) -> None:
    """Place values of inputs that a choice has now, and the node had before, or the other way
    round: `model.seed` and `seed`.
    """
    free: dict[str, list[str]] = {}
    for key, known in placed.items():
        if known.index is None and known.widget.is_posted:
            free.setdefault(_read_last(key), []).append(key)
    for name, found in list(waiting.items()):
        if found.value is None:
            continue
        for key in free.get(_read_last(name), ()):
            widget = placed[key].widget
            if placed[key].index is None and is_fit(widget, found.value):
                placed[key] = PlacedValue(widget, found.value, found.index)
                del waiting[name]
                break


def _read_last(name: str) -> str:
    """Read the last part of a name: `seed` of `model.seed`."""
    return name.rpartition(".")[2]


def _is_page_state(name: str, value: Any) -> bool:
    """Whether a value only says how the page shows something: a player for videos, or a button
    for uploads.
    """
    if isinstance(value, dict):
        return "hidden" in value and "paused" in value
    return value == "image" and "upload" in name
