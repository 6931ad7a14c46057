"""Infer LoRA lists: turn the chain of loader nodes in a picture's graph back into rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.object_info import Scalar, is_number
from comfygradio.comfy.workflow import Link, Node, Workflow
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.lora_loaders import MAX_ROWS
from comfygradio.forms.kinds.lora_stack import LoraStack, list_active_loras
from comfygradio.forms.kinds.model_name import match_name
from comfygradio.forms.kinds.value import shorten
from comfygradio.metadata.inversion import Unreadable
from comfygradio.metadata.match import Match

LORA_NAME = "lora_name"

MAX_STRENGTH = 1e300
"""Maximum strength. Python cannot make a float of every whole number beyond it."""


@dataclass(frozen=True)
class LoraChain:
    """The loaders that a LoRA list stands for, the first to act first: their rows, and their ids in
    the graph.
    """

    rows: list[dict[str, Any]]
    node_ids: tuple[str, ...]
    is_respelled: bool
    note: str


def infer_loras(field: Field, workflow: Workflow, graph: Workflow, match: Match) -> LoraChain:
    """Infer the rows of a LoRA list from the chain in its place, with names as the server spells
    them.

    Raises Unreadable if that place is not found, or if the server lacks one of the files.
    """
    if field.lora_stack is not None:
        return _read_rows(field, field.lora_stack, graph, match)
    name_input = LORA_NAME
    if "" in field.slots:
        name_input = field.slots[""][0].input
    start = _find_start(field, workflow, graph, match)
    loaders = _list_loaders(field)
    # The chain ends at the first node that has a partner outside of the chain.
    end: set[str] = set()
    for key, partner in match.pairs.items():
        if key not in loaders:
            end.add(partner)
    nodes = list(_walk(graph, start, name_input, end))
    nodes.reverse()  # the walk goes against the chain
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    is_respelled = False
    for node in nodes:
        name = node.inputs[name_input]
        found = _find_offered(field, name)
        strength = _read_strength(node, notes)
        rows.append({"name": found, "strength": strength})
        if found != name:
            notes.append(f"{name} is called {found} here.")
            is_respelled = True
    node_ids = tuple(node.id for node in nodes)
    note = " ".join(dict.fromkeys(notes))
    return LoraChain(rows, node_ids, is_respelled, note)


def _find_offered(field: Field, name: str) -> Scalar:
    """Find the name as the server spells it. Raises Unreadable if the server lacks the file."""
    offered = [choice.value for choice in field.choices or ()]
    found = match_name(name, offered)
    if found is None:
        raise Unreadable(f"the LoRA {shorten(name)} is not in the list of this form.")
    return found


def _read_rows(field: Field, rows: LoraStack, graph: Workflow, match: Match) -> LoraChain:
    """Infer the rows of one node. Raises Unreadable as `infer_loras` does."""
    partner = match.pairs.get(rows.node_id)
    if partner is None:
        raise Unreadable("the node that holds its rows is not in the picture.")
    found: list[dict[str, Any]] = []
    notes: list[str] = []
    for name, strength in list_active_loras(graph.nodes[partner].inputs, rows):
        here = _find_offered(field, name)
        found.append({"name": here, "strength": strength})
        if here != name:
            notes.append(f"{name} is called {here} here.")
    return LoraChain(found, (), bool(notes), " ".join(notes))


def _list_loaders(field: Field) -> set[str]:
    slots = field.slots.get("", ())
    return {slot.node_id for slot in slots}


def _find_start(field: Field, workflow: Workflow, graph: Workflow, match: Match) -> Link:
    """Find the link that leaves the end of the chain in the picture. Raises Unreadable."""
    places = [(slot.node_id, slot.input) for slot in field.slots.get("model", ())]
    if not places:
        places = _find_users(field, workflow)
    for node_id, name in places:
        partner = match.pairs.get(node_id)
        if not partner:
            continue
        link = Link.parse(graph.nodes[partner].inputs.get(name))
        if link is not None:
            return link
    raise Unreadable("the place where its loaders stand is not in the picture.")


def _find_users(field: Field, workflow: Workflow) -> list[tuple[str, str]]:
    """Find the inputs outside the chain that the first output of one of its loaders feeds."""
    loaders = _list_loaders(field)
    users: list[tuple[str, str]] = []
    for node in workflow:
        if node.id in loaders:
            continue
        for name, link in node.links.items():
            if link.node_id in loaders and link.slot == 0:
                users.append((node.id, name))
    return users


def _walk(
    graph: Workflow, link: Link | None, name_input: str, end: Collection[str]
) -> Iterator[Node]:
    """Yield the loaders upstream of a link, up to the first node in `end` or the source. Nodes that
    only the picture has are skipped.
    """
    seen: set[str] = set()
    count = 0
    while link and count < MAX_ROWS:
        if link.node_id in seen or link.node_id in end:
            return
        seen.add(link.node_id)
        node = graph.nodes.get(link.node_id)
        if node is None:
            return
        # A node without a name, such as one that patches the model, is passed on the way.
        if isinstance(node.inputs.get(name_input), str):
            count += 1
            yield node
        link = node.links.get("model")


def _read_strength(node: Node, notes: list[str]) -> float:
    """Return the strength of a loader. Adds a note if it has several that differ."""
    numbers: list[Any] = []
    for name, value in node.inputs.items():
        if name.startswith("strength") and is_number(value):
            numbers.append(value)
    if not numbers:
        return 1.0
    first = numbers[0]
    if any(number != first for number in numbers):
        listed = " and ".join(shorten(number) for number in numbers)
        notes.append(f"{node.title} acted with {listed}; the first is taken.")
    if not abs(first) <= MAX_STRENGTH:
        notes.append(f"{node.title} acted with a strength that is no number here; 1 is taken.")
        return 1.0
    return float(first)
