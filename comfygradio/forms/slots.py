"""Slot addresses: name the input of a node that a field fills."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import Any, NamedTuple

from comfygradio.comfy.nested_input import read_input
from comfygradio.comfy.workflow import Node, Workflow
from comfygradio.forms.kinds.model_name import MAX_NAME
from comfygradio.forms.preset_file import SlotAddress, SlotEntry
from comfygradio.forms.problem import BindError

TEXT_CONTROLS = frozenset(
    {"find", "delimiter", "separator", "regex_pattern", "pattern", "key", "system_prompt", "system"}
)
"""Inputs of text nodes that say how to process a text, and never hold the text itself."""


class Slot(NamedTuple):
    """One input of one node of the workflow, or a member of the object in an input
    (`lora_1.strength`).
    """

    node_id: str
    input: str

    def __str__(self) -> str:
        return f"{self.node_id}.{self.input}"

    @property
    def last_part(self) -> str:
        """The input's name after its last dot: `width` of `resize_type.width`."""
        return self.input.rpartition(".")[2]


class LocatedSlot(NamedTuple):
    """A slot that was located. `note` is set if its node is not the one with the preset's id."""

    slot: Slot
    note: str = ""


def locate_slot(workflow: Workflow, address: SlotAddress) -> LocatedSlot:
    """Locate the slot of an address, with a note if its node had to be found again. Raises
    BindError.
    """
    if isinstance(address, SlotEntry):
        described = _find_described(workflow, address)
        slot = Slot(described.id, address.input)
        return LocatedSlot(slot, _describe_found(address, described))
    # Titles and inputs may contain dots: the shortest name of a node counts.
    for place, letter in enumerate(address):
        input = address[place + 1 :]
        if letter != "." or not input:
            continue
        node = _match_node(workflow, address[:place])
        if node is not None:
            return LocatedSlot(Slot(node.id, input))
    raise BindError("slot", _describe_unknown(workflow, address))


def find_slot(workflow: Workflow, address: SlotAddress) -> Slot:
    """Find the slot for `NODE.INPUT`. NODE is an id, a title, or a class that occurs once.

    Raises BindError.
    """
    return locate_slot(workflow, address).slot


def find_node(workflow: Workflow, name: str | int) -> Node:
    """Find the node with this id, title, or class that occurs once. Raises BindError."""
    node = _match_node(workflow, str(name))
    if node is None:
        raise BindError("slot", _describe_unknown_node(workflow, str(name)))
    return node


def get_slot_value(workflow: Workflow, slot: Slot) -> Any:
    """Return the workflow's own value in a slot, or None."""
    node = workflow.nodes[slot.node_id]
    return read_input(node.inputs, slot.input)


def _match_node(workflow: Workflow, name: str) -> Node | None:
    if name in workflow.nodes:
        return workflow.nodes[name]
    titled = [node for node in workflow if node.title == name]
    if len(titled) == 1:
        return titled[0]
    of_class = [node for node in workflow if node.class_type == name]
    if len(of_class) == 1:
        return of_class[0]
    return None


def _find_described(workflow: Workflow, address: SlotEntry) -> Node:
    """Find the node of a long address: by id, unless its class differs, or its title differs and
    another node matches better.
    """
    same_class = [node for node in workflow if address.class_type in (None, node.class_type)]
    same_title = [node for node in same_class if node.title == address.title]
    by_id = workflow.nodes.get(str(address.node))
    if by_id and by_id in same_class:
        has_title = address.title in (None, by_id.title)
        # A changed title is no reason to look elsewhere, unless exactly one other node has it.
        if has_title or len(same_title) != 1:
            return by_id
    if len(same_title) == 1:
        return same_title[0]
    if address.class_type and len(same_class) == 1:
        return same_class[0]
    raise BindError(
        "slot",
        f"no node fits the slot (node {address.node}, class {address.class_type}, title "
        f"{address.title}); the workflow has {_list_nodes(workflow)}.",
    )


def _describe_found(address: SlotEntry, node: Node) -> str:
    if address.node is None or str(address.node) == node.id:
        return ""
    if not address.class_type:
        how = "title"
    elif node.title == address.title:
        how = "title and class"
    else:
        how = "class"
    return (
        f"node {address.node} is node {node.id} ({node.title}) in this workflow; it was found "
        f"by its {how}."
    )


def _describe_unknown(workflow: Workflow, address: str) -> str:
    name, _, input = address.rpartition(".")
    if not name or not input:
        return f"{address} is not a slot: write NODE.INPUT, for example 6.text."
    # A title may have dots in it, so that the last one need not be where the node ends.
    for called in _find_repeated(workflow):
        if address.startswith(f"{called}."):
            name = called or name
            break
    return f"slot {address}: {_describe_unknown_node(workflow, name)}"


def _describe_unknown_node(workflow: Workflow, name: str) -> str:
    nodes = _list_nodes(workflow)
    if name in _find_repeated(workflow):
        return f"more than one node is called {name}; use its id: {nodes}."
    told = f"the workflow has no node {name}; it has {nodes}."
    titles = [node.title for node in workflow]
    near = difflib.get_close_matches(name[:MAX_NAME], titles, 1)
    if near:
        told += f" Did you mean {near[0]}?"
    return told


def _find_repeated(workflow: Workflow) -> list[str]:
    """List the titles and classes that several nodes have."""
    counted: Counter[str] = Counter()
    for node in workflow:
        # A title that is the class itself counts once.
        names = {node.title, node.class_type}
        counted.update(names)
    return [name for name, count in counted.items() if count > 1]


def _list_nodes(workflow: Workflow) -> str:
    names = [f"{node.id} ({node.title})" for node in workflow]
    listed = ", ".join(names[:12])
    if len(names) > 12:
        listed += f" and {len(names) - 12} more"
    return listed
