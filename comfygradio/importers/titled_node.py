"""Titles as markers: what an author wrote into the titles of nodes for MCWW or ViewComfy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from comfygradio.comfy.object_info import InputSpec
from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.literals import guess_type, takes_literal
from comfygradio.forms.slots import Slot
from comfygradio.importers.ui_workflow import UiWorkflow
from comfygradio.importers.workflow_editor import WorkflowEditor


@dataclass(frozen=True)
class TitledNode:
    """A node with a title.

    A primitive exists only on ComfyUI's page and stands for the inputs (`slots`) that it feeds.
    """

    node_id: str
    title: str
    slots: tuple[Slot, ...] = ()


def list_titles(editor: WorkflowEditor, ui_workflow: UiWorkflow | None) -> Iterator[TitledNode]:
    """List the titles of the workflow, and of the primitives in its UI format."""
    known = _read_saved(ui_workflow) if ui_workflow else {}
    for node in list(editor.nodes.values()):
        title = node.title
        # An export in API format may lack the titles.
        if title in ("", node.class_type):
            title = known.get(node.id, "")
        yield TitledNode(node.id, title.strip())
    if ui_workflow is None:
        return
    for scope, node_id, data in ui_workflow.iterate_nodes():
        full_id = f"{scope.path}{node_id}"
        if data.get("type") != "PrimitiveNode" or full_id not in known:
            continue
        slots = ui_workflow.resolve(scope, node_id, "value")
        free = [slot for slot in slots if editor.is_free(slot)]
        yield TitledNode(full_id, known[full_id].strip(), tuple(free))


def list_settable_inputs(editor: WorkflowEditor, node: Node) -> Mapping[str, InputSpec]:
    """List the inputs of a node that a person can set: not linked, and of a type that takes a
    literal.

    They are in the server's order. If the server lacks the class, they are guessed from the values
    in the workflow.
    """
    known = editor.object_info.get(node.class_type)
    if known is None:
        return _guess_specs(node)
    found: dict[str, InputSpec] = {}
    for name in dict.fromkeys([*known.inputs, *node.inputs]):
        if Link.parse(node.inputs.get(name)):
            continue
        spec = editor.spec(Slot(node.id, name))
        if spec is not None and takes_literal(spec):
            found[name] = spec
    return found


def _guess_specs(node: Node) -> dict[str, InputSpec]:
    """Guess the specs of a node's inputs from their values. Links have none."""
    found: dict[str, InputSpec] = {}
    for name, value in node.inputs.items():
        kind = guess_type(value)
        if kind is not None:
            found[name] = InputSpec(name, kind, "required")
    return found


def _read_saved(ui_workflow: UiWorkflow) -> dict[str, str]:
    """Map node ids to titles, for the nodes with a title in the UI format."""
    titles: dict[str, str] = {}
    for scope, node_id, node in ui_workflow.iterate_nodes():
        title = node.get("title")
        if isinstance(title, str) and title:
            titles[f"{scope.path}{node_id}"] = title
    return titles
