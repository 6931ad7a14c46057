"""The UI format of a workflow, as far as importers need it: find the API inputs that a widget on
ComfyUI's page stands for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.conversion.page_nodes import PRIMITIVE, REROUTE
from comfygradio.conversion.scope import MAX_DEPTH, MAX_NODES
from comfygradio.conversion.ui_format import (
    SUBGRAPH_INPUT,
    UiLink,
    list_objects,
    map_definitions,
    map_links,
    map_nodes,
    to_id,
)
from comfygradio.forms.slots import Slot
from comfygradio.importers.values import to_list, to_text

MAX_SCOPES = 1000
"""Maximum number of subgraph instances that are read. Real workflows have a few dozen."""

MAX_STEPS = 1000
"""Maximum number of widgets between a widget and what it stands for."""

PASS_THROUGH_TYPES = (PRIMITIVE, REROUTE)
"""Nodes that exist only on the page: they pass their value on to the nodes that they feed."""


@dataclass(frozen=True)
class Scope:
    """The root graph (`path` ""), or one instance of a subgraph (`path` "57:", or "57:8:" if
    nested).
    """

    path: str
    graph_id: str
    nodes: Mapping[str, Mapping[str, Any]]
    links: tuple[UiLink, ...]
    inputs: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def parse(cls, path: str, data: Mapping[str, Any]) -> Scope:
        """Parse the graph of a workflow or of a subgraph's definition."""
        return cls(
            path=path,
            graph_id=to_id(data.get("id")),
            nodes=map_nodes(data),
            links=tuple(map_links(data).values()),
            inputs=tuple(list_objects(data.get("inputs"))),
        )


@dataclass(frozen=True)
class WidgetPlace:
    """A widget of a node in one scope."""

    scope: Scope
    node_id: str
    widget: str

    @property
    def slot(self) -> Slot:
        """The input of the API workflow with the same name."""
        node_id = f"{self.scope.path}{self.node_id}"
        return Slot(node_id, self.widget)


class UiWorkflow:
    """A workflow in UI format with its subgraphs. `scopes` maps path → scope, the root first.

    `instances` are the subgraphs in use: the scope that contains one, its id there, and its own
    scope.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.definitions = map_definitions(data)
        self._parsed: dict[str, Scope] = {}
        self._node_count = 0
        self.root = Scope.parse("", data)
        self.scopes: dict[str, Scope] = {"": self.root}
        self.instances: list[tuple[Scope, str, Scope]] = []
        self._enter_all(self.root, ())

    @property
    def extra(self) -> Mapping[str, Any]:
        """Data that front ends store beside the graph."""
        extra = self.data.get("extra")
        if not isinstance(extra, dict):
            return {}
        return extra

    def resolve(self, scope: Scope, node_id: str, widget: str) -> tuple[Slot, ...]:
        """Find the API inputs behind a widget, inside subgraphs and beyond primitives. May be
        empty.
        """
        found: dict[Slot, None] = {}
        seen: set[Slot] = set()
        queue = [WidgetPlace(scope, node_id, widget)]
        while queue and len(seen) < MAX_STEPS:
            place = queue.pop(0)
            if place.slot in seen:
                continue
            seen.add(place.slot)
            followed = self._follow(place)
            if followed is None:
                found[place.slot] = None
            else:
                # First, so that the inputs come in the order of the page.
                queue = [*followed, *queue]
        return tuple(found)

    def find_label(self, scope: Scope, node_id: str, widget: str) -> str:
        """Return the author's name for a widget on the page, or ""."""
        node = scope.nodes.get(node_id, {})
        entries = list_objects(node.get("inputs"))
        inner = self.scopes.get(f"{scope.path}{node_id}:")
        if inner is not None:
            entries += inner.inputs
        for entry in entries:
            if _name_widget(entry) != widget:
                continue
            label = entry.get("label")
            if isinstance(label, str) and label.strip():
                return label.strip()
        return ""

    def iterate_nodes(self) -> Iterator[tuple[Scope, str, Mapping[str, Any]]]:
        """Yield every node of every scope with its id there."""
        for scope in self.scopes.values():
            for node_id, node in scope.nodes.items():
                yield scope, node_id, node

    def _enter_all(self, scope: Scope, outer_types: tuple[str, ...]) -> None:
        """Add the scopes of all subgraph instances in a scope. `outer_types` are the subgraphs that
        it is itself nested in.
        """
        for node_id, node in scope.nodes.items():
            kind = to_id(node.get("type"))
            # A subgraph that contains itself would never end.
            if kind not in self.definitions or kind in outer_types:
                continue
            # Subgraphs inside of subgraphs multiply: a file could fill the memory.
            if len(outer_types) >= MAX_DEPTH or len(self.scopes) >= MAX_SCOPES:
                continue
            inner = self._parse(kind)
            self._node_count += len(inner.nodes)
            if self._node_count > MAX_NODES:
                return
            path = f"{scope.path}{node_id}:"
            inner = replace(inner, path=path)
            self.scopes[path] = inner
            self.instances.append((scope, node_id, inner))
            self._enter_all(inner, (*outer_types, kind))

    def _parse(self, graph_id: str) -> Scope:
        """Parse a definition, once for all its instances."""
        if graph_id not in self._parsed:
            self._parsed[graph_id] = Scope.parse("", self.definitions[graph_id])
        return self._parsed[graph_id]

    def _follow(self, place: WidgetPlace) -> list[WidgetPlace] | None:
        """Return the widgets that a widget stands for, or None if it is an input of the API
        workflow itself.
        """
        scope = place.scope
        node = scope.nodes.get(place.node_id)
        if node is None:
            return []
        inner = self.scopes.get(f"{scope.path}{place.node_id}:")
        if inner is not None:
            return self._enter(inner, node, place.widget)
        if node.get("type") not in PASS_THROUGH_TYPES:
            return None
        links = [link for link in scope.links if link.origin == place.node_id]
        return [_find_target(scope, link) for link in links]

    def _enter(self, inner: Scope, node: Mapping[str, Any], widget: str) -> list[WidgetPlace]:
        """Find what a widget of an instance is inside: its input of that name, or a widget that it
        shows (`proxyWidgets`).
        """
        numbers = []
        for number, entry in enumerate(inner.inputs):
            if entry.get("name") == widget:
                numbers.append(number)
        places = []
        for link in inner.links:
            if link.origin == SUBGRAPH_INPUT and link.origin_slot in numbers:
                places.append(_find_target(inner, link))
        # Frontends from 1.32 to 1.45 list shown widgets in proxyWidgets instead of linking them.
        if places:
            return places
        properties = node.get("properties")
        if not isinstance(properties, dict):
            return []
        for proxy in to_list(properties.get("proxyWidgets")):
            if not isinstance(proxy, list) or len(proxy) < 2:
                continue
            inner_id, name, *_ = proxy
            if name == widget:
                places.append(WidgetPlace(inner, to_id(inner_id), widget))
        return places


def _find_target(scope: Scope, link: UiLink) -> WidgetPlace:
    """Find the widget that a link feeds."""
    node = scope.nodes.get(link.target, {})
    target: Mapping[str, Any] = {}
    for number, entry in enumerate(list_objects(node.get("inputs"))):
        # An id that both sides name is surer than a number.
        if to_id(entry.get("link")) == link.id:
            target = entry
            break
        if number == link.target_slot:
            target = entry
    return WidgetPlace(scope, link.target, _name_widget(target))


def _name_widget(entry: Mapping[str, Any]) -> str:
    """Name an input as the API format does: by its widget, if it has one."""
    widget = entry.get("widget")
    if isinstance(widget, dict) and isinstance(widget.get("name"), str):
        return to_text(widget["name"])
    return to_text(entry.get("name"))
