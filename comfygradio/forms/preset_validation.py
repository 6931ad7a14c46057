"""Checks the keys of a preset file; every problem is told with file, line and key."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from comfygradio.errors import PresetError
from comfygradio.forms.formula import OWN_NAME, Formula
from comfygradio.forms.kinds.numerals import suggest_numerals
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.kinds.value import shorten
from comfygradio.forms.model_entry import ModelEntry
from comfygradio.forms.preset_file import (
    ComputedSlot,
    FieldEntry,
    LoraEntry,
    PresetFile,
    SlotEntry,
    list_computed_slots,
)
from comfygradio.forms.strict_yaml import KeyLines

MAX_DESCRIBED = 20
"""Maximum number of problems of one file that are described."""


def validate_preset(path: Path, data: dict[str, Any], lines: KeyLines) -> PresetFile:
    """Make a preset file of its keys. Raises PresetError."""
    try:
        file = PresetFile.model_validate(data)
    except ValidationError as error:
        problems = _describe_problems(path, error, lines)
        raise PresetError(" ".join(problems)) from error
    _check_examples(path, file, lines)
    _check_formulas(path, file, lines)
    return file


def _check_examples(path: Path, file: PresetFile, lines: KeyLines) -> None:
    """Raise PresetError for an example or a suggested axis of a field that does not exist."""
    there_are = f"there are {', '.join(file.fields)}."
    known = {"title", *file.fields}
    for index, example in enumerate(file.examples):
        unknown = example.keys() - known
        for name in unknown:
            line = lines.get(("examples", str(index), name), 1)
            where = f"{path}:{line}: examples"
            raise PresetError(f"{where}: there is no field {name}; {there_are}")
    unknown = file.sweep.keys() - file.fields.keys()
    for name in unknown:
        line = lines.get(("sweep", name), 1)
        where = f"{path}:{line}: sweep"
        raise PresetError(f"{where}: there is no field {name}; {there_are}")


def _check_formulas(path: Path, file: PresetFile, lines: KeyLines) -> None:
    """Raise PresetError for a formula that uses another name than that of its field."""
    for name, line in file.fields.items():
        for one in list_computed_slots(line):
            formula = Formula.parse(one.of)
            others = formula.names - {name, OWN_NAME}
            if others:
                number = lines.get(("fields", name), 1)
                where = f"{path}:{number}: fields.{name}"
                raise PresetError(
                    f"{where}: the formula {one.of} uses {min(others)}; it can use {OWN_NAME}, or "
                    f"{name}, the field's own name."
                )


def _describe_problems(path: Path, error: ValidationError, lines: KeyLines) -> list[str]:
    """Describe problems, with their lines. Only the most specific problem of each place is
    described, since pydantic reports one for each type that is possible there.
    """
    # Of each place the first problem, unless a later one says more.
    found: dict[tuple[str, ...], Any] = {}
    for problem in error.errors():
        place = _find_place(problem["loc"], lines)
        if place not in found or _is_vague(found[place]):
            found[place] = problem
    # A wrong type says nothing new about a place inside of which another problem lies.
    outer: set[tuple[str, ...]] = set()
    for place in found:
        outer.update(place[:length] for length in range(len(place)))
    specific: list[tuple[tuple[str, ...], Any]] = []
    for place, problem in found.items():
        if place not in outer or not _is_vague(problem):
            specific.append((place, problem))
    described: list[str] = []
    for place, problem in specific[:MAX_DESCRIBED]:
        line = _find_line(place, lines)
        told = _describe_problem(problem, place)
        described.append(f"{path}:{line}: {told}")
    more = len(specific) - len(described)
    if more:
        described.append(f"There are {more:,} more problems.")
    return described


def _find_place(loc: tuple[int | str, ...], lines: KeyLines) -> tuple[str, ...]:
    """Find the keys that lead to a problem, without the names that pydantic gives to the branches
    of a union.
    """
    place: tuple[str, ...] = ()
    for part in map(str, loc):
        # An entry of the list of models has a number, which has no line of its own.
        if (*place, part) in lines or place == ("models",):
            place = (*place, part)
    return place


def _find_line(place: tuple[str, ...], lines: KeyLines) -> int:
    """Find the line of a place; of an entry in a list, the line of its first key."""
    if place in lines:
        return lines[place]
    inner = [line for other, line in lines.items() if other[: len(place)] == place]
    return min(inner, default=lines.get(place[:1], 1))


def _is_vague(problem: Any) -> bool:
    """Whether a problem only reports a wrong type; pydantic adds one for each type of a union."""
    name = str(problem["type"])
    return name.endswith("_type") or name == "is_instance_of"


def _describe_problem(problem: Any, place: tuple[str, ...]) -> str:
    key = ".".join(place)
    kind = problem["type"]
    if kind == "extra_forbidden":
        return _describe_unknown_key(problem, place)
    if kind == "missing":
        where = key or "this preset"
        return f"{where} needs the key {problem['loc'][-1]}."
    if kind == "string_pattern_mismatch":
        return f"{key}: a field is named in letters, digits and _, beginning with a letter."
    if kind == "literal_error" and place[-1:] == ("widget",):
        widgets = ", ".join(get_args(Widget))
        return f"there is no widget {problem['input']}; there are {widgets}."
    return f"{key}: {_describe_value(problem, place)}"


def _describe_value(problem: Any, place: tuple[str, ...]) -> str:
    if _is_vague(problem):
        field_key = place[2:3]
        if place[:1] == ("models",) and len(place) < 3:
            return (
                "write a list of models, each with its keys, for example {name: a.safetensors, "
                "folder: checkpoints, url: https://…}."
            )
        if problem["loc"][-1] == "of":
            return "write plain arithmetic as a text, for example value * 0.5."
        if place[:1] == ("fields",) and len(place) == 2:
            return "a field is a list of keys, for example {slot: 6.text}."
        if field_key in (("slot",), ("slots",)):
            return "write NODE.INPUT, for example 6.text."
        if field_key == ("show_if",):
            return "write {FIELD: VALUE} or {FIELD: [VALUE, VALUE]}, for example {mode: Photo}."
        takes_scalars = field_key in (("choices",), ("default",), ("fixed",))
        if takes_scalars or place[:1] == ("examples",):
            return f"{shorten(problem['input'])} does not fit; texts, numbers, true and false do."
    message = problem["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be", "this has to be")
    meant = suggest_numerals(problem["input"]) if _is_text_for_number(problem) else ()
    advice = f"; write {' or '.join(meant)}" if meant else ""
    return f"{message}{advice}."


def _is_text_for_number(problem: Any) -> bool:
    if problem["type"] not in ("int_type", "float_type"):
        return False
    return isinstance(problem["input"], str)


def _describe_unknown_key(problem: Any, place: tuple[str, ...]) -> str:
    key = str(problem["loc"][-1])
    outer = place
    # A key that comes from an alias has no line of its own, so that its place ends before it.
    if place[-1:] == (key,):
        outer = place[:-1]
    if "computed" in problem["loc"]:
        model: type[BaseModel] = ComputedSlot
    else:
        model = _find_model((*outer, key))
    known = _list_keys(model)
    near = difflib.get_close_matches(key, known, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
    told = f"unknown key {key}; {hint}"
    if not outer:
        return told
    where = ".".join(outer)
    return f"{where}: {told}"


def _find_model(place: tuple[str, ...]) -> type[BaseModel]:
    """Find the model of the mapping that contains a key."""
    # The place ends with the key itself: fields, NAME, KEY.
    if len(place) < 2:
        return PresetFile
    if place[0] == "fields" and len(place) <= 3:
        return FieldEntry
    if place[0] == "models":
        return ModelEntry
    if place[0] == "examples" or place[2:3] == ("default",):
        return LoraEntry
    return SlotEntry


def _list_keys(model: type[BaseModel]) -> list[str]:
    names: list[str] = []
    for name, field in model.model_fields.items():
        names.append(field.alias or name)
    return names
