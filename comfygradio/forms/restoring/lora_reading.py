"""Reading LoRA lists: the chain of loader nodes in a picture's graph becomes rows again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.workflow import Link, Node, Workflow
from comfygradio.forms.field import Field, show
from comfygradio.forms.loras import MAX_ROWS
from comfygradio.forms.names import match_name
from comfygradio.forms.restoring.inversion import Unreadable
from comfygradio.forms.restoring.matching import Match
from comfygradio.forms.rows import Rows, read_active

LORA_NAME = "lora_name"


@dataclass(frozen=True)
class LoraChain:
    """The loaders that a LoRA list stands for, the first to act first: their rows and their ids in
    the graph.
    """

    rows: list[dict[str, Any]]
    node_ids: tuple[str, ...]
    is_respelled: bool
    note: str


def read_loras(field: Field, workflow: Workflow, graph: Workflow, match: Match) -> LoraChain:
    """The chain in the place of a LoRA list, with names as the server spells them.

    Raises Unreadable where that place is not found, or the server lacks one of the files.
    """
    if field.rows is not None:
        return _read_rows(field, field.rows, graph, match)
    name_input = field.slots[""][0].input if "" in field.slots else LORA_NAME
    loaders = _list_loaders(field)
    end = frozenset(partner for key, partner in match.pairs.items() if key not in loaders)
    nodes = [*_walk(graph, _find_start(field, workflow, graph, match), name_input, end)][::-1]
    offered = [choice.value for choice in field.choices or ()]
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for node in nodes:
        name = node.inputs[name_input]
        found = match_name(name, offered)
        if found is None:
            raise Unreadable(f"the LoRA {show(name)} is not in the list of this form.")
        rows.append({"name": found, "strength": _read_strength(node, notes)})
        notes += [f"{name} is called {found} here."] if found != name else []
    is_respelled = any(
        row["name"] != node.inputs[name_input] for row, node in zip(rows, nodes, strict=True)
    )
    return LoraChain(
        rows, tuple(node.id for node in nodes), is_respelled, " ".join(dict.fromkeys(notes))
    )


def _read_rows(field: Field, rows: Rows, graph: Workflow, match: Match) -> LoraChain:
    """The rows of one node, as `read_loras` gives them."""
    partner = match.pairs.get(rows.node_id)
    if partner is None:
        raise Unreadable("the node that holds its rows is not in the picture.")
    offered = [choice.value for choice in field.choices or ()]
    found: list[dict[str, Any]] = []
    notes: list[str] = []
    for name, strength in read_active(graph.nodes[partner].inputs, rows):
        here = match_name(name, offered)
        if here is None:
            raise Unreadable(f"the LoRA {show(name)} is not in the list of this form.")
        found.append({"name": here, "strength": strength})
        notes += [f"{name} is called {here} here."] if here != name else []
    return LoraChain(found, (), bool(notes), " ".join(notes))


def _list_loaders(field: Field) -> set[str]:
    return {slot.node_id for slot in field.slots.get("", ())}


def _find_start(field: Field, workflow: Workflow, graph: Workflow, match: Match) -> Link:
    """The link that leaves the end of the chain in the picture."""
    places = [(slot.node_id, slot.input) for slot in field.slots.get("model", ())] or _find_users(
        field, workflow
    )
    for node_id, name in places:
        partner = match.pairs.get(node_id)
        link = Link.parse(graph.nodes[partner].inputs.get(name)) if partner else None
        if link is not None:
            return link
    raise Unreadable("the place where its loaders stand is not in the picture.")


def _find_users(field: Field, workflow: Workflow) -> list[tuple[str, str]]:
    """Inputs outside of the chain that are fed by the first output of one of its loaders."""
    loaders = _list_loaders(field)
    return [
        (node.id, name)
        for node in workflow
        for name, link in node.links.items()
        if node.id not in loaders and link.node_id in loaders and link.slot == 0
    ]


def _walk(
    graph: Workflow, link: Link | None, name_input: str, end: frozenset[str]
) -> Iterator[Node]:
    """The loaders on the way up, past nodes that only the picture has, to the first node in `end`
    or the source.
    """
    seen: set[str] = set()
    count = 0
    while link and link.node_id not in seen | end and count < MAX_ROWS:
        seen.add(link.node_id)
        node = graph.nodes.get(link.node_id)
        if node is None:
            return
        if isinstance(node.inputs.get(name_input), str):
            count += 1
            yield node
        link = node.links.get("model")


def _read_strength(node: Node, notes: list[str]) -> float:
    found = [
        value
        for name, value in node.inputs.items()
        if name.startswith("strength") and _is_number(value)
    ]
    if any(value != found[0] for value in found):
        notes.append(
            f"{node.title} acted with {' and '.join(map(str, found))}; the first is taken."
        )
    return float(found[0]) if found else 1.0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
