"""Reads preset files: YAML, strictly; every error names file, line and key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from comfygradio.errors import PresetError
from comfygradio.forms.field import show
from comfygradio.forms.preset_file import FieldFile, LoraFile, PresetFile, SlotFile, Widget

Loader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where it is there: unlike PyYAML's own scanner it takes `{label: What is it?}`, as YAML 1.2 does."""

MAX_NODES = 100_000
"""Keys and values of a preset file, aliases written out."""


def parse_preset_file(path: Path) -> PresetFile:
    """Read a preset file without its workflow. Raises PresetError, which names file, line and key."""
    try:
        data, lines = _read_tree(path, path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise PresetError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise PresetError(f"{path} is not UTF-8 text.") from error
    except RecursionError as error:
        raise PresetError(f"{path} is nested too deeply.") from error
    except yaml.YAMLError as error:
        raise PresetError(_describe_yaml_error(path, error)) from error
    try:
        file = PresetFile.model_validate(data)
    except ValidationError as error:
        raise PresetError(" ".join(_describe_problems(path, error, lines))) from error
    _check_examples(path, file, lines)
    return file


def _read_tree(path: Path, text: str) -> tuple[dict[str, Any], dict[tuple[str, ...], int]]:
    """The values of a file, and the line of each key. Raises PresetError, YAMLError, RecursionError."""
    tree = yaml.compose(text, Loader=Loader)
    if not isinstance(tree, yaml.MappingNode):
        raise PresetError(f"{path}: a preset is a list of keys such as title, workflow and fields.")
    _count_nodes(path, tree, {})
    lines = _find_lines(path, tree)
    try:
        data: dict[str, Any] = yaml.load(text, Loader=Loader)
    except (ValueError, LookupError, AttributeError, TypeError) as error:  # PyYAML on `2024-13-45` or `!!bool maybe`
        raise PresetError(f"{path}: a value cannot be read ({error}); put it in quotes.") from error
    return data, lines


def _count_nodes(path: Path, node: yaml.Node, known: dict[int, int]) -> int:
    """How many nodes a tree has once its aliases are written out. Raises PresetError where there are too many."""
    if id(node) not in known:
        known[id(node)] = MAX_NODES
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        inner = [part for pair in pairs for part in pair]
        inner += node.value if isinstance(node, yaml.SequenceNode) else []
        known[id(node)] = 1 + sum(_count_nodes(path, part, known) for part in inner)
    if known[id(node)] >= MAX_NODES:
        where = f"{path}:{node.start_mark.line + 1}"
        raise PresetError(
            f"{where}: this repeats too much, by anchors (&) and aliases (*); write less, or write it out."
        )
    return known[id(node)]


def _describe_yaml_error(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    return f"{where}: no valid YAML: {getattr(error, 'problem', None) or 'cannot be parsed'}."


def _find_lines(path: Path, tree: yaml.Node) -> dict[tuple[str, ...], int]:
    """Line (from 1) of every key; refuses what YAML would silently change: keys that stand twice or are no text."""
    lines: dict[tuple[str, ...], int] = {}
    seen: set[int] = set()

    def visit(node: yaml.Node, place: tuple[str, ...]) -> None:
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner, where = (*place, str(key.value)), f"{path}:{key.start_mark.line + 1}"
                if inner in lines:
                    raise PresetError(f"{where}: the key {key.value} stands twice.")
                if not key.tag.endswith((":str", ":merge")):
                    raise PresetError(f'{where}: write the key {key.value} in quotes ("{key.value}").')
                lines[inner] = key.start_mark.line + 1
                visit(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                visit(value, (*place, str(index)))

    visit(tree, ())
    return lines


def _check_examples(path: Path, file: PresetFile, lines: Mapping[tuple[str, ...], int]) -> None:
    known = {"title", *file.fields}
    for index, example in enumerate(file.examples):
        for name in example.keys() - known:
            line = lines.get(("examples", str(index), name), 1)
            raise PresetError(f"{path}:{line}: examples: there is no field {name}; there are {', '.join(file.fields)}.")
    for name in file.sweep.keys() - file.fields.keys():
        line = lines.get(("sweep", name), 1)
        raise PresetError(f"{path}:{line}: sweep: there is no field {name}; there are {', '.join(file.fields)}.")


def _describe_problems(path: Path, error: ValidationError, lines: Mapping[tuple[str, ...], int]) -> list[str]:
    found: dict[tuple[str, ...], Any] = {}
    for problem in error.errors():
        place = _find_place(problem["loc"], lines)
        if place not in found or _is_vague(found[place]):
            found[place] = problem
    deeper = {place[:length] for place in found for length in range(len(place))}
    telling = {place: problem for place, problem in found.items() if place not in deeper or not _is_vague(problem)}
    return [f"{path}:{lines.get(place, 1)}: {_describe_problem(problem, place)}" for place, problem in telling.items()]


def _find_place(loc: tuple[int | str, ...], lines: Mapping[tuple[str, ...], int]) -> tuple[str, ...]:
    """The keys on the way to a problem, without the names that pydantic gives to the branches of a union."""
    place: tuple[str, ...] = ()
    for part in map(str, loc):
        if (*place, part) in lines:
            place = (*place, part)
    return place


def _is_vague(problem: Any) -> bool:
    """Whether a problem says only that a value is of another type: one of several, where more types are possible."""
    return str(problem["type"]).endswith("_type")


def _describe_problem(problem: Any, place: tuple[str, ...]) -> str:
    key, kind = ".".join(place), problem["type"]
    if kind == "extra_forbidden":
        return _describe_unknown_key(place)
    if kind == "missing":
        return f"{key + ' needs' if key else 'this preset needs'} the key {problem['loc'][-1]}."
    if kind == "string_pattern_mismatch":
        return f"{key}: a field is named in letters, digits and _, beginning with a letter."
    if kind == "literal_error" and place[-1:] == ("widget",):
        return f"there is no widget {problem['input']}; there are {', '.join(get_args(Widget))}."
    return f"{key}: {_describe_value(problem, place)}"


def _describe_value(problem: Any, place: tuple[str, ...]) -> str:
    if _is_vague(problem):
        if place[:1] == ("fields",) and len(place) == 2:
            return "a field is a list of keys, for example {slot: 6.text}."
        if place[2:3] in (("slot",), ("slots",)):
            return "write NODE.INPUT, for example 6.text."
        if place[2:3] == ("show_if",):
            return "write {FIELD: VALUE} or {FIELD: [VALUE, VALUE]}, for example {mode: Photo}."
        if place[2:3] in (("choices",), ("default",), ("fixed",)) or place[:1] == ("examples",):
            return f"{show(problem['input'])} does not fit; texts, numbers, true and false do."
    return f"{problem['msg'].removeprefix('Value error, ').replace('Input should be', 'this has to be')}."


def _describe_unknown_key(place: tuple[str, ...]) -> str:
    key = place[-1]
    known = _list_keys(_find_model(place))
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
