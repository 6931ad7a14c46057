"""Plan how a file has to change, so that it becomes a posted prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from comfygradio.conversion.change import (
    NEW,
    AddNode,
    Change,
    Connect,
    Disconnect,
    SetMode,
    SetPlace,
    SetValues,
    SetWidget,
)
from comfygradio.conversion.node_class import DYNAMIC_COMBO
from comfygradio.conversion.node_draft import holds_value
from comfygradio.conversion.reading import (
    Difference,
    Prompt,
    Reading,
    is_link,
    is_same,
    read_plain,
)
from comfygradio.conversion.result import Place
from comfygradio.conversion.scope import Scope, list_outer
from comfygradio.conversion.ui_format import SUBGRAPH_INPUT
from comfygradio.conversion.ui_graph import BYPASSED, UiNode

ON = 0


@dataclass
class ChangePlan:
    """Changes by scope. `agreements` only make inner values agree with those of the instances
    outside, which count. `added` maps names of added nodes to their ids in the posted prompt.
    """

    changes: dict[Scope, list[Change]] = field(default_factory=dict)
    agreements: dict[Scope, list[Change]] = field(default_factory=dict)
    added: dict[Scope, dict[str, str]] = field(default_factory=dict)

    def add(self, scope: Scope, change: Change) -> None:
        """Add a change of the graph of a scope, once."""
        listed = self.changes.setdefault(scope, [])
        if change not in listed:
            listed.append(change)


def plan_changes(reading: Reading, prompt: Prompt, differences: Sequence[Difference]) -> ChangePlan:
    """Plan the changes of one round: nodes that are on or off come first, since they decide what
    else differs.
    """
    plan = ChangePlan()
    _plan_modes(plan, reading, prompt, differences)
    if plan.changes:
        return plan
    _Links(plan, reading, prompt).plan(differences)
    _Values(plan, reading, prompt).plan()
    return plan


def plan_order(reading: Reading) -> ChangePlan:
    """Plan that values which were placed by their names or types come into the order of this
    server's nodes, or of a subgraph's inputs: ComfyUI's page goes by the order alone. Where they
    are in it, nothing is written anew, and what a pack's own page put behind them stays.
    """
    plan = ChangePlan()
    for scope in reading.scopes:
        for node in scope.graph.nodes.values():
            # The values of nodes in a group node stand elsewhere.
            if node.source is not None:
                continue
            inner = scope.inner.get(node.id)
            if inner is not None:
                placement = reading.promotions.list_values(inner).placement
            else:
                placement = reading.catalogue.place(node)
            if not placement.reason or placement.is_in_order:
                continue
            if inner is not None:
                values = [(name, placed.value) for name, placed in placement.widgets.items()]
                plan.add(scope, SetValues(node.id, tuple(values), placement.left))
                continue
            for name, placed in placement.widgets.items():
                if placed.widget.is_posted:
                    # One value is enough: all of the node are written anew with it.
                    plan.add(scope, SetWidget(node.id, name, placed.value))
                    break
    return plan


def _plan_modes(
    plan: ChangePlan, reading: Reading, prompt: Prompt, differences: Sequence[Difference]
) -> None:
    for difference in differences:
        if difference.input or difference.node not in reading.owners:
            continue
        scope, node = reading.owners[difference.node]
        if difference.node not in prompt:
            plan.add(scope, SetMode(node.id, BYPASSED))
        elif node.is_off and node.type == prompt[difference.node]["class_type"]:
            plan.add(scope, SetMode(node.id, ON))


class _Values:
    """Plans the values of widgets."""

    def __init__(self, plan: ChangePlan, reading: Reading, prompt: Prompt) -> None:
        self._plan = plan
        self._reading = reading
        self._prompt = prompt

    def plan(self) -> None:
        """Plan all values. Several inputs may have their value from one place in the file."""
        sharing: dict[tuple[Scope, str, int | str | None, str], list[tuple[str, str]]] = {}
        chains: dict[tuple[str, str], list[tuple[Scope, Place]]] = {}
        for node_id, name in self._list_inputs():
            chain = self._find_chain(node_id, name)
            if not chain:
                continue
            chains[node_id, name] = chain
            scope, place = chain[0]
            key = (scope, place.node, place.index, place.widget)
            sharing.setdefault(key, []).append((node_id, name))
        for inputs in sharing.values():
            kept = self._choose(inputs)
            for node_id, name in inputs:
                is_other = not is_same(self._wanted(node_id, name), self._wanted(*kept))
                # Without a widget it can only have what the others have, or nothing.
                if is_other and self._has_widget(node_id, name):
                    self._take_off(node_id, name)
            if not is_same(self._wanted(*kept), self._found(*kept)):
                self._set_chain(chains[kept], read_plain(self._wanted(*kept)))
        self._plan_without_place()

    def _list_inputs(self) -> Iterator[tuple[str, str]]:
        """List the inputs that have a plain value in both prompts."""
        for node_id, name in self._reading.conversion.places:
            node = self._prompt.get(node_id)
            if node is None or name not in node["inputs"]:
                continue
            if not is_link(node["inputs"][name]):
                yield node_id, name

    def _find_chain(self, node_id: str, name: str) -> list[tuple[Scope, Place]]:
        """List the places of a value, the one that holds it first."""
        chain = self._reading.find_places(node_id, name)
        for position, (scope, place) in enumerate(chain):
            node = scope.graph.nodes.get(place.node)
            is_named = node is not None and holds_value(node, place.widget)
            if place.index is not None or is_named:
                return chain[position:]
        # The file holds no value: that of the widget inside is written.
        return chain[-1:]

    def _choose(self, inputs: Sequence[tuple[str, str]]) -> tuple[str, str]:
        """Choose the input that the value in the file is for; the others are taken off.

        Those without a widget of their own cannot be. An instance has no value without a widget
        inside, so they go first only where one has the same. Of others one that stays as it is
        goes first.
        """
        widgets = [one for one in inputs if self._has_widget(*one)]
        bound = [one for one in inputs if one not in widgets]
        # A person's value counts more than one that stays.
        bound.sort(key=self._stays)
        for one in bound:
            wanted = self._wanted(*one)
            if not widgets or any(is_same(wanted, self._wanted(*other)) for other in widgets):
                return one
        return min(widgets, key=lambda one: not self._stays(one))

    def _stays(self, one: tuple[str, str]) -> bool:
        """Whether an input has in the file what was posted."""
        return is_same(self._wanted(*one), self._found(*one))

    def _has_widget(self, node_id: str, name: str) -> bool:
        """Whether an input has a widget of its own."""
        _, node = self._reading.owners[node_id]
        return name in self._reading.catalogue.place(node).widgets

    def _take_off(self, node_id: str, name: str) -> None:
        """Give an input its own value instead of one that it shares with others."""
        scope, node = self._reading.owners[node_id]
        self._plan.add(scope, Disconnect(node.id, name))
        self._plan.add(scope, SetWidget(node.id, name, read_plain(self._wanted(node_id, name))))

    def _set_chain(self, chain: list[tuple[Scope, Place]], value: Any) -> None:
        scope, place = chain[0]
        change = self._make_change(scope, place, value)
        self._plan.add(scope, change)
        for inner_scope, inner_place in chain[1:]:
            agreement = self._make_change(inner_scope, inner_place, value)
            self._plan.agreements.setdefault(inner_scope, []).append(agreement)

    def _make_change(self, scope: Scope, place: Place, value: Any) -> Change:
        node = scope.graph.nodes.get(place.node)
        if node is None or place.node in scope.inner:
            return SetPlace(place.node, place.widget, place.index, value)
        if place.widget in self._reading.catalogue.place(node).widgets:
            return SetWidget(place.node, place.widget, value)
        return SetPlace(place.node, place.widget, place.index, value)

    def _plan_without_place(self) -> None:
        """Plan the values of inputs that the file has none for, such as those that another choice
        of a dynamic combo adds.
        """
        for node_id, node in self._prompt.items():
            known = self._reading.conversion.prompt.get(node_id)
            if known is None:
                continue
            scope, owner = self._reading.owners[node_id]
            widgets = self._reading.catalogue.place(owner).widgets
            for name, value in node["inputs"].items():
                if is_link(value) or (node_id, name) in self._reading.conversion.places:
                    continue
                is_linked = name in known["inputs"]
                if is_linked or name in widgets or _has_choice(widgets):
                    self._plan.add(scope, SetWidget(owner.id, name, read_plain(value)))

    def _wanted(self, node_id: str, name: str) -> Any:
        return self._prompt[node_id]["inputs"][name]

    def _found(self, node_id: str, name: str) -> Any:
        return self._reading.conversion.prompt[node_id]["inputs"][name]


class _Links:
    """Plans what feeds the inputs of nodes, and nodes that are added in between."""

    def __init__(self, plan: ChangePlan, reading: Reading, prompt: Prompt) -> None:
        self._plan = plan
        self._reading = reading
        self._prompt = prompt
        self._known = reading.conversion.prompt
        self._added: dict[str, Scope] = {}

    def plan(self, differences: Sequence[Difference]) -> None:
        """Plan the added nodes, and then the links that differ."""
        new = []
        for difference in differences:
            if not difference.input and difference.node not in self._known:
                new.append(difference.node)
        for node_id in new:
            scope = self._find_scope(node_id)
            if scope is not None:
                self._added[node_id] = scope
        for node_id in self._added:
            self._add_node(node_id, self._count_before(node_id))
        for difference in differences:
            if difference.input and difference.node in self._known:
                self._plan_input(difference.node, difference.input)

    def _find_scope(self, node_id: str) -> Scope | None:
        """Find the scope that an added node belongs into: the innermost one that contains all of
        the nodes that it feeds, through other added nodes or not.
        """
        waiting = [node_id]
        seen = {node_id}
        found: list[Scope] = []
        while waiting:
            source = waiting.pop()
            for other, node in self._prompt.items():
                if not _is_fed(node["inputs"].values(), source):
                    continue
                if other in self._known:
                    found.append(self._reading.owners[other][0])
                elif other not in seen:
                    seen.add(other)
                    waiting.append(other)
        if not found:
            return self._reading.scopes[0]
        for outer in list_outer(found[0]):
            if all(outer in list_outer(scope) for scope in found):
                return outer
        return None

    def _add_node(self, node_id: str, number: int) -> None:
        scope = self._added[node_id]
        node = self._prompt[node_id]
        values = []
        links = []
        for name, value in node["inputs"].items():
            if is_link(value):
                links.append((name, value))
            else:
                values.append((name, read_plain(value)))
        title = node.get("_meta", {}).get("title", node["class_type"])
        name = f"{NEW}{node_id}"
        beside = self._find_neighbour(node_id, scope)
        added = AddNode(name, node["class_type"], title, tuple(values), beside, number)
        self._plan.add(scope, added)
        self._plan.added.setdefault(scope, {})[name] = node_id
        types = self._list_types(node["class_type"])
        for input_name, (source, slot) in links:
            origin = self._find_origin(scope, source, slot)
            if origin is not None:
                kind = types.get(input_name, "*")
                self._plan.add(scope, Connect(name, input_name, *origin, kind))

    def _count_before(self, node_id: str) -> int:
        """Count the added nodes that feed an added one, one after another."""
        seen = {node_id}
        while True:
            sources = [
                value[0]
                for value in self._prompt[node_id]["inputs"].values()
                if is_link(value) and value[0] in self._added and value[0] not in seen
            ]
            if not sources:
                return len(seen) - 1
            node_id = sources[0]
            seen.add(node_id)

    def _find_neighbour(self, node_id: str, scope: Scope) -> str:
        """Find the node that an added one is put beside: what feeds it, or what it feeds."""
        for value in self._prompt[node_id]["inputs"].values():
            if not is_link(value):
                continue
            if value[0] in self._added:
                return self._find_neighbour(value[0], scope)
            origin = self._find_origin(scope, value[0], value[1])
            if origin is not None and origin[0] in scope.graph.nodes:
                return origin[0]
        for other, node in self._prompt.items():
            owner = self._reading.owners.get(other)
            if owner and owner[0] is scope and _is_fed(node["inputs"].values(), node_id):
                return owner[1].id
        return ""

    def _list_types(self, class_type: str) -> dict[str, str]:
        node_class = self._reading.catalogue.find_class(class_type)
        if node_class is None:
            return {}
        return {entry.name: entry.type for entry in node_class.inputs}

    def _plan_input(self, node_id: str, name: str) -> None:
        """Plan one input that is, or has to be, fed by another node."""
        wanted = self._prompt[node_id]["inputs"].get(name)
        found = self._known[node_id]["inputs"].get(name)
        scope, node = self._reading.owners[node_id]
        if not is_link(wanted):
            if is_link(found):
                self._plan.add(scope, Disconnect(node.id, name))
            return
        kind = self._find_type(node, name)
        source, slot = wanted
        origin = self._find_origin(scope, source, slot)
        if origin is not None:
            is_widget = name in self._reading.catalogue.place(node).widgets
            self._plan.add(scope, Connect(node.id, name, *origin, kind, is_widget))
            return
        self._connect_outside(scope, node, name, source, slot, kind)

    def _connect_outside(
        self, scope: Scope, node: UiNode, name: str, source: str, slot: int, kind: str
    ) -> None:
        """Change what feeds an input where it comes into the subgraph."""
        link_id = _find_link(node, name)
        while scope.outer is not None and scope.host is not None:
            link = scope.graph.links.get(link_id)
            if link is None or link.origin != SUBGRAPH_INPUT:
                return
            if not 0 <= link.origin_slot < len(scope.graph.inputs):
                return
            host = scope.host
            input_name = scope.graph.inputs[link.origin_slot].name
            scope = scope.outer
            origin = self._find_origin(scope, source, slot)
            if origin is not None:
                self._plan.add(scope, Connect(host.id, input_name, *origin, kind))
                return
            link_id = _find_link(host, input_name)

    def _find_origin(self, scope: Scope, source: str, slot: int) -> tuple[str, int] | None:
        if self._added.get(source) is scope:
            return f"{NEW}{source}", slot
        return self._reading.find_origin(scope, source, slot)

    def _find_type(self, node: UiNode, name: str) -> str:
        for slot in self._reading.catalogue.list_inputs(node):
            if slot.name == name:
                return slot.type
        return "*"


def _is_fed(values: Any, source: str) -> bool:
    return any(is_link(value) and value[0] == source for value in values)


def _has_choice(widgets: Any) -> bool:
    """Whether a node has a choice that adds inputs."""
    return any(placed.widget.kind == DYNAMIC_COMBO for placed in widgets.values())


def _find_link(node: UiNode, name: str) -> str:
    for entry in node.inputs:
        if entry.name == name:
            return entry.link
    return ""
