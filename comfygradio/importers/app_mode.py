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
from comfygradio.importers.values import get_text, slugify, to_list, to_text
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
    annotations = []
    for order, entry in enumerate(to_list(data.get("inputs"))):
        annotation = _read_input(editor, ui_workflow, entry, order)
        if annotation is not None:
            annotations.append(annotation)
    for entry in to_list(data.get("outputs")):
        _read_output(editor, ui_workflow, entry)
    return annotations


def _read_input(
    editor: WorkflowEditor, ui_workflow: UiWorkflow, entry: Any, order: int
) -> Annotation | None:
    # [id, widget, config], of which later parts may be missing.
    written, widget, config, *_ = [*to_list(entry), None, None, None]
    if not isinstance(written, str | int):
        editor.notes.append("App mode: an input that names no node was left out.")
        return None
    if not isinstance(widget, str):
        widget = ""
    node_id = to_text(written)
    addresses = _read_id(ui_workflow, node_id, widget)
    picked = _pick(editor, ui_workflow, addresses)
    slots = tuple(slot for slot in picked.slots if slot.node_id in editor.nodes)
    problem = _find_problem(editor, slots)
    if problem:
        # Whatever took a marker node out has said so already.
        if editor.removed.isdisjoint(slot.node_id for slot in picked.slots):
            called = f"the input {addresses[0].widget:.60} of node {node_id:.60}"
            editor.notes.append(f"App mode: {called} was left out, since {problem}.")
        return None
    description = get_text(config, "description") if isinstance(config, dict) else ""
    return Annotation(
        source=SOURCE,
        slots=slots,
        name=picked.name,
        label=picked.label,
        help=description,
        order=order,
    )


def _read_id(ui_workflow: UiWorkflow, written: str, widget: str) -> list[Address]:
    """Find the widgets that an id of any form names: several if a subgraph is used more
    than once.
    """
    graph_id, *parts = written.split(":")
    if len(parts) in (1, 2) and _is_graph(ui_workflow, graph_id):
        # `graph:node` or `graph:node:widget`, percent-encoded.
        written = unquote(parts[0])
        if len(parts) == 2:
            widget = unquote(parts[1]) or widget
        if graph_id in ui_workflow.definitions:
            return _find_instances(ui_workflow, graph_id, written, widget)
    # `node`, or `subgraph:node` with the colon that also ends a scope's path.
    path, colon, node_id = written.rpartition(":")
    scope = ui_workflow.scopes.get(f"{path}{colon}")
    return [Address(scope, node_id, written, widget)]


def _find_instances(
    ui_workflow: UiWorkflow, graph_id: str, node_id: str, widget: str
) -> list[Address]:
    """Find the widget in each instance of a subgraph, or an address without scope if
    there is none.
    """
    found = []
    for scope in ui_workflow.scopes.values():
        if scope.graph_id == graph_id:
            full_id = f"{scope.path}{node_id}"
            found.append(Address(scope, node_id, full_id, widget))
    if not found:
        return [Address(None, node_id, node_id, widget)]
    return found


def _is_graph(ui_workflow: UiWorkflow, text: str) -> bool:
    """Whether a part of an id names a graph. A copied workflow keeps ids that name the original
    graph.
    """
    if text in ui_workflow.definitions:
        return True
    is_root = text != "" and text == ui_workflow.root.graph_id
    return is_root or UUID.fullmatch(text) is not None


def _pick(editor: WorkflowEditor, ui_workflow: UiWorkflow, addresses: list[Address]) -> Picked:
    """Pick what an entry stands for, which names one of these widgets."""
    for address in addresses:
        scope = address.scope
        if scope is not None and address.node_id in scope.nodes:
            return _pick_shown(ui_workflow, scope, address, addresses)
    # The saved graph shows no such node. Either the id is that of the API format, or it is bare and
    # means a node inside some subgraph.
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
        if other.scope is not None:
            resolved = ui_workflow.resolve(other.scope, other.node_id, other.widget)
            slots |= dict.fromkeys(resolved)
    label = ui_workflow.find_label(scope, address.node_id, address.widget)
    name = ""
    is_instance = f"{address.full_id}:" in ui_workflow.scopes
    if is_instance:
        # What it fills inside may have a name that says less.
        name = slugify(label or address.widget)
    return Picked(tuple(slots), label, name)


def _pick_inside(editor: WorkflowEditor, ui_workflow: UiWorkflow, address: Address) -> Picked:
    """Pick what a bare id inside some subgraph stands for: a widget that an instance shows, else
    the only such node.
    """
    shown: dict[tuple[Slot, ...], Picked] = {}
    for outer, instance, inner in ui_workflow.instances:
        meant = Slot(f"{inner.path}{address.node_id}", address.widget)
        for entry in inner.inputs:
            widget = to_text(entry.get("name"))
            slots = ui_workflow.resolve(outer, instance, widget)
            if meant not in slots or slots in shown:
                continue
            label = ui_workflow.find_label(outer, instance, widget)
            shown[slots] = Picked(slots, label, slugify(label or widget))
    if len(shown) != 1:
        return _pick_only(editor, ui_workflow, address)
    (picked,) = shown.values()
    return picked


def _pick_only(editor: WorkflowEditor, ui_workflow: UiWorkflow, address: Address) -> Picked:
    """Pick the only widget of this name on a node with this id, in any graph. Picks nothing if
    there are several.
    """
    candidates: set[tuple[Slot, ...]] = set()
    for scope in ui_workflow.scopes.values():
        resolved = ui_workflow.resolve(scope, address.node_id, address.widget)
        candidates.add(resolved)
    ending = f":{address.node_id}"
    for node in editor.nodes.values():
        if node.id.endswith(ending) and address.widget in node.inputs:
            own = Slot(node.id, address.widget)
            candidates.add((own,))
    found = []
    for slots in candidates:
        if any(slot.node_id in editor.nodes for slot in slots):
            found.append(slots)
    if len(found) != 1:
        return Picked(())
    return Picked(found[0])


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
    """Add the output nodes that an entry names to the editor, or a note if there are none."""
    written = to_text(entry) if isinstance(entry, str | int) else ""
    ids = [address.full_id for address in _read_id(ui_workflow, written, "")]
    found = [node_id for node_id in ids if node_id in editor.nodes]
    inside = _find_inside(editor, ids)
    found += [node_id for node_id in inside if _is_output(editor, node_id)]
    if not found:
        editor.notes.append(
            f"App mode: the output {written:.60} is not a node of this workflow that shows results."
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
    node = editor.nodes[node_id]
    definition = editor.object_info.get(node.class_type)
    return definition is not None and definition.is_output
