"""The graph of a workflow with the server's specs: links, consumers, and the nodes that run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comfygradio.binding.specs import guess_unlisted_spec
from comfygradio.comfy.nested_input import find_containing_input, list_members, read_input
from comfygradio.comfy.object_info import InputSpec, ObjectInfo, list_own_options
from comfygradio.comfy.workflow import Link, Node, Workflow
from comfygradio.drafting.inert_inputs import find_inert_inputs
from comfygradio.drafting.naming import one_line
from comfygradio.forms.literals import guess_type, takes_literal
from comfygradio.forms.slots import Slot, get_slot_value

WILDCARD_TYPES = frozenset({"", "*", "COMFY_MATCHTYPE_V3"})
"""Types that stand for every type."""

SUFFIX_FLAGS: Mapping[str, tuple[str, ...]] = {
    "image_upload": (".png", ".jpg", ".jpeg", ".webp", ".avif"),
    "video_upload": (".mp4", ".webm", ".mov", ".mkv"),
    "audio_upload": (".wav", ".mp3", ".flac", ".ogg"),
}
"""Upload flag of an input → file suffixes that reveal it when the node class is unknown."""

LONG_TEXT = 40

FRONTEND_ONLY = ("videopreview", "upload", "control_after_generate")
"""Name prefixes of inputs that only ComfyUI's own page uses."""


@dataclass(frozen=True)
class Use:
    """One input that takes output `output` (from 0) of a node."""

    node_id: str
    input: str
    output: int


@dataclass(frozen=True)
class Graph:
    """The nodes that lead to a result, sources first (`order`), and the links between them.

    Branches that a switch does not take are not followed. If the server lacks a class, specs are
    guessed from its values. `inert` are inputs that cannot have an effect, with the reason.
    `unlisted` are inputs, or members of their objects, that the server does not list.
    """

    workflow: Workflow
    object_info: ObjectInfo
    order: tuple[str, ...]
    outputs: tuple[str, ...]
    links: Mapping[str, Mapping[str, Link]]
    uses: Mapping[str, tuple[Use, ...]]
    specs: Mapping[Slot, InputSpec | None]
    inert: Mapping[Slot, str]
    unlisted: tuple[Slot, ...] = ()

    def node(self, node_id: str) -> Node:
        """Return the node with this id."""
        return self.workflow.nodes[node_id]

    def value(self, slot: Slot) -> Any:
        """Return the workflow's value in a slot, or None."""
        return get_slot_value(self.workflow, slot)

    def spec(self, slot: Slot) -> InputSpec | None:
        """Return the spec of an input, guessed if the server lacks the class."""
        return self.specs.get(slot)

    def is_settable(self, slot: Slot) -> bool:
        """Whether a form could fill this input: it takes a literal and has one."""
        spec = self.spec(slot)
        if spec is None or not takes_literal(spec) or slot in self.inert:
            return False
        value = self.value(slot)
        if isinstance(value, str | int | float):
            return True
        options = spec.options
        takes_list = bool(options.get("multi_select") or options.get("multiselect"))
        if takes_list and isinstance(value, list):
            return True
        # An object counts where the server offers it as a choice.
        return spec.to_choice_name(value) is not value

    def list_settable(self, node_id: str) -> Iterator[Slot]:
        """List the inputs of a node that a form could fill, in the order of the workflow."""
        for name in self.node(node_id).inputs:
            slot = Slot(node_id, name)
            if self.is_settable(slot):
                yield slot

    def output_types(self, node_id: str) -> tuple[str, ...]:
        """Return the types of a node's outputs; empty if the server lacks the class."""
        definition = self.object_info.get(self.node(node_id).class_type)
        if definition is None:
            return ()
        return definition.output_types

    def link_types(self, node_id: str, name: str) -> frozenset[str]:
        """Return the types that a link may carry: those of the input, else those of the output that
        feeds it.
        """
        link = self.links[node_id][name]
        spec = self.spec(Slot(node_id, name))
        if spec is not None and not spec.types <= WILDCARD_TYPES:
            return spec.types
        types = self.output_types(link.node_id)
        unknown = frozenset({"*"})
        if not 0 <= link.slot < len(types):
            return unknown
        found = frozenset(types[link.slot].split(","))
        return found if found.isdisjoint(WILDCARD_TYPES) else unknown

    def links_of(self, node_id: str, *types: str, wild: bool = False) -> dict[str, Link]:
        """Return the links into a node that carry one of these types, and, with `wild`, those of
        unknown type.
        """
        wanted = frozenset(types)
        if wild:
            wanted |= WILDCARD_TYPES
        found = {}
        for name, link in self.links.get(node_id, {}).items():
            if not wanted.isdisjoint(self.link_types(node_id, name)):
                found[name] = link
        return found

    def reach_back(self, start: Iterable[str]) -> frozenset[str]:
        """Find these nodes and everything that feeds them."""
        return frozenset(_sort_back(start, self.links))

    def describe(self, node_id: str) -> str:
        """Name a node for people: its title and id on one line."""
        node = self.node(node_id)
        known = self.object_info.get(node.class_type)
        title = node.title
        if known and title == node.class_type:
            title = known.title
        short = one_line(title)[:60]
        return f"{short} (node {one_line(node.id)})"

    def describe_slots(self, slots: Sequence[Slot]) -> str:
        """Name inputs for people: the first one, and how many more there are."""
        first, *others = slots
        where = f"{one_line(first.input)} of {self.describe(first.node_id)}"
        if not others:
            return where
        return f"{where} and of {len(others)} more"


def build_graph(workflow: Workflow, object_info: ObjectInfo) -> Graph:
    """Build the graph of a workflow, without broken links and cycles."""
    links = {node.id: _find_links(node, workflow) for node in workflow}
    outputs = _find_outputs(workflow, object_info, links)
    order = _sort_back(outputs, links)
    specs: dict[Slot, InputSpec | None] = {}
    for node in workflow:
        for name in node.inputs:
            specs[Slot(node.id, name)] = _find_spec(node, name, object_info)
    # From here on, only the nodes that lead to a result matter.
    inert: dict[Slot, str] = {}
    unlisted: list[Slot] = []
    for node_id in order:
        node = workflow.nodes[node_id]
        own_specs = {name: specs.get(Slot(node_id, name)) for name in node.inputs}
        for name, reason in find_inert_inputs(node, own_specs).items():
            inert[Slot(node_id, name)] = reason
        unlisted += [Slot(node_id, name) for name in _list_unlisted(node, object_info)]
    return Graph(
        workflow=workflow,
        object_info=object_info,
        order=tuple(order),
        outputs=outputs,
        links={node_id: links[node_id] for node_id in order},
        uses=_find_uses(order, links),
        specs=specs,
        inert=inert,
        unlisted=tuple(unlisted),
    )


def _find_uses(
    order: list[str], links: Mapping[str, Mapping[str, Link]]
) -> dict[str, tuple[Use, ...]]:
    """Map each node to the inputs that it feeds."""
    listed: dict[str, list[Use]] = {node_id: [] for node_id in order}
    for node_id in order:
        for name, link in links[node_id].items():
            use = Use(node_id, name, link.slot)
            listed[link.node_id].append(use)
    uses: dict[str, tuple[Use, ...]] = {}
    for node_id, found in listed.items():
        uses[node_id] = tuple(found)
    return uses


def _list_unlisted(node: Node, object_info: ObjectInfo) -> Iterator[str]:
    """List the inputs of a known class that its server does not list, and the members of those that
    are objects.

    Empty ones, and those that only ComfyUI's own page uses, are skipped.
    """
    # A Custom Combo carries its options as inputs (option1 and so on), which no server lists.
    if list_own_options(node.inputs):
        return
    members = dict(list_members(node.inputs))
    for name in (*node.inputs, *members):
        if guess_unlisted_spec(node, name, object_info) is None:
            continue
        owner = find_containing_input(node.inputs, name) or name
        if owner.startswith(FRONTEND_ONLY) or owner.endswith("Widget"):
            continue
        is_known = object_info.spec(node.class_type, owner, node.inputs) is not None
        is_empty = read_input(node.inputs, name) in ("", None)
        if not is_known and not is_empty:
            yield name


def _guess_spec(name: str, value: Any) -> InputSpec | None:
    """Guess the spec of an input of an unknown class from its value. Returns None for links and
    None.
    """
    kind = guess_type(value)
    if kind is None:
        return None
    options = _guess_options(value) if kind == "STRING" else {}
    return InputSpec(name, kind, "optional", options=options)


def _guess_options(text: str) -> dict[str, Any]:
    """Guess the options of an input with a text: an upload by its suffix, else one line or more."""
    for flag, suffixes in SUFFIX_FLAGS.items():
        if text.lower().endswith(suffixes):
            return {flag: True}
    return {"multiline": len(text) > LONG_TEXT}


def _find_spec(node: Node, name: str, object_info: ObjectInfo) -> InputSpec | None:
    if node.class_type not in object_info:
        return _guess_spec(name, node.inputs[name])
    return object_info.spec(node.class_type, name, node.inputs)


def _find_links(node: Node, workflow: Workflow) -> dict[str, Link]:
    unused = _find_unused(node, workflow)
    found = {}
    for name, link in node.links.items():
        if link.node_id in workflow.nodes and name not in unused:
            found[name] = link
    return found


def _find_unused(node: Node, workflow: Workflow) -> frozenset[str]:
    """Find the input that a switch (ComfySwitchNode and the like) ignores, if a literal decides
    that.
    """
    if not {"switch", "on_true", "on_false"} <= node.inputs.keys():
        return frozenset()
    switch = _follow_value(node, workflow)
    if not isinstance(switch, bool):
        return frozenset()
    # ComfyUI does not run the branch that is not taken.
    return frozenset({"on_false" if switch else "on_true"})


def _follow_value(node: Node, workflow: Workflow) -> Any:
    """Find what decides a switch: its own value, or the one behind nodes that pass on their
    `value`.
    """
    switch = node.inputs["switch"]
    seen = {node.id}
    while True:
        link = Link.parse(switch)
        if not link or link.node_id not in workflow.nodes or link.node_id in seen:
            return switch
        seen.add(link.node_id)
        switch = workflow.nodes[link.node_id].inputs.get("value")


def _find_outputs(
    workflow: Workflow, object_info: ObjectInfo, links: Mapping[str, Mapping[str, Link]]
) -> tuple[str, ...]:
    """Find the server's output nodes. Nodes of unknown classes count as outputs if they feed no
    other node.
    """
    used: set[str] = set()
    for found in links.values():
        used.update(link.node_id for link in found.values())
    known: list[str] = []
    unknown: list[str] = []
    ends: list[str] = []
    for node in workflow:
        definition = object_info.get(node.class_type)
        is_end = node.id not in used and bool(links[node.id])
        if is_end:
            ends.append(node.id)
        if definition is None:
            if is_end:
                unknown.append(node.id)
        elif definition.is_output:
            known.append(node.id)
    # A workflow without any output is drafted as well, from its ends, or else from all its nodes.
    outputs = [*known, *unknown] or ends or list(workflow.nodes)
    return tuple(outputs)


def _sort_back(start: Iterable[str], links: Mapping[str, Mapping[str, Link]]) -> list[str]:
    """Sort these nodes and all that feed them, each after its sources. Links that close a cycle are
    ignored.
    """
    order: list[str] = []
    seen: set[str] = set()
    # Depth first: a node is pushed a second time, as done, beneath all that feed it.
    stack = [(node_id, False) for node_id in reversed(list(start))]
    while stack:
        node_id, is_done = stack.pop()
        if is_done:
            order.append(node_id)
            continue
        if node_id in seen:
            continue
        seen.add(node_id)
        stack.append((node_id, True))
        feeding = list(links[node_id].values())
        stack += [(link.node_id, False) for link in reversed(feeding)]
    return order
