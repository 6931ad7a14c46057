"""Idle inputs: values that cannot have an effect, whatever is put in."""

from __future__ import annotations

from collections.abc import Mapping

from comfygradio.comfy.object_info import InputSpec
from comfygradio.comfy.workflow import Node
from comfygradio.forms.rows import find_count, find_rows, is_off, is_switch, split_numbers

BUTTON = ("select to ", "select_to_", "click to ", "choose to ")
"""How the names begin of lists that only add something to a text on ComfyUI's own page."""

WRITTEN = "populated_text"
WRITER = "wildcard_text"
MODE = "mode"
"""Inputs of nodes that write one text out of another when the prompt is posted (Impact Pack)."""


def find_idle(node: Node, specs: Mapping[str, InputSpec | None]) -> dict[str, str]:
    """Inputs of a node that cannot have an effect, each with the reason in a few words."""
    found = _find_buttons(node, specs) | _find_overwritten(node)
    rows = find_rows(node.id, node.inputs, specs)
    if rows is None or not rows.can_be_empty:
        found |= _find_rows_off(node)
    return found


def _find_buttons(node: Node, specs: Mapping[str, InputSpec | None]) -> dict[str, str]:
    reason = "a button of ComfyUI's own page"
    return {name: reason for name in node.inputs if _is_button(name, specs.get(name))}


def _is_button(name: str, spec: InputSpec | None) -> bool:
    if name.lower().startswith(BUTTON):
        return True
    if spec is None or not spec.choices:
        return False
    # The first choice of such a list says what it does: "Select to add …".
    first = str(spec.choices[0]).lower()
    return first.startswith(("select ", "choose ", "click ")) and " to " in first


def _find_overwritten(node: Node) -> dict[str, str]:
    if not {WRITTEN, WRITER, MODE} <= node.inputs.keys():
        return {}
    mode = node.inputs[MODE]
    if mode is True or mode == "populate":
        return {WRITTEN: f"overwritten with {WRITER} when the prompt is posted"}
    unused = [name for name in (WRITER, "seed") if name in node.inputs]
    return dict.fromkeys(unused, f"not used while the mode is {mode}")


def _find_rows_off(node: Node) -> dict[str, str]:
    """Inputs of rows that a switch of the same number turns off, or that lie beyond the count."""
    numbered = list(split_numbers(node.inputs))
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
    """The numbers of the rows that a switch turns off."""
    off = set()
    for name, number in numbered:
        if is_switch(name) and is_off(node.inputs[name]):
            off.add(number)
    return off


def _is_row(numbered: list[tuple[str, int]], number: int) -> bool:
    """Whether a number is one of a row of numbers, and not part of a name."""
    numbers = {other for _, other in numbered}
    return all(smaller in numbers for smaller in range(1, number))
