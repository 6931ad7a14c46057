"""Build the prompt: node by node, first the values of widgets, then the links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from comfygradio.comfy.nested_input import wrap_list
from comfygradio.conversion.budget import copy_json, measure
from comfygradio.conversion.catalogue import Catalogue
from comfygradio.conversion.fit import is_fit
from comfygradio.conversion.page_nodes import PAGE_ONLY, is_page_only
from comfygradio.conversion.placement import says_nothing
from comfygradio.conversion.promotion import Promotions
from comfygradio.conversion.result import NO_WIDGET, Conversion, MissingClass, Note, Place
from comfygradio.conversion.scope import Scope
from comfygradio.conversion.shown_text import show_name
from comfygradio.conversion.trace import (
    HostInput,
    Output,
    Primitive,
    ShownWidget,
    Tracer,
    fits,
)
from comfygradio.conversion.ui_graph import UiInput, UiNode
from comfygradio.conversion.unused import (
    Position,
    find_position,
    list_positions,
    list_unused,
)

PACKS = {
    "cnr_id": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"),
    "aux_id": re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}"),
}
"""The properties of a node that name its pack, with what they look like: a name of ComfyUI's
registry, and an owner with a repository of GitHub. Sentences tell people to install it.
"""

NO_CLASS = "the server lacks the node, and the file does not say which input has the value."
OTHER_OUTPUT = (
    "it is linked to output {slot} of node {node}, which is another one on this server; the link "
    "was moved to output {found}, which has the type."
)


class PromptBuilder:
    """Builds the prompt of all scopes."""

    def __init__(self, scopes: list[Scope], catalogue: Catalogue) -> None:
        self._scopes = scopes
        self._catalogue = catalogue
        self._promotions = Promotions(catalogue)
        self._tracer = Tracer(catalogue, self._promotions)
        self._prompt: dict[str, dict[str, Any]] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._notes: list[Note] = []
        self._noted: set[Position] = set()
        self._missing: dict[str, list[tuple[str, UiNode]]] = {}

    def build(self) -> Conversion:
        """Build the prompt, with all that is to be told of it."""
        for scope in self._scopes:
            if scope.is_left_out:
                continue
            self._add_host_notes(scope)
            for node in scope.graph.nodes.values():
                self._add_node(scope, node)
        missing = [_describe_missing(name, nodes) for name, nodes in self._missing.items()]
        return Conversion(
            prompt=self._prompt,
            notes=tuple(self._notes),
            missing=tuple(missing),
            unused=tuple(self._list_unused()),
            places=self._places,
        )

    def _list_unused(self) -> Iterator[Note]:
        known = set(list_positions(self._places.values())) | self._noted
        return list_unused(self._scopes, self._catalogue, self._promotions, known)

    def _add_note(
        self, node_id: str, name: str, value: Any, reason: str, position: Position | None
    ) -> None:
        """Add a note on a value that stands at this position of the file."""
        self._notes.append(Note(node_id, name, value, reason))
        if position is not None:
            self._noted.add(position)

    def _add_host_notes(self, scope: Scope) -> None:
        if scope.outer is None or scope.host is None:
            return
        node_id = scope.outer.name_node(scope.host)
        values = self._promotions.list_values(scope)
        if values.placement.reason:
            self._notes.append(Note(node_id, "", None, values.placement.reason))
        for index, name, value in values.left:
            if not says_nothing(name, value):
                position = (scope.outer.graph.id, scope.host.id, index)
                self._add_note(node_id, name, value, NO_WIDGET, position)
        for (inner_id, name), (value, place) in values.widgets.items():
            if not self._has_widget(scope, inner_id, name):
                inner = f"{scope.path}{inner_id}"
                self._add_note(inner, name, value, NO_WIDGET, find_position(place))

    def _has_widget(self, scope: Scope, node_id: str, name: str) -> bool:
        """Whether a node has a widget that an instance shows."""
        inner = scope.inner.get(node_id)
        if inner is not None:
            return inner.graph.numbers.get(name) in self._promotions.list_values(inner).inputs
        node = scope.graph.nodes[node_id]
        return node.type in PAGE_ONLY or name in self._catalogue.place(node).widgets

    def _add_node(self, scope: Scope, node: UiNode) -> None:
        if node.is_off or node.id in scope.inner or node.type in PAGE_ONLY:
            return
        node_id = scope.name_node(node)
        node_class = self._catalogue.find_class(node.type)
        if node_class is None:
            if is_page_only(node, scope.graph):
                self._notes.append(_describe_page_node(node_id, node))
                self._noted.update((scope.graph.id, node.id, index) for index in node.list_values())
                return
            self._missing.setdefault(node.type, []).append((node_id, node))
        inputs: dict[str, Any] = {}
        self._add_values(scope, node, inputs)
        self._add_links(scope, node, inputs)
        title = node.title
        if not title:
            title = node_class.title if node_class else node.type
        self._prompt[node_id] = {
            "inputs": inputs,
            "class_type": node.type,
            "_meta": {"title": title},
        }

    def _add_values(self, scope: Scope, node: UiNode, inputs: dict[str, Any]) -> None:
        """Add the values of a node's widgets."""
        node_id = scope.name_node(node)
        shown = self._promotions.list_values(scope).widgets
        placement = self._catalogue.place(node)
        for name, placed in placement.widgets.items():
            if not placed.widget.is_posted:
                continue
            place = locate(scope, node, name, placed.index)
            value = placed.value
            override = shown.get((node.id, name))
            if override is not None:
                value, host = override
                place = replace(place, hosts=(host,))
            self._set(node_id, name, value, place, inputs)
        if placement.reason:
            self._notes.append(Note(node_id, "", None, placement.reason))
        for index, name, value in placement.left:
            if not says_nothing(name, value):
                reason = NO_WIDGET if self._catalogue.find_class(node.type) else NO_CLASS
                self._add_note(node_id, name, value, reason, (scope.graph.id, node.id, index))

    def _add_links(self, scope: Scope, node: UiNode, inputs: dict[str, Any]) -> None:
        """Add what feeds the inputs of a node. It counts before the values of widgets."""
        if not any(entry.link for entry in node.inputs):
            return
        node_id = scope.name_node(node)
        types = {slot.name: slot.type for slot in self._catalogue.list_inputs(node)}
        for entry in node.inputs:
            # A widget that an instance shows is fed by it alone.
            is_shown = self._promotions.is_shown(scope, node.id, entry.name)
            if not entry.link or is_shown or _is_broken(scope, node, entry.link):
                continue
            source = self._tracer.find_source(scope, entry.link, types.get(entry.name, entry.type))
            if isinstance(source, Output):
                self._link(node_id, entry.name, source, inputs)
            elif isinstance(source, HostInput):
                promoted = self._promotions.find_value(source.scope, source.number)
                if promoted is not None:
                    self._set(node_id, entry.name, promoted.value, promoted.place, inputs)
            elif isinstance(source, ShownWidget):
                shown = self._promotions.find_shown(source.scope, source.node, source.name)
                if shown is not None:
                    self._set(node_id, entry.name, *shown, inputs)
            elif isinstance(source, Primitive):
                self._add_primitive(scope, node, entry, source, inputs)

    def _add_primitive(
        self,
        scope: Scope,
        node: UiNode,
        entry: UiInput,
        source: Primitive,
        inputs: dict[str, Any],
    ) -> None:
        """Write the value of a primitive node into the widget that an input stands for."""
        node_id = scope.name_node(node)
        # An input that was renamed still stands for the widget of the old name.
        name = entry.widget if entry.widget in inputs else entry.name
        value, place = self._read_primitive(source)
        # A primitive node that was never linked has no value; the widget keeps its own.
        if value is None:
            return
        placed = self._catalogue.place(node).widgets.get(name)
        is_fitting = placed is None or is_fit(placed.widget, value)
        if is_fitting and (name in inputs or source.scope is not scope):
            self._set(node_id, name, value, place, inputs)
            return
        position = find_position(place.hosts[0] if place.hosts else place)
        self._add_note(node_id, name, value, NO_WIDGET, position)

    def _link(self, node_id: str, name: str, source: Output, inputs: dict[str, Any]) -> None:
        self._places.pop((node_id, name), None)
        slot = self._find_output(source)
        if slot != source.slot:
            reason = OTHER_OUTPUT.format(slot=source.slot, node=source.node_id, found=slot)
            self._notes.append(Note(node_id, name, None, reason))
        inputs[name] = [source.node_id, slot]

    def _find_output(self, source: Output) -> int:
        """Find the output that a link means: where the class has other outputs now, the first one
        of the type that the file gives.
        """
        if source.slot >= len(source.node.output_types):
            return source.slot
        wanted = source.node.output_types[source.slot]
        made = self._catalogue.list_output_types(source.node)
        if source.slot < len(made) and fits(made[source.slot], wanted):
            return source.slot
        return made.index(wanted) if wanted in made else source.slot

    def _read_primitive(self, source: Primitive) -> tuple[Any, Place]:
        """Read the value of a primitive node, which is its first one unless an instance shows
        another outside, and its place.
        """
        node = source.node
        index: int | str = 0
        value = node.values[0] if isinstance(node.values, list) and node.values else None
        if isinstance(node.values, dict):
            index = "value"
            value = node.values.get("value")
        place = locate(source.scope, node, "value", index)
        override = self._promotions.list_values(source.scope).widgets.get((node.id, "value"))
        if override is None:
            return value, place
        value, host = override
        return value, replace(place, hosts=(host,))

    def _set(
        self, node_id: str, name: str, value: Any, place: Place, inputs: dict[str, Any]
    ) -> None:
        self._catalogue.budget.spend(measure(value))
        inputs[name] = wrap_list(copy_json(value))
        self._places[node_id, name] = place


def locate(scope: Scope, node: UiNode, widget: str, index: int | str | None) -> Place:
    """Name the place of a value in the file. The values of nodes in a group node stand there."""
    source = node.source
    if source is None:
        return Place(scope.graph.id, node.id, widget, index)
    position: int | None = None
    if isinstance(index, int) and index < len(source.positions):
        position = source.positions[index]
    if position == -1:
        position = None
    return Place(source.graph, source.node, widget, position)


def _is_broken(scope: Scope, node: UiNode, link_id: str) -> bool:
    """Whether a link does not lead to the node. ComfyUI's page mends the links of the root graph
    when it opens a file; those to an input that the node does not have are removed.
    """
    link = scope.graph.links.get(link_id)
    if link is None or link.target != node.id:
        return True
    if scope.outer is not None:
        return False
    return not 0 <= link.target_slot < len(node.inputs)


def _describe_page_node(node_id: str, node: UiNode) -> Note:
    reason = (
        f"the server lacks {show_name(node.type)}. Nothing uses the node, so it may exist only on "
        "ComfyUI's page; it was left out."
    )
    return Note(node_id, "", node.values or None, reason)


def _describe_missing(class_type: str, nodes: list[tuple[str, UiNode]]) -> MissingClass:
    ids = tuple(node_id for node_id, _ in nodes)
    for _, node in nodes:
        for key, pattern in PACKS.items():
            pack = node.properties.get(key)
            if isinstance(pack, str) and pattern.fullmatch(pack):
                return MissingClass(class_type, ids, pack)
    return MissingClass(class_type, ids)
