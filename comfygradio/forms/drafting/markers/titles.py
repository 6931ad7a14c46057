"""Titles as markers: what an author wrote into the titles of nodes for MCWW or for ViewComfy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from comfygradio.comfy.object_info import InputSpec
from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.binding.specs import has_widget
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.saved import SavedWorkflow
from comfygradio.forms.slots import Slot


@dataclass(frozen=True)
class Titled:
    """A node with a title.

    A primitive exists on ComfyUI's page only and stands for the inputs (`slots`) it feeds.
    """

    node_id: str
    title: str
    slots: tuple[Slot, ...] = ()


def list_titles(graph: Graph, saved: SavedWorkflow | None) -> Iterator[Titled]:
    """The titles of the workflow, and of the primitives in its UI format."""
    known = _read_saved(saved) if saved else {}
    for node in list(graph.nodes.values()):
        own = node.title if node.title != node.class_type else ""
        title = own or known.get(node.id, "")
        yield Titled(node.id, title.strip())
    if saved is None:
        return
    for scope, node_id, data in saved.walk():
        full_id = f"{scope.path}{node_id}"
        if data.get("type") != "PrimitiveNode" or full_id not in known:
            continue
        slots = saved.resolve(scope, node_id, "value")
        free = [slot for slot in slots if graph.is_free(slot)]
        yield Titled(full_id, known[full_id].strip(), tuple(free))


def list_inputs(graph: Graph, node: Node) -> Mapping[str, InputSpec]:
    """The inputs of a node that a person can set: not linked, and of a type that has a widget, in
    the server's order.

    Of a class that the server lacks, they are guessed from the values in the workflow.
    """
    known = graph.info.get(node.class_type)
    found: dict[str, InputSpec] = {}
    if known is None:
        for name, value in node.inputs.items():
            guessed = _guess_spec(name, value)
            if guessed is not None:
                found[name] = guessed
        return found
    for name in dict.fromkeys([*known.inputs, *node.inputs]):
        if Link.parse(node.inputs.get(name)):
            continue
        spec = graph.spec(Slot(node.id, name))
        if spec is not None and has_widget(spec):
            found[name] = spec
    return found


def _read_saved(saved: SavedWorkflow) -> dict[str, str]:
    """Node id → title, of the nodes that have one in the UI format."""
    titles: dict[str, str] = {}
    for scope, node_id, node in saved.walk():
        title = node.get("title")
        if isinstance(title, str) and title:
            titles[f"{scope.path}{node_id}"] = title
    return titles


def _guess_spec(name: str, value: object) -> InputSpec | None:
    if isinstance(value, bool):
        return InputSpec(name, "BOOLEAN", "required")
    if isinstance(value, int):
        return InputSpec(name, "INT", "required")
    if isinstance(value, float):
        return InputSpec(name, "FLOAT", "required")
    if isinstance(value, str):
        return InputSpec(name, "STRING", "required")
    return None
