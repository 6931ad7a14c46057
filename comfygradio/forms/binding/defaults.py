"""Defaults: what a field starts with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comfygradio.comfy.object_info import InputSpec, Scalar
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.checks import check_value, is_open_seed
from comfygradio.forms.describe import describe_value
from comfygradio.forms.field import MEDIA, Field, Refused
from comfygradio.forms.literals import unwrap
from comfygradio.forms.meaning import find_meaning
from comfygradio.forms.names import match_name
from comfygradio.forms.preset_file import FieldFile, read_rows
from comfygradio.forms.problem import Misfit
from comfygradio.forms.slots import read_slot
from comfygradio.forms.templates import invert_template


def set_default(field: Field, line: FieldFile, workflow: Workflow, spec: InputSpec | None) -> Field:
    """The field with the first of these that it takes: the preset's value, the workflow's, the
    server's.

    Raises Misfit where the preset's value does not fit, or there is none at all.
    """
    word, written = ("default", line.default) if line.fixed is None else ("fixed value", line.fixed)
    given = find_meaning(field, written)
    if field.widget in MEDIA:
        return field
    if field.widget == "seed" and is_open_seed(given):
        return _leave_open(field, line)
    if given is not None:
        return _take_given(field, word, given)
    for candidate in _list_candidates(field, workflow, spec):
        try:
            return _take(field, candidate)
        except Refused:
            continue
    raise _describe_empty(field, spec)


def _leave_open(field: Field, line: FieldFile) -> Field:
    """A seed that is drawn for each job."""
    if line.fixed is not None:
        raise Misfit(
            "preset", "a fixed seed is a number; for a new one each time, leave out fixed."
        )
    return field


def _take_given(field: Field, word: str, given: Any) -> Field:
    offered = [choice.value for choice in field.choices or ()]
    if isinstance(given, list):
        rows = read_rows(given)
        given = [
            {**row, "name": _respell(row["name"], offered)} if isinstance(row, dict) else row
            for row in rows
        ]
        given = [row if isinstance(row, dict) else _respell(row, offered) for row in given]
    try:
        return _take(field, _respell(given, offered))
    except Refused as refusal:
        kind: Any = "missing_choice" if field.choices is not None else "value"
        key = word.removesuffix(" value")
        raise Misfit(kind, f"the {word} does not fit: {refusal}", key=key) from refusal


def _respell(value: Any, offered: list[Scalar]) -> Any:
    found = match_name(value, offered)
    return value if found is None else found


def _take(field: Field, value: Any) -> Field:
    return replace(field, default=describe_value(field, check_value(field, value)))


def _list_candidates(field: Field, workflow: Workflow, spec: InputSpec | None) -> list[Any]:
    if not field.slots:
        return [True] if field.widget == "checkbox" else _first_choice(field)
    own = _read_own(field, workflow)
    served = spec.default if spec else None
    if field.widget == "size":
        served = None
    last: list[Any] = [[]] if field.is_multiple else [*_first_choice(field), field.minimum]
    return [value for value in (own, served) if value is not None] + last


def _read_own(field: Field, workflow: Workflow) -> Any:
    """The value that the workflow itself stands for; a text that no template made is
    taken whole.
    """
    if field.widget == "size":
        return {part: read_slot(workflow, slots[0]) for part, slots in field.slots.items()}
    own = unwrap(read_slot(workflow, field.slots[""][0]))
    if field.template and isinstance(own, str):
        inner = invert_template(field.template, own)
        return own if inner is None and "{value}" in field.template else inner
    return own


def _first_choice(field: Field) -> list[Scalar]:
    return [field.choices[0].value] if field.choices else []


def _describe_empty(field: Field, spec: InputSpec | None) -> Misfit:
    name = spec.name if spec else field.name
    if field.choices is not None:
        message = (
            f"the server offers nothing for {name}; put a model into its models folder and refresh."
        )
        return Misfit("missing_model", message)
    return Misfit(
        "value", f"neither the preset nor the workflow nor the server has a value for {name}."
    )
