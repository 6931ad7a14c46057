"""Check across fields: resolve references between the fields of a form and find contradictions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from comfygradio.forms.field import Field
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.forms.preset_file import FieldEntry, PresetFile
from comfygradio.forms.problem import BindError, Problem
from comfygradio.forms.scalar_resolution import resolve_value
from comfygradio.forms.slots import Slot
from comfygradio.forms.text_expansion import find_placeholders, list_templates
from comfygradio.forms.value_check import check_value
from comfygradio.forms.value_json import value_to_json
from comfygradio.forms.visibility import find_condition_cycle


def connect_fields(
    fields: Mapping[str, Field], fixed: Collection[tuple[Slot, Any]], file: PresetFile
) -> tuple[dict[str, Field], list[Problem]]:
    """Resolve each field's `show_if`, and find conflicts between fields.

    Fields that could not be bound are missing from `fields`.
    """
    problems: list[Problem] = []
    connected: dict[str, Field] = {}
    for name, field in fields.items():
        try:
            show_if = dict(_bind_conditions(file.fields[name], fields, file))
        except BindError as error:
            problems.append(error.to_problem(name))
            show_if = {}
        connected[name] = replace(
            field,
            show_if=show_if,
            defers_when_empty=_defers_when_empty(field, fields),
        )
        problems += _check_names(field, fields, file)
    cycle = find_condition_cycle(connected)
    if cycle:
        way = " → ".join([*cycle, cycle[0]])
        text = f"show_if goes round in a circle: {way}."
        problems.append(Problem("preset", text, cycle[0]))
        # Without conditions, whatever comes next cannot go round in that circle.
        connected = {name: replace(field, show_if={}) for name, field in connected.items()}
    fixed_slots = [slot for slot, _ in fixed]
    problems += _find_conflicts(connected, fixed_slots)
    return connected, problems


def _defers_when_empty(field: Field, fields: Mapping[str, Field]) -> bool:
    """Whether other fields also fill every input of an optional text."""
    if not field.optional or not field.kind.is_text:
        return False
    own: set[Slot] = set()
    for slots in field.slots.values():
        own.update(slots)
    # An optional field is not plain, so the others do not include this one.
    others: set[Slot] = set()
    for other in fields.values():
        if _is_unconditional(other):
            others.update(other.all_slots)
    return bool(own) and own <= others


def _bind_conditions(
    entry: FieldEntry, fields: Mapping[str, Field], file: PresetFile
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the name and the wanted values of each other field in `show_if`. Raises BindError."""
    if entry.show_if is None:
        return
    for other, wanted in entry.show_if.items():
        field = fields.get(other)
        if field is None and _is_field(other, file):
            # It did not bind, which is told elsewhere.
            continue
        if field is None or not _is_comparable(field):
            names = [name for name, one in fields.items() if _is_comparable(one)]
            there = ", ".join(names) or "none"
            raise BindError(
                "preset",
                f"show_if: there is no field {other} to look at; there are {there}.",
                key="show_if",
            )
        values = wanted if isinstance(wanted, list) else [wanted]
        checked = [_check_condition(field, value) for value in values]
        yield other, tuple(checked)


def _is_field(name: str, file: PresetFile) -> bool:
    """Whether the preset line with this name becomes a field, unlike one with a fixed value."""
    line = file.fields.get(name)
    return line is not None and line.fixed is None


def _is_comparable(field: Field) -> bool:
    """Whether a `show_if` may compare this field's value."""
    kind = field.kind
    return not kind.is_media and not kind.is_lora_list


def _check_condition(field: Field, value: Any) -> Any:
    """Convert a value as the other field does, so that both compare equal."""
    try:
        resolved = resolve_value(field, value)
        checked = check_value(field, resolved)
        described = value_to_json(field, checked)
    except InvalidValue as refusal:
        message = f"show_if: {field.name} is never {value!r}: {refusal}"
        raise BindError("preset", message, key="show_if") from refusal
    # A field with several choices matches if the wanted one is among them.
    if field.is_multiple and described:
        return described[0]
    return described


def _check_names(field: Field, fields: Mapping[str, Field], file: PresetFile) -> Iterator[Problem]:
    """Yield a problem for each name in the field's texts that belongs to no field. Fields that
    failed to bind are reported elsewhere.
    """
    for name in _list_names(field):
        is_own = name == "value" and bool(field.template)
        if is_own or name in fields or _is_field(name, file):
            continue
        there = ", ".join(fields)
        yield Problem(
            "preset",
            f"the text uses {{{name}}}, and there is no field of that name; there are {there}.",
            field.name,
        )


def _list_names(field: Field) -> list[str]:
    """List the placeholder names in the texts that a field sends."""
    texts = "\n".join(list_templates(field))
    return find_placeholders(texts)


def _find_conflicts(fields: Mapping[str, Field], fixed: Collection[Slot]) -> Iterator[Problem]:
    """Find slots that two lines fill, although only one value can win."""
    seen: list[Slot] = []
    for slot in fixed:
        seen.append(slot)
        # Told the second time, and not again where a slot is fixed even more often.
        if seen.count(slot) != 2:
            continue
        yield Problem(
            "preset",
            f"slot {slot} is fixed twice; remove one of both.",
            node=slot.node_id,
            input=slot.input,
        )
    for field in fields.values():
        shared = _find_shared(field, fixed)
        if shared is not None:
            yield _describe_conflict(field, shared, "is fixed")
    unconditional = [field for field in fields.values() if _is_unconditional(field)]
    for one, other in combinations(unconditional, 2):
        shared = _find_shared(other, one.all_slots)
        if shared is not None:
            yield _describe_conflict(other, shared, f"is filled by {one.name}")


def _find_shared(field: Field, slots: Collection[Slot]) -> Slot | None:
    """Find the first of the field's slots that is among others."""
    for slot in field.all_slots:
        if slot in slots:
            return slot
    return None


def _is_unconditional(field: Field) -> bool:
    """Whether a field always fills its slots, and with nothing but its own value."""
    if field.optional or field.show_if:
        return False
    names = set(_list_names(field))
    if not names <= {"value"}:
        return False
    choices = field.choices or ()
    return not any(choice.sets for choice in choices)


def _describe_conflict(field: Field, slot: Slot, what: str) -> Problem:
    return Problem(
        "preset",
        f"slot {slot} {what} as well; remove one of both.",
        field=field.name,
        node=slot.node_id,
        input=slot.input,
    )
