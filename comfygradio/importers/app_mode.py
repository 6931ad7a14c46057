"""Import App mode: the inputs and outputs that an author picked on ComfyUI's own page (frontend
1.41.13 and newer).

They are stored in `extra.linearData` of the UI format as `[id, widget, config]`. The id is that of
a node, of a node inside a subgraph ("57:8"; in older files just "8"), or `graph:node:widget` with
percent-encoded parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from comfygradio.comfy.workflow import Link
from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation
from comfygradio.importers.ui_workflow import Scope, UiWorkflow
from comfygradio.importers.values import get_text, slugify, to_text
from comfygradio.importers.workflow_editor import WorkflowEditor

SOURCE = "App mode"
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Address:
    """A widget as App mode names it. `scope` is None if the saved workflow has no such graph.

    `node_id` is the node's id in that graph, `full_id` its id in the API format.
    """

    scope: Scope | None
    node_id: str
    full_id: str
    widget: str


@dataclass(frozen=True)
class Picked:
    """What an entry stands for: inputs of the API workflow, and the author's label for them."""

    slots: tuple[Slot, ...]
    label: str = ""
    name: str = ""


def import_app_mode(editor: WorkflowEditor, ui_workflow: UiWorkflow | None) -> list[Annotation]:
    """Import an annotation for each picked input, in order. The picked outputs are added to the
    editor.
    """
    if ui_workflow is None:
        return []
    data = ui_workflow.extra.get("linearData")
    if not isinstance(data, dict):
        return []
    hints = []
    for order, entry in enumerate(_list(data.get("inputs"))):
        hint = _read_input(editor, ui_workflow, entry, order)
        if hint is not None:
            hints.append(hint)
    for entry in _list(data.get("outputs")):
        _read_output(editor, ui_workflow, entry)
    return hints


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _read_input(
    editor: WorkflowEditor, ui_workflow: UiWorkflow, entry: Any, order: int
) -> Annotation | None:
    if not isinstance(entry, list) or not entry or not isinstance(entry[0], str | int):
        editor.notes.append("App mode: an input that names no node was left out.")
        return None
    written = to_text(entry[0])
    widget = entry[1] if len(entry) > 1 and isinstance(entry[1], str) else ""
    config = entry[2] if len(entry) > 2 and isinstance(entry[2], dict) else {}
    addresses = _read_id(ui_workflow, written, widget)
    picked = _pick(editor, ui_workflow, addresses)
    slots = tuple(slot for slot in picked.slots if slot.node_id in editor.nodes)
    problem = _find_problem(editor, slots)
    if problem:
        # Whatever took a marker node out has said so already.
        if editor.removed.isdisjoint(slot.node_id for slot in picked.slots):
            called = f"the input {addresses[0].widget:.60} of node {written:.60}"
            editor.notes.append(f"App mode: {called} was left out, since {problem}.")
        return None
    description = get_text(config, "description")
    return Annotation(SOURCE, slots, picked.name, picked.label, description, order=order)


def _read_id(ui_workflow: UiWorkflow, written: str, widget: str) -> list[Address]:
    """Find the widgets that an id of any form names: several if a subgraph is used more
    than once.
    """
    graph_id, *parts = written.split(":")
    if len(parts) in (1, 2) and _is_graph(ui_workflow, graph_id):
        # `graph:node` or `graph:node:widget`, percent-encoded.
        written = unquote(parts[0])
        widget = unquote("".join(parts[1:])) or widget
        if graph_id in ui_workflow.definitions:
            return _find_instances(ui_workflow, graph_id, written, widget)
    *path, node_id = written.split(":")
    scope_path = "".join(f"{step}:" for step in path)
    return [Address(ui_workflow.scopes.get(scope_path), node_id, written, widget)]


def _find_instances(
    ui_workflow: UiWorkflow, graph_id: str, node_id: str, widget: str
) -> list[Address]:
    """Find the widget in each instance of a subgraph, or an address without scope if
    there is none.
    """
    found = []
    for scope in ui_workflow.scopes.values():
        if scope.graph_id == graph_id:
            found.append(Address(scope, node_id, f"{scope.path}{node_id}", widget))
    return found or [Address(None, node_id, node_id, widget)]


def _is_graph(ui_workflow: UiWorkflow, text: str) -> bool:
    """Whether a part of an id names a graph. A copied workflow keeps ids that name the original
    graph.
    """
    if text in ui_workflow.definitions:
        return True
    if text != "" and text == ui_workflow.root.graph_id:
        return True
    return UUID.fullmatch(text) is not None


def _pick(editor: WorkflowEditor, ui_workflow: UiWorkflow, addresses: list[Address]) -> Picked:
    for address in addresses:
        scope = address.scope
        if scope and address.node_id in scope.nodes:
            return _pick_shown(ui_workflow, scope, address, addresses)
    first = addresses[0]
    if first.full_id in editor.nodes or first.scope is not ui_workflow.root:
        return Picked((Slot(first.full_id, first.widget),))
    return _pick_inside(editor, ui_workflow, first)


def _pick_shown(
    ui_workflow: UiWorkflow, scope: Scope, address: Address, addresses: list[Address]
) -> Picked:
    """Pick what a widget on the page stands for, in all instances. The first one names it."""
    slots: dict[Slot, None] = {}
    for other in addresses:
        if other.scope:
            resolved = ui_workflow.resolve(other.scope, other.node_id, other.widget)
            slots |= dict.fromkeys(resolved)
    label = ui_workflow.find_label(scope, address.node_id, address.widget)
    is_instance = f"{address.full_id}:" in ui_workflow.scopes
    name = slugify(label or address.widget) if is_instance else ""
    return Picked(tuple(slots), label, name)


def _pick_inside(editor: WorkflowEditor, ui_workflow: UiWorkflow, address: Address) -> Picked:
    """Pick what a bare id inside some subgraph stands for: a widget that an instance shows, else
    the only such node.
    """
    shown: dict[tuple[Slot, ...], Picked] = {}
    for outer, instance, inner in ui_workflow.instances:
        meant = Slot(f"{inner.path}{address.node_id}", address.widget)
        for entry in inner.inputs:
            name = to_text(entry.get("name"))
            slots = ui_workflow.resolve(outer, instance, name)
            if meant in slots:
                label = ui_workflow.find_label(outer, instance, name)
                shown.setdefault(slots, Picked(slots, label, slugify(label or name)))
    if len(shown) == 1:
        return next(iter(shown.values()))
    return _pick_only(editor, ui_workflow, address)


def _pick_only(editor: WorkflowEditor, ui_workflow: UiWorkflow, address: Address) -> Picked:
    """Pick the only widget of this name on a node with this id, in any graph. Picks nothing if
    there are several.
    """
    inside: set[tuple[Slot, ...]] = set()
    for scope in ui_workflow.scopes.values():
        inside.add(ui_workflow.resolve(scope, address.node_id, address.widget))
    for node in editor.nodes.values():
        if node.id.endswith(f":{address.node_id}") and address.widget in node.inputs:
            inside.add((Slot(node.id, address.widget),))
    found = []
    for slots in inside:
        if any(slot.node_id in editor.nodes for slot in slots):
            found.append(slots)
    return Picked(found[0]) if len(found) == 1 else Picked(())


def _find_problem(editor: WorkflowEditor, slots: tuple[Slot, ...]) -> str:
    """Explain why these inputs cannot be set; "" if they can."""
    if not slots:
        return "the workflow has no such node, or more than one; it may be muted"
    if all(Link.parse(editor.get_input(slot)) for slot in slots):
        return "another node feeds it"
    if not any(_has_input(editor, slot) for slot in slots):
        return "the node has no such input"
    return ""


def _has_input(editor: WorkflowEditor, slot: Slot) -> bool:
    if editor.spec(slot) is not None:
        return True
    return slot.input in editor.nodes[slot.node_id].inputs


def _read_output(editor: WorkflowEditor, ui_workflow: UiWorkflow, entry: Any) -> None:
    written = to_text(entry) if isinstance(entry, str | int) else ""
    ids = [address.full_id for address in _read_id(ui_workflow, written, "")]
    found = [node_id for node_id in ids if node_id in editor.nodes]
    for node_id in _find_inside(editor, ids):
        if _is_output(editor, node_id):
            found.append(node_id)
    if not found:
        editor.notes.append(
            f"App mode: the output {written:.60} is no node of this workflow that shows results."
        )
    editor.outputs += found


def _find_inside(editor: WorkflowEditor, ids: list[str]) -> list[str]:
    """Find the nodes inside subgraphs with these ids, or, if there are none, nodes that contain
    such an id.
    """
    starts = tuple(f"{outer}:" for outer in ids)
    inside = [node_id for node_id in editor.nodes if node_id.startswith(starts)]
    if inside:
        return inside
    ends = tuple(f":{inner}" for inner in ids)
    return [node_id for node_id in editor.nodes if node_id.endswith(ends)]


def _is_output(editor: WorkflowEditor, node_id: str) -> bool:
    class_type = editor.nodes[node_id].class_type
    known = editor.object_info.get(class_type)
    return known is not None and known.is_output
