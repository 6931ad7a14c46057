"""Cache busting: run a node again although the server has a cached result.

A server that keeps a result tells it again, and does not look whether its files are still there.
An input that no node has makes the node another one to the cache, and nothing else reads it: nodes
are given only the inputs that their classes name.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from comfygradio.comfy.workflow import Prompt

CACHE_BUSTER = "comfygradio-renewed"
"""The name of the input."""


def find_stale(kept: Collection[str], lacking: Iterable[str]) -> frozenset[str]:
    """The nodes whose results the server `kept`, and of which it was `lacking` a file.

    A result of a node that another one brought along (`5.0.2`) is that one's.
    """
    nodes: set[str] = set()
    for node in lacking:
        nodes.add(node)
        nodes.add(node.split(".")[0])
    return frozenset(nodes.intersection(kept))


def bust_cache(prompt: Prompt, nodes: Collection[str]) -> Prompt:
    """The prompt, with a unique extra input in these nodes so that the cache misses them."""
    mark = uuid.uuid4().hex
    graph = {
        node_id: _mark(node, mark) if node_id in nodes else node
        for node_id, node in prompt.graph.items()
    }
    return replace(prompt, graph=graph)


def strip_cache_busters(graph: Mapping[str, Any]) -> dict[str, Any]:
    """The graph as it was before nodes of it were renewed."""
    return {node_id: _unmark(node) for node_id, node in graph.items()}


def _mark(node: Mapping[str, Any], mark: str) -> dict[str, Any]:
    inputs = {**node.get("inputs", {}), CACHE_BUSTER: mark}
    return {**node, "inputs": inputs}


def _unmark(node: Any) -> Any:
    inputs = node.get("inputs") if isinstance(node, dict) else None
    if not isinstance(inputs, dict) or CACHE_BUSTER not in inputs:
        return node
    others = {name: value for name, value in inputs.items() if name != CACHE_BUSTER}
    return {**node, "inputs": others}
