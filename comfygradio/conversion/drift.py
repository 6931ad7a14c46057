"""Place the values of a node that was saved for another version of its class by their types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from comfygradio.conversion.alignment import Aligner
from comfygradio.conversion.fit import score_fit
from comfygradio.conversion.node_class import DYNAMIC_COMBO
from comfygradio.conversion.placement import MAX_WIDGETS, PlacedValue, Placement, add_value
from comfygradio.conversion.widget import Widget

BY_TYPE = (
    "the file was saved for another version of this node, so its values were placed by their "
    "types; check them."
)
TOO_MANY = (
    "the file was saved for another version of this node, and has too many values to place them by "
    "their types, so they stand in their order; check them."
)


def place_by_type(
    widgets: Sequence[Widget], values: Sequence[Any], aligner: Aligner
) -> Placement | None:
    """Place values in their order, wherever their types fit best. Returns None where it would take
    too long to find out.
    """
    flat = _flatten(widgets, values)
    aligned = aligner.align(flat, values)
    if aligned is None:
        return None
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
