"""What a preset file may say. YAML, read strictly: every error names file, line and key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from comfygradio.errors import PresetError

Scalar = Annotated[bool | int | float | str, Field(union_mode="left_to_right")]
Widget = Literal["text", "textarea", "number", "slider", "dropdown", "radio", "checkbox", "seed", "size", "image"]

Loader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where it is there: unlike PyYAML's own scanner it takes `{label: What is it?}`, as YAML 1.2 does."""

LATER = frozenset({"template", "show_if", "optional", "bypass", "sweep"})
"""Keys of the preset language that this version does not know yet; said so instead of calling them typing errors."""


class SlotFile(BaseModel):
    """The long form of a slot address, which survives renumbering."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    node: str | int | None = None
    class_type: str | None = Field(default=None, alias="class")
    title: str | None = None
    input: str


SlotAddress = str | SlotFile


class FieldFile(BaseModel):
    """One line of the form, as the preset file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    slot: SlotAddress | list[SlotAddress] | None = None
    slots: dict[Literal["width", "height"], SlotAddress | list[SlotAddress]] | None = None
    label: str | None = None
    help: str | None = None
    placeholder: str | None = None
    group: str | None = None
    advanced: bool = False
    widget: Widget | None = None
    default: Scalar | None = None
    min: int | float | None = None
    max: int | float | None = None
    step: int | float | None = None
    choices: list[Scalar] | dict[str, Scalar] | str | None = None
    fixed: Scalar | None = None
    max_mb: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _check_slots(self) -> FieldFile:
        if (self.slot is None) == (self.slots is None):
            raise ValueError("needs either slot or slots")
        if self.slots is not None and set(self.slots) != {"width", "height"}:
            raise ValueError("needs both width and height in slots")
        return self


class PresetFile(BaseModel):
    """A whole preset file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    title: str = Field(min_length=1)
    workflow: str = Field(min_length=1)
    description: str = ""
    icon: str = ""
    group: str = ""
    order: int | float = 0
    fields: dict[str, FieldFile] = {}
    outputs: list[str | int] = []
    examples: list[dict[str, Scalar]] = []


def parse_preset_file(path: Path) -> PresetFile:
    """Read a preset file without its workflow. Raises PresetError, which names file, line and key."""
    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=Loader)
        data = yaml.load(text, Loader=Loader)
    except OSError as error:
        raise PresetError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise PresetError(f"{path} is not UTF-8 text.") from error
    except yaml.YAMLError as error:
        raise PresetError(_describe_yaml_error(path, error)) from error
    if not isinstance(data, dict) or tree is None:
        raise PresetError(f"{path}: a preset is a list of keys such as title, workflow and fields.")
    lines = _find_lines(path, tree)
    try:
        return PresetFile.model_validate(data)
    except ValidationError as error:
        raise PresetError(" ".join(_describe_problems(path, error, lines))) from error


def _describe_yaml_error(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    return f"{where}: no valid YAML: {getattr(error, 'problem', None) or 'cannot be parsed'}."


def _find_lines(path: Path, tree: yaml.Node) -> dict[tuple[str, ...], int]:
    """Line (from 1) of every key; refuses keys that stand twice, which YAML would silently overwrite."""
    lines: dict[tuple[str, ...], int] = {}

    def visit(node: yaml.Node, place: tuple[str, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*place, str(key.value))
                if inner in lines:
                    raise PresetError(f"{path}:{key.start_mark.line + 1}: the key {key.value} stands twice.")
                lines[inner] = key.start_mark.line + 1
                visit(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                visit(value, (*place, str(index)))

    visit(tree, ())
    return lines


def _describe_problems(path: Path, error: ValidationError, lines: Mapping[tuple[str, ...], int]) -> list[str]:
    found: dict[tuple[str, ...], str] = {}
    for problem in error.errors():
        place = tuple(str(part) for part in problem["loc"])
        while place and place not in lines:
            place = place[:-1]
        found.setdefault(place, _describe_problem(problem, place))
    return [f"{path}:{lines.get(place, 1)}: {text}" for place, text in found.items()]


def _describe_problem(problem: Any, place: tuple[str, ...]) -> str:
    key = ".".join(place)
    if problem["type"] == "extra_forbidden":
        return _describe_unknown_key(place)
    if problem["type"] == "missing":
        return f"{key + ' needs' if key else 'this preset needs'} a {problem['loc'][-1]}."
    if problem["type"] == "literal_error" and place[-1:] == ("widget",):
        return f"there is no widget {problem['input']}; there are {problem['ctx']['expected'].replace(' or ', ', ')}."
    return f"{key}: {problem['msg'].removeprefix('Value error, ')}."


def _describe_unknown_key(place: tuple[str, ...]) -> str:
    key = place[-1]
    known = _list_keys(FieldFile if place[0] == "fields" and len(place) == 3 else PresetFile)
    if key in LATER:
        return f"the key {key} is not supported by this version of comfygradio yet."
    near = difflib.get_close_matches(key, known, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
    return f"{'.'.join(place[:-1]) + ': ' if place[:-1] else ''}unknown key {key}; {hint}"


def _list_keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
