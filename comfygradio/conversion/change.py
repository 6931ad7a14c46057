"""Changes to a graph of a file, in the terms of that graph, so that its instances can be compared:
those that need the same changes go on sharing a definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comfygradio.conversion.catalogue import Catalogue
from comfygradio.conversion.file_draft import GraphDraft
from comfygradio.conversion.node_draft import (
    make_node,
    put_beside,
    write_list,
    write_place,
    write_values,
)
from comfygradio.conversion.placement import LeftValue

NEW = "new:"
"""Stands before the name of an added node that has no id yet."""


@dataclass(frozen=True)
class SetMode:
    """Turn a node on (0) or bypass it (4)."""

    node: str
    mode: int


@dataclass(frozen=True)
class AddNode:
    """Add a node beside another one. `number` counts those of one chain from 0."""

    name: str
    class_type: str
    title: str
    values: tuple[tuple[str, Any], ...]
    beside: str
    number: int


@dataclass(frozen=True)
class Connect:
    """Feed an input from an output of another node, or from an input of the subgraph (-10)."""

    node: str
    input: str
    origin: str
    slot: int
    type: str
    is_widget: bool = False


@dataclass(frozen=True)
class Disconnect:
    """Remove the link that feeds an input."""

    node: str
    input: str


@dataclass(frozen=True)
class SetWidget:
    """Set a widget of a node of a class that the server has."""

    node: str
    widget: str
    value: Any


@dataclass(frozen=True)
class SetPlace:
    """Set a value at a position or under a key of the values of an instance or primitive node."""

    node: str
    widget: str
    index: int | str | None
    value: Any


@dataclass(frozen=True)
class SetValues:
    """Set all values of an instance, in the order of its widgets. It loses the `left` ones."""

    node: str
    values: tuple[tuple[str, Any], ...]
    left: tuple[LeftValue, ...]


Change = SetMode | AddNode | Connect | Disconnect | SetWidget | SetPlace | SetValues


def apply_changes(
    graph: GraphDraft, changes: list[Change], ids: dict[str, str], catalogue: Catalogue
) -> dict[str, tuple[LeftValue, ...]]:
    """Apply changes to a graph. `ids` are new ids of nodes; those of added nodes are put in.

    Returns the values that nodes, by their old ids, had and no longer have.
    """
    for change in changes:
        if isinstance(change, AddNode):
            _add_node(graph, change, ids, catalogue)
    values: dict[str, dict[str, Any]] = {}
    left: dict[str, tuple[LeftValue, ...]] = {}
    for change in changes:
        if isinstance(change, AddNode):
            continue
        node_id = ids.get(change.node, change.node)
        if isinstance(change, Connect):
            origin = ids.get(change.origin, change.origin)
            graph.connect(origin, change.slot, node_id, change.input, change.type, change.is_widget)
        elif isinstance(change, Disconnect):
            graph.disconnect(node_id, change.input)
        elif isinstance(change, SetWidget):
            values.setdefault(change.node, {})[change.widget] = change.value
        else:
            _edit(graph, node_id, change)
        if isinstance(change, SetValues):
            left[change.node] = change.left
    # After the links, which make some inputs grow.
    for old_id, by_name in values.items():
        node = graph.edit_node(ids.get(old_id, old_id))
        if node is not None:
            left[old_id] = write_values(node, by_name, catalogue)
    return left


def _edit(graph: GraphDraft, node_id: str, change: SetMode | SetPlace | SetValues) -> None:
    node = graph.edit_node(node_id)
    if node is None:
        return
    if isinstance(change, SetMode):
        node["mode"] = change.mode
    elif isinstance(change, SetValues):
        write_list(node, dict(change.values))
    else:
        write_place(node, change.index, change.widget, change.value)


def _add_node(
    graph: GraphDraft, change: AddNode, ids: dict[str, str], catalogue: Catalogue
) -> None:
    node_id = graph.take_node_id()
    node = make_node(node_id, change.class_type, change.title, dict(change.values), catalogue)
    beside = graph.edit_node(ids.get(change.beside, change.beside))
    if beside is not None:
        put_beside(node, beside, change.number)
    graph.add_node(node)
    ids[change.name] = node_id
