"""Edit a workflow: remove marker nodes, or replace them by nodes that every ComfyUI has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Link, Node, Workflow
from comfygradio.forms.slots import Slot
from comfygradio.importers.values import fit_literal


class WorkflowEditor:
    """The nodes of a workflow, to be changed, and what was found out on the way.

    `outputs` are ids of nodes whose results are shown, `notes` tell people what was changed or
    ignored, and `removed` are the ids of removed marker nodes.
    """

    def __init__(self, workflow: Workflow, info: ObjectInfo) -> None:
        self.workflow = workflow
        self.object_info = info
        self.nodes = dict(workflow.nodes)
        self.outputs: list[str] = []
        self.notes: list[str] = []
        self.removed: set[str] = set()

    def find(self, *prefixes: str) -> Iterator[Node]:
        """Yield the nodes whose class starts with one of these prefixes, in the order of the file,
        in their current state.
        """
        # A copy, and each node looked up again: callers replace and remove nodes meanwhile.
        for node_id in list(self.nodes):
            node = self.nodes.get(node_id)
            if node and node.class_type.startswith(prefixes):
                yield node

    def find_fed_inputs(self, node_id: str) -> list[tuple[Slot, int]]:
        """List the inputs of other nodes that a node feeds, each with the output (from 0) that
        feeds it.
        """
        fed = []
        for node in self.nodes.values():
            if node.id == node_id:
                continue
            for name, link in node.links.items():
                if link.node_id == node_id:
                    fed.append((Slot(node.id, name), link.slot))
        return fed

    def spec(self, slot: Slot) -> InputSpec | None:
        """Return the spec of an input, or None if the server does not know it."""
        node = self.nodes.get(slot.node_id)
        if node is None:
            return None
        return self.object_info.spec(node.class_type, slot.input, node.inputs)

    def get_input(self, slot: Slot) -> Any:
        """Return the value or link of an input, or None."""
        node = self.nodes.get(slot.node_id)
        if node is None:
            return None
        return node.inputs.get(slot.input)

    def is_free(self, slot: Slot) -> bool:
        """Whether an input's node still exists, and no other node feeds the input."""
        if slot.node_id not in self.nodes:
            return False
        return Link.parse(self.get_input(slot)) is None

    def set_input(self, slot: Slot, value: Any) -> None:
        """Set an input to a value or a link (`[id, output]`). A value is converted to fit."""
        node = self.nodes.get(slot.node_id)
        if node is None:
            return
        if not Link.parse(value):
            spec = self.spec(slot)
            value = fit_literal(spec, value)
        inputs = {**node.inputs, slot.input: value}
        self.nodes[node.id] = replace(node, inputs=inputs)

    def rewire(self, fed: Iterable[tuple[Slot, int]], feeds: Mapping[int, Any]) -> None:
        """Feed the inputs that a node fed (see `find_fed_inputs`) from elsewhere: output → link or
        value. Inputs of other outputs lose their link.
        """
        lost: list[str] = []
        for slot, output in fed:
            node = self.nodes.get(slot.node_id)
            if node is None or slot.input not in node.inputs:
                continue
            if output in feeds:
                self.set_input(slot, feeds[output])
                continue
            others = dict(node.inputs)
            del others[slot.input]
            self.nodes[node.id] = replace(node, inputs=others)
            lost.append(str(slot))
        if lost:
            self.notes.append(
                f"Nothing feeds {', '.join(lost)} any more: the node that did works only in "
                "the program it was made for."
            )

    def replace(self, node_id: str, class_type: str, inputs: Mapping[str, Any]) -> None:
        """Replace a node by one of another class. Id, title and links stay."""
        node = self.nodes[node_id]
        title = node.title
        if title == node.class_type:
            # A title that was only that of the class changes with it.
            title = class_type
        self.nodes[node_id] = Node(node_id, class_type, dict(inputs), title)

    def add(self, wish: str, class_type: str, inputs: Mapping[str, Any]) -> str:
        """Add a node. Returns its id: `wish`, or, if that is taken, an id that starts with it."""
        node_id = wish
        while node_id in self.nodes:
            node_id += "_"
        self.nodes[node_id] = Node(node_id, class_type, dict(inputs), class_type)
        return node_id

    def remove(self, node_id: str) -> None:
        """Remove a marker node from the workflow."""
        if self.nodes.pop(node_id, None):
            self.removed.add(node_id)

    def describe_node(self, node_id: str) -> str:
        """Name a node in a note."""
        node = self.nodes.get(node_id)
        if node is None:
            return f"node {node_id}"
        return f"node {node_id} ({node.title})"

    def to_workflow(self) -> Workflow:
        """Return the edited workflow."""
        nodes = dict(self.nodes)
        return replace(self.workflow, nodes=nodes)
