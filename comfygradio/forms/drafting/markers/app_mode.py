"""ComfyUI's App mode: the inputs and outputs that an author picked on ComfyUI's own page (frontend
1.41.13 and newer).

They lie in `extra.linearData` of the UI format as `[id, widget, config]`. The id is that of a node,
of a node inside of a subgraph ("57:8"; in older files just "8"), or `graph:node:widget` with its
parts percent-encoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from comfygradio.comfy.workflow import Link
from comfygradio.forms.drafting.hint import Hint
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.saved import SavedWorkflow, Scope
from comfygradio.forms.drafting.markers.values import make_name, read_text, to_text
from comfygradio.forms.slots import Slot

SOURCE = "App mode"
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Address:
    """A widget as App mode names it; `scope` is None where the saved workflow has no such graph.

    `node_id` is the node's id in that graph, `full_id` the one that it would have in the API
    format.
    """

    scope: Scope | None
    node_id: str
    full_id: str
    widget: str


@dataclass(frozen=True)
class Picked:
    """What an entry stands for: inputs of the API workflow, and how the author calls them."""

    slots: tuple[Slot, ...]
    label: str = ""
    name: str = ""


def read_app_mode(graph: Graph, saved: SavedWorkflow | None) -> list[Hint]:
    """A hint for each input picked for App mode, in its order; the picked outputs go
    to the graph.
    """
    if saved is None:
        return []
    data = saved.extra.get("linearData")
    if not isinstance(data, dict):
        return []
    hints = []
    for order, entry in enumerate(_list(data.get("inputs"))):
        hint = _read_input(graph, saved, entry, order)
        if hint is not None:
            hints.append(hint)
    for entry in _list(data.get("outputs")):
        _read_output(graph, saved, entry)
    return hints


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _read_input(graph: Graph, saved: SavedWorkflow, entry: Any, order: int) -> Hint | None:
    if not isinstance(entry, list) or not entry or not isinstance(entry[0], str | int):
        graph.notes.append("App mode: an input that names no node was left out.")
        return None
    written = to_text(entry[0])
    widget = entry[1] if len(entry) > 1 and isinstance(entry[1], str) else ""
    config = entry[2] if len(entry) > 2 and isinstance(entry[2], dict) else {}
    addresses = _read_id(saved, written, widget)
    picked = _pick(graph, saved, addresses)
    slots = tuple(slot for slot in picked.slots if slot.node_id in graph.nodes)
    problem = _find_problem(graph, slots)
    if problem:
        # Whatever took a marker node out has said so already.
        if graph.removed.isdisjoint(slot.node_id for slot in picked.slots):
            called = f"the input {addresses[0].widget:.60} of node {written:.60}"
            graph.notes.append(f"App mode: {called} was left out, since {problem}.")
        return None
    description = read_text(config, "description")
    return Hint(SOURCE, slots, picked.name, picked.label, description, order=order)


def _read_id(saved: SavedWorkflow, written: str, widget: str) -> list[Address]:
    """The widgets that an id of any form names: several where a subgraph is used more than once."""
    graph_id, *parts = written.split(":")
    if len(parts) in (1, 2) and _is_graph(saved, graph_id):
        # `graph:node` or `graph:node:widget`, percent-encoded.
        written = unquote(parts[0])
        widget = unquote("".join(parts[1:])) or widget
        if graph_id in saved.definitions:
            return _find_instances(saved, graph_id, written, widget)
    *path, node_id = written.split(":")
    scope_path = "".join(f"{step}:" for step in path)
    return [Address(saved.scopes.get(scope_path), node_id, written, widget)]


def _find_instances(
    saved: SavedWorkflow, graph_id: str, node_id: str, widget: str
) -> list[Address]:
    """The widget in each instance of a subgraph; where there is none, an address without scope."""
    found = []
    for scope in saved.scopes.values():
        if scope.graph_id == graph_id:
            found.append(Address(scope, node_id, f"{scope.path}{node_id}", widget))
    return found or [Address(None, node_id, node_id, widget)]


def _is_graph(saved: SavedWorkflow, text: str) -> bool:
    """Whether a part of an id names a graph; a copied workflow keeps ids that name the one it was
    copied from.
    """
    if text in saved.definitions:
        return True
    if text != "" and text == saved.root.graph_id:
        return True
    return UUID.fullmatch(text) is not None


def _pick(graph: Graph, saved: SavedWorkflow, addresses: list[Address]) -> Picked:
    for address in addresses:
        scope = address.scope
        if scope and address.node_id in scope.nodes:
            return _pick_shown(saved, scope, address, addresses)
    first = addresses[0]
    if first.full_id in graph.nodes or first.scope is not saved.root:
        return Picked((Slot(first.full_id, first.widget),))
    return _pick_inside(graph, saved, first)


def _pick_shown(
    saved: SavedWorkflow, scope: Scope, address: Address, addresses: list[Address]
) -> Picked:
    """What a widget that the page has stands for, in all instances; its first one names it."""
    slots: dict[Slot, None] = {}
    for other in addresses:
        if other.scope:
            resolved = saved.resolve(other.scope, other.node_id, other.widget)
            slots |= dict.fromkeys(resolved)
    label = saved.read_label(scope, address.node_id, address.widget)
    is_instance = f"{address.full_id}:" in saved.scopes
    name = make_name(label or address.widget) if is_instance else ""
    return Picked(tuple(slots), label, name)


def _pick_inside(graph: Graph, saved: SavedWorkflow, address: Address) -> Picked:
    """What a bare id inside of some subgraph stands for: a widget that one instance shows, else the
    only such node.
    """
    shown: dict[tuple[Slot, ...], Picked] = {}
    for outer, instance, inner in saved.instances:
        meant = Slot(f"{inner.path}{address.node_id}", address.widget)
        for entry in inner.inputs:
            name = to_text(entry.get("name"))
            slots = saved.resolve(outer, instance, name)
            if meant in slots:
                label = saved.read_label(outer, instance, name)
                shown.setdefault(slots, Picked(slots, label, make_name(label or name)))
    if len(shown) == 1:
        return next(iter(shown.values()))
    return _pick_only(graph, saved, address)


def _pick_only(graph: Graph, saved: SavedWorkflow, address: Address) -> Picked:
    """The one widget of this name on a node with this id, wherever it is; nothing where there are
    several.
    """
    inside: set[tuple[Slot, ...]] = set()
    for scope in saved.scopes.values():
        inside.add(saved.resolve(scope, address.node_id, address.widget))
    for node in graph.nodes.values():
        if node.id.endswith(f":{address.node_id}") and address.widget in node.inputs:
            inside.add((Slot(node.id, address.widget),))
    found = []
    for slots in inside:
        if any(slot.node_id in graph.nodes for slot in slots):
            found.append(slots)
    return Picked(found[0]) if len(found) == 1 else Picked(())


def _find_problem(graph: Graph, slots: tuple[Slot, ...]) -> str:
    """Why these inputs cannot be set; "" if they can."""
    if not slots:
        return "the workflow has no such node, or more than one; it may be muted"
    if all(Link.parse(graph.read(slot)) for slot in slots):
        return "another node feeds it"
    if not any(_has_input(graph, slot) for slot in slots):
        return "the node has no such input"
    return ""


def _has_input(graph: Graph, slot: Slot) -> bool:
    if graph.spec(slot) is not None:
        return True
    return slot.input in graph.nodes[slot.node_id].inputs


def _read_output(graph: Graph, saved: SavedWorkflow, entry: Any) -> None:
    written = to_text(entry) if isinstance(entry, str | int) else ""
    ids = [address.full_id for address in _read_id(saved, written, "")]
    found = [node_id for node_id in ids if node_id in graph.nodes]
    for node_id in _find_inside(graph, ids):
        if _is_output(graph, node_id):
            found.append(node_id)
    if not found:
        graph.notes.append(
            f"App mode: the output {written:.60} is no node of this workflow that shows results."
        )
    graph.outputs += found


def _find_inside(graph: Graph, ids: list[str]) -> list[str]:
    """The nodes inside of subgraphs with these ids; where there are none, those that have such an
    id inside.
    """
    starts = tuple(f"{outer}:" for outer in ids)
    inside = [node_id for node_id in graph.nodes if node_id.startswith(starts)]
    if inside:
        return inside
    ends = tuple(f":{inner}" for inner in ids)
    return [node_id for node_id in graph.nodes if node_id.endswith(ends)]


def _is_output(graph: Graph, node_id: str) -> bool:
    class_type = graph.nodes[node_id].class_type
    known = graph.info.get(class_type)
    return known is not None and known.is_output
