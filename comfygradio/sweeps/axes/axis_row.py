"""Rows: what one field of an axis goes through, read from a text or from a list of values.

On axes of numbers `6, 5` are two values, while `6,5` may be one, with a comma for its point. What
may be either is refused, with both ways to write it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from comfygradio.errors import AxisError
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.numerals import parse_numeral
from comfygradio.forms.kinds.value import Choice, InvalidValue, shorten
from comfygradio.sweeps.axes.axis import Change
from comfygradio.sweeps.axes.axis_text import (
    MAX_VALUES,
    Item,
    check_length,
    split_texts,
    split_values,
)
from comfygradio.sweeps.axes.number_range import MAX_RANGE_LENGTH, TOO_MANY
from comfygradio.sweeps.axes.search_replace import ReplacementParser, is_search_replace
from comfygradio.sweeps.axes.value_format import format_label, format_value
from comfygradio.sweeps.axes.value_parser import MAX_PARTS, TOO_MANY_PARTS, ValueParser

Position = tuple[Change, str] | None
"""A change and its label; None where the position is skipped."""

MAX_SEARCH_TEXTS = 1_000
"""Different texts that one axis may search for."""


WHOLE = re.compile(r"[+-]?[0-9]+")

DECIMALS = re.compile(r"([0-9]|0[0-9]+)(?![0-9])")
"""What may stand behind a comma that is a point: one digit, or digits that begin with a zero, as no
number does. More may follow, such as the rest of a range.
"""

ONLY_DIGITS = re.compile(r"[0-9]+")

THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})*,0[0-9]{2}(?:,[0-9]{3})*")
"""Groups of three digits of which one begins with a zero; `100,200` is a list."""

STRENGTH = re.compile(r"[^,]*:([+-]?[0-9]+)")


@dataclass
class AxisRow:
    """What one field of an axis goes through; `text` reads as it again.

    `searched` is search text → number and item.
    """

    field: Field
    text: str
    positions: list[Position] = dataclasses.field(default_factory=list)
    searched: dict[str, tuple[int, Item]] = dataclasses.field(default_factory=dict)
    _parts: int = 0

    def add(self, positions: Sequence[Position]) -> None:
        """Add positions. Raises InvalidValue where they become too many."""
        self.positions += positions
        if len(self.positions) > MAX_VALUES:
            raise InvalidValue(TOO_MANY)
        self._parts += sum(_count_parts(position) for position in positions)
        if self._parts > MAX_PARTS:
            raise InvalidValue(TOO_MANY_PARTS)


def parse_row(reader: ValueParser, given: Any) -> AxisRow:
    """The row of a text, of a list of values, or of one value. Raises AxisError."""
    if not isinstance(given, str):
        values = [given] if isinstance(given, bool | int | float) else given
        row = _parse_list(reader, values)
    elif is_search_replace(given):
        row = _parse_replacements(reader, given)
    else:
        row = _parse_text_row(reader, given)
    with locate(reader.field):
        check_length(row.text)
    return row


def format_items(reader: ValueParser, values: Sequence[Any]) -> list[str]:
    """The item that reads as each of these values. Raises AxisError."""
    taken = []
    for number, value in enumerate(values, 1):
        with locate(reader.field, number, Item(shorten(value))):
            taken.append(reader.parse_listed(value))
    return _format_values(reader, taken)


@contextmanager
def locate(field: Field, number: int = 0, item: Item | None = None) -> Iterator[None]:
    """Turns what is refused inside into an AxisError that names the place."""
    try:
        yield
    except InvalidValue as refusal:
        place = item.start + 1 if item else 0
        text = shorten(item.text) if item else ""
        raise AxisError(str(refusal), field.name, number, place, text) from None


def _parse_text_row(reader: ValueParser, text: str) -> AxisRow:
    row = AxisRow(reader.field, text)
    edits: list[tuple[Item, str]] = []
    with locate(reader.field):
        items, joint = _split(reader.field, text)
    _check_commas(reader.field, text, items)

    def read(index: int) -> list[Position]:
        item = items[index]
        found = reader.parse(items, index)
        if found.is_open and not item.is_skipped:
            # Written out, since what is drawn or listed now may be something else next time.
            written = _format_values(reader, found.values)
            edits.append((item, joint.join(written)))
        return [_set(reader, value) for value in found.values]

    _fill(row, items, read)
    row.text = _apply_edits(text, edits)
    return row


def _check_commas(field: Field, text: str, items: Sequence[Item]) -> None:
    """Raises AxisError where a comma may be meant for a point."""
    found = find_ambiguous(field, text, items)
    if found is not None:
        place, problem = found
        with locate(field, place + 1, items[place]):
            raise InvalidValue(problem)


def _apply_edits(text: str, edits: Sequence[tuple[Item, str]]) -> str:
    """The text with these items written in another way; they are in the order of the text."""
    parts: list[str] = []
    position = 0
    for item, written in edits:
        parts.append(text[position : item.start])
        parts.append(written)
        position = item.end
    parts.append(text[position:])
    return "".join(parts)


def _parse_replacements(reader: ValueParser, text: str) -> AxisRow:
    row = AxisRow(reader.field, text)
    with locate(reader.field):
        swaps = ReplacementParser.split(reader.field, text)

    def read(index: int) -> list[Position]:
        found = swaps.parse(index)
        if not swaps.items[index].is_skipped:
            place = index if swaps.is_paired else 0
            origin = (place + 1, swaps.items[place])
            row.searched.setdefault(found[0].search, origin)
        if len(row.searched) > MAX_SEARCH_TEXTS:
            raise InvalidValue(
                f"an axis may search for at most {MAX_SEARCH_TEXTS:,} different texts."
            )
        positions: list[Position] = []
        for swap in found:
            change = Change(reader.field.name, swap.value, "replace", swap.search)
            positions.append((change, swap.label))
        return positions

    _fill(row, swaps.items, read)
    return row


def _fill(row: AxisRow, items: Sequence[Item], read: Callable[[int], list[Position]]) -> None:
    """Add what every item stands for; a skipped one keeps its places empty, one place where it
    cannot be read.
    """
    for index, item in enumerate(items):
        with locate(row.field, index + 1, item):
            _check_item(row.field, item)
            try:
                positions = read(index)
            except InvalidValue:
                if not item.is_skipped:
                    raise
                positions = [None]
            if item.is_skipped:
                positions = [None] * len(positions)
            row.add(positions)


def _check_item(field: Field, item: Item) -> None:
    """Raises InvalidValue for an item that is longer than what it could stand for: a value as the
    form takes it, or a range of numbers.
    """
    longest = max(field.kind.max_length, MAX_RANGE_LENGTH)
    if len(item.text) > longest:
        raise InvalidValue(f"this is too long: at most {longest:,} characters are allowed.")


def _parse_list(reader: ValueParser, values: Any) -> AxisRow:
    if not isinstance(values, list | tuple):
        raise AxisError(
            f"{shorten(values)} is neither a text nor a list of values.", reader.field.name
        )
    row = AxisRow(reader.field, "")
    taken = []
    for number, given in enumerate(values, 1):
        with locate(reader.field, number, Item(shorten(given))):
            value = reader.parse_listed(given)
            taken.append(value)
            row.add([_set(reader, value)])
    row.text = ", ".join(_format_values(reader, taken))
    return row


def _split(field: Field, text: str) -> tuple[list[Item], str]:
    if field.kind.is_text:
        return split_texts(text), ", "
    return split_values(text, in_brackets=field.widget == "color")


def _count_parts(position: Position) -> int:
    """How many choices, or LoRAs, make up the value of a position."""
    if position is None:
        return 0
    change, _ = position
    return len(change.value) if isinstance(change.value, tuple) else 1


def _set(reader: ValueParser, value: Any) -> Position:
    change = Change(reader.field.name, value)
    label = format_label(reader.field, reader.choice_index, value)
    return change, label


def _format_values(reader: ValueParser, values: Sequence[Any]) -> list[str]:
    write_path = reader.files.to_text
    return [format_value(reader.field, reader.choice_index, value, write_path) for value in values]


def find_ambiguous(field: Field, text: str, items: Sequence[Item]) -> tuple[int, str] | None:
    """Find the first item that may go together with the next ones: its place, and how to write what
    is meant. None where everything is clear.
    """
    kind = field.kind
    if not (kind.is_number or kind.is_list or field.widget in ("seed", "loras")):
        return None
    for first, last in _find_runs(text, items):
        parts = [item.text for item in items[first : last + 1]]
        if field.widget == "loras":
            told = _describe_strength(parts)
        elif kind.is_list:
            told = _describe_entry(parts, field.choices or ())
        else:
            told = _describe_number(parts, field.is_integer)
        if told:
            return first, told
    return None


def _find_runs(text: str, items: Sequence[Item]) -> list[tuple[int, int]]:
    """First and last place of the items that have nothing but a comma between them."""
    runs: list[tuple[int, int]] = []
    for place in range(1, len(items)):
        before = items[place - 1]
        after = items[place]
        is_plain = not (before.is_quoted or after.is_quoted or before.is_skipped)
        if not is_plain or text[before.end : after.start] != ",":
            continue
        if runs and runs[-1][1] == place - 1:
            first, _ = runs.pop()
            runs.append((first, place))
        else:
            runs.append((place - 1, place))
    return runs


def _describe_number(parts: Sequence[str], is_whole: bool) -> str:
    joined = ",".join(parts)
    if THOUSANDS.fullmatch(joined):
        number = joined.replace(",", "")
        listed = [str(int(part)) for part in parts]
        return _ask(joined, number, listed)
    if is_whole or len(parts) != 2 or not WHOLE.fullmatch(parts[0]):
        return ""
    whole, decimals = parts
    is_below_one = whole.lstrip("+-") == "0" and ONLY_DIGITS.match(decimals)
    if DECIMALS.match(decimals) or is_below_one:
        return _ask(joined, f"{whole}.{decimals}", parts)
    return ""


def _describe_entry(parts: Sequence[str], choices: Sequence[Choice]) -> str:
    """What to write where a list of numbers has the one with the comma for a point."""
    if len(parts) != 2:
        return ""
    joined = ".".join(parts)
    listed = [choice.value for choice in choices if not isinstance(choice.value, bool | str)]
    if parse_numeral(joined) not in listed:
        return ""
    return _ask(",".join(parts), joined, parts)


def _describe_strength(parts: Sequence[str]) -> str:
    strength = STRENGTH.fullmatch(parts[0])
    decimals = parts[1]
    if strength is None or not ONLY_DIGITS.fullmatch(decimals):
        return ""
    whole = strength[1]
    return f"write the strength {whole},{decimals} as {whole}.{decimals}."


def _ask(joined: str, number: str, parts: Sequence[str]) -> str:
    listed = ", ".join(parts)
    meant = f"{', '.join(parts[:-1])} and {parts[-1]}"
    return (
        f"{joined} may mean {number}, or {meant}; write {number}, or {listed} with a space behind "
        "the comma."
    )
