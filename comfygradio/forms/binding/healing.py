"""Healing: a stored workflow is adjusted to the server of today, never silently.

Nodes gain required inputs with new versions and the server fills in no defaults (ComfyUI v0.33.0);
models lie in other folders, and Windows spells them with a backslash; workflows taken from pictures
carry what the server wrote into them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from comfygradio.comfy.object_info import InputSpec, ObjectInfo, Scalar
from comfygradio.comfy.workflow import Node, Workflow
from comfygradio.forms.binding.gained import fill_gained
from comfygradio.forms.binding.reach import find_needed
from comfygradio.forms.field import show
from comfygradio.forms.literals import is_multiselect, unwrap, wrap
from comfygradio.forms.names import match_name


def heal_workflow(workflow: Workflow, object_info: ObjectInfo) -> tuple[Workflow, tuple[str, ...]]:
    """The workflow as this server can run it, as far as that is certain, and a sentence for each
    change.
    """
    notes = [*workflow.notes]
    needed = find_needed(workflow, object_info)
    nodes = {}
    for node in workflow:
        inputs = dict(node.inputs)
        if node.id in needed:
            notes += _repair_names(node, inputs, object_info)
            notes += _fill_gained(node, inputs, object_info)
        nodes[node.id] = replace(node, inputs=inputs)
    return replace(workflow, nodes=nodes, notes=()), tuple(notes)


def _fill_gained(node: Node, inputs: dict[str, Any], object_info: ObjectInfo) -> Iterator[str]:
    """Required inputs that the node has gained since the workflow was stored get the server's
    default.
    """
    for name, value in fill_gained(node.class_type, inputs, object_info).items():
        yield (
            f"{node.title} has a new input {name} on this ComfyUI; it gets the server's "
            f"default, {show(value)}."
        )


def _repair_names(node: Node, inputs: dict[str, Any], object_info: ObjectInfo) -> Iterator[str]:
    """Names that the server spells in another way are taken over where exactly one fits."""
    for spec in object_info.active_specs(node.class_type, inputs):
        if (
            spec.choices is None
            or spec.media
            or spec.name not in inputs
            or isinstance(inputs[spec.name], list)
        ):
            continue
        value = unwrap(inputs[spec.name])
        if not is_multiselect(spec) and spec.read_choice(value) is not value:
            yield from _repair_entry(node, inputs, spec)
            continue
        if isinstance(value, list) and not is_multiselect(spec):
            continue
        spelled = [
            _respell(name, spec.choices) for name in (value if isinstance(value, list) else [value])
        ]
        inputs[spec.name] = (
            wrap([name for name, _ in spelled]) if isinstance(value, list) else spelled[0][0]
        )
        yield from (_tell(node, spec, name, old) for name, old in spelled if old is not None)


def _tell(node: Node, spec: InputSpec, name: Any, old: Any) -> str:
    if isinstance(name, str) and isinstance(old, str):
        return f"{node.title}: {old} is called {name} on this ComfyUI."
    kinds = ("text", "number") if isinstance(old, str) else ("number", "text")
    written = str(old).strip()
    return (
        f"{node.title}: {spec.name} is the {kinds[0]} {written} in the workflow; this ComfyUI "
        f"lists the {kinds[1]} {name}, which is taken."
    )


def _repair_entry(node: Node, inputs: dict[str, Any], spec: InputSpec) -> Iterator[str]:
    """An entry that is an object is what the server has now under its name: it refuses any other,
    although only a picture beside the name may have changed.
    """
    value = unwrap(inputs[spec.name])
    name, old = _respell(spec.read_choice(value), spec.choices or ())
    entry = spec.write_choice(name)
    if name not in (spec.choices or ()) or entry == value:
        return
    inputs[spec.name] = wrap(entry)
    if old is None:
        yield f"{node.title}: {name} has changed in the list of this ComfyUI and is taken from it."
    else:
        yield f"{node.title}: {old} is called {name} on this ComfyUI."


def _respell(name: Any, choices: Sequence[Scalar]) -> tuple[Any, Any]:
    """The server's spelling of a name, and the old one if it differs."""
    if name in choices:
        return name, None
    found = match_name(name, choices)
    found = _match_number(name, choices) if found is None else found
    return (name, None) if found is None else (found, name)


def _match_number(value: Any, choices: Sequence[Scalar]) -> Scalar | None:
    """The one choice that is the same number, but a number where the value is a text or a text
    where it is a number; None if not exactly one.
    """
    number = _read_number(value)
    if number is None:
        return None
    found = [
        choice
        for choice in choices
        if isinstance(choice, str) != isinstance(value, str) and _read_number(choice) == number
    ]
    return found[0] if len(found) == 1 else None


def _read_number(value: Any) -> Fraction | None:
    """The exact number that a value is, or that a text stands for; None for anything else."""
    if isinstance(value, bool):
        return None
    is_number = isinstance(value, int | float) or (
        isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,30}([.]\d{1,30})?", value.strip())
    )
    try:
        return Fraction(value) if is_number else None
    except (ValueError, OverflowError):  # NaN and the infinities
        return None
