"""Follow links to what feeds an input: through reroutes, getters, subgraphs and bypassed nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from comfygradio.conversion.catalogue import Catalogue, InputSlot
from comfygradio.conversion.page_nodes import GETTER, PAGE_ONLY, PASS_THROUGH, PRIMITIVE, SETTER
from comfygradio.conversion.promotion import Promotions
from comfygradio.conversion.scope import Scope, list_outer
from comfygradio.conversion.ui_format import SUBGRAPH_INPUT, UiLink
from comfygradio.conversion.ui_graph import BYPASSED, MUTED, UiGraph, UiNode

ANY_TYPE = ("*", "")

STEP = 3
"""What it takes off the budget to follow a link through a node."""


@dataclass(frozen=True)
class Output:
    """An output of a node of the prompt."""

    node_id: str
    slot: int
    node: UiNode


@dataclass(frozen=True)
class HostInput:
    """An input of an instance that no link feeds: its widget's value counts, if it has one."""

    scope: Scope
    number: int


@dataclass(frozen=True)
class Primitive:
    """A primitive node, which writes its value into the input."""

    scope: Scope
    node: UiNode


@dataclass(frozen=True)
class ShownWidget:
    """A widget of a bypassed node that an instance shows outside: its value stands in for an output
    of the node.
    """

    scope: Scope
    node: UiNode
    name: str


Source = Output | HostInput | Primitive | ShownWidget


@dataclass(frozen=True)
class _Step:
    """An output of a node, and the type of the input that it is wanted for."""

    scope: Scope
    node: UiNode
    slot: int
    type: str
    has_bypass: bool = False


class Tracer:
    """Follows the links of all scopes. What an instance shows of a node inside cuts the link that
    feeds it there; without `promotions` this is not known.
    """

    def __init__(self, catalogue: Catalogue, promotions: Promotions | None = None) -> None:
        self._catalogue = catalogue
        self._promotions = promotions
        self._known: dict[_Step, Source | None] = {}
        self._host_links: dict[Scope, list[str]] = {}
        self._setters: dict[UiGraph, dict[str, UiNode]] = {}

    def find_source(self, scope: Scope, link_id: str, type: str) -> Source | None:
        """Find what feeds an input of this type. Returns None for nothing."""
        passed: list[_Step] = []
        found: _Step | Source | None = self._enter(scope, link_id, type)
        while isinstance(found, _Step):
            if found in self._known:
                found = self._known[found]
                break
            self._catalogue.budget.spend(STEP)
            # Nothing feeds a circle of nodes that only pass on what they get.
            self._known[found] = None
            passed.append(found)
            found = self._pass(found)
        for step in passed:
            self._known[step] = found
        return found

    def find_host_link(self, scope: Scope, number: int) -> str:
        """Find the link that feeds an input of a scope's instance, or ""."""
        links = self._host_links.get(scope)
        if links is None:
            links = self._list_host_links(scope)
            self._host_links[scope] = links
        return links[number] if 0 <= number < len(links) else ""

    def _list_host_links(self, scope: Scope) -> list[str]:
        links = scope.list_host_links()
        if scope.outer is None or scope.host is None:
            return links
        for number, slot in enumerate(scope.graph.inputs):
            if self._is_shown(scope.outer, scope.host, slot.name):
                links[number] = ""
        return links

    def _is_shown(self, scope: Scope, node: UiNode, name: str) -> bool:
        if self._promotions is None:
            return False
        return self._promotions.is_shown(scope, node.id, name)

    def _enter(self, scope: Scope, link_id: str, type: str) -> _Step | HostInput | None:
        """Go from an input to the output that its link comes from, and out of subgraphs."""
        while True:
            link = scope.graph.links.get(link_id)
            if link is None:
                return None
            slot = link.origin_slot
            if link.origin != SUBGRAPH_INPUT:
                return _step_to(scope, link, type)
            outer = scope.outer
            if outer is None or not 0 <= slot < len(scope.graph.inputs):
                return None
            link_id = self.find_host_link(scope, slot)
            if not link_id:
                return HostInput(scope, slot)
            type = scope.graph.inputs[slot].type
            scope = outer

    def _pass(self, step: _Step) -> _Step | Source | None:
        """Go through a node that only passes on what it gets. Returns a source where the node
        itself makes the result.
        """
        scope = step.scope
        node = step.node
        if node.type == PRIMITIVE:
            # Beyond a bypassed node there is no widget that the primitive node could write into.
            return None if step.has_bypass else Primitive(scope, node)
        if node.mode == MUTED:
            return None
        if node.mode == BYPASSED:
            slot = self._find_bypass(step)
            if slot is None:
                return None
            if self._is_shown(scope, node, slot.name):
                return ShownWidget(scope, node, slot.name)
            found = self._enter(scope, slot.link, slot.type)
            if isinstance(found, _Step):
                return replace(found, has_bypass=True)
            return found
        inner = scope.inner.get(node.id)
        if inner is not None:
            return self._go_inside(inner, step)
        if node.type in PASS_THROUGH:
            if step.slot >= len(node.inputs):
                return None
            return self._go_on(step, scope, node.inputs[step.slot].link)
        if node.type == GETTER:
            return self._go_to_setter(step)
        if node.type in PAGE_ONLY:
            return None
        return Output(scope.name_node(node), step.slot, node)

    def _go_inside(self, inner: Scope, step: _Step) -> _Step | HostInput | None:
        """Go from an output of an instance to the node in its subgraph that makes it."""
        outputs = inner.graph.outputs
        if step.slot >= len(outputs) or not outputs[step.slot].links:
            return None
        return self._go_on(step, inner, outputs[step.slot].links[0])

    def _go_to_setter(self, step: _Step) -> _Step | HostInput | None:
        """Go from a getter to what feeds the setter of its name, in the nearest graph that has
        one.
        """
        name = _read_name(step.node)
        for scope in list_outer(step.scope):
            setters = self._setters.get(scope.graph)
            if setters is None:
                setters = _name_setters(scope.graph.nodes)
                self._setters[scope.graph] = setters
            setter = setters.get(name)
            if setter is not None and setter.inputs:
                return self._go_on(step, scope, setter.inputs[0].link)
        return None

    def _go_on(self, step: _Step, scope: Scope, link_id: str) -> _Step | HostInput | None:
        """Enter a link for the same input as before."""
        found = self._enter(scope, link_id, step.type)
        if isinstance(found, _Step) and step.has_bypass:
            return replace(found, has_bypass=True)
        return found

    def _find_bypass(self, step: _Step) -> InputSlot | None:
        """Find the input that stands in for an output of a bypassed node.

        The same slot if its type fits at both ends, else the first of exactly the wanted type, else
        the first that fits.
        """
        inputs, outputs = self._list_slots(step.scope, step.node)
        self._catalogue.budget.spend(len(inputs))
        if not inputs:
            return None
        if step.type in ANY_TYPE:
            return inputs[step.slot] if step.slot < len(inputs) else inputs[0]
        made = outputs[step.slot] if step.slot < len(outputs) else "*"
        if step.slot < len(inputs) and _fits_both(inputs[step.slot], made, step.type):
            return inputs[step.slot]
        for entry in inputs:
            if entry.type == step.type:
                return entry
        for entry in inputs:
            if _fits_both(entry, made, step.type):
                return entry
        return None

    def _list_slots(self, scope: Scope, node: UiNode) -> tuple[list[InputSlot], tuple[str, ...]]:
        """List the inputs of a node, and the types of its outputs."""
        inner = scope.inner.get(node.id)
        if inner is None:
            return self._catalogue.list_inputs(node), self._catalogue.list_output_types(node)
        inputs = []
        for number, slot in enumerate(inner.graph.inputs):
            link_id = self.find_host_link(inner, number)
            inputs.append(InputSlot(slot.name, slot.type, link_id))
        return inputs, tuple(slot.type for slot in inner.graph.outputs)


def fits(first: str, second: str) -> bool:
    """Whether an output of one type may feed an input of the other. Either may be a union."""
    if first in ANY_TYPE or second in ANY_TYPE:
        return True
    first = first.lower()
    second = second.lower()
    if first == second:
        return True
    return not set(first.split(",")).isdisjoint(second.split(","))


def _fits_both(slot: InputSlot, made: str, wanted: str) -> bool:
    return fits(slot.type, made) and fits(slot.type, wanted)


def _step_to(scope: Scope, link: UiLink, type: str) -> _Step | None:
    node = scope.graph.nodes.get(link.origin)
    if node is None or link.origin_slot < 0:
        return None
    return _Step(scope, node, link.origin_slot, type)


def _name_setters(nodes: Mapping[str, UiNode]) -> dict[str, UiNode]:
    """Map names to the first setter of each name."""
    setters: dict[str, UiNode] = {}
    for node in nodes.values():
        if node.type == SETTER:
            setters.setdefault(_read_name(node), node)
    setters.pop("", None)
    return setters


def _read_name(node: UiNode) -> str:
    """Read the name of a setter or getter, which is its only value."""
    values = node.values
    if isinstance(values, dict):
        values = list(values.values())
    if not values:
        return ""
    return str(values[0])
