"""Values of the file that have no effect, in ComfyUI either: each is named, with its reason."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from comfygradio.conversion.catalogue import Catalogue
from comfygradio.conversion.page_nodes import PAGE_ONLY
from comfygradio.conversion.promotion import Promotions
from comfygradio.conversion.result import NO_WIDGET, Note, Place
from comfygradio.conversion.scope import Scope
from comfygradio.conversion.ui_graph import MUTED, UiNode
from comfygradio.conversion.widget import CONTROL_WORDS

Position = tuple[str, str, int | str]
"""Where a value stands: graph, node, and position or key in `widgets_values`."""

ON_PAGE = "the node exists only on ComfyUI's page."
MUTED_NODE = "the node is muted."
BYPASSED_NODE = "the node is bypassed."
SUBGRAPH_OFF = "the subgraph that the node is in is muted or bypassed."
PAGE_STATE = "only ComfyUI's page uses it."
OVERRULED = "a link or an instance outside gives the input its value."
OUTSIDE = (
    "a link or an instance outside gives the input its value, or the nodes that it feeds are off."
)


def list_unused(
    scopes: Iterable[Scope],
    catalogue: Catalogue,
    promotions: Promotions,
    known: Container[Position],
) -> Iterator[Note]:
    """List the values of the file that have no effect. `known` are the positions of those that the
    prompt or a note has.
    """
    seen: set[UiNode] = set()
    # A subgraph may be off in one place only.
    for scope in sorted(scopes, key=lambda scope: scope.is_left_out):
        for node in scope.graph.nodes.values():
            if node in seen or node.source is not None:
                continue
            seen.add(node)
            node_id = scope.name_node(node)
            for index, value in node.list_values().items():
                if value is None or (scope.graph.id, node.id, index) in known:
                    continue
                name, reason = _explain(scope, node, index, catalogue, promotions)
                yield Note(node_id, name, value, reason)


def list_positions(places: Iterable[Place]) -> Iterator[Position]:
    """List the positions of values, with those of all instances that show them."""
    for place in places:
        position = find_position(place)
        if position is not None:
            yield position
        yield from list_positions(place.hosts)


def find_position(place: Place) -> Position | None:
    """Find the position of a value; None where the file does not hold it."""
    if place.index is None:
        return None
    return place.graph, place.node, place.index


def _explain(
    scope: Scope,
    node: UiNode,
    index: int | str,
    catalogue: Catalogue,
    promotions: Promotions,
) -> tuple[str, str]:
    """Find the widget that has the value, or "", and why it is not used."""
    if node.mode == MUTED:
        return "", MUTED_NODE
    if node.is_off:
        return "", BYPASSED_NODE
    if scope.is_left_out:
        return "", SUBGRAPH_OFF
    if node.type in PAGE_ONLY:
        return "", ON_PAGE
    inner = scope.inner.get(node.id)
    if inner is not None:
        is_page_state = index in promotions.list_values(inner).page_state
        return "", PAGE_STATE if is_page_state else OUTSIDE
    placement = catalogue.place(node)
    name = placement.names.get(index)
    if name is not None:
        return name, OVERRULED if placement.widgets[name].widget.is_posted else PAGE_STATE
    is_control = node.list_values()[index] in CONTROL_WORDS
    return "", PAGE_STATE if is_control else NO_WIDGET
