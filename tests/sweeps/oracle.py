"""ComfyUI's cache as its own code has it, told from whole prompts: what the plans are held against.

Written from the description in the project's notes, and apart from the planner: no axes, no
numbers, no shortcuts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from comfygradio.comfy.object_info import ObjectInfo

Graph = Mapping[str, Mapping[str, Any]]
Key = Any


def make_keys(graph: Graph) -> dict[str, Key]:
    """Node id → key: the node's own signature, then those of all its ancestors in the order in
    which they are found.
    """
    return {node_id: _make_key(graph, node_id) for node_id in graph}


class CountingServer:
    """Runs prompts in thought, and keeps the results of the newest one's nodes."""

    def __init__(self, known: ObjectInfo) -> None:
        self._known = known
        self._kept: set[Key] = set()

    def run(self, graph: Graph) -> Counter[str]:
        """How many nodes of each class are executed for a prompt."""
        keys = make_keys(graph)
        self._kept &= set(keys.values())
        executed: Counter[str] = Counter()
        for node_id in graph:
            if self._is_output(graph, node_id):
                self._need(graph, node_id, keys, executed)
        return executed

    def _need(
        self, graph: Graph, node_id: str, keys: Mapping[str, Key], executed: Counter[str]
    ) -> None:
        if keys[node_id] in self._kept:
            return
        for source in _list_sources(graph, node_id).values():
            self._need(graph, source, keys, executed)
        self._kept.add(keys[node_id])
        executed[str(graph[node_id]["class_type"])] += 1

    def _is_output(self, graph: Graph, node_id: str) -> bool:
        definition = self._known.get(str(graph[node_id]["class_type"]))
        return definition is not None and definition.is_output


def run_all(graphs: Iterable[Graph], known: ObjectInfo) -> Counter[str]:
    """Executions of one server that runs these prompts, by class."""
    server, executed = CountingServer(known), Counter[str]()
    for graph in graphs:
        executed.update(server.run(graph))
    return executed


def _make_key(graph: Graph, node_id: str) -> Key:
    places: dict[str, int] = {}
    _list_ancestors(graph, node_id, places)
    return tuple(_sign(graph, one, places) for one in (node_id, *places))


def _list_ancestors(graph: Graph, node_id: str, places: dict[str, int]) -> None:
    for source in _list_sources(graph, node_id).values():
        if source not in places:
            places[source] = len(places)
            _list_ancestors(graph, source, places)


def _list_sources(graph: Graph, node_id: str) -> dict[str, str]:
    inputs = graph[node_id]["inputs"]
    return {name: value[0] for name, value in sorted(inputs.items()) if _is_link(value)}


def _sign(graph: Graph, node_id: str, places: Mapping[str, int]) -> Key:
    node = graph[node_id]
    signed = [
        (name, ("ancestor", places[value[0]], value[1]) if _is_link(value) else _freeze(value))
        for name, value in sorted(node["inputs"].items())
    ]
    return (node["class_type"], *signed)


def _freeze(value: Any) -> Any:
    return repr(value) if isinstance(value, list | dict) else value


def _is_link(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    )
