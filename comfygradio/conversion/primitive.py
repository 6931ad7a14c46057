"""Primitive nodes: they write their value into the widgets that they are linked to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from comfygradio.conversion.page_nodes import PRIMITIVE
from comfygradio.conversion.ui_format import UiLink
from comfygradio.conversion.ui_graph import UiGraph, UiNode


def list_written(graph: UiGraph) -> dict[tuple[str, str], UiNode]:
    """Map inputs (node id, name) to the primitive node that writes into their widgets."""
    primitives = [node for node in graph.nodes.values() if node.type == PRIMITIVE]
    if not primitives:
        return {}
    outgoing: dict[str, list[UiLink]] = {}
    for link in graph.links.values():
        outgoing.setdefault(link.origin, []).append(link)
    written: dict[tuple[str, str], UiNode] = {}
    for primitive in primitives:
        for node, name in _follow(graph, outgoing, primitive):
            written[node.id, name] = primitive
    return written


def read_value(primitive: UiNode) -> tuple[bool, Any]:
    """Read the value of a primitive node, which is its first one. False means it has none."""
    values = primitive.values
    if isinstance(values, list) and values:
        return True, values[0]
    if isinstance(values, dict) and "value" in values:
        return True, values["value"]
    return False, None


def _follow(
    graph: UiGraph, outgoing: Mapping[str, list[UiLink]], primitive: UiNode
) -> Iterator[tuple[UiNode, str]]:
    """Yield the inputs that a primitive node is linked to, also through reroutes."""
    waiting = [primitive.id]
    seen = set(waiting)
    while waiting:
        for link in outgoing.get(waiting.pop(), ()):
            node = graph.nodes.get(link.target)
            if node is None:
                continue
            if node.type == "Reroute":
                if node.id not in seen:
                    seen.add(node.id)
                    waiting.append(node.id)
                continue
            for entry in node.inputs:
                if entry.link == link.id:
                    yield node, entry.name
