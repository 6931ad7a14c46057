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
    data = saved.extra.get("linearData") if saved else None
    if saved is None or not isinstance(data, dict):
        return []
    hints = []
    entries = data.get("inputs")
    for order, entry in enumerate(entries if isinstance(entries, list) else []):
        if hint := _read_input(graph, saved, entry, order):
            hints.append(hint)
    outputs = data.get("outputs")
    for entry in outputs if isinstance(outputs, list) else []:
        _read_output(graph, saved, entry)
    return hints


def _read_input(graph: Graph, saved: SavedWorkflow, entry: Any, order: int) -> Hint | None:
    if not isinstance(entry, list) or not entry or not isinstance(entry[0], str | int):
        graph.notes.append("App mode: an input that names no node was left out.")
        return None
    widget = entry[1] if len(entry) > 1 and isinstance(entry[1], str) else ""
    config = entry[2] if len(entry) > 2 and isinstance(entry[2], dict) else {}
    addresses = _read_id(saved, to_text(entry[0]), widget)
    picked = _pick(graph, saved, addresses)
    slots = tuple(slot for slot in picked.slots if slot.node_id in graph.nodes)
    if problem := _find_problem(graph, slots):
        if not graph.removed & {slot.node_id for slot in picked.slots}:
            called = f"the input {addresses[0].widget:.60} of node {to_text(entry[0]):.60}"
            graph.notes.append(f"App mode: {called} was left out, since {problem}.")
        return None
    return Hint(
        SOURCE, slots, picked.name, picked.label, read_text(config, "description"), order=order
    )


def _read_id(saved: SavedWorkflow, written: str, widget: str) -> list[Address]:
    """The widgets that an id of any form names: several where a subgraph is used more than once."""
    graph_id, *parts = written.split(":")
    names_graph = 1 <= len(parts) <= 2 and _is_graph(saved, graph_id)
    if names_graph:
        written, widget = unquote(parts[0]), unquote("".join(parts[1:])) or widget
    if names_graph and graph_id in saved.definitions:
        scopes = [scope for scope in saved.scopes.values() if scope.graph_id == graph_id]
        found = [Address(scope, written, f"{scope.path}{written}", widget) for scope in scopes]
        return found or [Address(None, written, written, widget)]
    *path, node_id = written.split(":")
    return [
        Address(saved.scopes.get("".join(f"{step}:" for step in path)), node_id, written, widget)
    ]


def _is_graph(saved: SavedWorkflow, text: str) -> bool:
    """Whether a part of an id names a graph; a copied workflow keeps ids that name the one it was
    copied from.
    """
    return (
        text in saved.definitions
        or (text != "" and text == saved.root.graph_id)
        or bool(UUID.fullmatch(text))
    )


def _pick(graph: Graph, saved: SavedWorkflow, addresses: list[Address]) -> Picked:
    for address in addresses:
        if address.scope and address.node_id in address.scope.nodes:
            found = [
                saved.resolve(other.scope, other.node_id, other.widget)
                for other in addresses
                if other.scope
            ]
            slots = tuple(dict.fromkeys(slot for each in found for slot in each))
            label = saved.read_label(address.scope, address.node_id, address.widget)
            is_instance = f"{address.full_id}:" in saved.scopes
            return Picked(slots, label, make_name(label or address.widget) if is_instance else "")
    first = addresses[0]
    if first.full_id in graph.nodes or first.scope is not saved.root:
        return Picked((Slot(first.full_id, first.widget),))
    return _pick_inside(graph, saved, first)


def _pick_inside(graph: Graph, saved: SavedWorkflow, address: Address) -> Picked:
    """What a bare id inside of some subgraph stands for: a widget that one instance shows, else the
    only such node.
    """
    shown: dict[tuple[Slot, ...], Picked] = {}
    for outer, instance, inner in saved.instances:
        for name in (to_text(entry.get("name")) for entry in inner.inputs):
            slots = saved.resolve(outer, instance, name)
            if Slot(f"{inner.path}{address.node_id}", address.widget) in slots:
                label = saved.read_label(outer, instance, name)
                shown.setdefault(slots, Picked(slots, label, make_name(label or name)))
    if len(shown) == 1:
        return next(iter(shown.values()))
    inside = {
        saved.resolve(scope, address.node_id, address.widget) for scope in saved.scopes.values()
    }
    ending = [node for node in graph.nodes.values() if node.id.endswith(f":{address.node_id}")]
    inside |= {(Slot(node.id, address.widget),) for node in ending if address.widget in node.inputs}
    found = [slots for slots in inside if any(slot.node_id in graph.nodes for slot in slots)]
    return Picked(found[0]) if len(found) == 1 else Picked(())


def _find_problem(graph: Graph, slots: tuple[Slot, ...]) -> str:
    if not slots:
        return "the workflow has no such node, or more than one; it may be muted"
    if all(Link.parse(graph.read(slot)) for slot in slots):
        return "another node feeds it"
    known = [
        slot for slot in slots if graph.spec(slot) or slot.input in graph.nodes[slot.node_id].inputs
    ]
    return "" if known else "the node has no such input"


def _read_output(graph: Graph, saved: SavedWorkflow, entry: Any) -> None:
    written = to_text(entry) if isinstance(entry, str | int) else ""
    ids = [address.full_id for address in _read_id(saved, written, "")]
    found = [node_id for node_id in ids if node_id in graph.nodes]
    found += [node_id for node_id in _find_inside(graph, ids) if _is_output(graph, node_id)]
    if not found:
        graph.notes.append(
            f"App mode: the output {written:.60} is no node of this workflow that shows results."
        )
    graph.outputs += found


def _find_inside(graph: Graph, ids: list[str]) -> list[str]:
    """The nodes inside of subgraphs with these ids; where there are none, those that have such an
    id inside.
    """
    inside = [
        node_id
        for node_id in graph.nodes
        if node_id.startswith(tuple(f"{outer}:" for outer in ids))
    ]
    return inside or [
        node_id for node_id in graph.nodes if node_id.endswith(tuple(f":{inner}" for inner in ids))
    ]


def _is_output(graph: Graph, node_id: str) -> bool:
    known = graph.info.get(graph.nodes[node_id].class_type)
    return known.is_output if known else False
