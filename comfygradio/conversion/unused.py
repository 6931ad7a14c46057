"""Values of the file that have no effect, in ComfyUI either: each is named, with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from comfygradio.conversion.catalogue import Catalogue
from comfygradio.conversion.page_nodes import PAGE_ONLY
from comfygradio.conversion.result import Note, Place
from comfygradio.conversion.scope import Scope
from comfygradio.conversion.ui_graph import MUTED, UiNode

Position = tuple[str, str, int | str]
"""Where a value stands: graph, node, and position or key in `widgets_values`."""

ON_PAGE = "the node exists only on ComfyUI's page."
MUTED_NODE = "the node is muted."
BYPASSED_NODE = "the node is bypassed."
PAGE_STATE = "only ComfyUI's page uses it."
OVERRULED = "a link or an instance outside gives the input its value."


def list_unused(
    scopes: Iterable[Scope],
    catalogue: Catalogue,
    places: Mapping[tuple[str, str], Place],
    notes: Iterable[Note],
) -> Iterator[Note]:
    """List the values of the file that neither the prompt nor a note has."""
    used = set(_list_positions(places.values()))
    noted = {note.node for note in notes if not note.input}
    seen: set[UiNode] = set()
    for scope in scopes:
        for node in scope.graph.nodes.values():
            if node in seen or node.source is not None:
                continue
            seen.add(node)
            node_id = scope.name_node(node)
            for index, value in _list_values(node):
                if value is None or (scope.graph.id, node.id, index) in used:
                    continue
                name, reason = _explain(scope, node, index, catalogue)
                if reason or node_id not in noted:
                    yield Note(node_id, name, value, reason or OVERRULED)


def _list_positions(places: Iterable[Place]) -> Iterator[Position]:
    for place in places:
        if place.index is not None:
            yield place.graph, place.node, place.index
        yield from _list_positions(place.hosts)


def _list_values(node: UiNode) -> Iterable[tuple[int | str, Any]]:
    if isinstance(node.values, dict):
        return list(node.values.items())
    return list(enumerate(node.values or ()))


def _explain(scope: Scope, node: UiNode, index: int | str, catalogue: Catalogue) -> tuple[str, str]:
    """Find the widget that has the value, and why it is not used. The reason is "" where it is not
    known.
    """
    if node.mode == MUTED:
        return "", MUTED_NODE
    if node.is_off:
        return "", BYPASSED_NODE
    if node.type in PAGE_ONLY:
        return "", ON_PAGE
    if node.id in scope.inner:
        return "", OVERRULED
    placement = catalogue.place(node)
    name = placement.names.get(index)
    if name is None:
        return "", ""
    return name, OVERRULED if placement.widgets[name].widget.is_posted else PAGE_STATE
