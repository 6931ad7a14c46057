"""Place the values of a node: which widget each entry of its `widgets_values` belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from comfygradio.conversion.alignment import Aligner
from comfygradio.conversion.fit import is_fit, score_fit
from comfygradio.conversion.node_class import DYNAMIC_COMBO, NodeClass
from comfygradio.conversion.ui_graph import UiNode
from comfygradio.conversion.widget import (
    CONTROL,
    CONTROL_WORDS,
    Widget,
    list_custom_widgets,
    list_widgets,
)

MAX_GROWN = 1000
"""Maximum number of widgets that one growing widget stands for."""

MAX_WIDGETS = 5000
"""Maximum number of widgets of a node."""

BY_NAME = (
    "the file was saved for another version of this node, so its values were placed by their names."
)
BY_TYPE = (
    "the file was saved for another version of this node, so its values were placed by their "
    "types; check them."
)


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


def place_values(node: UiNode, node_class: NodeClass | None, aligner: Aligner) -> Placement:
    """Place the values of a node. `node_class` is None where the server lacks its class."""
    if node_class is None:
        widgets = _read_widgets(node)
    else:
        linked = frozenset(entry.name for entry in node.inputs if entry.link)
        declared = frozenset(entry.name for entry in node.inputs if entry.is_widget)
        widgets = list_widgets(node_class, linked, declared)
    if isinstance(node.values, dict):
        return _place_by_key(widgets, node.values)
    stored = node.values or []
    kept = _list_kept(stored, node_class)
    if kept is None:
        return _place_list(node, node_class, widgets, stored, aligner)
    values = [stored[index] for index in kept]
    placement = _place_list(node, node_class, widgets, values, aligner)
    return _renumber(placement, kept, stored)


def _place_list(
    node: UiNode,
    node_class: NodeClass | None,
    widgets: Sequence[Widget],
    values: Sequence[Any],
    aligner: Aligner,
) -> Placement:
    """Place a list of values: by position where they fit, else by name, else by type."""
    placement = _place_in_order(widgets, values)
    if node_class is None or _is_sound(placement, values):
        return placement
    custom = list_custom_widgets(node_class, frozenset(entry.name for entry in node.inputs))
    if custom:
        linked = frozenset(entry.name for entry in node.inputs if entry.link)
        extended = _place_in_order(list_widgets(node_class, linked, custom), values)
        if _is_sound(extended, values):
            return extended
    names = _name_values(node, values)
    if names is not None:
        return _place_by_name(widgets, values, names)
    aligned = _place_by_type(widgets, values, aligner)
    if _score(aligned) > _score(placement):
        return aligned
    return placement


def _place_in_order(widgets: Sequence[Widget], values: Sequence[Any]) -> Placement:
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
        _add(placed, PlacedValue(widget, value, index))
        waiting.extend(reversed(widget.list_added(value)))
    left = tuple((index, "", values[index]) for index in range(position, len(values)))
    _number_choice(placed)
    return Placement(placed, left)


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


def _place_by_key(widgets: Sequence[Widget], values: Mapping[str, Any]) -> Placement:
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
        _add(placed, PlacedValue(widget, value, index))
        waiting.extend(reversed(widget.list_added(value)))
    for name, value in values.items():
        if name in placed:
            continue
        widget = Widget(name, "PAGE", is_posted=not _is_page_state(name, value))
        placed[name] = PlacedValue(widget, value, name)
    return Placement(placed)


def _place_by_name(
    widgets: Sequence[Widget], values: Sequence[Any], names: Sequence[str]
) -> Placement:
    """Place values whose names are known. `names` has one for each value."""
    waiting_values = dict(zip(names, range(len(values)), strict=True))
    placed: dict[str, PlacedValue] = {}
    waiting = list(reversed(widgets))
    while waiting and len(placed) < MAX_WIDGETS:
        widget = waiting.pop()
        index = waiting_values.pop(widget.name, None)
        value = widget.default
        if index is not None and values[index] is not None and is_fit(widget, values[index]):
            value = values[index]
        elif index is not None:
            waiting_values[widget.name] = index
            index = None
        _add(placed, PlacedValue(widget, value, index))
        waiting.extend(reversed(widget.list_added(value)))
    _place_moved(placed, values, waiting_values)
    left = []
    for name, index in waiting_values.items():
        is_control = _read_last(name) == CONTROL
        if not is_control or values[index] not in CONTROL_WORDS:
            left.append((index, name, values[index]))
    return Placement(placed, tuple(left), BY_NAME)


def _place_moved(
    placed: dict[str, PlacedValue], values: Sequence[Any], waiting: dict[str, int]
) -> None:
    """Place values of inputs that a choice has now, and the node had before, or the other way
    round: `model.seed` and `seed`.
    """
    free: dict[str, list[str]] = {}
    for key, known in placed.items():
        if known.index is None and known.widget.is_posted:
            free.setdefault(_read_last(key), []).append(key)
    for name, index in list(waiting.items()):
        for key in free.get(_read_last(name), ()):
            widget = placed[key].widget
            if placed[key].index is None and is_fit(widget, values[index]):
                placed[key] = PlacedValue(widget, values[index], index)
                del waiting[name]
                break


def _read_last(name: str) -> str:
    """Read the last part of a name: `seed` of `model.seed`."""
    return name.rpartition(".")[2]


def _place_by_type(widgets: Sequence[Widget], values: Sequence[Any], aligner: Aligner) -> Placement:
    """Place values in their order, wherever their types fit best."""
    flat = _flatten(widgets, values)
    aligned = aligner.align(flat, values)
    placed: dict[str, PlacedValue] = {}
    for number, widget in enumerate(flat):
        index = aligned.get(number)
        value = widget.default
        if index is not None and values[index] is not None:
            value = values[index]
        _add(placed, PlacedValue(widget, value, index))
    used = set(aligned.values())
    left = []
    for index, value in enumerate(values):
        if index not in used:
            left.append((index, "", value))
    return Placement(placed, tuple(left), BY_TYPE)


def _flatten(widgets: Sequence[Widget], values: Sequence[Any]) -> list[Widget]:
    """List the widgets with those that dynamic combos add. A combo has the first value that is one
    of its choices.
    """
    flat: list[Widget] = []
    waiting = list(reversed(widgets))
    while waiting and len(flat) < MAX_WIDGETS:
        widget = waiting.pop()
        if not widget.is_saved or widget.grows:
            continue
        flat.append(widget)
        if widget.kind != DYNAMIC_COMBO:
            continue
        chosen = widget.default
        for value in values:
            if isinstance(value, str) and value in widget.choices:
                chosen = value
                break
        waiting.extend(reversed(widget.list_added(chosen)))
    return flat


def _is_sound(placement: Placement, values: Sequence[Any]) -> bool:
    """Whether values that were placed by position fit their widgets, in type and in number."""
    if placement.left:
        return False
    for placed in placement.widgets.values():
        if placed.index is None:
            if placed.widget.is_saved and values:
                return False
        elif isinstance(placed.index, int) and not is_fit(placed.widget, values[placed.index]):
            return False
    return True


def _score(placement: Placement) -> float:
    """Score how well the values fit their widgets."""
    score = 0.0
    for placed in placement.widgets.values():
        if placed.index is not None:
            score += score_fit(placed.widget, placed.value)
    return score - len(placement.left)


def _name_values(node: UiNode, values: Sequence[Any]) -> list[str] | None:
    """Find the name that each value had when the file was saved. Returns None where the file does
    not say it.
    """
    named = list(node.named_values.items())
    if named and [value for _, value in named] == list(values):
        return [name for name, _ in named]
    # Frontends up to 1.45 list all widgets among the inputs, but for controls.
    names: list[str] = []
    waiting = [entry.name for entry in reversed(node.inputs) if entry.is_widget]
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


def _is_page_state(name: str, value: Any) -> bool:
    """Whether a value only says how the page shows something: a player for videos, or a button
    for uploads.
    """
    if isinstance(value, dict):
        return "hidden" in value and "paused" in value
    return value == "image" and "upload" in name


def _add(placed: dict[str, PlacedValue], value: PlacedValue) -> None:
    name = value.widget.name
    # A node may have several controls, and a class an input of the name of one of them.
    if name in placed and not value.widget.is_posted:
        name = f"{name}#{len(placed)}"
    placed[name] = value


def _list_kept(values: Sequence[Any], node_class: NodeClass | None) -> list[int] | None:
    """List the positions of values whose inputs are still widgets, where the file has values of
    inputs that were widgets once and are sockets now. Returns None for other files.

    Such files are told by their count: a value for each widget and for each forced input.
    """
    if node_class is None or not values:
        return None
    if not any(entry.options.get("forceInput") for entry in node_class.inputs):
        return None
    forced: list[bool] = []
    widgets = {widget.name for widget in list_widgets(node_class)}
    for entry in node_class.inputs:
        is_forced = bool(entry.options.get("forceInput"))
        if entry.name not in widgets and not is_forced:
            continue
        forced.append(is_forced)
        if entry.options.get(CONTROL):
            forced.append(False)
    if not any(forced) or len(forced) != len(values):
        return None
    return [index for index, is_forced in enumerate(forced) if not is_forced]


def _renumber(placement: Placement, kept: Sequence[int], values: Sequence[Any]) -> Placement:
    """Give values that were placed without some others their positions among all."""
    widgets: dict[str, PlacedValue] = {}
    for name, placed in placement.widgets.items():
        if isinstance(placed.index, int):
            placed = replace(placed, index=kept[placed.index])
        widgets[name] = placed
    left = [(kept[index], name, value) for index, name, value in placement.left]
    for index, value in enumerate(values):
        if index not in kept:
            left.append((index, "", value))
    return Placement(widgets, tuple(left), placement.reason)


def _read_widgets(node: UiNode) -> list[Widget]:
    """List the widgets of a class that the server lacks, as far as the file names them."""
    values: Iterable[Any] = node.values if isinstance(node.values, list) else ()
    names = [entry for entry in reversed(node.inputs) if entry.is_widget]
    widgets: list[Widget] = []
    for value in values:
        is_word = isinstance(value, str) and value in CONTROL_WORDS
        if is_word and widgets and widgets[-1].kind == "INT":
            widgets.append(Widget(CONTROL, "CONTROL", is_posted=False))
        elif names:
            entry = names.pop()
            widgets.append(Widget(entry.name, entry.type))
    return widgets
