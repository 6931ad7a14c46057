"""Promoted widgets: controls of a subgraph's nodes that its instances show outside.

The value of the instance counts. It is stored in one of three ways, which follow one another in
ComfyUI's history: in the order of `proxyWidgets`, which name the inner widgets; in the order of the
subgraph's inputs that stand for widgets; or, for what ComfyUI could not carry over from the first
to the second way, in `proxyWidgetErrorQuarantine`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from comfygradio.conversion.catalogue import Catalogue
from comfygradio.conversion.fit import is_fit
from comfygradio.conversion.host_values import place_host_values
from comfygradio.conversion.placement import LeftValue, Placement
from comfygradio.conversion.result import Place
from comfygradio.conversion.scope import Scope
from comfygradio.conversion.ui_format import list_objects, to_id
from comfygradio.conversion.ui_graph import UiGraph, UiInput, UiNode, UiSlot
from comfygradio.conversion.widget import CONTROL, Widget

ON_INSTANCE = "-1"
"""The node id in `proxyWidgets` of a widget that an input of the subgraph stands for."""


@dataclass(frozen=True)
class PromotedValue:
    """The value of a promoted widget, and where it stands. `widget` is the one inside."""

    value: Any
    place: Place
    widget: Widget
    has_control: bool = False


@dataclass(frozen=True)
class HostValues:
    """The values of one instance: of its inputs by number, and of inner widgets that it shows
    without an input, by node id and name. `unset` are such widgets without a value outside: their
    own counts.

    `left` are values that belong to no widget, and `page_state` the positions or keys of those that
    only ComfyUI's page uses. `placement` tells how they were placed that go by the inputs.
    """

    inputs: dict[int, PromotedValue] = field(default_factory=dict)
    widgets: dict[tuple[str, str], tuple[Any, Place]] = field(default_factory=dict)
    unset: set[tuple[str, str]] = field(default_factory=set)
    left: list[LeftValue] = field(default_factory=list)
    page_state: set[int | str] = field(default_factory=set)
    placement: Placement = field(default_factory=lambda: Placement({}))


class Promotions:
    """Finds the values of the promoted widgets of all instances."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._own: dict[Scope, HostValues] = {}
        self._shown: dict[Scope, HostValues] = {}

    def find_value(self, scope: Scope, number: int) -> PromotedValue | None:
        """Find the value of an input of a scope's instance; None if it is no widget."""
        return self.list_values(scope).inputs.get(number)

    def is_shown(self, scope: Scope, node_id: str, name: str) -> bool:
        """Whether the instance shows a widget inside without an input. No link feeds such a one."""
        values = self.list_values(scope)
        return (node_id, name) in values.widgets or (node_id, name) in values.unset

    def find_shown(self, scope: Scope, node: UiNode, name: str) -> tuple[Any, Place] | None:
        """Find the value of a widget inside that the instance shows without an input, and where it
        stands; None if it does not show it.
        """
        if not self.is_shown(scope, node.id, name):
            return None
        known = self._find_widget(scope, node, name)
        override = self.list_values(scope).widgets.get((node.id, name))
        if override is None:
            return None if known is None else (known.value, known.place)
        value, host = override
        if known is None:
            return value, host
        return value, replace(known.place, hosts=(host, *known.place.hosts))

    def list_values(self, scope: Scope) -> HostValues:
        """List the values of all promoted widgets of a scope's instance."""
        known = self._shown.get(scope)
        if known is None:
            known = self._take_from_outside(scope)
            self._shown[scope] = known
        return known

    def _list_own(self, scope: Scope) -> HostValues:
        """List the values that an instance has by itself."""
        known = self._own.get(scope)
        if known is None:
            known = self._read(scope)
            self._own[scope] = known
        return known

    def _read(self, scope: Scope) -> HostValues:
        host = scope.host
        if host is None:
            return HostValues()
        found = self._find_all_inner(scope)
        values = HostValues(found)
        proxies = _read_proxies(host)
        if any(node.source is not None for node in scope.graph.nodes.values()):
            # The nodes inside of a group node have taken their values already.
            values.left.extend(_list_left(host.list_values()))
        elif proxies:
            self._store_by_proxies(scope, host, values, proxies)
        else:
            values = self._store_in_order(scope, host, values)
        for name, value in _read_quarantine(host).items():
            number = scope.graph.numbers.get(name)
            known = found.get(number) if number is not None else None
            if number is not None and known is not None and is_fit(known.widget, value):
                found[number] = replace(known, value=value)
            else:
                values.left.append((name, name, value))
        return values

    def _take_from_outside(self, scope: Scope) -> HostValues:
        """Take the values that the next outer instance shows of this one without an input."""
        own = self._list_own(scope)
        if scope.outer is None or scope.host is None:
            return own
        shown = self.list_values(scope.outer).widgets
        inputs = dict(own.inputs)
        for number, slot in enumerate(scope.graph.inputs):
            override = shown.get((scope.host.id, slot.name))
            if override is not None and number in inputs:
                value, place = override
                known = inputs[number]
                hosts = (place, *known.place.hosts)
                inputs[number] = replace(
                    known, value=value, place=replace(known.place, hosts=hosts)
                )
        return replace(own, inputs=inputs)

    def _find_all_inner(self, scope: Scope) -> dict[int, PromotedValue]:
        """Find the widgets that stand behind the inputs of a subgraph, with their own values."""
        found: dict[int, PromotedValue] = {}
        for number, slot in enumerate(scope.graph.inputs):
            inner = self._find_inner(scope, slot)
            if inner is not None:
                host = _name_host(scope, slot, None)
                place = replace(inner.place, hosts=(host, *inner.place.hosts))
                found[number] = replace(inner, place=place)
        return found

    def _find_inner(self, scope: Scope, slot: UiSlot) -> PromotedValue | None:
        """Find the first widget inside that an input of a subgraph feeds."""
        for node, entry in _list_targets(scope.graph, slot):
            found = self._find_widget(scope, node, entry.name)
            if found is not None:
                return found
        return None

    def _find_widget(self, scope: Scope, node: UiNode, name: str) -> PromotedValue | None:
        inner = scope.inner.get(node.id)
        if inner is not None:
            number = inner.graph.numbers.get(name)
            return None if number is None else self._list_own(inner).inputs.get(number)
        placement = self._catalogue.place(node)
        placed = placement.widgets.get(name)
        if placed is None:
            return None
        place = Place(scope.graph.id, node.id, name, placed.index)
        return PromotedValue(placed.value, place, placed.widget, name in placement.controlled)

    def _store_in_order(self, scope: Scope, host: UiNode, values: HostValues) -> HostValues:
        """Store values in the order of the inputs that stand for widgets."""
        numbers: dict[str, int] = {}
        widgets = []
        controlled = set()
        for number in sorted(values.inputs):
            known = values.inputs[number]
            name = scope.graph.inputs[number].name
            if name in numbers:
                name = f"{name}#{number}"
            numbers[name] = number
            # What the choice of a dynamic combo adds is shown by inputs of its own.
            options = dict(known.widget.options)
            options.pop("options", None)
            widget = replace(known.widget, name=name, default=known.value, options=options)
            widgets.append(replace(widget, is_saved=True, is_posted=True))
            if known.has_control:
                controlled.add(name)
        placement = place_host_values(host, widgets, controlled, self._catalogue.aligner)
        stored = host.list_values()
        for name, placed in placement.widgets.items():
            if placed.index is None:
                continue
            if name not in numbers:
                values.page_state.add(placed.index)
            elif stored[placed.index] is not None:
                _store(scope, values, numbers[name], placed.index, placed.value)
        values.left.extend(placement.left)
        return replace(values, placement=placement)

    def _store_by_proxies(
        self, scope: Scope, host: UiNode, values: HostValues, proxies: list[tuple[str, str]]
    ) -> None:
        """Store values in the order of `proxyWidgets`, or by the names there."""
        numbers = _number_targets(scope, values)
        stored = host.list_values()
        for position, (node_id, name) in enumerate(proxies):
            index = name if isinstance(host.values, dict) else position
            value = stored.pop(index, None)
            number = numbers.get((node_id, name))
            if number is None:
                number = numbers.get((node_id, _strip_prefix(name)))
            if value is None:
                if number is None and self._has_widget(scope, node_id, name):
                    values.unset.add((node_id, _strip_prefix(name)))
            elif number is not None:
                _store_fit(scope, values, number, index, value)
            elif _is_control_or_preview(name):
                values.page_state.add(index)
            elif self._can_take(scope, node_id, name, value):
                place = Place(_outer_id(scope), host.id, name, index)
                values.widgets[node_id, _strip_prefix(name)] = (value, place)
            else:
                values.left.append((index, name, value))
        for index, name, value in _list_left(stored):
            number = numbers.get((ON_INSTANCE, name)) if name else None
            if number is not None:
                _store_fit(scope, values, number, index, value)
            else:
                values.left.append((index, name, value))

    def _has_widget(self, scope: Scope, node_id: str, name: str) -> bool:
        """Whether a node inside has a widget of this name, and no control or preview."""
        node = scope.graph.nodes.get(node_id)
        if node is None or _is_control_or_preview(name):
            return False
        return self._find_widget(scope, node, _strip_prefix(name)) is not None

    def _can_take(self, scope: Scope, node_id: str, name: str, value: Any) -> bool:
        """Whether a node inside can take a value. One whose widgets are not known may."""
        node = scope.graph.nodes.get(node_id)
        if node is None:
            return False
        known = self._find_widget(scope, node, _strip_prefix(name))
        return known is None or is_fit(known.widget, value)


def _list_targets(graph: UiGraph, slot: UiSlot) -> Iterator[tuple[UiNode, UiInput]]:
    """Yield the inputs inside that an input of a subgraph feeds."""
    for link_id in slot.links:
        node = graph.nodes.get(graph.links[link_id].target)
        if node is not None and link_id in node.linked_inputs:
            yield node, node.linked_inputs[link_id]


def _number_targets(scope: Scope, values: HostValues) -> dict[tuple[str, str], int]:
    """Map the widgets that `proxyWidgets` may name (node id, name) to the numbers of the inputs
    that stand for them.
    """
    numbers: dict[tuple[str, str], int] = {}
    for number, slot in enumerate(scope.graph.inputs):
        numbers.setdefault((ON_INSTANCE, slot.name), number)
        if number in values.inputs:
            for node, entry in _list_targets(scope.graph, slot):
                numbers.setdefault((node.id, entry.name), number)
    return numbers


def _list_left(stored: Mapping[int | str, Any]) -> Iterator[LeftValue]:
    for index, value in stored.items():
        if value is not None:
            yield index, index if isinstance(index, str) else "", value


def _is_control_or_preview(name: str) -> bool:
    """Whether a promoted widget is a control, or the preview of a result."""
    return name.endswith(CONTROL) or _strip_prefix(name).startswith("$$")


def _store_fit(scope: Scope, values: HostValues, number: int, index: int | str, value: Any) -> None:
    """Store a value if an input has a widget that can take it."""
    known = values.inputs.get(number)
    if known is None or not is_fit(known.widget, value):
        values.left.append((index, scope.graph.inputs[number].name, value))
    else:
        _store(scope, values, number, index, value)


def _store(scope: Scope, values: HostValues, number: int, index: int | str, value: Any) -> None:
    known = values.inputs[number]
    host = _name_host(scope, scope.graph.inputs[number], index)
    place = replace(known.place, hosts=(host, *known.place.hosts[1:]))
    values.inputs[number] = replace(known, value=value, place=place)


def _name_host(scope: Scope, slot: UiSlot, index: int | str | None) -> Place:
    host_id = scope.host.id if scope.host else ""
    return Place(_outer_id(scope), host_id, slot.name, index)


def _outer_id(scope: Scope) -> str:
    return scope.outer.graph.id if scope.outer else ""


def _read_proxies(host: UiNode) -> list[tuple[str, str]]:
    """Read `proxyWidgets`: the node id and widget of each promoted widget."""
    listed = host.properties.get("proxyWidgets")
    if not isinstance(listed, list):
        return []
    proxies = []
    for entry in listed:
        # An entry that cannot be read keeps its place, for the sake of those behind it.
        node_id, name = "", ""
        if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[1], str):
            node_id, name = to_id(entry[0]), entry[1]
        proxies.append((node_id, name))
    return proxies


def _strip_prefix(name: str) -> str:
    """Leave out the ids of nested instances before the name of a widget: `6: 3: seed`."""
    return re.sub(r"^\s*(?:\d+\s*:\s*)+", "", name)


def _read_quarantine(host: UiNode) -> Mapping[str, Any]:
    """Read the values of promoted widgets that an earlier ComfyUI could not attach. They count
    before all others.
    """
    found: dict[str, Any] = {}
    for entry in list_objects(host.properties.get("proxyWidgetErrorQuarantine")):
        original = entry.get("originalEntry")
        if not isinstance(original, list) or len(original) < 2:
            continue
        node_id, name, *_ = original
        value = entry.get("hostValue")
        if to_id(node_id) == ON_INSTANCE and isinstance(name, str) and value is not None:
            found.setdefault(name, value)
    return found
