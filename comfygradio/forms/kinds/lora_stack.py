"""LoRA stacks: nodes of many packs that take a list of LoRAs as numbered inputs (`lora_name_2`,
`strength_2`, `switch_2`).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.nested_input import list_members, read_input, write_input
from comfygradio.comfy.object_info import InputSpec, Scalar, is_number, is_whole_number

NUMBERED = r"(\D*)(\d+)((?:[_. ]\D*)?)"
"""Matches a name with one number at its end or at the end of a word: not `t5xxl`, nor
`enable_2x`.
"""

WORD = r"[a-z]+"

STRENGTHS = frozenset({"strength", "weight", "wt", "str"})
SWITCHES = frozenset({"switch", "toggle", "enable", "enabled", "on", "active", "use"})
COUNTS = frozenset({"count", "num"})
"""Words in the names of count inputs in widespread packs."""

ON = frozenset({"on", "yes", "true", "enable", "enabled"})
OFF = frozenset({"off", "no", "false", "disable", "disabled"})
NONE = frozenset({"none", "[none]", ""})

FILES = frozenset({"lora", "lora_name", "name", "file"})
"""Members of a row object (`lora_1.lora`) that may contain its file."""

Inputs = Mapping[str, Any]
Specs = Mapping[str, InputSpec | None]


@dataclass(frozen=True)
class StackRow:
    """One row: the inputs for its file and strengths, and the values of its switch for `on` and
    `off`.
    """

    number: int
    name: str
    strengths: tuple[str, ...] = ()
    switch: str = ""
    on: Scalar = True
    off: Scalar = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every input of the row."""
        if self.switch:
            return (self.name, *self.strengths, self.switch)
        return (self.name, *self.strengths)


@dataclass(frozen=True)
class LoraStack:
    """The rows of a node. `count` is the input with the number of active rows (at least
    `min_count`), `none` the choice that means no file.

    If it `is_growing`, each row is an object in an input of its own, and the node takes any number
    of rows.
    """

    node_id: str
    rows: tuple[StackRow, ...]
    count: str = ""
    min_count: int = 0
    none: str | None = None
    is_growing: bool = False

    @property
    def can_be_empty(self) -> bool:
        """Whether each row can be left out."""
        if self.is_growing or self.none is not None:
            return True
        if self.count and self.min_count == 0:
            return True
        return all(row.switch for row in self.rows)


def find_lora_stack(node_id: str, inputs: Inputs, specs: Specs) -> LoraStack | None:
    """Find the rows of LoRAs of a node. Returns None if there are fewer than two rows; if rows are
    objects, one is enough.
    """
    objects = _find_object_rows(inputs)
    if objects:
        return _build_stack(node_id, inputs, specs, objects, grows=True)
    files: dict[int, str] = {}
    for name, number in list_numbered(inputs):
        if _is_file(name, inputs[name], specs.get(name)):
            files[number] = name
    # One numbered input is a loader like any other.
    if len(files) < 2:
        return None
    return _build_stack(node_id, inputs, specs, files, grows=False)


def _build_stack(
    node_id: str, inputs: Inputs, specs: Specs, names: Mapping[int, str], grows: bool
) -> LoraStack:
    """Build the rows with their files in these inputs, by number."""
    members = dict(list_members(inputs)) if grows else inputs
    numbered = list(list_numbered(members))
    rows = []
    for number, name in sorted(names.items()):
        beside: list[str] = []
        for other, other_number in numbered:
            if other == name or other_number != number:
                continue
            if not grows or _is_beside(other, name):
                beside.append(other)
        rows.append(_build_row(number, name, beside, members, specs))
    count = find_count(members)
    # `count` alone shares no word with the rows.
    if not count and "count" in members:
        count = "count"
    spec = specs.get(count)
    least = int(spec.minimum or 0) if spec else 0
    none = _find_none(specs.get(rows[0].name))
    return LoraStack(node_id, tuple(rows), count, least, none, grows)


def _build_row(
    number: int, name: str, beside: Sequence[str], members: Inputs, specs: Specs
) -> StackRow:
    """Build a row out of the input with its file and the inputs `beside` it."""
    strengths: list[str] = []
    switches: list[str] = []
    for other in beside:
        if _is_strength(other, members[other]):
            strengths.append(other)
        if is_switch(other):
            switches.append(other)
    strengths = _sort_strengths(strengths, members)
    switch = switches[0] if switches else ""
    on, off = _find_states(specs.get(switch))
    return StackRow(number, name, tuple(strengths), switch, on, off)


def list_active_loras(inputs: Inputs, rows: LoraStack) -> list[tuple[str, float]]:
    """List file and strength of each row that has an effect."""
    most = inputs.get(rows.count) if rows.count else None
    # Of rows that are objects there may be others by now.
    here = find_lora_stack(rows.node_id, inputs, {}) if rows.is_growing else rows
    if here is None:
        return []
    found: list[tuple[str, float]] = []
    for row in here.rows:
        name = read_input(inputs, row.name)
        if isinstance(most, int) and row.number > most:
            continue
        if row.switch and is_off(read_input(inputs, row.switch)):
            continue
        if not isinstance(name, str) or name.lower() in NONE:
            continue
        strengths = [read_input(inputs, one) for one in row.strengths]
        numbers = [float(one) for one in strengths if isinstance(one, int | float)]
        found.append((name, numbers[0] if numbers else 1.0))
    return found


def fill_lora_stack(
    inputs: dict[str, Any], rows: LoraStack, files: Sequence[tuple[str, float]]
) -> None:
    """Put files and strengths into the rows of a node in place, and turn the others off. If the
    node already has these, it is not changed at all.
    """
    # Rewriting a row gives all its strengths the same number, though the workflow's own may differ.
    if list_active_loras(inputs, rows) == list(files):
        return
    for place, row in enumerate(rows.rows):
        if place < len(files):
            name, strength = files[place]
            _fill_row(inputs, row, name, strength)
        elif row.switch:
            write_input(inputs, row.switch, row.off)
        elif rows.is_growing:
            del inputs[_name_object(row)]
        elif rows.none is not None:
            inputs[row.name] = rows.none
    if rows.is_growing:
        for file in files[len(rows.rows) :]:
            rows = _add_row(inputs, rows, file)
    if rows.count:
        # The number of the last row in use: rows may be numbered with gaps.
        last = rows.rows[len(files) - 1].number if files else 0
        inputs[rows.count] = max(rows.min_count, last)


def list_numbered(inputs: Inputs) -> Iterator[tuple[str, int]]:
    """List the inputs with a number in their name, and this number."""
    for name in inputs:
        if match := re.fullmatch(NUMBERED, name):
            yield name, int(match[2])


def is_switch(name: str) -> bool:
    """Whether an input has the name of a switch."""
    words = _list_words(name)
    return bool(SWITCHES & words)


def is_off(value: Any) -> bool:
    """Whether a switch is off."""
    if isinstance(value, str):
        return value.lower() in OFF
    return value is False


def find_count(inputs: Inputs) -> str:
    """Find the input with the number of active rows by a word that it shares with them
    (`lora_count`, `lora_name_1`); "" if there is none.
    """
    known: set[str] = set()
    for name, _ in list_numbered(inputs):
        known.update(_singular(word) for word in _list_words(name))
    for name, value in inputs.items():
        if not is_whole_number(value):
            continue
        words = _list_words(name)
        # lora_count counts lora_name_1 and lora_name_2, but image_count does not.
        counted = {_singular(word) for word in words - COUNTS}
        if COUNTS & words and counted and counted <= known:
            return name
    return ""


def _singular(word: str) -> str:
    return word.removesuffix("s")


def _list_words(name: str) -> frozenset[str]:
    words = re.findall(WORD, name.lower())
    return frozenset(words)


def _is_file(name: str, value: Any, spec: InputSpec | None) -> bool:
    words = _list_words(name)
    if "lora" not in words or words & (SWITCHES | STRENGTHS):
        return False
    is_listed = spec is None or spec.choices is not None
    return is_listed and isinstance(value, str)


def _is_strength(name: str, value: Any) -> bool:
    if not is_number(value):
        return False
    words = _list_words(name)
    if STRENGTHS & words:
        return True
    return any(word.startswith("strength") for word in words)


def _sort_strengths(strengths: list[str], inputs: Inputs) -> list[str]:
    """Sort strengths by relevance: in an advanced mode, that of the model comes first."""
    is_advanced = "advanced" in (inputs.get("input_mode"), inputs.get("mode"))
    if not is_advanced:
        return strengths
    return sorted(strengths, key=lambda name: "model" not in name)


def _find_states(spec: InputSpec | None) -> tuple[Scalar, Scalar]:
    """Find the values of a switch for on and off."""
    if spec is None or not spec.choices:
        return True, False
    on: Scalar = _find_word(spec.choices, ON, True)
    off: Scalar = _find_word(spec.choices, OFF, False)
    return on, off


def _find_word(choices: Sequence[Scalar], words: frozenset[str], default: bool) -> Scalar:
    """Find the first choice that is one of these words, ignoring case."""
    for choice in choices:
        if str(choice).lower() in words:
            return choice
    return default


def _find_none(spec: InputSpec | None) -> str | None:
    choices = spec.choices if spec and spec.choices else ()
    for choice in choices:
        if isinstance(choice, str) and choice.lower() in NONE:
            return choice
    return None


def _fill_row(inputs: dict[str, Any], row: StackRow, name: str, strength: float) -> None:
    """Put a file and its strength into a row. A row that has them already keeps its further
    strengths.
    """
    has_name = read_input(inputs, row.name) == name
    has_strength = False
    if row.strengths:
        has_strength = read_input(inputs, row.strengths[0]) == strength
    if not has_name or not has_strength:
        for one in row.strengths:
            write_input(inputs, one, strength)
        write_input(inputs, row.name, name)
    if row.switch:
        write_input(inputs, row.switch, row.on)


def _find_object_rows(inputs: Inputs) -> dict[int, str]:
    """Find the members with the files of rows that are objects, by number."""
    found: dict[int, str] = {}
    members = dict(list_members(inputs))
    for name, number in list_numbered(members):
        owner, _, member = name.rpartition(".")
        if owner not in inputs or "lora" not in _list_words(name):
            continue
        if member.lower() in FILES and isinstance(members[name], str):
            found.setdefault(number, name)
    return found


def _name_object(row: StackRow) -> str:
    """Name the input with a row that is an object."""
    name, _, _ = row.name.rpartition(".")
    return name


def _add_row(inputs: dict[str, Any], rows: LoraStack, file: tuple[str, float]) -> LoraStack:
    """Append a row in place: a copy of the last row with another file."""
    last = rows.rows[-1]
    number = last.number + 1
    while _renumber(_name_object(last), number) in inputs:
        number += 1
    added = replace(
        last,
        number=number,
        name=_renumber(last.name, number),
        strengths=tuple(_renumber(name, number) for name in last.strengths),
        switch=_renumber(last.switch, number),
    )
    pattern = inputs[_name_object(last)]
    inputs[_name_object(added)] = copy.deepcopy(pattern)
    name, strength = file
    _fill_row(inputs, added, name, strength)
    return replace(rows, rows=(*rows.rows, added))


def _renumber(name: str, number: int) -> str:
    """Replace the number in a name, with leading zeros if the old one had them."""
    found = re.fullmatch(NUMBERED, name)
    if found is None:
        return name
    before, digits, after = found.groups()
    new_digits = str(number).zfill(len(digits))
    return f"{before}{new_digits}{after}"


def _is_beside(name: str, other: str) -> bool:
    """Whether two members belong to the same object."""
    owner, _, _ = name.rpartition(".")
    other_owner, _, _ = other.rpartition(".")
    return owner == other_owner
