"""Find the specs of slots: what the server says about the input that a field fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from comfygradio.comfy.nested_input import LIST, has_input, read_input
from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Link, Node, Workflow
from comfygradio.forms.kinds.model_name import is_model_name
from comfygradio.forms.literals import guess_type
from comfygradio.forms.problem import BindError
from comfygradio.forms.slots import Slot, get_slot_value

LORA_LOADER = "LoraLoader"
"""ComfyUI's node class that lists the LoRAs of a server."""

LORA_LOADER_INPUT = "lora_name"
"""The input of that class with the list."""


class MissingClass(BindError):
    """Raised if the server lacks the class of a slot's node. The form reports such classes once for
    all fields.
    """


def find_spec(slot: Slot, workflow: Workflow, object_info: ObjectInfo) -> InputSpec:
    """Find the spec of an input that a form may set. Raises BindError if it is unknown or
    linked.
    """
    node = workflow.nodes[slot.node_id]
    link = Link.parse(get_slot_value(workflow, slot))
    if link is not None:
        raise BindError(
            "slot",
            f"slot {slot} is fed by node {link.node_id} and cannot be set from a form; "
            f"use an input of node {link.node_id} instead.",
            slot.node_id,
            slot.input,
        )
    definition = object_info.get(node.class_type)
    if definition is None:
        raise MissingClass(
            "missing_class", f"this ComfyUI has no node class {node.class_type}.", node.id
        )
    spec = object_info.spec(node.class_type, slot.input, node.inputs)
    if spec is None:
        # Some nodes take inputs of any name.
        spec = guess_unlisted_spec(node, slot.input, object_info)
    if spec is None:
        _reject_object(node, slot)
        listed = ", ".join(definition.inputs) or "none"
        raise BindError(
            "slot",
            f"node {node.id} ({node.title}) has no input {slot.input}; it has {listed}.",
            node.id,
        )
    return spec


def guess_unlisted_spec(node: Node, name: str, object_info: ObjectInfo) -> InputSpec | None:
    """Guess the spec of an input that the server does not list from the workflow's value.

    Nodes of some packs take inputs of any name, and objects with several values in one input.
    Returns None if the value is no scalar, or if the input belongs to another choice of a dynamic
    combo.
    """
    known = object_info.get(node.class_type)
    if known is None or not has_input(node.inputs, name):
        return None
    owner = known.inputs.get(name.partition(".")[0])
    if owner is not None and owner.type == "COMFY_DYNAMICCOMBO_V3":
        return None
    value = read_input(node.inputs, name)
    kind = guess_type(value)
    if kind is None:
        return None
    is_seed = Slot(node.id, name).last_part in ("seed", "noise_seed")
    if kind == "INT" and not is_seed:
        # A page writes 1 for 1.0, so a whole number may stand for either.
        kind = "FLOAT"
    spec = InputSpec(name, kind, "optional")
    if kind != "STRING":
        return spec
    return _list_server_loras(spec, value, object_info)


def _list_server_loras(spec: InputSpec, value: str, object_info: ObjectInfo) -> InputSpec:
    """Turn the spec of a text that names a LoRA into the server's list of LoRAs."""
    # A row without a LoRA says None.
    is_file = is_model_name(value) or value.lower() == "none"
    if not is_file or "lora" not in spec.name.lower():
        return spec
    loader = object_info.get(LORA_LOADER)
    if loader is None:
        return spec
    listed = loader.inputs.get(LORA_LOADER_INPUT)
    if listed is None:
        return spec
    return replace(listed, name=spec.name, group="optional", default=None)


def _reject_object(node: Node, slot: Slot) -> None:
    """Raise BindError for an input with several values."""
    value = read_input(node.inputs, slot.input)
    if not isinstance(value, dict) or not value or LIST in value:
        return
    members = [f"{slot}.{member}" for member in value]
    raise BindError(
        "slot",
        f"slot {slot} holds several values; use one of {', '.join(members)}.",
        node.id,
        slot.input,
    )


def find_highest(limits: Sequence[int | float | None]) -> int | float | None:
    """Find the highest of these limits. None where none is set."""
    known = [limit for limit in limits if limit is not None]
    return max(known, default=None)


def find_lowest(limits: Sequence[int | float | None]) -> int | float | None:
    """Find the lowest of these limits. None where none is set."""
    known = [limit for limit in limits if limit is not None]
    return min(known, default=None)
