"""Slot addresses: which input of which node a field fills."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.inside import read_input
from comfygradio.comfy.workflow import Node, Workflow
from comfygradio.forms.names import MAX_NAME
from comfygradio.forms.preset_file import SlotAddress, SlotFile
from comfygradio.forms.problem import Misfit


@dataclass(frozen=True)
class Slot:
    """One input of one node of the workflow, or a member of the object that it holds
    (`lora_1.strength`).
    """

    node_id: str
    input: str

    def __str__(self) -> str:
        return f"{self.node_id}.{self.input}"


@dataclass(frozen=True)
class FoundSlot:
    """A slot that was looked up; `note` says so when the node was not the one that the preset names
    by its id.
    """

    slot: Slot
    note: str = ""


def locate_slot(workflow: Workflow, address: SlotAddress) -> FoundSlot:
    """The slot of an address, and a note if its node had to be found again. Raises Misfit."""
    if isinstance(address, SlotFile):
        described = _find_described(workflow, address)
        return FoundSlot(Slot(described.id, address.input), _describe_found(address, described))
    for split in range(len(address)):
        if (
            address[split] == "."
            and address[split + 1 :]
            and (node := _match_node(workflow, address[:split]))
        ):
            return FoundSlot(Slot(node.id, address[split + 1 :]))
    raise Misfit("slot", _describe_unknown(workflow, address))


def find_slot(workflow: Workflow, address: SlotAddress) -> Slot:
    """The slot that `NODE.INPUT` names: NODE is an id, a title, or a class that occurs once.

    Raises Misfit.
    """
    return locate_slot(workflow, address).slot


def find_node(workflow: Workflow, name: str | int) -> Node:
    """The node with this id, title, or class that occurs once. Raises Misfit."""
    if (node := _match_node(workflow, str(name))) is not None:
        return node
    raise Misfit("slot", _describe_unknown_node(workflow, str(name)))


def read_slot(workflow: Workflow, slot: Slot) -> Any:
    """The value that the workflow itself has in a slot, or None."""
    return read_input(workflow.nodes[slot.node_id].inputs, slot.input)


def _match_node(workflow: Workflow, name: str) -> Node | None:
    if name in workflow.nodes:
        return workflow.nodes[name]
    for matches in (
        [node for node in workflow if node.title == name],
        [node for node in workflow if node.class_type == name],
    ):
        if len(matches) == 1:
            return matches[0]
    return None


def _find_described(workflow: Workflow, address: SlotFile) -> Node:
    """The node of a long address: by id, unless its class or, with a better match elsewhere, its
    title is another.
    """
    same_class = [node for node in workflow if address.class_type in (None, node.class_type)]
    same_title = [node for node in same_class if node.title == address.title]
    by_id = workflow.nodes.get(str(address.node))
    if (
        by_id
        and by_id in same_class
        and (address.title in (None, by_id.title) or len(same_title) != 1)
    ):
        return by_id
    for matches in (same_title, same_class if address.class_type else []):
        if len(matches) == 1:
            return matches[0]
    raise Misfit(
        "slot",
        f"no node fits the slot (node {address.node}, class {address.class_type}, title "
        f"{address.title}); "
        f"the workflow has {_list_nodes(workflow)}.",
    )


def _describe_found(address: SlotFile, node: Node) -> str:
    if address.node is None or str(address.node) == node.id:
        return ""
    how = "title and class" if node.title == address.title and address.class_type else "class"
    how = "title" if not address.class_type else how
    return (
        f"node {address.node} is node {node.id} ({node.title}) in this workflow; it was found "
        f"by its {how}."
    )


def _describe_unknown(workflow: Workflow, address: str) -> str:
    name, _, input = address.rpartition(".")
    if not name or not input:
        return f"{address} is no slot: write NODE.INPUT, for example 6.text."
    twice = next(
        (called for called in _find_repeated(workflow) if address.startswith(f"{called}.")), None
    )
    return f"slot {address}: {_describe_unknown_node(workflow, twice or name)}"


def _describe_unknown_node(workflow: Workflow, name: str) -> str:
    if name in _find_repeated(workflow):
        return f"more than one node is called {name}; use its id: {_list_nodes(workflow)}."
    near = difflib.get_close_matches(name[:MAX_NAME], [node.title for node in workflow], 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"the workflow has no node {name}; it has {_list_nodes(workflow)}.{hint}"


def _find_repeated(workflow: Workflow) -> list[str]:
    """Titles and classes that more than one node has."""
    counted = Counter(called for node in workflow for called in {node.title, node.class_type})
    return [called for called, count in counted.items() if count > 1]


def _list_nodes(workflow: Workflow) -> str:
    names = [f"{node.id} ({node.title})" for node in workflow]
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
