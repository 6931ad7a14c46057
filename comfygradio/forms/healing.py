"""Healing: a stored workflow is adjusted to the server of today, never silently.

Nodes gain required inputs with new versions and the server fills in no defaults (ComfyUI v0.33.0); models lie in other
folders, and Windows spells them with a backslash; workflows taken from pictures carry what the server wrote into them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Link, Node, Workflow
from comfygradio.forms.literals import check_literal, unwrap
from comfygradio.forms.names import match_name
from comfygradio.forms.reach import find_needed
from comfygradio.forms.specs import has_widget


def heal_workflow(workflow: Workflow, object_info: ObjectInfo) -> tuple[Workflow, tuple[str, ...]]:
    """The workflow as this server can run it, as far as that is certain, and a sentence for each change."""
    notes = [*workflow.notes]
    needed = find_needed(workflow, object_info)
    nodes = {}
    for node in workflow:
        inputs = dict(node.inputs)
        if node.id in needed:
            notes += _fill_gained(node, inputs, object_info)
            notes += _repair_names(node, inputs, object_info)
        nodes[node.id] = replace(node, inputs=inputs)
    return replace(workflow, nodes=nodes, notes=()), tuple(notes)


def _fill_gained(node: Node, inputs: dict[str, Any], object_info: ObjectInfo) -> Iterator[str]:
    """Required inputs that the node has gained since the workflow was stored get the server's default."""
    while missing := _find_gained(node.class_type, inputs, object_info):
        spec, value = missing
        inputs[spec.name] = value
        yield f"{node.title} has a new input {spec.name} on this ComfyUI; it gets the server's default, {value}."


def _find_gained(class_type: str, inputs: dict[str, Any], object_info: ObjectInfo) -> tuple[InputSpec, Any] | None:
    for spec in object_info.active_specs(class_type, inputs):
        if spec.group == "required" and spec.name not in inputs and has_widget(spec):
            value = spec.default if spec.default is not None else next(iter(spec.choices or ()), None)
            if value is not None and check_literal(spec, value) is None:
                return spec, value
    return None


def _repair_names(node: Node, inputs: dict[str, Any], object_info: ObjectInfo) -> Iterator[str]:
    """Names that the server spells in another way are taken over where exactly one fits."""
    for spec in object_info.active_specs(node.class_type, inputs):
        value = unwrap(inputs.get(spec.name))
        if spec.choices is None or spec.media or Link.parse(value) or isinstance(value, list) or value in spec.choices:
            continue
        if (found := match_name(value, spec.choices)) is not None:
            inputs[spec.name] = found
            yield f"{node.title}: {value} is called {found} on this ComfyUI."
