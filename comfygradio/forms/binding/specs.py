"""Specs of slots: what the server says about the input that a field fills."""

from __future__ import annotations

from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Link, Workflow
from comfygradio.forms.problem import Misfit
from comfygradio.forms.slots import Slot

WIDGET_TYPES = frozenset(
    {"INT", "FLOAT", "STRING", "BOOLEAN", "COLOR", "COMBO", "COMFY_DYNAMICCOMBO_V3"}
)
"""Types that a person can fill in; anything else comes from another node."""


class MissingClass(Misfit):
    """The node of a slot has a class that the server lacks; the form reports such classes once for
    all fields.
    """


def find_spec(slot: Slot, workflow: Workflow, object_info: ObjectInfo) -> InputSpec:
    """The spec of an input that a form may set. Raises Misfit: unknown, or fed by another node."""
    node = workflow.nodes[slot.node_id]
    if (link := Link.parse(node.inputs.get(slot.input))) is not None:
        raise Misfit(
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
        listed = ", ".join(definition.inputs) or "none"
        raise Misfit(
            "slot",
            f"node {node.id} ({node.title}) has no input {slot.input}; it has {listed}.",
            node.id,
        )
    return spec


def has_widget(spec: InputSpec) -> bool:
    """Whether ComfyUI shows a widget for an input, so that a value, not a link, may stand there."""
    return bool(spec.types & WIDGET_TYPES) and not spec.options.get("forceInput")
