"""Make the examples of a draft (the author's own values), and its notes for the person who edits
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comfygradio.drafting.detector import DetectionResult
from comfygradio.drafting.draft_field import DraftField
from comfygradio.drafting.graph import Graph
from comfygradio.drafting.numbers import is_exact_seed
from comfygradio.forms.preset_file import SlotFile, list_computed_slots, list_direct_slots
from comfygradio.forms.slots import Slot
from comfygradio.forms.text_expansion import invert_template

MAX_EXAMPLE_TEXT = 2000

MAX_INPUT_NOTES = 8
"""Maximum number of notes on inputs without effect."""

EXAMPLE_ROLES = frozenset({"prompt", "negative_prompt", "tags", "lyrics"})
"""Roles whose texts an example includes, unless the field is advanced."""


def make_examples(graph: Graph, fields: Sequence[DraftField]) -> tuple[Mapping[str, Any], ...]:
    """Collect the values that reproduce the author's result: texts, seeds, and every field whose
    default differs from the workflow. Returns () if the form's defaults already reproduce it.
    """
    texts: dict[str, Any] = {}
    others: dict[str, Any] = {}
    seeds: dict[str, Any] = {}
    for field in fields:
        own = _read(graph, field)
        if field.role in EXAMPLE_ROLES and not field.line.advanced and _is_example_text(own):
            texts[field.name] = own
        if _has_own_default(graph, field):
            others[field.name] = own
        if "seed" in (field.role, field.line.widget) and is_exact_seed(own):
            seeds[field.name] = own
    values = {**texts, **others, **seeds}
    if not values:
        return ()
    return ({"title": "As in the workflow", **values},)


def _is_example_text(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    return 0 < len(value) <= MAX_EXAMPLE_TEXT


def make_notes(
    graph: Graph,
    detected: DetectionResult,
    fields: Sequence[DraftField],
    left_out: Sequence[DraftField],
) -> list[str]:
    """List what was not found, what is uncertain, and what was left out."""
    notes = [
        f"This ComfyUI has no node class {name}; its inputs were guessed."
        for name in _list_missing(graph)
    ]
    notes += _describe_not_found(detected)
    notes += _describe_merged(graph, detected)
    for field in fields:
        note = _describe_computed(graph, field)
        if note:
            notes.append(note)
    notes += _describe_idle(graph)
    notes += _describe_unlisted(graph, left_out)
    unused = len(graph.workflow.nodes) - len(graph.order)
    if unused:
        nodes = "1 node leads" if unused == 1 else f"{unused} nodes lead"
        notes.append(
            f"{nodes} to no result, or a switch leaves them out; their inputs were not looked at."
        )
    if left_out:
        notes.append(_describe_left_out(left_out))
    return notes


def _describe_not_found(detected: DetectionResult) -> list[str]:
    """Name the usual fields that this form lacks."""
    notes = []
    catch = detected.detections
    if not catch.found:
        notes.append("Nothing that people usually set was found.")
    if not detected.samplers:
        return notes
    if not catch.has("prompt", "tags"):
        notes.append("No text that can be set was found before the samplers.")
    if not catch.has("size", "shape"):
        notes.append(
            "No width and height were found; the size follows a picture, or other nodes work "
            "it out."
        )
    if not catch.has("seed"):
        notes.append("No seed was found.")
    return notes


def _describe_left_out(left_out: Sequence[DraftField]) -> str:
    count = len(left_out)
    names = ", ".join(field.name for field in left_out[:12])
    more = f" and {count - 12} more" if count > 12 else ""
    inputs = "1 further input was" if count == 1 else f"{count} further inputs were"
    return f"{inputs} left out: {names}{more}."


def _list_missing(graph: Graph) -> list[str]:
    missing = [name for name in graph.workflow.class_types if name not in graph.object_info]
    return sorted(missing)


def _describe_merged(graph: Graph, detected: DetectionResult) -> list[str]:
    """Name texts for several parts of one encoder that differed."""
    notes = []
    for found in detected.detections.found:
        if found.role not in ("prompt", "negative_prompt"):
            continue
        texts = {str(graph.value(slot)).strip() for slot in found.slots}
        if len(texts) <= 1:
            continue
        where = graph.describe(found.first.node_id)
        names = ", ".join(slot.input for slot in found.slots)
        notes.append(
            f"{where} had different texts in {names}; one field fills them all, and others may "
            "give some of them words of their own."
        )
    return notes


def _describe_idle(graph: Graph) -> list[str]:
    """Describe, node by node, the inputs that became no field because they have no effect."""
    found: dict[tuple[str, str], list[str]] = {}
    for slot, reason in graph.inert.items():
        found.setdefault((slot.node_id, reason), []).append(slot.input)
    notes = []
    for (node_id, reason), names in found.items():
        where = f"{_name_inputs(names)} of {graph.describe(node_id)}"
        notes.append(f"No field for {where}, without effect: {reason}.")
    more = len(notes) - MAX_INPUT_NOTES
    if more <= 0:
        return notes
    return [*notes[:MAX_INPUT_NOTES], f"{more} more have no effect."]


def _describe_unlisted(graph: Graph, left_out: Sequence[DraftField]) -> list[str]:
    """Name, node by node, the inputs that the server does not list and no field fills."""
    unlisted = frozenset(graph.unlisted)
    found: dict[str, list[str]] = {}
    for field in left_out:
        for address in list_direct_slots(field.line):
            if not isinstance(address, SlotFile):
                continue
            node_id = str(address.node)
            if Slot(node_id, address.input) in unlisted:
                found.setdefault(node_id, []).append(address.input)
    notes = []
    for node_id, names in found.items():
        where = f"{_name_inputs(names)} of {graph.describe(node_id)}"
        notes.append(
            f"The server does not list {where}; such inputs stay as they are, and may be fields."
        )
    more = len(notes) - MAX_INPUT_NOTES
    if more <= 0:
        return notes
    tail = f"{more} more nodes have inputs that the server does not list."
    return [*notes[:MAX_INPUT_NOTES], tail]


def _name_inputs(names: list[str]) -> str:
    """Join the first six names, and hint at further ones."""
    more = " …" if len(names) > 6 else ""
    return ", ".join(names[:6]) + more


def _describe_computed(graph: Graph, field: DraftField) -> str:
    """Describe the inputs that are computed from a field; "" if there are none."""
    where = []
    for computed in list_computed_slots(field.line):
        address = computed.slot
        if isinstance(address, SlotFile):
            node = graph.describe(str(address.node))
            where.append(f"{address.input} of {node} ({computed.of})")
    if not where:
        return ""
    more = f" and {len(where) - 6} more" if len(where) > 6 else ""
    listed = ", ".join(where[:6]) + more
    if field.role == "seed":
        return f"The seeds differ; {field.name} sets all and keeps their distance: {listed}."
    least = f"; it is at least {field.line.min}, so that each part runs" if field.line.min else ""
    return f"With {field.name} moves along in proportion: {listed}{least}."


def _has_own_default(graph: Graph, field: DraftField) -> bool:
    """Whether a line's default differs from the workflow's value."""
    default = field.line.default
    if default is None or field.line.is_lora_list:
        return False
    own = _read(graph, field)
    return isinstance(own, str | int | float) and own != default


def _read(graph: Graph, field: DraftField) -> Any:
    address = next(iter(list_direct_slots(field.line)), None)
    if address is None or isinstance(address, str) or address.node is None:
        return None
    value = graph.value(Slot(str(address.node), address.input))
    if field.line.template is not None and isinstance(value, str):
        return invert_template(field.line.template, value)
    return value
