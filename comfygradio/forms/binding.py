"""Binding: what a line of a preset file becomes once the server has said what the input is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.checks import check_number
from comfygradio.forms.choices import bind_choices, bind_settings, bind_sizes, narrow_sizes
from comfygradio.forms.defaults import set_default
from comfygradio.forms.field import MEDIA, Choice, Field, Refused
from comfygradio.forms.lora_binding import bind_loras
from comfygradio.forms.preset_file import FieldFile, SlotAddress, Widget
from comfygradio.forms.problem import Misfit
from comfygradio.forms.slots import FoundSlot, Slot, find_node, locate_slot
from comfygradio.forms.specs import find_spec

SLIDER_STEPS = 200
"""A number becomes a slider by itself when it has at most this many positions."""

RADIO_CHOICES = 5
"""Choices that set several slots are shown side by side up to this number."""

SUITED: Mapping[Widget, frozenset[str]] = {
    "text": frozenset({"STRING", "COLOR"}),
    "textarea": frozenset({"STRING"}),
    "number": frozenset({"INT", "FLOAT"}),
    "slider": frozenset({"INT", "FLOAT"}),
    "checkbox": frozenset({"BOOLEAN"}),
    "seed": frozenset({"INT"}),
    "size": frozenset({"INT"}),
    "color": frozenset({"COLOR", "INT", "STRING"}),
}
"""What a widget can fill; the widgets left out depend on choices or uploads instead."""


@dataclass(frozen=True)
class BoundField:
    """A field, and what had to be adjusted so that it fits, a sentence each."""

    field: Field
    notes: tuple[str, ...] = ()


def bind_field(
    name: str, line: FieldFile, workflow: Workflow, object_info: ObjectInfo, embeddings: tuple[str, ...] = ()
) -> BoundField:
    """Bind one line of a preset file. Raises Misfit with what does not fit."""
    bypass = _find_bypassed(line, workflow)
    found = _find_slots(line, workflow)
    slots = {part: tuple(place.slot for place in places) for part, places in found.items()}
    notes = tuple(place.note for places in found.values() for place in places if place.note)
    bare = replace(_begin_field(name, line), slots=slots, bypass=bypass)
    if not slots:
        bound = _bind_slotless(bare, line, workflow, object_info)
    elif line.widget == "loras" or "model" in slots:
        bound, more = bind_loras(bare, line, workflow, object_info)
        notes += more
    else:
        bound, more = _bind_plain(bare, line, workflow, object_info, embeddings)
        notes += more
    return BoundField(bound, tuple(dict.fromkeys(f"{bound.label}: {note}" for note in notes)))


def _begin_field(name: str, line: FieldFile) -> Field:
    return Field(
        name=name,
        widget=line.widget or "text",
        label=line.label or name.replace("_", " ").capitalize(),
        slots={},
        help=line.help or "",
        placeholder=line.placeholder or "",
        group=line.group or "",
        advanced=line.advanced,
        max_mb=line.max_mb or 50.0,
        template=line.template or "",
        optional=line.optional,
    )


def _find_bypassed(line: FieldFile, workflow: Workflow) -> tuple[str, ...]:
    named = line.bypass if isinstance(line.bypass, list) else [] if line.bypass is None else [line.bypass]
    return tuple(dict.fromkeys(find_node(workflow, node).id for node in named))


def _find_slots(line: FieldFile, workflow: Workflow) -> dict[str, tuple[FoundSlot, ...]]:
    parts: dict[str, Any] = {"": line.slot} if line.slots is None else dict(line.slots.items())
    found = {}
    for part, addresses in parts.items():
        listed: list[SlotAddress] = addresses if isinstance(addresses, list) else [addresses] if addresses else []
        if listed:
            found[part] = tuple(locate_slot(workflow, address) for address in listed)
    return found


def find_claimed(line: FieldFile, workflow: Workflow) -> set[Slot]:
    """The slots that a line is about, as far as they exist, whether or not it can be bound."""
    try:
        return {place.slot for places in _find_slots(line, workflow).values() for place in places}
    except Misfit:
        return set()


def _bind_slotless(bare: Field, line: FieldFile, workflow: Workflow, object_info: ObjectInfo) -> Field:
    """Choices that set several slots, or a switch that only bypasses nodes."""
    choices = bind_settings(line, workflow, object_info)
    if not choices and line.widget not in (None, "checkbox"):
        raise Misfit("preset", f"a {line.widget} widget needs a slot; only a checkbox can do with bypass alone.")
    if choices and line.widget not in (None, "dropdown", "radio"):
        raise Misfit("widget", f"a {line.widget} widget does not suit choices that set several slots.")
    few: Widget = "radio" if len(choices) <= RADIO_CHOICES else "dropdown"
    widget: Widget = line.widget or (few if choices else "checkbox")
    field = replace(bare, widget=widget, choices=choices or None)
    return set_default(field, line, workflow, None)


def _bind_plain(
    bare: Field, line: FieldFile, workflow: Workflow, object_info: ObjectInfo, embeddings: tuple[str, ...]
) -> tuple[Field, tuple[str, ...]]:
    pairs = [(slot, find_spec(slot, workflow, object_info)) for slot in bare.all_slots]
    specs = [spec for _, spec in pairs]
    is_size = "width" in bare.slots
    choices = bind_sizes(line.choices) if is_size else bind_choices(line, specs[0])
    widget = line.widget or ("size" if is_size else _choose_widget(line, specs[0], choices))
    _check_widget(widget, line, specs, choices)
    low, high = _narrow(bare.name, line, specs)
    dynamic = frozenset(s for s, spec in pairs if spec.options.get("dynamicPrompts") and "STRING" in spec.types)
    field = replace(
        bare,
        widget=widget,
        help=line.help if line.help is not None else "" if is_size else specs[0].tooltip,
        placeholder=bare.placeholder or _read_placeholder(specs[0]),
        choices=narrow_sizes(choices, low, high) if is_size else choices,
        minimum=low,
        maximum=high,
        step=line.step if line.step is not None else specs[0].step,
        is_integer="INT" in specs[0].types and "FLOAT" not in specs[0].types,
        is_multiple=widget == "dropdown" and is_multiselect(specs[0]),
        dynamic=dynamic,
        embeddings=embeddings if widget == "textarea" and _is_prompt(bare, workflow, object_info) else (),
    )
    bound = set_default(_check_numbers(field, specs), line, workflow, specs[0])
    return bound, _describe_first(bound, line, workflow, specs[0])


def is_multiselect(spec: InputSpec) -> bool:
    """Whether several choices of a combo may be taken at once (`multiselect`; `multi_select` since v0.21)."""
    return spec.choices is not None and bool(spec.options.get("multiselect") or spec.options.get("multi_select"))


def _choose_widget(line: FieldFile, spec: InputSpec, choices: tuple[Choice, ...] | None) -> Widget:
    if spec.media is not None:
        return next(widget for widget in MEDIA if widget == spec.media)
    if choices is not None or spec.choices is not None:
        return "dropdown"
    if "COLOR" in spec.types or spec.options.get("display") == "color":
        return "color"
    if spec.is_seed:
        return "seed"
    if spec.types & {"INT", "FLOAT"}:
        return "slider" if _is_short_range(line, spec) else "number"
    if "BOOLEAN" in spec.types:
        return "checkbox"
    if "STRING" in spec.types:
        return "textarea" if spec.is_multiline else "text"
    raise Misfit("slot", f"input {spec.name} takes a {spec.type} from another node and cannot be set from a form.")


def _is_short_range(line: FieldFile, spec: InputSpec) -> bool:
    low = line.min if line.min is not None else spec.minimum
    high = line.max if line.max is not None else spec.maximum
    step = line.step or spec.step or (1 if "INT" in spec.types else 0.01)
    return low is not None and high is not None and 0 < (high - low) / step <= SLIDER_STEPS


def _check_widget(widget: Widget, line: FieldFile, specs: list[InputSpec], choices: tuple[Choice, ...] | None) -> None:
    for spec in specs:
        suited = SUITED.get(widget)
        if suited and not suited & spec.types:
            raise _misfit(widget, spec)
        if widget in ("dropdown", "radio") and choices is None:
            message = f"a {widget} widget needs choices, and the server offers none for input {spec.name}."
            raise Misfit("widget", message)
        if widget in MEDIA and not (spec.media or spec.choices is not None or "STRING" in spec.types):
            raise _misfit(widget, spec)
        if line.template is not None and "STRING" not in spec.types:
            raise Misfit("widget", f"a template makes a text; input {spec.name} is {_describe_type(spec)}.")


def _misfit(widget: Widget, spec: InputSpec) -> Misfit:
    article = "an" if widget[0] in "aeiou" else "a"
    return Misfit(
        "widget", f"{article} {widget} widget does not suit input {spec.name}, which is {_describe_type(spec)}."
    )


def _describe_type(spec: InputSpec) -> str:
    return "a list of choices" if spec.choices is not None else f"of type {spec.type}"


def _read_placeholder(spec: InputSpec) -> str:
    text = spec.options.get("placeholder")
    return text if isinstance(text, str) else ""


def _is_prompt(field: Field, workflow: Workflow, object_info: ObjectInfo) -> bool:
    """Whether a text goes into a node that encodes it with CLIP, which is what knows embeddings."""
    classes = [object_info.get(workflow.nodes[slot.node_id].class_type) for slot in field.all_slots]
    return any("CLIP" in spec.types for known in classes if known for spec in known.inputs.values())


def _narrow(name: str, line: FieldFile, specs: list[InputSpec]) -> tuple[int | float | None, int | float | None]:
    """The narrower limits of preset and server; sizes are at least a pixel, whatever the server says."""
    lows = [limit for limit in (line.min, *(spec.minimum for spec in specs)) if limit is not None]
    highs = [limit for limit in (line.max, *(spec.maximum for spec in specs)) if limit is not None]
    low, high = max(lows, default=None), min(highs, default=None)
    if line.slots is not None:
        low = max(low or 1, 1)
    if low is not None and high is not None and low > high:
        raise Misfit("preset", f"no value is left: {name} would have to be at least {low} and at most {high}.")
    return low, high


def _check_numbers(field: Field, specs: list[InputSpec]) -> Field:
    """The field with its own choices for a number input read as numbers, within the limits."""
    if field.widget not in ("dropdown", "radio") or not all(spec.types & {"INT", "FLOAT"} for spec in specs):
        return field
    try:
        choices = tuple(Choice(c.label, check_number(field, c.value)) for c in field.choices or ())
    except Refused as refusal:
        raise Misfit("value", f"a choice does not fit: {refusal}") from refusal
    return replace(field, choices=choices)


def _describe_first(field: Field, line: FieldFile, workflow: Workflow, spec: InputSpec) -> tuple[str, ...]:
    """A note where the workflow's own choice is gone from the server and the field starts with another one."""
    slot = next(iter(field.all_slots))
    own = workflow.nodes[slot.node_id].inputs.get(slot.input)
    if not isinstance(own, str) or spec.choices is None or spec.media or own in spec.choices or field.is_multiple:
        return ()
    if line.default is not None or line.fixed is not None:
        return ()
    return (f"this ComfyUI does not have {own}; the form starts with {field.default} instead.",)
