"""Carried nodes: they ride along in a posted graph, unconnected, so that the server keeps their
results.
"""

from collections.abc import Mapping
from typing import TypeVar

Node = TypeVar("Node")

CARRIED = "comfygradio-carried-"
"""What the ids of carried nodes begin with."""


def strip_carried(graph: Mapping[str, Node]) -> dict[str, Node]:
    """The graph without its carried nodes, as the form built it."""
    return {key: node for key, node in graph.items() if not key.startswith(CARRIED)}
