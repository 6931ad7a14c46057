"""Bind formulas: inputs that get a number computed from a field's value."""

from __future__ import annotations

from dataclasses import replace

from comfygradio.binding.specs import find_spec
from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.field import ComputedInput, Field
from comfygradio.forms.formula import OWN_NAME, Formula
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.forms.preset_file import FieldEntry, list_computed_slots
from comfygradio.forms.problem import BindError
from comfygradio.forms.slots import Slot, locate_slot
from comfygradio.forms.value_check import check_value

SEED_COUNT = 2**64
"""Number of possible seeds if the server states no limit."""


def bind_computed(
    field: Field, entry: FieldEntry, workflow: Workflow, object_info: ObjectInfo
) -> tuple[Field, tuple[str, ...]]:
    """Bind the formulas of a field. Also returns a sentence for each slot whose node was found
    again.

    Raises BindError for inputs that take no number, and for names that the field does not have.
    """
    listed = list_computed_slots(entry)
    if not listed:
        return field, ()
    for slot in field.slots.get("", ()):
        # Formulas compute from the field's own number, so that its inputs have to take one, too.
        _check_number(find_spec(slot, workflow, object_info))
    found = [locate_slot(workflow, one.slot) for one in listed]
    computed = []
    for place, one in zip(found, listed, strict=True):
        computed.append(_bind_one(field, place.slot, one.of, workflow, object_info))
    bound = replace(field, computed=tuple(computed))
    _check_default(bound)
    return bound, tuple(place.note for place in found if place.note)


def _check_default(field: Field) -> None:
    """Raise BindError if the form would start with a number that a formula cannot use."""
    if field.default is None:
        return
    try:
        check_value(field, field.default)
    except InvalidValue as refusal:
        raise BindError("value", f"what it starts with does not fit: {refusal}") from refusal


def _bind_one(
    field: Field, slot: Slot, text: str, workflow: Workflow, object_info: ObjectInfo
) -> ComputedInput:
    formula = Formula.parse(text)
    others = sorted(formula.names - {OWN_NAME, field.name})
    if others:
        raise BindError("preset", f"the formula {text} uses {others[0]}; it can use {OWN_NAME}.")
    spec = find_spec(slot, workflow, object_info)
    _check_number(spec)
    is_seed = field.kind.is_seed
    low, high = _find_limits(spec, is_seed)
    is_whole = "FLOAT" not in spec.types
    return ComputedInput(
        slot,
        formula,
        is_whole,
        low,
        high,
        wraps_around=is_seed and is_whole,
    )


def _check_number(spec: InputSpec) -> None:
    takes_number = bool(spec.types & {"INT", "FLOAT"})
    if spec.choices is not None or not takes_number:
        raise BindError(
            "widget", f"a formula works with numbers, and input {spec.name} takes none."
        )


def _find_limits(spec: InputSpec, is_seed: bool) -> tuple[int | float | None, int | float | None]:
    """Find the limits of an input. A seed is never below 0, which some nodes take for random."""
    if not is_seed:
        return spec.minimum, spec.maximum
    low = max(0, spec.minimum or 0)
    high = SEED_COUNT - 1 if spec.maximum is None else spec.maximum
    return low, high
