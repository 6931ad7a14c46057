"""Reads preset files: YAML, strictly; every error names file, line and key."""

from __future__ import annotations

import difflib
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from comfygradio.errors import PresetError
from comfygradio.forms.field import show
from comfygradio.forms.formula import OWN, Formula
from comfygradio.forms.numerals import suggest_numerals
from comfygradio.forms.preset_file import (
    ComputedSlot,
    FieldFile,
    LoraFile,
    PresetFile,
    SlotFile,
    Widget,
    list_computed,
)
from comfygradio.forms.strict_yaml import Lines, read_yaml

TOLD = 20
"""Problems of one file that are described."""


def parse_preset_file(path: Path) -> PresetFile:
    """Read a preset file without its workflow.

    Raises PresetError, which names file, line and key.
    """
    return read_preset_file(path)[0]


def read_preset_file(path: Path) -> tuple[PresetFile, Lines]:
    """A preset file without its workflow, and the line of each of its keys.

    Raises PresetError, which names file, line and key.
    """
    data, lines = read_yaml(
        path, PresetError, "a preset is a list of keys such as title, workflow and fields."
    )
    try:
        file = PresetFile.model_validate(data)
    except ValidationError as error:
        raise PresetError(" ".join(_describe_problems(path, error, lines))) from error
    _check_examples(path, file, lines)
    _check_formulas(path, file, lines)
    return file, lines


def _check_examples(path: Path, file: PresetFile, lines: Lines) -> None:
    known = {"title", *file.fields}
    for index, example in enumerate(file.examples):
        for name in example.keys() - known:
            line = lines.get(("examples", str(index), name), 1)
            raise PresetError(
                f"{path}:{line}: examples: there is no field {name}; there are "
                f"{', '.join(file.fields)}."
            )
    for name in file.sweep.keys() - file.fields.keys():
        line = lines.get(("sweep", name), 1)
        raise PresetError(
            f"{path}:{line}: sweep: there is no field {name}; there are {', '.join(file.fields)}."
        )


def _check_formulas(path: Path, file: PresetFile, lines: Lines) -> None:
    for name, line in file.fields.items():
        for one in list_computed(line):
            for other in sorted(Formula.parse(one.of).names - {name, OWN}):
                raise PresetError(
                    f"{path}:{lines.get(('fields', name), 1)}: fields.{name}: the formula {one.of} "
                    f"uses {other}; it can use {OWN}, or {name}, the field's own name."
                )


def _describe_problems(path: Path, error: ValidationError, lines: Lines) -> list[str]:
    found: dict[tuple[str, ...], Any] = {}
    for problem in error.errors():
        place = _find_place(problem["loc"], lines)
        if place not in found or _is_vague(found[place]):
            found[place] = problem
    deeper = {place[:length] for place in found for length in range(len(place))}
    telling = {
        place: problem
        for place, problem in found.items()
        if place not in deeper or not _is_vague(problem)
    }
    described = [
        f"{path}:{lines.get(place, 1)}: {_describe_problem(problem, place)}"
        for place, problem in islice(telling.items(), TOLD)
    ]
    more = len(telling) - len(described)
    return [*described, f"There are {more:,} more problems."] if more else described


def _find_place(loc: tuple[int | str, ...], lines: Lines) -> tuple[str, ...]:
    """The keys on the way to a problem, without the names that pydantic gives to the branches of a
    union.
    """
    place: tuple[str, ...] = ()
    for part in map(str, loc):
        if (*place, part) in lines:
            place = (*place, part)
    return place


def _is_vague(problem: Any) -> bool:
    """Whether a problem says only that a value is of another type: one of several, where more types
    are possible.
    """
    return str(problem["type"]).endswith("_type")


def _describe_problem(problem: Any, place: tuple[str, ...]) -> str:
    key, kind = ".".join(place), problem["type"]
    if kind == "extra_forbidden":
        unknown = str(problem["loc"][-1])
        inside = place[:-1] if place[-1:] == (unknown,) else place
        return _describe_unknown_key((*inside, unknown), "computed" in problem["loc"])
    if kind == "missing":
        return f"{key + ' needs' if key else 'this preset needs'} the key {problem['loc'][-1]}."
    if kind == "string_pattern_mismatch":
        return f"{key}: a field is named in letters, digits and _, beginning with a letter."
    if kind == "literal_error" and place[-1:] == ("widget",):
        return f"there is no widget {problem['input']}; there are {', '.join(get_args(Widget))}."
    return f"{key}: {_describe_value(problem, place)}"


def _describe_value(problem: Any, place: tuple[str, ...]) -> str:
    if _is_vague(problem):
        if problem["loc"][-1] == "of":
            return "write plain arithmetic as a text, for example value * 0.5."
        if place[:1] == ("fields",) and len(place) == 2:
            return "a field is a list of keys, for example {slot: 6.text}."
        if place[2:3] in (("slot",), ("slots",)):
            return "write NODE.INPUT, for example 6.text."
        if place[2:3] == ("show_if",):
            return "write {FIELD: VALUE} or {FIELD: [VALUE, VALUE]}, for example {mode: Photo}."
        if place[2:3] in (("choices",), ("default",), ("fixed",)) or place[:1] == ("examples",):
            return f"{show(problem['input'])} does not fit; texts, numbers, true and false do."
    message = problem["msg"].removeprefix("Value error, ")
    meant = suggest_numerals(problem["input"]) if _is_text_for_number(problem) else ()
    advice = f"; write {' or '.join(meant)}" if meant else ""
    return f"{message.replace('Input should be', 'this has to be')}{advice}."


def _is_text_for_number(problem: Any) -> bool:
    return problem["type"] in ("int_type", "float_type") and isinstance(problem["input"], str)


def _describe_unknown_key(place: tuple[str, ...], is_computed: bool) -> str:
    key = place[-1]
    known = _list_keys(ComputedSlot if is_computed else _find_model(place))
    near = difflib.get_close_matches(key, known, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
    return f"{'.'.join(place[:-1]) + ': ' if place[:-1] else ''}unknown key {key}; {hint}"


def _find_model(place: tuple[str, ...]) -> type[BaseModel]:
    if len(place) < 2:
        return PresetFile
    if place[0] == "fields" and len(place) <= 3:
        return FieldFile
    return LoraFile if place[0] == "examples" or place[2:3] == ("default",) else SlotFile


def _list_keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
