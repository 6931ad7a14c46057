"""Rows: one field of an axis with all its positions, parsed from a text or from a list of values.

On axes of numbers `6, 5` are two values, while `6,5` may be one with a decimal comma. What may be
either is refused, with both ways to write it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from comfygradio.errors import AxisError
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.axis_text import MAX_VALUES, TOO_MANY, Item, check_length
from comfygradio.forms.kinds.axis_values import (
    MAX_PARTS,
    TOO_MANY_PARTS,
    AxisContext,
    AxisValues,
)
from comfygradio.forms.kinds.number_range import MAX_RANGE_LENGTH
from comfygradio.forms.kinds.value import InvalidValue, shorten
from comfygradio.forms.scalar_resolution import resolve_value
from comfygradio.sweeps.axes.axis import Change
from comfygradio.sweeps.axes.search_replace import ReplacementParser, is_search_replace

Position = tuple[Change, str] | None
"""A change and its label; None where the position is skipped."""

MAX_SEARCH_TEXTS = 1_000
"""Different texts that one axis may search for."""


@dataclass
class AxisRow:
    """One field of an axis with its positions.

    `text` parses to the same row. `searched` maps each search text to the number and item where it
    was given.
    """

    field: Field
    text: str
    positions: list[Position] = dataclasses.field(default_factory=list)
    searched: dict[str, tuple[int, Item]] = dataclasses.field(default_factory=dict)
    _parts: int = 0

    def add(self, positions: Sequence[Position]) -> None:
        """Add positions. Raises InvalidValue if there are too many."""
        self.positions += positions
        if len(self.positions) > MAX_VALUES:
            raise InvalidValue(TOO_MANY)
        for position in positions:
            self._parts += _count_parts(position)
        if self._parts > MAX_PARTS:
            raise InvalidValue(TOO_MANY_PARTS)


def parse_row(axis: AxisContext, given: Any) -> AxisRow:
    """Parse an axis text, a list of values, or a single value. Raises AxisError."""
    if not isinstance(given, str):
        values = [given] if isinstance(given, bool | int | float) else given
        row = _parse_list(axis, values)
    elif is_search_replace(given):
        row = _parse_replacements(axis, given)
    else:
        row = _parse_text_row(axis, given)
    with locate(axis.field):
        check_length(row.text)
    return row


def format_items(axis: AxisContext, values: Sequence[Any]) -> list[str]:
    """Format each value as an item of an axis text. Raises AxisError."""
    taken = []
    for number, value in enumerate(values, 1):
        with locate(axis.field, number, Item(shorten(value))):
            taken.append(_parse_listed(axis, value))
    return _format_values(axis, taken)


@contextmanager
def locate(field: Field, number: int = 0, item: Item | None = None) -> Iterator[None]:
    """Turn an InvalidValue raised inside into an AxisError that names the place."""
    try:
        yield
    except InvalidValue as refusal:
        place = item.start + 1 if item else 0
        text = shorten(item.text) if item else ""
        raise AxisError(str(refusal), field.name, number, place, text) from None


def _parse_text_row(axis: AxisContext, text: str) -> AxisRow:
    row = AxisRow(axis.field, text)
    edits: list[tuple[Item, str]] = []
    with locate(axis.field):
        items, joint = axis.field.kind.split_axis(text)
    _check_commas(axis.field, text, items)

    def read(index: int) -> list[Position]:
        item = items[index]
        found = _parse_item(axis, items, index)
        if found.is_open and not item.is_skipped:
            # Written out, since what is drawn or listed now may be something else next time.
            written = _format_values(axis, found.values)
            edits.append((item, joint.join(written)))
        return [_set(axis, value) for value in found.values]

    _fill(row, items, read)
    row.text = _apply_edits(text, edits)
    return row


def _check_commas(field: Field, text: str, items: Sequence[Item]) -> None:
    """Raise AxisError where a comma may be a decimal comma."""
    found = find_ambiguous(field, text, items)
    if found is not None:
        index, problem = found
        with locate(field, index + 1, items[index]):
            raise InvalidValue(problem)


def _apply_edits(text: str, edits: Sequence[tuple[Item, str]]) -> str:
    """Replace items of a text, which are given in the order of the text."""
    parts: list[str] = []
    position = 0
    for item, written in edits:
        parts.append(text[position : item.start])
        parts.append(written)
        position = item.end
    parts.append(text[position:])
    return "".join(parts)


def _parse_replacements(axis: AxisContext, text: str) -> AxisRow:
    row = AxisRow(axis.field, text)
    with locate(axis.field):
        swaps = ReplacementParser.split(axis.field, text)

    def read(index: int) -> list[Position]:
        found = swaps.parse(index)
        if not swaps.items[index].is_skipped:
            # Unless each item is a pair, the first item is what all of them search for.
            place = index if swaps.is_paired else 0
            origin = (place + 1, swaps.items[place])
            # All replacements of one item search for the same text.
            row.searched.setdefault(found[0].search, origin)
        if len(row.searched) > MAX_SEARCH_TEXTS:
            raise InvalidValue(
                f"an axis may search for at most {MAX_SEARCH_TEXTS:,} different texts."
            )
        positions: list[Position] = []
        for swap in found:
            change = Change(axis.field.name, swap.value, "replace", swap.search)
            positions.append((change, swap.label))
        return positions

    _fill(row, swaps.items, read)
    return row


def _fill(row: AxisRow, items: Sequence[Item], read: Callable[[int], list[Position]]) -> None:
    """Add the positions of every item, those of skipped ones empty."""
    for index, item in enumerate(items):
        with locate(row.field, index + 1, item):
            _check_item(row.field, item)
            try:
                positions = read(index)
            except InvalidValue:
                # Nobody has to correct what is skipped.
                if not item.is_skipped:
                    raise
                positions = [None]
            # They stay, since the other fields of the axis have as many.
            if item.is_skipped:
                positions = [None] * len(positions)
            row.add(positions)


def _check_item(field: Field, item: Item) -> None:
    """Raise InvalidValue for an item that is longer than any value of the field or range of
    numbers.
    """
    own = field.kind.max_length
    longest = max(own, MAX_RANGE_LENGTH)
    if len(item.text) > longest:
        raise InvalidValue(f"this is too long: at most {longest:,} characters are allowed.")


def _parse_list(axis: AxisContext, values: Any) -> AxisRow:
    if not isinstance(values, list | tuple):
        raise AxisError(
            f"{shorten(values)} is neither a text nor a list of values.", axis.field.name
        )
    row = AxisRow(axis.field, "")
    taken = []
    for number, given in enumerate(values, 1):
        with locate(axis.field, number, Item(shorten(given))):
            value = _parse_listed(axis, given)
            taken.append(value)
            row.add([_set(axis, value)])
    row.text = ", ".join(_format_values(axis, taken))
    return row


def _parse_item(axis: AxisContext, items: Sequence[Item], index: int) -> AxisValues:
    """Parse one item. Raises InvalidValue."""
    kind = axis.field.kind
    if kind.is_axis_item_empty(axis, items[index]):
        nothing = kind.parse_axis_value(axis, None)
        return AxisValues([nothing])
    return kind.parse_axis_item(axis, items, index)


def _parse_listed(axis: AxisContext, value: Any) -> Any:
    """Check a value out of a list, in which nothing is syntax. Raises InvalidValue."""
    field = axis.field
    plain = resolve_value(field, value)
    return field.kind.parse_axis_value(axis, plain)


def _count_parts(position: Position) -> int:
    """Count the choices, or LoRAs, that make up the value of a position."""
    if position is None:
        return 0
    change, _ = position
    if isinstance(change.value, tuple):
        return len(change.value)
    return 1


def _set(axis: AxisContext, value: Any) -> Position:
    change = Change(axis.field.name, value)
    label = _format_label(axis, value)
    return change, label


def _format_label(axis: AxisContext, value: Any) -> str:
    """Format a checked value in short, for people."""
    if _is_nothing(value):
        return "none"
    return axis.field.kind.format_axis_label(axis, value)


def _format_values(axis: AxisContext, values: Sequence[Any]) -> list[str]:
    """Format checked values as items that parse to the same values."""
    return [_format_value(axis, value) for value in values]


def _format_value(axis: AxisContext, value: Any) -> str:
    if not _is_nothing(value):
        return axis.field.kind.format_axis_item(axis, value)
    if axis.field.optional or axis.choice_index.find_exact("") is None:
        return '""'
    # Here "" is one of the choices, and a space is nothing.
    return '" "'


def _is_nothing(value: Any) -> bool:
    return value is None or value == ()


def find_ambiguous(field: Field, text: str, items: Sequence[Item]) -> tuple[int, str] | None:
    """Find the first item that may belong to the next ones.

    Returns its index and how to write what is meant, or None if everything is clear.
    """
    for first, last in _find_runs(text, items):
        parts = [item.text for item in items[first : last + 1]]
        told = field.kind.explain_comma(field, parts)
        if told:
            return first, told
    return None


def _find_runs(text: str, items: Sequence[Item]) -> list[tuple[int, int]]:
    """Find runs of items with nothing but a comma between them: first and last index of each."""
    runs: list[tuple[int, int]] = []
    for index in range(1, len(items)):
        before = items[index - 1]
        after = items[index]
        if before.is_quoted or after.is_quoted or before.is_skipped:
            continue
        between = text[before.end : after.start]
        if between != ",":
            continue
        if runs and runs[-1][1] == index - 1:
            first, _ = runs.pop()
            runs.append((first, index))
        else:
            runs.append((index - 1, index))
    return runs
