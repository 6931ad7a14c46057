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
    known = dict(_read_saved(saved)) if saved else {}
    for node in list(graph.nodes.values()):
        own = node.title if node.title != node.class_type else ""
        yield Titled(node.id, (own or known.get(node.id, "")).strip())
    for scope, node_id, data in saved.walk() if saved else ():
        full_id = f"{scope.path}{node_id}"
        if data.get("type") == "PrimitiveNode" and full_id in known and saved:
            slots = saved.resolve(scope, node_id, "value")
            free = (
                slot
                for slot in slots
                if slot.node_id in graph.nodes and not Link.parse(graph.read(slot))
            )
            yield Titled(full_id, known[full_id].strip(), tuple(free))


def list_inputs(graph: Graph, node: Node) -> Mapping[str, InputSpec]:
    """The inputs of a node that a person can set: not linked, and of a type that has a widget, in
    the server's order.

    Of a class that the server lacks, they are guessed from the values in the workflow.
    """
    known = graph.info.get(node.class_type)
    if known is None:
        guessed = {name: _guess_spec(name, value) for name, value in node.inputs.items()}
        return {name: spec for name, spec in guessed.items() if spec}
    names = dict.fromkeys([*known.inputs, *node.inputs])
    specs = {
        name: graph.spec(Slot(node.id, name))
        for name in names
        if not Link.parse(node.inputs.get(name))
    }
    return {name: spec for name, spec in specs.items() if spec and has_widget(spec)}


def _read_saved(saved: SavedWorkflow) -> Iterator[tuple[str, str]]:
    for scope, node_id, node in saved.walk():
        title = node.get("title")
        if isinstance(title, str) and title:
            yield f"{scope.path}{node_id}", title


def _guess_spec(name: str, value: object) -> InputSpec | None:
    if isinstance(value, bool):
        return InputSpec(name, "BOOLEAN", "required")
    if isinstance(value, int | float):
        return InputSpec(name, "INT" if isinstance(value, int) else "FLOAT", "required")
    return InputSpec(name, "STRING", "required") if isinstance(value, str) else None
