"""Binding: what a line of a preset file becomes once the server has said what the input is."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from comfygradio.comfy.object_info import InputSpec, ObjectInfo, Scalar
from comfygradio.comfy.workflow import Link, Workflow
from comfygradio.errors import PresetError
from comfygradio.forms.field import Choice, Field, Refused, check_number, parse_size
from comfygradio.forms.preset_file import FieldFile, SlotAddress, Widget
from comfygradio.forms.slots import Slot, find_slot, read_slot

SLIDER_STEPS = 200
"""A number becomes a slider by itself when it has at most this many positions."""

STANDARD_SIZES = ((512, 512), (768, 512), (512, 768), (768, 768), (1024, 1024), (1216, 832), (832, 1216))

SUITED: Mapping[Widget, frozenset[str]] = {
    "text": frozenset({"STRING", "COLOR"}),
    "textarea": frozenset({"STRING"}),
    "number": frozenset({"INT", "FLOAT"}),
    "slider": frozenset({"INT", "FLOAT"}),
    "checkbox": frozenset({"BOOLEAN"}),
    "seed": frozenset({"INT"}),
    "size": frozenset({"INT"}),
}
"""What a widget can fill; the widgets left out depend on choices or uploads instead."""


class MissingClass(PresetError):
    """The node of a slot has a class that the server lacks; the form reports such classes once for all fields."""


def bind_field(name: str, line: FieldFile, workflow: Workflow, object_info: ObjectInfo) -> Field:
    """Bind one line of a preset file. Raises PresetError with what does not fit."""
    slots = _find_slots(line, workflow)
    specs = [_find_spec(slot, workflow, object_info) for part in slots.values() for slot in part]
    choices = _bind_choices(line, specs[0])
    widget = line.widget or _choose_widget(line, specs[0], choices)
    _check_widget(widget, specs, choices)
    minimum, maximum = _narrow(name, line, specs)
    field = Field(
        name=name,
        widget=widget,
        label=line.label or name.replace("_", " ").capitalize(),
        slots=slots,
        help=line.help if line.help is not None else specs[0].tooltip,
        placeholder=line.placeholder or "",
        advanced=line.advanced,
        choices=_add_sizes(choices, minimum, maximum) if widget == "size" else choices,
        minimum=minimum,
        maximum=maximum,
        step=line.step if line.step is not None else specs[0].step,
        is_integer="INT" in specs[0].types and "FLOAT" not in specs[0].types,
        max_mb=line.max_mb or 50.0,
    )
    return _with_default(_check_numbers(field, specs), line, workflow, specs[0])


def _find_slots(line: FieldFile, workflow: Workflow) -> dict[str, tuple[Slot, ...]]:
    parts: dict[str, Any] = {"": line.slot} if line.slots is None else dict(line.slots.items())
    found = {}
    for part, addresses in parts.items():
        listed: list[SlotAddress] = addresses if isinstance(addresses, list) else [addresses]
        found[part] = tuple(find_slot(workflow, address) for address in listed)
    return found


def _find_spec(slot: Slot, workflow: Workflow, object_info: ObjectInfo) -> InputSpec:
    node = workflow.nodes[slot.node_id]
    if (link := Link.parse(node.inputs.get(slot.input))) is not None:
        raise PresetError(
            f"slot {slot.node_id}.{slot.input} is fed by node {link.node_id} and cannot be set from a form; "
            f"use an input of node {link.node_id} instead."
        )
    definition = object_info.get(node.class_type)
    if definition is None:
        raise MissingClass(f"this ComfyUI has no node class {node.class_type}.")
    spec = object_info.spec(node.class_type, slot.input, node.inputs)
    if spec is None:
        raise PresetError(
            f"node {node.id} ({node.title}) has no input {slot.input}; it has {', '.join(definition.inputs) or 'none'}."
        )
    return spec


def _bind_choices(line: FieldFile, spec: InputSpec) -> tuple[Choice, ...] | None:
    if line.slots is not None:
        return _bind_sizes(line.choices)
    offered = None if spec.choices is None or spec.media else spec.choices
    if isinstance(line.choices, str):
        kept = [value for value in offered or () if fnmatch.fnmatch(str(value).replace("\\", "/"), line.choices)]
        if not kept:
            raise PresetError(f"none of the server's {len(offered or ())} choices fits {line.choices}.")
        return tuple(Choice(str(value), value) for value in kept)
    if line.choices is not None:
        pairs = line.choices.items() if isinstance(line.choices, dict) else ((str(v), v) for v in line.choices)
        return (
            tuple(Choice(label, value) for label, value in pairs if offered is None or value in offered) or _none_left()
        )
    return None if offered is None else tuple(Choice(str(value), value) for value in offered)


def _bind_sizes(choices: list[Scalar] | dict[str, Scalar] | str | None) -> tuple[Choice, ...] | None:
    if choices is None:
        return None
    if isinstance(choices, str):
        raise PresetError("a size takes a list of choices, for example [512x512, 768x512].")
    labels: Iterable[str | None] = choices if isinstance(choices, dict) else [None] * len(choices)
    values = choices.values() if isinstance(choices, dict) else choices
    try:
        sizes = [(label, parse_size(value)) for label, value in zip(labels, values, strict=True)]
    except Refused as refusal:
        raise PresetError(f"a choice is no size: {refusal}") from refusal
    return tuple(Choice(label or f"{width} × {height}", f"{width}x{height}") for label, (width, height) in sizes)


def _none_left() -> tuple[Choice, ...]:
    raise PresetError("the server has none of the choices that the preset lists.")


def _choose_widget(line: FieldFile, spec: InputSpec, choices: tuple[Choice, ...] | None) -> Widget:
    if line.slots is not None:
        return "size"
    if spec.media == "image":
        return "image"
    if choices is not None or spec.choices is not None:
        return "dropdown"
    if spec.is_seed:
        return "seed"
    if spec.types & {"INT", "FLOAT"}:
        return "slider" if _is_short_range(line, spec) else "number"
    if "BOOLEAN" in spec.types:
        return "checkbox"
    if spec.types & {"STRING", "COLOR"}:
        return "textarea" if spec.is_multiline else "text"
    raise PresetError(f"input {spec.name} takes a {spec.type} from another node and cannot be set from a form.")


def _is_short_range(line: FieldFile, spec: InputSpec) -> bool:
    low = line.min if line.min is not None else spec.minimum
    high = line.max if line.max is not None else spec.maximum
    step = line.step or spec.step or (1 if "INT" in spec.types else 0.01)
    return low is not None and high is not None and 0 < (high - low) / step <= SLIDER_STEPS


def _check_widget(widget: Widget, specs: list[InputSpec], choices: tuple[Choice, ...] | None) -> None:
    for spec in specs:
        suited = SUITED.get(widget)
        if suited and not suited & spec.types:
            raise PresetError(f"a {widget} widget does not suit input {spec.name}, which is {_describe_type(spec)}.")
        if widget in ("dropdown", "radio") and choices is None:
            raise PresetError(f"a {widget} widget needs choices, and the server offers none for input {spec.name}.")
        if widget == "image" and not (spec.media or spec.choices is not None or "STRING" in spec.types):
            raise PresetError(f"an image widget does not suit input {spec.name}, which is {_describe_type(spec)}.")


def _describe_type(spec: InputSpec) -> str:
    return "a list of choices" if spec.choices is not None else f"of type {spec.type}"


def _narrow(name: str, line: FieldFile, specs: list[InputSpec]) -> tuple[int | float | None, int | float | None]:
    """The narrower limits of preset and server; sizes are at least a pixel, whatever the server says."""
    lows = [limit for limit in (line.min, *(spec.minimum for spec in specs)) if limit is not None]
    highs = [limit for limit in (line.max, *(spec.maximum for spec in specs)) if limit is not None]
    low, high = max(lows, default=None), min(highs, default=None)
    if line.slots is not None:
        low = max(low or 1, 1)
    if low is not None and high is not None and low > high:
        raise PresetError(f"no value is left: {name} would have to be at least {low} and at most {high}.")
    return low, high


def _add_sizes(
    choices: tuple[Choice, ...] | None, low: int | float | None, high: int | float | None
) -> tuple[Choice, ...] | None:
    if choices is None:
        return None
    inside = [c for c in choices if all((low or 1) <= int(side) <= (high or 2**31) for side in str(c.value).split("x"))]
    return tuple(inside) or _none_left()


def _check_numbers(field: Field, specs: list[InputSpec]) -> Field:
    """The field with its own choices for a number input read as numbers, within the limits."""
    if field.widget not in ("dropdown", "radio") or not all(spec.types & {"INT", "FLOAT"} for spec in specs):
        return field
    try:
        choices = tuple(Choice(c.label, check_number(field, c.value)) for c in field.choices or ())
    except Refused as refusal:
        raise PresetError(f"a choice does not fit: {refusal}") from refusal
    return replace(field, choices=choices)


def _with_default(field: Field, line: FieldFile, workflow: Workflow, spec: InputSpec) -> Field:
    """The field with the first of these that it takes: the preset's value, the workflow's, the server's."""
    word, given = ("default", line.default) if line.fixed is None else ("fixed value", line.fixed)
    if field.widget == "image" or (field.widget == "seed" and given is None):
        return field
    if given is not None:
        try:
            return _set_default(field, given)
        except Refused as refusal:
            raise PresetError(f"the {word} does not fit: {refusal}") from refusal
    for candidate in (_workflow_value(field, workflow), spec.default, *_first_choice(field), field.minimum):
        try:
            return _set_default(field, candidate)
        except Refused:
            continue
    raise PresetError(_describe_empty(field, spec))


def _set_default(field: Field, value: Any) -> Field:
    checked = field.check(value)
    return replace(field, default="x".join(map(str, checked)) if isinstance(checked, tuple) else checked)


def _workflow_value(field: Field, workflow: Workflow) -> Any:
    if field.widget == "size":
        return {part: read_slot(workflow, slots[0]) for part, slots in field.slots.items()}
    return read_slot(workflow, field.slots[""][0])


def _first_choice(field: Field) -> list[Scalar]:
    return [field.choices[0].value] if field.choices else []


def _describe_empty(field: Field, spec: InputSpec) -> str:
    if field.choices is not None:
        return f"the server offers nothing for {spec.name}; put a model into its models folder and refresh."
    return f"neither the preset nor the workflow nor the server has a value for {spec.name}."
