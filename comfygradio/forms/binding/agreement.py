"""Agreement: what the lines of a form say about one another, and whether they contradict each
other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from comfygradio.forms.checks import check_value
from comfygradio.forms.describe import describe_value
from comfygradio.forms.field import MEDIA, TEXTS, Field, Refused
from comfygradio.forms.meaning import find_meaning
from comfygradio.forms.preset_file import FieldFile, PresetFile
from comfygradio.forms.problem import Misfit, Problem
from comfygradio.forms.slots import Slot
from comfygradio.forms.templates import find_names, list_templates
from comfygradio.forms.visibility import find_circle


def connect_fields(
    fields: Mapping[str, Field], fixed: Collection[tuple[Slot, Any]], file: PresetFile
) -> tuple[dict[str, Field], list[Problem]]:
    """The fields with their `show_if`, and what keeps the lines from going together.

    Some lines may lack a field.
    """
    problems: list[Problem] = []
    connected: dict[str, Field] = {}
    for name, field in fields.items():
        try:
            show_if = dict(_bind_conditions(file.fields[name], fields, file))
        except Misfit as misfit:
            problems.append(misfit.to_problem(name))
            show_if = {}
        connected[name] = replace(field, show_if=show_if, yields=_yields(field, fields))
        problems += _check_names(field, fields, file)
    if circle := find_circle(connected):
        text = f"show_if goes round in a circle: {' → '.join([*circle, circle[0]])}."
        problems.append(Problem("preset", text, circle[0]))
        connected = {name: replace(field, show_if={}) for name, field in connected.items()}
    return connected, [*problems, *_find_conflicts(connected, [slot for slot, _ in fixed])]


def _yields(field: Field, fields: Mapping[str, Field]) -> bool:
    """Whether every input of an optional text is filled by other fields as well."""
    own = {slot for part in field.slots.values() for slot in part}
    others = {slot for one in fields.values() if _is_plain(one) for slot in one.all_slots}
    return field.optional and field.widget in TEXTS and bool(own) and own <= others


def _bind_conditions(
    line: FieldFile, fields: Mapping[str, Field], file: PresetFile
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for other, wanted in (line.show_if or {}).items():
        field = fields.get(other)
        if field is None and other in file.fields and file.fields[other].fixed is None:
            continue
        if field is None or field.widget in (*MEDIA, "loras"):
            there = ", ".join(
                name for name, one in fields.items() if one.widget not in (*MEDIA, "loras")
            )
            raise Misfit(
                "preset",
                f"show_if: there is no field {other} to look at; there are {there or 'none'}.",
                key="show_if",
            )
        values = wanted if isinstance(wanted, list) else [wanted]
        yield other, tuple(_check_condition(field, value) for value in values)


def _check_condition(field: Field, value: Any) -> Any:
    """The value as the other field describes it, so that both compare equal."""
    try:
        described = describe_value(field, check_value(field, find_meaning(field, value)))
    except Refused as refusal:
        message = f"show_if: {field.name} is never {value!r}: {refusal}"
        raise Misfit("preset", message, key="show_if") from refusal
    return described[0] if field.is_multiple and described else described


def _check_names(field: Field, fields: Mapping[str, Field], file: PresetFile) -> Iterator[Problem]:
    """A problem for each name in the field's texts that no field has; of fields that did not bind,
    others tell.
    """
    for name in find_names("\n".join(list_templates(field))):
        is_bound_later = name in file.fields and file.fields[name].fixed is None
        if name not in fields and not is_bound_later and not (name == "value" and field.template):
            there = f"there are {', '.join(fields)}"
            text = f"the text uses {{{name}}}, and there is no field of that name; {there}."
            yield Problem("preset", text, field.name)


def _find_conflicts(fields: Mapping[str, Field], fixed: Collection[Slot]) -> Iterator[Problem]:
    """Slots that two lines fill, of which only one can win."""
    for slot in dict.fromkeys(slot for index, slot in enumerate(fixed) if slot in [*fixed][:index]):
        yield Problem(
            "preset",
            f"slot {slot} is fixed twice; remove one of both.",
            node=slot.node_id,
            input=slot.input,
        )
    for field in fields.values():
        if clash := next((slot for slot in field.all_slots if slot in fixed), None):
            yield _describe_conflict(field, clash, "is fixed as well; remove one of both.")
    for one, other in combinations(filter(_is_plain, fields.values()), 2):
        if clash := next((slot for slot in other.all_slots if slot in one.all_slots), None):
            yield _describe_conflict(
                other, clash, f"is filled by {one.name} as well; remove one of both."
            )


def _is_plain(field: Field) -> bool:
    """Whether a field always fills its slots with nothing but its own value."""
    uses_others = any(name != "value" for name in find_names("\n".join(list_templates(field))))
    return not (
        field.optional
        or field.show_if
        or uses_others
        or any(choice.sets for choice in field.choices or ())
    )


def _describe_conflict(field: Field, slot: Slot, text: str) -> Problem:
    return Problem("preset", f"slot {slot} {text}", field.name, slot.node_id, slot.input)
