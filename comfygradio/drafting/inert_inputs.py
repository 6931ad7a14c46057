"""Inert inputs: inputs that have no effect, whatever their value."""

from __future__ import annotations

from collections.abc import Mapping

from comfygradio.comfy.object_info import InputSpec
from comfygradio.comfy.workflow import Node
from comfygradio.forms.kinds.lora_stack import (
    find_count,
    find_lora_stack,
    is_off,
    is_switch,
    list_numbered,
)

BUTTON_PREFIXES = ("select to ", "select_to_", "click to ", "choose to ")
"""Prefixes of lists that only insert something into a text on ComfyUI's own page."""

POPULATED_TEXT = "populated_text"
WILDCARD_TEXT = "wildcard_text"
MODE_INPUT = "mode"
"""The mode of nodes that derive one text from another when the prompt is posted (Impact Pack)."""


def find_inert_inputs(node: Node, specs: Mapping[str, InputSpec | None]) -> dict[str, str]:
    """Find the inputs of a node that cannot have an effect, each with a short reason."""
    found = _find_buttons(node, specs) | _find_overwritten(node)
    rows = find_lora_stack(node.id, node.inputs, specs)
    if rows is None or not rows.can_be_empty:
        found |= _find_rows_off(node)
    return found


def _find_buttons(node: Node, specs: Mapping[str, InputSpec | None]) -> dict[str, str]:
    found = {}
    for name in node.inputs:
        spec = specs.get(name)
        if _is_button(name, spec):
            found[name] = "a button of ComfyUI's own page"
    return found


def _is_button(name: str, spec: InputSpec | None) -> bool:
    if name.lower().startswith(BUTTON_PREFIXES):
        return True
    if spec is None or not spec.choices:
        return False
    # The first choice of such a list says what it does: "Select to add …".
    first = str(spec.choices[0]).lower()
    return first.startswith(("select ", "choose ", "click ")) and " to " in first


def _find_overwritten(node: Node) -> dict[str, str]:
    """Find the text that a node derives from another one, or, in any other mode, what it would
    derive that from.
    """
    needed = {POPULATED_TEXT, WILDCARD_TEXT, MODE_INPUT}
    if not needed <= node.inputs.keys():
        return {}
    mode = node.inputs[MODE_INPUT]
    # The mode is a switch in older versions of the pack, a list in newer ones.
    if mode is True or mode == "populate":
        return {POPULATED_TEXT: f"overwritten with {WILDCARD_TEXT} when the prompt is posted"}
    found = {}
    for name in (WILDCARD_TEXT, "seed"):
        if name in node.inputs:
            found[name] = f"not used while the mode is {mode}"
    return found


def _find_rows_off(node: Node) -> dict[str, str]:
    """Find inputs of rows that a switch with the same number turns off, or that are beyond the row
    count.
    """
    numbered = list(list_numbered(node.inputs))
    off = _find_numbers_off(node, numbered)
    count = find_count(node.inputs)
    most = node.inputs[count] if count else None
    found = {}
    for name, number in numbered:
        if number in off:
            found[name] = f"row {number} is off"
        elif most is not None and number > most and _is_row(numbered, number):
            found[name] = f"{count} is {most}"
    return found


def _find_numbers_off(node: Node, numbered: list[tuple[str, int]]) -> set[int]:
    """Find the numbers of the rows that a switch turns off."""
    off = set()
    for name, number in numbered:
        if is_switch(name) and is_off(node.inputs[name]):
            off.add(number)
    return off


def _is_row(numbered: list[tuple[str, int]], number: int) -> bool:
    """Whether a number belongs to a series of numbered names, and is not part of a name: every
    smaller one is there too.
    """
    numbers = {other for _, other in numbered}
    return all(smaller in numbers for smaller in range(1, number))
