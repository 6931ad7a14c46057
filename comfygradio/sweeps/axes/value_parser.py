"""Values of axes: what one item of an axis text stands for, by the kind of field."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from comfygradio.forms.field import Field
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.kinds.seed import is_open_seed
from comfygradio.forms.kinds.value import Choice, InvalidValue, Lora
from comfygradio.forms.scalar_resolution import resolve_value
from comfygradio.forms.value_check import check_value
from comfygradio.sweeps.axes.axis_text import MAX_VALUES, Item, split_values
from comfygradio.sweeps.axes.choice_index import ChoiceIndex, is_pattern
from comfygradio.sweeps.axes.file_pattern import AllowedFiles
from comfygradio.sweeps.axes.number_range import (
    TOO_MANY,
    check_all_thousands,
    convert_number,
    draw_seeds,
    expand_numbers,
)

MAX_COMBINED = 100
"""Choices, or LoRAs, that make up one value."""

MAX_PARTS = 100_000
"""Choices, or LoRAs, that make up all values of an axis: ten in each of 10,000 values."""

TOO_MANY_PARTS = (
    f"the values hold too many choices in all; at most {MAX_PARTS:,} are allowed on an axis."
)

RANDOM = re.compile(r"random(?:\s*[x×*]\s*([0-9]{1,9}))?", re.IGNORECASE)
COUNT_ON = re.compile(r"\+\s*([0-9]{1,9})")
LORA_TAG = re.compile(r"<lora:([^<>]+)>")


@dataclass(frozen=True)
class ParsedValues:
    """The checked values that an item stands for; `is_open` where on another day they might be
    others.
    """

    values: Sequence[Any]
    is_open: bool = False


@dataclass(frozen=True)
class ValueParser:
    """Reads values of one field: `start` is what the form has there, `rng` draws, `files` may be
    named.
    """

    field: Field
    start: Any = None
    rng: random.Random = dataclasses.field(default_factory=random.SystemRandom)
    files: AllowedFiles = dataclasses.field(default_factory=AllowedFiles)

    @cached_property
    def choice_index(self) -> ChoiceIndex:
        """The field's choices, indexed."""
        return ChoiceIndex(self.field.choices or ())

    def parse(self, items: Sequence[Item], index: int) -> ParsedValues:
        """What an item stands for. Raises InvalidValue."""
        item = items[index]
        if self._is_empty(item):
            return ParsedValues([self.check(None)])
        parse = PARSERS.get(self.field.widget, parse_text)
        return parse(self, items, index)

    def check(self, value: Any) -> Any:
        """A value given as it is, without any syntax, as the form takes it; open seeds are drawn.

        Raises InvalidValue.
        """
        if self.field.widget == "seed" and is_open_seed(value):
            return self._check_open_seed(value)
        checked = check_value(self.field, value)
        if checked is None or self.field.is_integer:
            return checked
        if self.field.kind.is_number:
            # Adding zero takes the sign off a zero.
            return float(checked) + 0.0
        return checked

    def parse_listed(self, value: Any) -> Any:
        """A value out of a list, in which nothing is syntax; names are found as in a text.

        Raises InvalidValue.
        """
        value = resolve_value(self.field, value)
        if isinstance(value, str) and value.strip():
            if self.field.kind.is_media:
                [path] = self.files.find(value, is_literal=True)
                return self.check(path)
            if self.field.kind.is_list and not self.field.is_multiple:
                return self.choice_index.find(value).value
        return self.check(value)

    def _check_open_seed(self, value: Any) -> Any:
        is_empty = value is None or (isinstance(value, str) and not value.strip())
        if not is_empty:
            return draw_seeds(self.field, 1, self.rng)[0]
        if self.field.optional:
            return None
        return check_value(self.field, "nothing")

    def _is_empty(self, item: Item) -> bool:
        """Whether an item stands for nothing: `""`, or `none` where a field may be empty."""
        if self.field.kind.is_text:
            return False
        is_choice = self.choice_index.find_exact(item.text) is not None
        if not item.text.strip():
            return self.field.optional or not is_choice
        if item.is_quoted or is_choice or item.text.lower() != "none":
            return False
        return self.field.optional or self.field.widget == "loras"


def parse_text(reader: ValueParser, items: Sequence[Item], index: int) -> ParsedValues:
    """A text as it stands."""
    return ParsedValues([reader.check(items[index].text)])


def parse_numbers(reader: ValueParser, items: Sequence[Item], index: int) -> ParsedValues:
    """One number, a range, or what the dots of a row stand for."""
    text = items[index].text
    check_all_thousands(reader.field, text)
    # Dots stand for what lies between the two items before them and the one after.
    first = max(0, index - 2)
    around = [item.text for item in items[first : index + 2]]
    numbers = expand_numbers(around, index - first, reader.field.is_integer)
    return ParsedValues([convert_number(reader.field, number) for number in numbers])


def parse_seeds(reader: ValueParser, items: Sequence[Item], index: int) -> ParsedValues:
    """Numbers as above, `random x4` for four that are drawn, `+3` for the form's seed and the three
    after it.
    """
    text = items[index].text
    drawn = RANDOM.fullmatch(text)
    if drawn or is_open_seed(text):
        count = int(drawn[1] or 1) if drawn else 1
        return ParsedValues(draw_seeds(reader.field, count, reader.rng), is_open=True)
    onwards = COUNT_ON.fullmatch(text)
    if onwards:
        return ParsedValues(_count_on(reader, int(onwards[1])), is_open=True)
    found = parse_numbers(reader, items, index)
    if any(is_open_seed(value) for value in found.values):
        raise InvalidValue(
            "-1 stands for a random seed and cannot be part of a range; write random x4 for four "
            "of them."
        )
    return found


def parse_choices(reader: ValueParser, items: Sequence[Item], index: int) -> ParsedValues:
    """A choice by value or label, several by a pattern; where a field takes several, an item is a
    list of them.
    """
    item = items[index]
    if not reader.field.is_multiple:
        return _find_choices(reader, item)
    choice = reader.choice_index.find_exact(item.text)
    if choice is not None:
        return ParsedValues([(choice.value,)])
    found = _combine(item, lambda part: _find_choices(reader, part))
    without_doubles = [tuple(dict.fromkeys(value)) for value in found.values]
    return ParsedValues(without_doubles, found.is_open)


def parse_switch(reader: ValueParser, items: Sequence[Item], index: int) -> ParsedValues:
    """On or off; `*` is both, off first."""
    text = items[index].text
    if text == "*":
        return ParsedValues([False, True])
    return ParsedValues([reader.check(text)])


def parse_size(reader: ValueParser, items: Sequence[Item], index: int) -> ParsedValues:
    """A size in pixels, or one of the list by its label or a pattern."""
    item = items[index]
    if reader.field.choices is None:
        return ParsedValues([reader.check(item.text)])
    try:
        found = _find_choices(reader, item)
    except InvalidValue:
        return ParsedValues([reader.check(item.text)])
    return ParsedValues([reader.check(value) for value in found.values], found.is_open)


def parse_loras(reader: ValueParser, items: Sequence[Item], index: int) -> ParsedValues:
    """A list of `name:strength`; a pattern stands for several names, a range for
    several strengths.
    """
    found = _combine(items[index], lambda part: _parse_lora(reader, part))
    checked = [_check_loras(reader, rows) for rows in found.values]
    return ParsedValues(checked, found.is_open)


def parse_files(reader: ValueParser, items: Sequence[Item], index: int) -> ParsedValues:
    """A file by its name, or those that a pattern finds."""
    item = items[index]
    paths = reader.files.find(item.text, item.is_quoted)
    checked = [reader.check(path) for path in paths]
    return ParsedValues(checked, is_open=not item.is_quoted)


PARSERS: Mapping[Widget, Callable[[ValueParser, Sequence[Item], int], ParsedValues]] = {
    "number": parse_numbers,
    "slider": parse_numbers,
    "seed": parse_seeds,
    "dropdown": parse_choices,
    "radio": parse_choices,
    "checkbox": parse_switch,
    "size": parse_size,
    "loras": parse_loras,
    "image": parse_files,
    "mask": parse_files,
    "video": parse_files,
    "audio": parse_files,
    "file": parse_files,
}
"""Widgets whose items have a syntax of their own; the items of others are values as they stand."""


def _count_on(reader: ValueParser, count: int) -> list[int]:
    if count >= MAX_VALUES:
        raise InvalidValue(TOO_MANY)
    if isinstance(reader.start, int) and not is_open_seed(reader.start):
        first = reader.start
    else:
        first = draw_seeds(reader.field, 1, reader.rng)[0]
    seeds = range(first, first + count + 1)
    return [int(check_value(reader.field, seed)) for seed in seeds]


def _find_choices(reader: ValueParser, item: Item) -> ParsedValues:
    exact = reader.choice_index.find_exact(item.text)
    if exact is not None:
        return ParsedValues([exact.value])
    if not item.is_quoted and is_pattern(item.text):
        choices = reader.choice_index.find_all(item.text)
        return ParsedValues([choice.value for choice in choices], is_open=True)
    choice = reader.choice_index.find(item.text)
    return ParsedValues([choice.value])


def _parse_lora(reader: ValueParser, item: Item) -> ParsedValues:
    tag = LORA_TAG.fullmatch(item.text)
    name = tag[1] if tag else item.text
    strength = ""
    # A name may hold a colon itself.
    is_whole = len(reader.choice_index.find_candidates(name)) == 1
    if ":" in name and not is_whole:
        name, _, strength = name.rpartition(":")
    named = Item(name.strip(), is_quoted=item.is_quoted)
    names = _find_choices(reader, named)
    strengths = [1.0]
    if strength.strip():
        numbers = expand_numbers([strength.strip()], 0)
        strengths = [float(number) for number in numbers]
    if len(names.values) * len(strengths) > MAX_VALUES:
        raise InvalidValue(TOO_MANY)
    loras = []
    for found in names.values:
        loras += [Lora(str(found), one) for one in strengths]
    return ParsedValues(loras, names.is_open)


def _check_loras(reader: ValueParser, rows: tuple[Lora, ...]) -> Any:
    """Rows of known names as the form takes them, which need not be looked for among all the others
    again.
    """
    known = tuple(Choice(row.name, row.name) for row in rows)
    narrowed = dataclasses.replace(reader.field, choices=known)
    return check_value(narrowed, rows)


def _combine(item: Item, read: Callable[[Item], ParsedValues]) -> ParsedValues:
    """Every combination of one value of each part of an item."""
    parts: list[ParsedValues] = []
    items, _ = split_values(item.text)
    for one in items:
        parts.append(read(one))
        if len(parts) > MAX_COMBINED:
            raise InvalidValue(f"at most {MAX_COMBINED} at once are possible.")
        count = math.prod(len(part.values) for part in parts)
        if count > MAX_VALUES:
            raise InvalidValue(TOO_MANY)
        if count * len(parts) > MAX_PARTS:
            raise InvalidValue(TOO_MANY_PARTS)
    combinations = itertools.product(*(part.values for part in parts))
    is_open = any(part.is_open for part in parts)
    return ParsedValues(list(combinations), is_open)
