"""Rows: what one field of an axis goes through, read from a text or from a list of values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from comfygradio.errors import AxisError
from comfygradio.forms.capping import LONGEST
from comfygradio.forms.field import TEXTS, Field, Refused, show
from comfygradio.sweeps.axes.axis import Change
from comfygradio.sweeps.axes.commas import find_unclear
from comfygradio.sweeps.axes.numbers import LONGEST_RANGE, TOO_MANY
from comfygradio.sweeps.axes.replacing import SwapReader, is_replacing
from comfygradio.sweeps.axes.text import MAX_VALUES, Item, check_length, split_texts, split_values
from comfygradio.sweeps.axes.value_text import label_value, write_value
from comfygradio.sweeps.axes.values import MOST_PARTS, TOO_MANY_PARTS, Reader

Position = tuple[Change, str] | None
"""A change and its label; None where the position is skipped."""

MOST_SEARCHED = 1_000
"""Different texts that one axis may search for."""


@dataclass
class Row:
    """What one field of an axis goes through; `text` reads as it again.

    `searched` is search text → number and item.
    """

    field: Field
    text: str
    positions: list[Position] = dataclasses.field(default_factory=list)
    searched: dict[str, tuple[int, Item]] = dataclasses.field(default_factory=dict)
    _parts: int = 0

    def add(self, positions: Sequence[Position]) -> None:
        """Add positions. Raises Refused where they become too many."""
        self.positions += positions
        if len(self.positions) > MAX_VALUES:
            raise Refused(TOO_MANY)
        self._parts += sum(_count_parts(position) for position in positions)
        if self._parts > MOST_PARTS:
            raise Refused(TOO_MANY_PARTS)


def read_row(reader: Reader, given: Any) -> Row:
    """The row of a text, of a list of values, or of one value. Raises AxisError."""
    if not isinstance(given, str):
        values = [given] if isinstance(given, bool | int | float) else given
        row = _read_list(reader, values)
    elif is_replacing(given):
        row = _read_swaps(reader, given)
    else:
        row = _read_text(reader, given)
    with locate(reader.field):
        check_length(row.text)
    return row


def write_items(reader: Reader, values: Sequence[Any]) -> list[str]:
    """The item that reads as each of these values. Raises AxisError."""
    taken = []
    for number, value in enumerate(values, 1):
        with locate(reader.field, number, Item(show(value))):
            taken.append(reader.take(value))
    return _write(reader, taken)


@contextmanager
def locate(field: Field, number: int = 0, item: Item | None = None) -> Iterator[None]:
    """Turns what is refused inside into an AxisError that names the place."""
    try:
        yield
    except Refused as refusal:
        place = item.start + 1 if item else 0
        text = show(item.text) if item else ""
        raise AxisError(str(refusal), field.name, number, place, text) from None


def _read_text(reader: Reader, text: str) -> Row:
    row = Row(reader.field, text)
    edits: list[tuple[Item, str]] = []
    with locate(reader.field):
        items, joint = _split(reader.field, text)
    _refuse_unclear(reader.field, text, items)

    def read(index: int) -> list[Position]:
        item = items[index]
        found = reader.read(items, index)
        if found.is_open and not item.is_skipped:
            # Written out, since what is drawn or listed now may be something else next time.
            written = _write(reader, found.values)
            edits.append((item, joint.join(written)))
        return [_set(reader, value) for value in found.values]

    _fill(row, items, read)
    row.text = _put_in(text, edits)
    return row


def _refuse_unclear(field: Field, text: str, items: Sequence[Item]) -> None:
    """Raises AxisError where a comma may be meant for a point."""
    found = find_unclear(field, text, items)
    if found is not None:
        place, problem = found
        with locate(field, place + 1, items[place]):
            raise Refused(problem)


def _put_in(text: str, edits: Sequence[tuple[Item, str]]) -> str:
    """The text with these items written in another way; they are in the order of the text."""
    parts: list[str] = []
    position = 0
    for item, written in edits:
        parts.append(text[position : item.start])
        parts.append(written)
        position = item.end
    parts.append(text[position:])
    return "".join(parts)


def _read_swaps(reader: Reader, text: str) -> Row:
    row = Row(reader.field, text)
    with locate(reader.field):
        swaps = SwapReader.split(reader.field, text)

    def read(index: int) -> list[Position]:
        found = swaps.read(index)
        if not swaps.items[index].is_skipped:
            place = index if swaps.is_paired else 0
            origin = (place + 1, swaps.items[place])
            row.searched.setdefault(found[0].search, origin)
        if len(row.searched) > MOST_SEARCHED:
            raise Refused(f"an axis may search for at most {MOST_SEARCHED:,} different texts.")
        positions: list[Position] = []
        for swap in found:
            change = Change(reader.field.name, swap.value, "replace", swap.search)
            positions.append((change, swap.label))
        return positions

    _fill(row, swaps.items, read)
    return row


def _fill(row: Row, items: Sequence[Item], read: Callable[[int], list[Position]]) -> None:
    """Add what every item stands for; a skipped one keeps its places empty, one place where it
    cannot be read.
    """
    for index, item in enumerate(items):
        with locate(row.field, index + 1, item):
            _check_item(row.field, item)
            try:
                positions = read(index)
            except Refused:
                if not item.is_skipped:
                    raise
                positions = [None]
            if item.is_skipped:
                positions = [None] * len(positions)
            row.add(positions)


def _check_item(field: Field, item: Item) -> None:
    """Raises Refused for an item that is longer than what it could stand for: a value as the form
    takes it, or a range of numbers.
    """
    longest = max(LONGEST[field.widget], LONGEST_RANGE)
    if len(item.text) > longest:
        raise Refused(f"this is too long: at most {longest:,} characters are allowed.")


def _read_list(reader: Reader, values: Any) -> Row:
    if not isinstance(values, list | tuple):
        raise AxisError(
            f"{show(values)} is neither a text nor a list of values.", reader.field.name
        )
    row = Row(reader.field, "")
    taken = []
    for number, given in enumerate(values, 1):
        with locate(reader.field, number, Item(show(given))):
            value = reader.take(given)
            taken.append(value)
            row.add([_set(reader, value)])
    row.text = ", ".join(_write(reader, taken))
    return row


def _split(field: Field, text: str) -> tuple[list[Item], str]:
    if field.widget in TEXTS:
        return split_texts(text), ", "
    return split_values(text, in_brackets=field.widget == "color")


def _count_parts(position: Position) -> int:
    """How many choices, or LoRAs, make up the value of a position."""
    if position is None:
        return 0
    change, _ = position
    return len(change.value) if isinstance(change.value, tuple) else 1


def _set(reader: Reader, value: Any) -> Position:
    change = Change(reader.field.name, value)
    label = label_value(reader.field, reader.catalog, value)
    return change, label


def _write(reader: Reader, values: Sequence[Any]) -> list[str]:
    write_path = reader.files.write
    return [write_value(reader.field, reader.catalog, value, write_path) for value in values]
