"""Stores the prompts of sampled points as differences from the first point's prompt."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from comfygradio.comfy.workflow import Link
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.space import PromptSource

InputKey = tuple[str, str]
"""Where a value stands in a graph: node id and name of the input; the name "" stands for the class
of the node.
"""

ABSENT = 0
"""The number of no value: the graph has no such node, or the node no such input."""


class PromptDifferences:
    """Graphs as numbers: equal values have equal numbers, as they have equal keys in ComfyUI's
    cache.
    """

    def __init__(self, space: PromptSource) -> None:
        self.space = space
        self.sizes = space.sizes
        self.first: Index = tuple(0 for _ in self.sizes)
        self.rows: dict[Index, dict[InputKey, int]] = {}
        self.cells: dict[str, dict[str, InputKey]] = {}
        self._values: list[Any] = [None]
        self._numbers: dict[Any, int] = {}
        self._first_graph: dict[str, tuple[str, dict[str, Any]]] = {}
        self._base: dict[InputKey, int] = {}
        graph = space.prompt(self.first).graph
        for node_id, node in graph.items():
            inputs = dict(node["inputs"])
            self._first_graph[node_id] = (node["class_type"], inputs)
            self._base.update(self._read_node(node_id, node))
        self.rows[self.first] = {}

    def load_point(self, index: Index) -> Mapping[InputKey, int]:
        """The cells of a point that differ from those of the first point; builds its
        prompt, once.
        """
        row = self.rows.get(index)
        if row is None:
            graph = self.space.prompt(index).graph
            row = self._compare(graph)
            self.rows[index] = row
        return row

    def get(self, index: Index, cell: InputKey) -> int:
        """The number of the value in a cell, of a point that was read."""
        number = self.rows[index].get(cell)
        return self._base.get(cell, ABSENT) if number is None else number

    def first_number(self, cell: InputKey) -> int:
        """The number of the value in a cell of the first point."""
        return self._base.get(cell, ABSENT)

    def has_node(self, index: Index, node_id: str) -> bool:
        """Whether the graph of a point that was read has a node."""
        return self.get(index, (node_id, "")) != ABSENT

    def list_varying(self) -> set[InputKey]:
        """The cells that differ between points that were read."""
        return set(itertools.chain.from_iterable(self.rows.values()))

    def list_points(self, cell: InputKey) -> list[Index]:
        """The points that were read and have the cell's node; every one of them has its class, if
        only as absent.
        """
        node_id, name = cell
        if not name:
            return list(self.rows)
        presence = (node_id, "")
        if not any(presence in row for row in self.rows.values()):
            return list(self.rows)
        return [index for index in self.rows if self.has_node(index, node_id)]

    def value(self, number: int) -> Any:
        """What has this number: a Link, a plain value, or None for what is absent or was never
        read.
        """
        return self._values[number]

    def allocate_unknown(self) -> int:
        """A number of its own, for a value that was never read and counts as different from all
        others.
        """
        self._values.append(None)
        return len(self._values) - 1

    def _compare(self, graph: Mapping[str, Any]) -> dict[InputKey, int]:
        row: dict[InputKey, int] = {}
        for node_id in self._first_graph:
            if node_id not in graph:
                row[(node_id, "")] = ABSENT
        for node_id, node in graph.items():
            own = (node["class_type"], node["inputs"])
            if self._first_graph.get(node_id) != own:
                row.update(self._differ(node_id, node))
        return row

    def _differ(self, node_id: str, node: Mapping[str, Any]) -> Iterator[tuple[InputKey, int]]:
        found = dict(self._read_node(node_id, node))
        for cell in self.cells[node_id].values():
            number = found.get(cell, ABSENT)
            if number != self._base.get(cell, ABSENT):
                yield cell, number

    def _read_node(self, node_id: str, node: Mapping[str, Any]) -> Iterator[tuple[InputKey, int]]:
        cells = self.cells.setdefault(node_id, {"": (node_id, "")})
        yield cells[""], self._number(node["class_type"])
        for name, value in node["inputs"].items():
            cell = cells.setdefault(name, (node_id, name))
            yield cell, self._number(value)

    def _number(self, value: Any) -> int:
        link = Link.parse(value)
        key: Any
        if link is not None:
            key = link
        elif isinstance(value, str | int | float):
            key = value
        else:
            # Lists and objects cannot be keys; in a tuple their text is no other value's key.
            key = (json.dumps(value, default=str),)
        number = self._numbers.setdefault(key, len(self._values))
        if number == len(self._values):
            self._values.append(value if link is None else link)
        return number
