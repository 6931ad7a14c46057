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

from comfygradio.forms.checks import check_value, is_open_seed
from comfygradio.forms.field import MEDIA, TEXTS, Choice, Field, Lora, Refused
from comfygradio.forms.meaning import find_meaning
from comfygradio.forms.preset_file import Widget
from comfygradio.sweeps.axes.catalog import Catalog, is_pattern
from comfygradio.sweeps.axes.file_patterns import Files
from comfygradio.sweeps.axes.numbers import (
    TOO_MANY,
    draw_seeds,
    expand_numbers,
    refuse_all_thousands,
    take_number,
)
from comfygradio.sweeps.axes.text import MAX_VALUES, Item, split_values

MOST_AT_ONCE = 100
"""Choices, or LoRAs, that make up one value."""

MOST_PARTS = 100_000
"""Choices, or LoRAs, that make up all values of an axis: ten in each of 10,000 values."""

TOO_MANY_PARTS = (
    f"the values hold too many choices in all; at most {MOST_PARTS:,} are allowed on an axis."
)

RANDOM = re.compile(r"random(?:\s*[x×*]\s*([0-9]{1,9}))?", re.IGNORECASE)
ONWARDS = re.compile(r"\+\s*([0-9]{1,9})")
LORA_TAG = re.compile(r"<lora:([^<>]+)>")


@dataclass(frozen=True)
class Found:
    """The checked values that an item stands for; `is_open` where on another day they might be
    others.
    """

    values: Sequence[Any]
    is_open: bool = False


@dataclass(frozen=True)
class Reader:
    """Reads values of one field: `start` is what the form has there, `rng` draws, `files` may be
    named.
    """

    field: Field
    start: Any = None
    rng: random.Random = dataclasses.field(default_factory=random.SystemRandom)
    files: Files = dataclasses.field(default_factory=Files)

    @cached_property
    def catalog(self) -> Catalog:
        """The field's choices, indexed."""
        return Catalog(self.field.choices or ())

    def read(self, items: Sequence[Item], index: int) -> Found:
        """What an item stands for. Raises Refused."""
        item = items[index]
        if self._is_empty(item):
            return Found([self.check(None)])
        return READERS[self.field.widget](self, items, index)

    def check(self, value: Any) -> Any:
        """A value given as it is, without any syntax, as the form takes it; open seeds are drawn.

        Raises Refused.
        """
        if self.field.widget == "seed" and is_open_seed(value):
            return self._check_open_seed(value)
        checked = check_value(self.field, value)
        if checked is None or self.field.is_integer:
            return checked
        if self.field.widget in ("number", "slider"):
            # Adding zero takes the sign off a zero.
            return float(checked) + 0.0
        return checked

    def take(self, value: Any) -> Any:
        """A value out of a list, in which nothing is syntax; names are found as in a text.

        Raises Refused.
        """
        value = find_meaning(self.field, value)
        if isinstance(value, str) and value.strip():
            if self.field.widget in MEDIA:
                [path] = self.files.find(value, is_literal=True)
                return self.check(path)
            if self.field.widget in ("dropdown", "radio") and not self.field.is_multiple:
                return self.catalog.find(value).value
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
        if self.field.widget in TEXTS:
            return False
        is_choice = self.catalog.find_exact(item.text) is not None
        if not item.text.strip():
            return self.field.optional or not is_choice
        if item.is_quoted or is_choice or item.text.lower() != "none":
            return False
        return self.field.optional or self.field.widget == "loras"


def read_text(reader: Reader, items: Sequence[Item], index: int) -> Found:
    """A text as it stands."""
    return Found([reader.check(items[index].text)])


def read_numbers(reader: Reader, items: Sequence[Item], index: int) -> Found:
    """One number, a range, or what the dots of a row stand for."""
    text = items[index].text
    refuse_all_thousands(reader.field, text)
    # Dots stand for what lies between the two items before them and the one after.
    first = max(0, index - 2)
    around = [item.text for item in items[first : index + 2]]
    numbers = expand_numbers(around, index - first, reader.field.is_integer)
    return Found([take_number(reader.field, number) for number in numbers])


def read_seeds(reader: Reader, items: Sequence[Item], index: int) -> Found:
    """Numbers as above, `random x4` for four that are drawn, `+3` for the form's seed and the three
    after it.
    """
    text = items[index].text
    drawn = RANDOM.fullmatch(text)
    if drawn or is_open_seed(text):
        count = int(drawn[1] or 1) if drawn else 1
        return Found(draw_seeds(reader.field, count, reader.rng), is_open=True)
    onwards = ONWARDS.fullmatch(text)
    if onwards:
        return Found(_count_on(reader, int(onwards[1])), is_open=True)
    found = read_numbers(reader, items, index)
    if any(is_open_seed(value) for value in found.values):
        raise Refused(
            "-1 stands for a random seed and cannot be part of a range; write random x4 for four "
            "of them."
        )
    return found


def read_choices(reader: Reader, items: Sequence[Item], index: int) -> Found:
    """A choice by value or label, several by a pattern; where a field takes several, an item is a
    list of them.
    """
    item = items[index]
    if not reader.field.is_multiple:
        return _find_choices(reader, item)
    choice = reader.catalog.find_exact(item.text)
    if choice is not None:
        return Found([(choice.value,)])
    found = _combine(item, lambda part: _find_choices(reader, part))
    without_doubles = [tuple(dict.fromkeys(value)) for value in found.values]
    return Found(without_doubles, found.is_open)


def read_switch(reader: Reader, items: Sequence[Item], index: int) -> Found:
    """On or off; `*` is both, off first."""
    text = items[index].text
    if text == "*":
        return Found([False, True])
    return Found([reader.check(text)])


def read_size(reader: Reader, items: Sequence[Item], index: int) -> Found:
    """A size in pixels, or one of the list by its label or a pattern."""
    item = items[index]
    if reader.field.choices is None:
        return Found([reader.check(item.text)])
    try:
        found = _find_choices(reader, item)
    except Refused:
        return Found([reader.check(item.text)])
    return Found([reader.check(value) for value in found.values], found.is_open)


def read_loras(reader: Reader, items: Sequence[Item], index: int) -> Found:
    """A list of `name:strength`; a pattern stands for several names, a range for
    several strengths.
    """
    found = _combine(items[index], lambda part: _read_row(reader, part))
    checked = [_check_loras(reader, rows) for rows in found.values]
    return Found(checked, found.is_open)


def read_files(reader: Reader, items: Sequence[Item], index: int) -> Found:
    """A file by its name, or those that a pattern finds."""
    item = items[index]
    paths = reader.files.find(item.text, item.is_quoted)
    checked = [reader.check(path) for path in paths]
    return Found(checked, is_open=not item.is_quoted)


READERS: Mapping[Widget, Callable[[Reader, Sequence[Item], int], Found]] = {
    "text": read_text,
    "textarea": read_text,
    "number": read_numbers,
    "slider": read_numbers,
    "seed": read_seeds,
    "dropdown": read_choices,
    "radio": read_choices,
    "checkbox": read_switch,
    "size": read_size,
    "color": read_text,
    "loras": read_loras,
    **dict.fromkeys(MEDIA, read_files),
}


def _count_on(reader: Reader, count: int) -> list[int]:
    if count >= MAX_VALUES:
        raise Refused(TOO_MANY)
    if isinstance(reader.start, int) and not is_open_seed(reader.start):
        first = reader.start
    else:
        first = draw_seeds(reader.field, 1, reader.rng)[0]
    seeds = range(first, first + count + 1)
    return [int(check_value(reader.field, seed)) for seed in seeds]


def _find_choices(reader: Reader, item: Item) -> Found:
    exact = reader.catalog.find_exact(item.text)
    if exact is not None:
        return Found([exact.value])
    if not item.is_quoted and is_pattern(item.text):
        choices = reader.catalog.find_all(item.text)
        return Found([choice.value for choice in choices], is_open=True)
    choice = reader.catalog.find(item.text)
    return Found([choice.value])


def _read_row(reader: Reader, item: Item) -> Found:
    tag = LORA_TAG.fullmatch(item.text)
    name = tag[1] if tag else item.text
    strength = ""
    # A name may hold a colon itself.
    is_whole = len(reader.catalog.find_meant(name)) == 1
    if ":" in name and not is_whole:
        name, _, strength = name.rpartition(":")
    named = Item(name.strip(), is_quoted=item.is_quoted)
    names = _find_choices(reader, named)
    strengths = [1.0]
    if strength.strip():
        numbers = expand_numbers([strength.strip()], 0)
        strengths = [float(number) for number in numbers]
    if len(names.values) * len(strengths) > MAX_VALUES:
        raise Refused(TOO_MANY)
    loras = []
    for found in names.values:
        loras += [Lora(str(found), one) for one in strengths]
    return Found(loras, names.is_open)


def _check_loras(reader: Reader, rows: tuple[Lora, ...]) -> Any:
    """Rows of known names as the form takes them, which need not be looked for among all the others
    again.
    """
    known = tuple(Choice(row.name, row.name) for row in rows)
    narrowed = dataclasses.replace(reader.field, choices=known)
    return check_value(narrowed, rows)


def _combine(item: Item, read: Callable[[Item], Found]) -> Found:
    """Every combination of one value of each part of an item."""
    parts: list[Found] = []
    items, _ = split_values(item.text)
    for one in items:
        parts.append(read(one))
        if len(parts) > MOST_AT_ONCE:
            raise Refused(f"at most {MOST_AT_ONCE} at once are possible.")
        count = math.prod(len(part.values) for part in parts)
        if count > MAX_VALUES:
            raise Refused(TOO_MANY)
        if count * len(parts) > MOST_PARTS:
            raise Refused(TOO_MANY_PARTS)
    combinations = itertools.product(*(part.values for part in parts))
    is_open = any(part.is_open for part in parts)
    return Found(list(combinations), is_open)
