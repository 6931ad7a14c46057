"""Bind LoRA lists: find the place of the chain in the workflow, and what the server
offers for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from comfygradio.binding.choice_binding import (
    bind_choices,
    describe_choices,
    find_offered,
    resolve_choices,
)
from comfygradio.binding.defaults import set_default
from comfygradio.binding.specs import (
    LORA_LOADER,
    MissingClass,
    find_highest,
    find_lowest,
    find_spec,
)
from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Link, Node, Workflow
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.lora_loaders import extract_loras
from comfygradio.forms.kinds.lora_stack import NONE, LoraStack, find_lora_stack
from comfygradio.forms.kinds.loras import check_loras
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.forms.preset_file import FieldEntry
from comfygradio.forms.problem import BindError
from comfygradio.forms.slots import Slot, get_slot_value
from comfygradio.forms.value_json import value_to_json

MODEL_LOADER = "LoraLoaderModelOnly"


def bind_loras(
    bare: Field, entry: FieldEntry, workflow: Workflow, object_info: ObjectInfo
) -> tuple[Field, tuple[str, ...]]:
    """Bind a LoRA list to existing loaders (`slot`), or to a chain inserted before inputs
    (`slots`). Also returns notes.

    Raises BindError.
    """
    rows = _bind_stack(bare, workflow, object_info)
    if rows is not None and rows.is_growing:
        # Such a list has all the rows of its node, whichever of them the entry names.
        own = tuple(Slot(rows.node_id, row.name) for row in rows.rows)
        bare = replace(bare, slots={"": own})
    bare = replace(bare, lora_stack=rows)
    name_specs, strength_spec = _find_specs(bare, workflow, object_info)
    offered = find_offered(name_specs)
    listed = resolve_choices(entry.choices, name_specs[0])
    choices = bind_choices(listed, offered)
    if choices is None:
        spec = name_specs[0]
        raise BindError(
            "widget",
            f"a loras widget needs a list of files, and {spec.name} is of type {spec.type}.",
        )
    # None turns a row off and is no LoRA.
    if bare.lora_stack is not None:
        choices = tuple(choice for choice in choices if str(choice.value).lower() not in NONE)
    # Strengths have to be within the limits of the preset and of the loader.
    lows = [entry.min]
    highs = [entry.max]
    if strength_spec is not None:
        lows.append(strength_spec.minimum)
        highs.append(strength_spec.maximum)
    field = replace(
        bare,
        widget="loras",
        choices=choices,
        minimum=find_highest(lows),
        maximum=find_lowest(highs),
        step=entry.step or 0.05,
        optional=True,
    )
    notes = tuple(describe_choices(listed, offered))
    if entry.default is not None:
        started, more = set_default(field, entry, workflow, ())
        return started, (*notes, *more)
    field, more = _start_from_workflow(field, workflow)
    return field, (*notes, *more)


def list_chain_classes(entry: FieldEntry) -> set[str]:
    """List the loader classes that an entry adds to the workflow, which have to be fetched from the
    server.
    """
    if not entry.slots or "model" not in entry.slots:
        return set()
    return {_choose_loader(entry.slots)}


def _choose_loader(parts: Collection[str]) -> str:
    """Choose the class of the loaders that a LoRA list adds before inputs of these kinds."""
    return LORA_LOADER if "clip" in parts else MODEL_LOADER


def list_stack_classes(workflow: Workflow) -> set[str]:
    """List the classes that list the files for rows of LoRAs, since the node itself may not."""
    if any(find_lora_stack(node.id, node.inputs, {}) for node in workflow):
        return {LORA_LOADER}
    return set()


def _bind_stack(field: Field, workflow: Workflow, object_info: ObjectInfo) -> LoraStack | None:
    """Bind the rows of one node. Returns None for separate loaders.

    Raises BindError for rows of several nodes, and for rows that cannot be left out.
    """
    slots = field.slots.get("", ())
    found: dict[str, LoraStack] = {}
    for slot in slots:
        node = workflow.nodes[slot.node_id]
        specs = {name: object_info.spec(node.class_type, name, node.inputs) for name in node.inputs}
        stack = find_lora_stack(node.id, node.inputs, specs)
        if stack is not None:
            found[node.id] = stack
    if not found:
        return None
    nodes = {slot.node_id for slot in slots}
    if nodes != found.keys() or len(found) > 1:
        raise BindError(
            "preset",
            "a LoRA list fills the rows of one node, or loaders in a chain; give each a list.",
        )
    rows = next(iter(found.values()))
    if rows.is_growing:
        return rows
    named = {slot.input for slot in slots}
    chosen = tuple(row for row in rows.rows if row.name in named)
    kept = replace(rows, rows=chosen)
    # A form may have fewer LoRAs than rows, and the others must have no effect.
    if len(kept.rows) != len(named) or not kept.can_be_empty:
        raise BindError(
            "widget", "a LoRA list needs rows that can be left out: with a switch, a count or None."
        )
    return kept


def _find_specs(
    field: Field, workflow: Workflow, object_info: ObjectInfo
) -> tuple[list[InputSpec], InputSpec | None]:
    """Find the specs of the loaders' names, and of a strength."""
    if "" in field.slots:
        slots = field.slots[""]
        specs = [find_spec(slot, workflow, object_info) for slot in slots]
        first = workflow.nodes[slots[0].node_id]
        return specs, _find_strength(field, first, object_info)
    for part, slots in field.slots.items():
        _check_links(part, slots, workflow, object_info)
    name = _choose_loader(field.slots)
    loader = object_info.get(name)
    if loader is None or "lora_name" not in loader.inputs:
        raise MissingClass(
            "missing_class", f"this ComfyUI has no node class {name}, which a LoRA list adds."
        )
    return [loader.inputs["lora_name"]], loader.inputs.get("strength_model")


def _find_strength(field: Field, node: Node, object_info: ObjectInfo) -> InputSpec | None:
    """Find the spec of a strength of this loader, or of the node with the rows."""
    loader = object_info.get(node.class_type)
    if loader is None:
        return None
    if field.lora_stack is not None:
        strengths = field.lora_stack.rows[0].strengths
        return loader.inputs.get(strengths[0]) if strengths else None
    for name, spec in loader.inputs.items():
        if name.startswith("strength"):
            return spec
    return None


def _check_links(
    part: str, slots: tuple[Slot, ...], workflow: Workflow, object_info: ObjectInfo
) -> None:
    links = {Link.parse(get_slot_value(workflow, slot)) for slot in slots}
    if None in links:
        raise BindError(
            "slot",
            f"the {part} slot of a LoRA list is an input that another node feeds, such as "
            f"3.{part}.",
        )
    if len(links) > 1:
        raise BindError(
            "slot",
            f"the {part} slots of a LoRA list have to be fed by the same output of the same node.",
        )
    for slot in slots:
        node = workflow.nodes[slot.node_id]
        spec = object_info.spec(node.class_type, slot.input, node.inputs)
        # A match type takes whatever feeds it.
        if spec is None or spec.type.startswith("COMFY_"):
            continue
        if not {part.upper(), "*"} & spec.types:
            raise BindError(
                "slot",
                f"the {part} slot of a LoRA list takes a {part.upper()}; {slot} takes a "
                f"{spec.type}.",
            )


def _start_from_workflow(field: Field, workflow: Workflow) -> tuple[Field, tuple[str, ...]]:
    """Set the default to the rows of the workflow's own loaders, as far as they are
    possible here.
    """
    rows: list[Any] = []
    notes: list[str] = []
    # Row by row, so that a file that is missing does not take the others with it.
    for row in extract_loras(workflow.to_json(), field):
        try:
            checked = check_loras(field, [row])
        except InvalidValue as refusal:
            notes.append(f"the list starts without {row['name']} of the workflow: {refusal}")
            continue
        rows += value_to_json(field, checked)
    return replace(field, default=rows), tuple(notes)
