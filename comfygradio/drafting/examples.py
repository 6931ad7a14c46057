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
from comfygradio.forms.preset_file import SlotEntry, list_computed_slots, list_direct_slots
from comfygradio.forms.slots import Slot
from comfygradio.forms.text_expansion import invert_template

MAX_EXAMPLE_TEXT = 2000

MAX_INPUT_NOTES = 8
"""Maximum number of notes of one kind on inputs. Further ones are only counted."""

MAX_LISTED_FIELDS = 12
"""Maximum number of fields that one note names."""

MAX_LISTED_INPUTS = 6
"""Maximum number of inputs that one note names."""

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
        is_main_text = field.role in EXAMPLE_ROLES and not field.entry.advanced
        if is_main_text and _is_example_text(own):
            texts[field.name] = own
        if _has_own_default(graph, field):
            others[field.name] = own
        # By annotation, a field may be a seed without that role.
        is_seed = "seed" in (field.role, field.entry.widget)
        if is_seed and is_exact_seed(own):
            seeds[field.name] = own
    values = {**texts, **others, **seeds}
    if not values:
        return ()
    return ({"title": "Example", **values},)


def _is_example_text(value: Any) -> bool:
    """Whether a value is a text, and short enough to be read in an example."""
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
    notes = _describe_missing(graph)
    notes += _describe_not_found(detected)
    notes += _describe_merged(graph, detected)
    for field in fields:
        note = _describe_computed(graph, field)
        if note:
            notes.append(note)
    notes += _describe_inert(graph)
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


def _describe_missing(graph: Graph) -> list[str]:
    """Name the node classes that the server lacks."""
    notes = []
    for name in sorted(graph.workflow.class_types):
        if name not in graph.object_info:
            notes.append(f"This ComfyUI has no node class {name}; its inputs were guessed.")
    return notes


def _describe_not_found(detected: DetectionResult) -> list[str]:
    """Name the usual fields that this form lacks."""
    notes = []
    detections = detected.detections
    if not detections.found:
        notes.append("Nothing that people usually set was found.")
    if not detected.samplers:
        return notes
    if not detections.has("prompt", "tags"):
        notes.append("No text that can be set was found before the samplers.")
    if not detections.has("size", "shape"):
        notes.append(
            "No width and height were found; the size follows a picture, or other nodes work it "
            "out."
        )
    if not detections.has("seed"):
        notes.append("No seed was found.")
    return notes


def _describe_left_out(left_out: Sequence[DraftField]) -> str:
    names = [field.name for field in left_out]
    listed = _list_first(names, MAX_LISTED_FIELDS)
    count = len(names)
    inputs = "1 further input was" if count == 1 else f"{count} further inputs were"
    return f"{inputs} left out: {listed}."


def _list_first(names: list[str], most: int) -> str:
    """Join the first names, and count further ones."""
    listed = ", ".join(names[:most])
    more = len(names) - most
    if more <= 0:
        return listed
    return f"{listed} and {more} more"


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


def _describe_inert(graph: Graph) -> list[str]:
    """Describe, node by node, the inputs that became no field because they have no effect."""
    found: dict[tuple[str, str], list[str]] = {}
    for slot, reason in graph.inert.items():
        names = found.setdefault((slot.node_id, reason), [])
        names.append(slot.input)
    notes = []
    for (node_id, reason), names in found.items():
        where = f"{_name_inputs(names)} of {graph.describe(node_id)}"
        notes.append(f"No field for {where}, without effect: {reason}.")
    return _cut_notes(notes, "more have no effect.")


def _cut_notes(notes: list[str], rest: str) -> list[str]:
    """Keep the first notes. One more counts the others and goes on with `rest`."""
    more = len(notes) - MAX_INPUT_NOTES
    if more <= 0:
        return notes
    return [*notes[:MAX_INPUT_NOTES], f"{more} {rest}"]


def _describe_unlisted(graph: Graph, left_out: Sequence[DraftField]) -> list[str]:
    """Name, node by node, the inputs that the server does not list and no field fills."""
    unlisted = frozenset(graph.unlisted)
    found: dict[str, list[str]] = {}
    for field in left_out:
        for address in list_direct_slots(field.entry):
            if not isinstance(address, SlotEntry):
                continue
            slot = Slot(str(address.node), address.input)
            if slot in unlisted:
                names = found.setdefault(slot.node_id, [])
                names.append(slot.input)
    notes = []
    for node_id, names in found.items():
        where = f"{_name_inputs(names)} of {graph.describe(node_id)}"
        notes.append(
            f"The server does not list {where}; such inputs stay as they are, and may be fields."
        )
    return _cut_notes(notes, "more nodes have inputs that the server does not list.")


def _name_inputs(names: list[str]) -> str:
    """Join the first names, with an ellipsis for further ones."""
    listed = ", ".join(names[:MAX_LISTED_INPUTS])
    if len(names) <= MAX_LISTED_INPUTS:
        return listed
    return f"{listed} …"


def _describe_computed(graph: Graph, field: DraftField) -> str:
    """Describe the inputs that are computed from a field; "" if there are none."""
    where = []
    for computed in list_computed_slots(field.entry):
        address = computed.slot
        if isinstance(address, SlotEntry):
            node = graph.describe(str(address.node))
            where.append(f"{address.input} of {node} ({computed.of})")
    if not where:
        return ""
    listed = _list_first(where, MAX_LISTED_INPUTS)
    if field.role == "seed":
        return f"The seeds differ; {field.name} sets all and keeps their distance: {listed}."
    note = f"With {field.name} moves along in proportion: {listed}"
    if field.entry.min:
        note += f"; it is at least {field.entry.min}, so that each part runs"
    return f"{note}."


def _has_own_default(graph: Graph, field: DraftField) -> bool:
    """Whether an entry's default differs from the workflow's value."""
    default = field.entry.default
    if default is None or field.entry.is_lora_list:
        return False
    own = _read(graph, field)
    return isinstance(own, str | int | float) and own != default


def _read(graph: Graph, field: DraftField) -> Any:
    """Read the workflow's value of a field's first input, without the words of a template."""
    addresses = list_direct_slots(field.entry)
    if not addresses:
        return None
    address = addresses[0]
    if isinstance(address, str) or address.node is None:
        return None
    slot = Slot(str(address.node), address.input)
    value = graph.value(slot)
    if field.entry.template is not None and isinstance(value, str):
        return invert_template(field.entry.template, value)
    return value
