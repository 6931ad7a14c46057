"""Pinned nodes: unconnected nodes in a posted graph that keep their results cached."""

from collections.abc import Mapping
from typing import TypeVar

Node = TypeVar("Node")

PINNED_PREFIX = "comfygradio-carried-"
"""What the ids of carried nodes begin with."""


def strip_pinned(graph: Mapping[str, Node]) -> dict[str, Node]:
    """The graph without its carried nodes, as the form built it."""
    return {key: node for key, node in graph.items() if not key.startswith(PINNED_PREFIX)}
