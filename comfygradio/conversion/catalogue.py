"""The classes of a server, parsed when a workflow uses them, and its nodes as they define them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.conversion.alignment import Aligner
from comfygradio.conversion.budget import Budget
from comfygradio.conversion.node_class import (
    AUTOGROW,
    DYNAMIC_COMBO,
    MATCH_TYPE,
    MAX_INPUTS,
    ClassInput,
    NodeClass,
    list_chosen,
)
from comfygradio.conversion.node_values import place_values
from comfygradio.conversion.placement import Placement
from comfygradio.conversion.ui_graph import UiNode
from comfygradio.conversion.widget import find_kind, list_autogrow_names

PLACING = 3
"""What it takes off the budget to place the value of a widget."""


@dataclass(frozen=True)
class InputSlot:
    """An input of a node, with the link that feeds it, or ""."""

    name: str
    type: str
    link: str


class Catalogue:
    """Knows the classes of a server and the nodes of a workflow. Each is parsed once.

    `budget` is what the conversion of the workflow may still read and copy.
    """

    def __init__(self, object_info: Mapping[str, Any]) -> None:
        self.budget = Budget()
        self._object_info = object_info
        self.aligner = Aligner()
        self._classes: dict[str, NodeClass | None] = {}
        self._placements: dict[UiNode, Placement] = {}
        self._inputs: dict[UiNode, list[InputSlot]] = {}

    def find_class(self, class_type: str) -> NodeClass | None:
        """Find a class of the server; None if it does not have it."""
        if class_type not in self._classes:
            data = self._object_info.get(class_type)
            parsed = NodeClass.parse(class_type, data) if isinstance(data, dict) else None
            self._classes[class_type] = parsed
        return self._classes[class_type]

    def place(self, node: UiNode) -> Placement:
        """Place the values of a node in its widgets."""
        # The same node is in the scopes of all instances of its subgraph.
        known = self._placements.get(node)
        if known is None:
            known = place_values(node, self.find_class(node.type), self.aligner)
            self.budget.spend(PLACING * (1 + len(known.widgets)))
            self._placements[node] = known
        return known

    def list_inputs(self, node: UiNode) -> list[InputSlot]:
        """List the inputs of a node as ComfyUI's page does: those of its class, sockets first, and
        then those that only the file has.
        """
        known = self._inputs.get(node)
        if known is None:
            known = self._find_inputs(node)
            self.budget.spend(len(known))
            self._inputs[node] = known
        return known

    def _find_inputs(self, node: UiNode) -> list[InputSlot]:
        node_class = self.find_class(node.type)
        if node_class is None:
            return [InputSlot(entry.name, entry.type, entry.link) for entry in node.inputs]
        links = {entry.name: entry.link for entry in node.inputs}
        linked = frozenset(name for name, link in links.items() if link)
        types = self._list_types(node, node_class.inputs, linked)
        slots = [InputSlot(name, kind, links.get(name, "")) for name, kind in types]
        known = {slot.name for slot in slots}
        for entry in node.inputs:
            if entry.name not in known:
                slots.append(InputSlot(entry.name, entry.type, entry.link))
        return slots

    def list_output_types(self, node: UiNode) -> tuple[str, ...]:
        """List the types of a node's outputs. Where they depend on what feeds the node, the file
        says them.
        """
        node_class = self.find_class(node.type)
        if node_class is None:
            return node.output_types
        types = list(node_class.output_types)
        for number, kind in enumerate(types):
            if kind == MATCH_TYPE:
                types[number] = "*"
                if number < len(node.output_types):
                    types[number] = node.output_types[number]
        return tuple(types)

    def _list_types(
        self, node: UiNode, inputs: tuple[ClassInput, ...], linked: frozenset[str]
    ) -> list[tuple[str, str]]:
        """List names and types of the inputs of a class, sockets first. Where a type depends on
        what feeds the node's other inputs, the file says it.
        """
        in_file = {entry.name: entry.type for entry in node.inputs}
        sockets: list[tuple[str, str]] = []
        widgets: list[tuple[str, str]] = []
        waiting = list(reversed(inputs))
        while waiting and len(sockets) + len(widgets) < MAX_INPUTS:
            entry = waiting.pop()
            if entry.type == AUTOGROW:
                for name, inner in reversed(list_autogrow_names(entry, linked)):
                    # Nested ones would multiply, and `list_widgets` follows none either.
                    if inner.type != AUTOGROW:
                        waiting.append(replace(inner, name=name))
                continue
            if entry.type == MATCH_TYPE:
                sockets.append((entry.name, in_file.get(entry.name) or _read_allowed(entry)))
                continue
            if find_kind(entry) is None:
                sockets.append((entry.name, entry.type))
                continue
            widgets.append((entry.name, entry.type))
            if entry.type == DYNAMIC_COMBO:
                placed = self.place(node).widgets.get(entry.name)
                if placed is not None:
                    chosen = list_chosen(entry.name, entry.options, placed.value)
                    waiting.extend(reversed(chosen))
        return [*sockets, *widgets]


def _read_allowed(entry: ClassInput) -> str:
    template = entry.options.get("template")
    allowed = template.get("allowed_types") if isinstance(template, dict) else None
    return allowed if isinstance(allowed, str) else "*"
