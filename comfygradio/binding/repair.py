"""Repair a stored workflow for the current server, and report every change.

Newer versions of nodes add required inputs, and the server fills in no defaults (ComfyUI v0.33.0).
Models are in other folders, and Windows servers use backslashes in their names. Workflows taken
from pictures contain what the server wrote into them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from comfygradio.binding.reachability import find_needed_nodes
from comfygradio.comfy.nested_input import unwrap_list, wrap_list
from comfygradio.comfy.object_info import InputSpec, ObjectInfo, Scalar
from comfygradio.comfy.workflow import Node, Workflow
from comfygradio.forms.kinds.model_name import match_name
from comfygradio.forms.kinds.value import shorten
from comfygradio.forms.literals import is_multiselect
from comfygradio.forms.missing_inputs import fill_missing_inputs


def repair_workflow(
    workflow: Workflow, object_info: ObjectInfo
) -> tuple[Workflow, tuple[str, ...]]:
    """Adapt a workflow to this server where the fix is unambiguous.

    Returns the repaired workflow and a sentence for each change.
    """
    notes = [*workflow.notes]
    needed = find_needed_nodes(workflow, object_info)
    nodes = {}
    for node in workflow:
        inputs = dict(node.inputs)
        if node.id in needed:
            notes += _repair_names(node, inputs, object_info)
            notes += _fill_missing_inputs(node, inputs, object_info)
        nodes[node.id] = replace(node, inputs=inputs)
    return replace(workflow, nodes=nodes, notes=()), tuple(notes)


def _fill_missing_inputs(
    node: Node, inputs: dict[str, Any], object_info: ObjectInfo
) -> Iterator[str]:
    """Fill required inputs that the node has gained since the workflow was stored with the server's
    default.
    """
    for name, value in fill_missing_inputs(node.class_type, inputs, object_info).items():
        yield (
            f"{node.title} has a new input {name} on this ComfyUI; it gets the server's "
            f"default, {shorten(value)}."
        )


def _repair_names(node: Node, inputs: dict[str, Any], object_info: ObjectInfo) -> Iterator[str]:
    """Replace names by the server's spelling if exactly one matches."""
    for spec in object_info.active_specs(node.class_type, inputs):
        if spec.choices is None or spec.media or spec.name not in inputs:
            continue
        if isinstance(inputs[spec.name], list):  # a link
            continue
        value = unwrap_list(inputs[spec.name])
        # The input takes several names.
        if is_multiselect(spec) and isinstance(value, list):
            spelled = [_respell(name, spec.choices) for name in value]
            inputs[spec.name] = wrap_list([name for name, _ in spelled])
        elif not is_multiselect(spec) and spec.to_choice_name(value) is not value:
            # The entry is an object that has a name.
            yield from _repair_entry(node, inputs, spec)
            continue
        elif isinstance(value, list):
            continue
        else:
            spelled = [_respell(value, spec.choices)]
            inputs[spec.name] = spelled[0][0]
        for name, old in spelled:
            if old is not None:
                yield _describe_change(node, spec, name, old)


def _describe_change(node: Node, spec: InputSpec, name: Any, old: Any) -> str:
    if isinstance(name, str) and isinstance(old, str):
        return f"{node.title}: {old} is called {name} on this ComfyUI."
    before = "number"
    after = "text"
    if isinstance(old, str):
        before = "text"
        after = "number"
    written = str(old).strip()
    return (
        f"{node.title}: {spec.name} is the {before} {written} in the workflow; this ComfyUI "
        f"lists the {after} {name}, which is taken."
    )


def _repair_entry(node: Node, inputs: dict[str, Any], spec: InputSpec) -> Iterator[str]:
    """Replace an entry that is an object by the server's entry of the same name. The server rejects
    any other, even if only its picture differs.
    """
    value = unwrap_list(inputs[spec.name])
    choices = spec.choices or ()
    name, old = _respell(spec.to_choice_name(value), choices)
    entry = spec.from_choice_name(name)
    if name not in choices or entry == value:
        return
    inputs[spec.name] = wrap_list(entry)
    if old is None:
        yield f"{node.title}: {name} has changed in the list of this ComfyUI and is taken from it."
    else:
        yield f"{node.title}: {old} is called {name} on this ComfyUI."


def _respell(name: Any, choices: Sequence[Scalar]) -> tuple[Any, Any]:
    """Return the server's spelling of a name, and the old one if it differs."""
    if name in choices:
        return name, None
    found = match_name(name, choices)
    if found is None:
        found = _match_number(name, choices)
    if found is None:
        return name, None
    return found, name


def _match_number(value: Any, choices: Sequence[Scalar]) -> Scalar | None:
    """Find the only choice that is the same number but of the other type, number or text. Returns
    None if there is not exactly one.
    """
    number = _read_number(value)
    if number is None:
        return None
    found = []
    for choice in choices:
        is_other_type = isinstance(choice, str) != isinstance(value, str)
        if is_other_type and _read_number(choice) == number:
            found.append(choice)
    if len(found) != 1:
        return None
    return found[0]


def _read_number(value: Any) -> Fraction | None:
    """Return the exact number of a value or of its text, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not re.fullmatch(r"[+-]?\d{1,30}([.]\d{1,30})?", value.strip()):
            return None
    elif not isinstance(value, int | float):
        return None
    try:
        return Fraction(value)
    except (ValueError, OverflowError):  # NaN and the infinities
        return None
