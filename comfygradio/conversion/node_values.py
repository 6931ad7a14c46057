"""Place the values of a node: which widget each entry of its `widgets_values` belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from comfygradio.conversion.alignment import Aligner
from comfygradio.conversion.drift import TOO_MANY, place_by_type, score_placement
from comfygradio.conversion.named_values import list_names, place_by_key, place_by_name
from comfygradio.conversion.node_class import NodeClass
from comfygradio.conversion.placement import LeftValue, PlacedValue, Placement
from comfygradio.conversion.position import place_in_order
from comfygradio.conversion.ui_graph import UiNode
from comfygradio.conversion.widget import (
    CONTROL,
    Widget,
    list_custom_widgets,
    list_widgets,
)


def place_values(node: UiNode, node_class: NodeClass | None, aligner: Aligner) -> Placement:
    """Place the values of a node. `node_class` is None where the server lacks its class."""
    if node_class is None:
        return _place_unknown(node)
    linked = frozenset(entry.name for entry in node.inputs if entry.link)
    declared = frozenset(entry.widget for entry in node.inputs if entry.is_widget)
    widgets = list_widgets(node_class, linked, declared)
    if isinstance(node.values, dict):
        return place_by_key(widgets, node.values)
    stored = node.values or []
    kept = _list_kept(stored, node_class)
    if kept is None:
        return _place_list(node, node_class, widgets, stored, aligner)
    values = [stored[index] for index in kept]
    placement = _place_list(node, node_class, widgets, values, aligner)
    return _renumber(placement, kept, stored)


def _place_list(
    node: UiNode,
    node_class: NodeClass,
    widgets: Sequence[Widget],
    values: Sequence[Any],
    aligner: Aligner,
) -> Placement:
    """Place a list of values: by position where they fit, else by name, else by type."""
    placement = place_in_order(widgets, values)
    if placement.fits:
        return placement
    names = list_names(node, values)
    extended = _add_custom(node, node_class, widgets, names)
    if extended != widgets:
        longer = place_in_order(extended, values)
        if longer.fits:
            return longer
    if names is not None:
        named = place_by_name(extended, values, names)
        if named.names == placement.names:
            # Their order says the same; the names tell what the left ones are.
            return replace(named, reason="")
        return named
    aligned = place_by_type(widgets, values, aligner)
    if aligned is None:
        return replace(placement, reason=TOO_MANY)
    if score_placement(aligned) > score_placement(placement):
        return aligned
    return placement


def _add_custom(
    node: UiNode,
    node_class: NodeClass,
    widgets: Sequence[Widget],
    names: Sequence[str] | None,
) -> Sequence[Widget]:
    """Add the inputs that may be widgets of a node pack. Where the names of the values are known,
    they tell which are.
    """
    custom = list_custom_widgets(node_class, frozenset(entry.name for entry in node.inputs))
    if names is not None:
        custom &= set(names)
    if not custom:
        return widgets
    linked = frozenset(entry.name for entry in node.inputs if entry.link)
    declared = frozenset(entry.widget for entry in node.inputs if entry.is_widget)
    return list_widgets(node_class, linked, declared | custom)


def _list_kept(values: Sequence[Any], node_class: NodeClass) -> list[int] | None:
    """List the positions of values whose inputs are still widgets, where the file has values of
    inputs that were widgets once and are sockets now. Returns None for other files.

    Such files are told by their count: a value for each widget and for each forced input.
    """
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
    left: list[LeftValue] = []
    for index, name, value in placement.left:
        if isinstance(index, int):
            left.append((kept[index], name, value))
    for index, value in enumerate(values):
        if index not in kept:
            left.append((index, "", value))
    return Placement(widgets, tuple(left), placement.reason)


def _place_unknown(node: UiNode) -> Placement:
    """Place the values of a class that the server lacks, as far as the file names them."""
    if isinstance(node.values, dict):
        return place_by_key([], node.values)
    values = node.values or []
    names = list_names(node, values)
    if names is None:
        names = [entry.widget for entry in node.inputs if entry.is_widget]
    widgets = []
    for name in names:
        is_control = name == CONTROL
        kind = "CONTROL" if is_control else "PAGE"
        widgets.append(Widget(name, kind, is_posted=not is_control))
    placement = place_in_order(widgets, values)
    # Nobody knows the default of an input without a value.
    known = {name: placed for name, placed in placement.widgets.items() if placed.value is not None}
    return replace(placement, widgets=known)
