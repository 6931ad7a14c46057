"""Place the values of an instance in the widgets that its subgraph shows outside."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from comfygradio.conversion.alignment import Aligner
from comfygradio.conversion.drift import place_by_type, score_placement
from comfygradio.conversion.named_values import list_stored_names, place_by_key, place_by_name
from comfygradio.conversion.placement import LeftValue, PlacedValue, Placement
from comfygradio.conversion.position import place_in_order
from comfygradio.conversion.ui_graph import UiNode
from comfygradio.conversion.widget import CONTROL, CONTROL_WORDS, Widget

BY_NAME = "its values do not fit the subgraph in their order, so they were placed by their names."
BY_TYPE = (
    "its values do not fit the subgraph in their order, so they were placed by their types; check "
    "them."
)
IN_ORDER = (
    "the names of its values are older than these, so they were placed in their order; check them."
)
TOO_MANY = (
    "its values do not fit the subgraph, and are too many to place them by their types, so they "
    "stand in their order; check them."
)


def place_host_values(
    host: UiNode, widgets: Sequence[Widget], controlled: Container[str], aligner: Aligner
) -> Placement:
    """Place the values of an instance. `controlled` are the widgets that have a control inside.

    By their keys if they have some; else in the order of the widgets if they fit them; else by
    names of the same values; else by type.
    """
    if isinstance(host.values, dict):
        return _place_shown_by_key(widgets, host.values)
    values = host.values or []
    layouts: list[Sequence[Widget]] = [widgets]
    # Some files have the values of controls as well.
    if any(isinstance(value, str) and value in CONTROL_WORDS for value in values):
        layouts.append(_add_controls(widgets, controlled))
    ordered = [place_in_order(layout, values) for layout in layouts]
    for placement in ordered:
        if placement.fits:
            return placement
    names = list_stored_names(host, values)
    if names is not None:
        named = place_by_name(widgets, values, names)
        # Where their order says the same, the names tell what the left ones are.
        is_same = named.names == ordered[0].names
        return replace(named, reason="" if is_same else BY_NAME)
    reason = IN_ORDER if host.named_values else ""
    best = max(ordered, key=score_placement)
    for layout in layouts:
        aligned = place_by_type(layout, values, aligner)
        if aligned is None:
            return replace(best, reason=TOO_MANY)
        if score_placement(aligned) > score_placement(best):
            best = aligned
            reason = BY_TYPE
    return replace(best, reason=reason)


def _place_shown_by_key(widgets: Sequence[Widget], values: dict[str, object]) -> Placement:
    """Place values by their keys. Those of no widget are left: an instance posts nothing itself."""
    placement = place_by_key(widgets, values)
    names = {widget.name for widget in widgets}
    placed: dict[str, PlacedValue] = {}
    left: list[LeftValue] = list(placement.left)
    for name, known in placement.widgets.items():
        if name in names:
            placed[name] = known
        elif known.index is not None:
            left.append((known.index, name, known.value))
    return Placement(placed, tuple(left))


def _add_controls(widgets: Sequence[Widget], controlled: Container[str]) -> list[Widget]:
    found: list[Widget] = []
    for widget in widgets:
        found.append(widget)
        if widget.name in controlled:
            name = f"{widget.name}#{CONTROL}"
            found.append(Widget(name, "CONTROL", "randomize", is_posted=False))
    return found
