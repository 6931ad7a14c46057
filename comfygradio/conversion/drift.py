"""Place the values of a node that was saved for another version of its class: by name or type."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from typing import Any

from comfygradio.conversion.alignment import Aligner
from comfygradio.conversion.fit import is_fit, score_fit
from comfygradio.conversion.node_class import DYNAMIC_COMBO
from comfygradio.conversion.placement import MAX_WIDGETS, PlacedValue, Placement, add_value
from comfygradio.conversion.ui_graph import UiNode
from comfygradio.conversion.widget import CONTROL, CONTROL_WORDS, Widget

BY_NAME = (
    "the file was saved for another version of this node, so its values were placed by their names."
)
BY_TYPE = (
    "the file was saved for another version of this node, so its values were placed by their "
    "types; check them."
)


def name_values(node: UiNode, values: Sequence[Any]) -> list[str] | None:
    """Find the name that each value had when the file was saved. Returns None where the file does
    not say it.
    """
    named = list(node.named_values.items())
    if named and [value for _, value in named] == list(values):
        return [name for name, _ in named]
    # Frontends up to 1.45 list all widgets among the inputs, but for controls.
    names: list[str] = []
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


def place_by_name(
    widgets: Sequence[Widget], values: Sequence[Any], names: Sequence[str]
) -> Placement:
    """Place values whose names are known. `names` has one for each value."""
    waiting_values = dict(zip(names, range(len(values)), strict=True))
    placed: dict[str, PlacedValue] = {}
    waiting = list(reversed(widgets))
    while waiting and len(placed) < MAX_WIDGETS:
        widget = waiting.pop()
        if widget.grows:
            waiting.extend(reversed(_list_grown(widget, waiting_values)))
            continue
        index = waiting_values.pop(widget.name, None)
        value = widget.default
        if index is not None and values[index] is not None and is_fit(widget, values[index]):
            value = values[index]
        elif index is not None:
            waiting_values[widget.name] = index
            index = None
        add_value(placed, PlacedValue(widget, value, index))
        waiting.extend(reversed(widget.list_added(value)))
    _place_moved(placed, values, waiting_values)
    left = []
    for name, index in waiting_values.items():
        is_control = _read_last(name) == CONTROL
        if not is_control or values[index] not in CONTROL_WORDS:
            left.append((index, name, values[index]))
    return Placement(placed, tuple(left), BY_NAME)


def _list_grown(widget: Widget, names: Container[str]) -> list[Widget]:
    """List the widgets that a growing widget stands for."""
    grown: list[Widget] = []
    while f"{widget.name}{len(grown) + 1}" in names:
        name = f"{widget.name}{len(grown) + 1}"
        grown.append(replace(widget, name=name, grows=False))
    return grown


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


def place_by_type(widgets: Sequence[Widget], values: Sequence[Any], aligner: Aligner) -> Placement:
    """Place values in their order, wherever their types fit best."""
    flat = _flatten(widgets, values)
    aligned = aligner.align(flat, values)
    placed: dict[str, PlacedValue] = {}
    for number, widget in enumerate(flat):
        index = aligned.get(number)
        value = widget.default
        if index is not None and values[index] is not None:
            value = values[index]
        add_value(placed, PlacedValue(widget, value, index))
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


def score_placement(placement: Placement) -> float:
    """Score how well the values fit their widgets."""
    score = 0.0
    for placed in placement.widgets.values():
        if placed.index is not None:
            score += score_fit(placed.widget, placed.value)
    return score - len(placement.left)
