"""Place the values of a node: which widget each entry of its `widgets_values` belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from comfygradio.conversion.alignment import Aligner
from comfygradio.conversion.drift import (
    name_values,
    place_by_name,
    place_by_type,
    score_placement,
)
from comfygradio.conversion.fit import is_fit
from comfygradio.conversion.node_class import NodeClass
from comfygradio.conversion.placement import PlacedValue, Placement
from comfygradio.conversion.position import place_by_key, place_in_order
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
    if _is_sound(placement, values):
        return placement
    custom = list_custom_widgets(node_class, frozenset(entry.name for entry in node.inputs))
    if custom:
        linked = frozenset(entry.name for entry in node.inputs if entry.link)
        extended = place_in_order(list_widgets(node_class, linked, custom), values)
        if _is_sound(extended, values):
            return extended
    names = name_values(node, values)
    if names is not None:
        named = place_by_name(widgets, values, names)
        is_same = named.names == placement.names and not placement.left
        return placement if is_same else named
    aligned = place_by_type(widgets, values, aligner)
    if score_placement(aligned) > score_placement(placement):
        return aligned
    return placement


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
    left = [(kept[index], name, value) for index, name, value in placement.left]
    for index, value in enumerate(values):
        if index not in kept:
            left.append((index, "", value))
    return Placement(widgets, tuple(left), placement.reason)


def _place_unknown(node: UiNode) -> Placement:
    """Place the values of a class that the server lacks, as far as the file names them."""
    if isinstance(node.values, dict):
        return place_by_key([], node.values)
    values = node.values or []
    names = name_values(node, values)
    if names is None:
        names = [entry.widget for entry in node.inputs if entry.is_widget]
    widgets = []
    for name in names:
        is_control = name == CONTROL
        kind = "CONTROL" if is_control else "PAGE"
        widgets.append(Widget(name, kind, is_posted=not is_control))
    return place_in_order(widgets, values)
