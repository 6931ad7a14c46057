"""Cache control: what a posted graph carries only to steer the server's cache.

A cache buster makes a node run again although the server has a cached result. The server repeats
that result without checking whether its files still exist. A node gets only the inputs that its
class names, so an input of another name changes the cache key and nothing else.

A pinned node is an unconnected node that keeps its results cached.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from comfygradio.comfy.workflow import Prompt

CACHE_BUSTER = "comfygradio-renewed"
"""The name of the input that busts the cache."""

PINNED_PREFIX = "comfygradio-carried-"
"""The prefix of the ids of pinned nodes."""

Node = TypeVar("Node")


def find_stale(kept: Collection[str], lacking: Iterable[str]) -> frozenset[str]:
    """Find the nodes whose cached results the server repeated although a file of them is missing.

    `kept` are the nodes with a cached result, `lacking` those with a missing file. A node that
    another one expanded into (`5.0.2`) counts as that one (`5`).
    """
    nodes: set[str] = set()
    for node in lacking:
        nodes.add(node)
        nodes.add(node.split(".")[0])
    return frozenset(nodes.intersection(kept))


def bust_cache(prompt: Prompt, nodes: Collection[str]) -> Prompt:
    """Add a unique extra input to these nodes of a prompt, so that the cache misses them."""
    mark = uuid.uuid4().hex
    graph = dict(prompt.graph)
    for node_id, node in prompt.graph.items():
        if node_id in nodes:
            graph[node_id] = _mark(node, mark)
    return replace(prompt, graph=graph)


def strip_cache_busters(graph: Mapping[str, Any]) -> dict[str, Any]:
    """Remove the cache busters from a graph."""
    return {node_id: _unmark(node) for node_id, node in graph.items()}


def strip_pinned(graph: Mapping[str, Node]) -> dict[str, Node]:
    """Remove the pinned nodes from a graph."""
    kept: dict[str, Node] = {}
    for node_id, node in graph.items():
        if not node_id.startswith(PINNED_PREFIX):
            kept[node_id] = node
    return kept


def _mark(node: Mapping[str, Any], mark: str) -> dict[str, Any]:
    inputs = {**node.get("inputs", {}), CACHE_BUSTER: mark}
    return {**node, "inputs": inputs}


def _unmark(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    inputs = node.get("inputs")
    if not isinstance(inputs, dict) or CACHE_BUSTER not in inputs:
        return node
    # The graph belongs to the caller and is left as it is.
    others = dict(inputs)
    del others[CACHE_BUSTER]
    return {**node, "inputs": others}
