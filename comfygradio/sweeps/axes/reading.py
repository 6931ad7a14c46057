"""Reading axes: what people typed, or lists of values, against a form and the values of all its
other fields.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comfygradio.errors import AxisError
from comfygradio.forms.capping import MAX_TEXT
from comfygradio.forms.field import show
from comfygradio.forms.form import Form
from comfygradio.sweeps.axes.axis import Axis, Entry, Step
from comfygradio.sweeps.axes.file_patterns import Files
from comfygradio.sweeps.axes.replacing import find_absent, is_too_long
from comfygradio.sweeps.axes.rows import Row, read_row, write_items
from comfygradio.sweeps.axes.text import MAX_VALUES
from comfygradio.sweeps.axes.values import Reader

MOST_READ = 3 * MAX_VALUES
"""Values of all fields of all axes together: as many as three fields may have."""

TOO_MANY_READ = f"all axes together hold too many values; at most {MOST_READ:,} are allowed."


def read_axes(
    form: Form,
    entries: Sequence[Entry],
    base: Mapping[str, Any],
    rng: random.Random | None = None,
    root: Path | None = None,
    is_confined: bool = True,
) -> tuple[Axis, ...]:
    """The axes of a sweep. `base` are the form's checked values, from which `+3` counts on and in
    which `S/R:` finds.

    Random seeds are drawn from `rng`. Files can be named below `root`, or with `is_confined` off
    anywhere, and not at all without a root. Raises AxisError, which names field and place; whatever
    is typed, no other error.
    """
    if not isinstance(entries, list | tuple):
        raise AxisError("the axes are a list; each entry maps fields to their values.")
    files = Files(root, is_confined)
    rows: list[list[Row]] = []
    for entry in entries:
        rows.append(_read_entry(form, entry, base, rng or random.SystemRandom(), files))
        if sum(len(row.positions) for axis in rows for row in axis) > MOST_READ:
            raise AxisError(TOO_MANY_READ, rows[-1][0].field.name)
    _refuse_doubled(rows)
    _refuse_hidden(form, rows, base)
    for name in {row.field.name for axis in rows for row in axis if row.searched}:
        _check_replacing(name, rows, base)
    return tuple(map(_join, rows))


def read_axis(
    form: Form,
    entry: Entry,
    base: Mapping[str, Any],
    rng: random.Random | None = None,
    root: Path | None = None,
    is_confined: bool = True,
) -> Axis:
    """One axis by itself; what other axes may change is left to `read_axes`: hidden fields, texts
    that `S/R:` finds.
    """
    return _join(
        _read_entry(form, entry, base, rng or random.SystemRandom(), Files(root, is_confined))
    )


def write_values(form: Form, name: str, values: Sequence[Any], root: Path | None = None) -> str:
    """The axis text that reads as these values of a field, whatever they hold. Raises AxisError."""
    return read_axis(form, {name: list(values)}, {}, root=root).texts[name]


def write_each(form: Form, name: str, values: Sequence[Any]) -> list[str]:
    """The axis text that reads as each of these values alone; the field's choices are indexed once
    for all of them.

    Raises AxisError.
    """
    return write_items(Reader(form.fields[name]), values)


def _read_entry(
    form: Form, entry: Entry, base: Mapping[str, Any], rng: random.Random, files: Files
) -> list[Row]:
    if not isinstance(entry, Mapping) or not entry:
        raise AxisError(
            "an axis maps at least one field to its values, for example cfg: 1-10 (+3)."
        )
    rows = []
    for name, given in entry.items():
        if name not in form.fields:
            raise AxisError(form.describe_unknown(show(name)), show(name))
        one = form.fields[name]
        rows.append(read_row(Reader(one, base.get(name, one.default), rng, files), given))
    _refuse_unequal(rows)
    return rows


def _join(rows: Sequence[Row]) -> Axis:
    positions = zip(*(row.positions for row in rows), strict=True)
    steps = []
    for parts in positions:
        kept = [part for part in parts if part is not None]
        if len(kept) == len(parts):
            steps.append(
                Step(", ".join(label for _, label in kept), tuple(change for change, _ in kept))
            )
    if not steps:
        raise AxisError(
            "there are no values here; write some, for example 1-10.", rows[0].field.name
        )
    return Axis(
        " + ".join(map(_title, rows)), {row.field.name: row.text for row in rows}, tuple(steps)
    )


def _title(row: Row) -> str:
    return (
        f"{row.field.label}: {next(iter(row.searched))}"
        if len(row.searched) == 1
        else row.field.label
    )


def _refuse_unequal(rows: Sequence[Row]) -> None:
    first = rows[0]
    for row in rows[1:]:
        if len(row.positions) != len(first.positions):
            count = (
                f"{first.field.name} has {len(first.positions)} values and {row.field.name} "
                f"has {len(row.positions)}"
            )
            raise AxisError(
                f"{count}; fields of one axis change together and need equally many.",
                row.field.name,
            )


def _refuse_doubled(axes: Sequence[Sequence[Row]]) -> None:
    taken = set()
    for row in (row for axis in axes for row in axis if not row.searched):
        if row.field.name in taken:
            raise AxisError(
                "two axes set this field; put all its values on one of them.", row.field.name
            )
        taken.add(row.field.name)


def _refuse_hidden(form: Form, axes: Sequence[Sequence[Row]], base: Mapping[str, Any]) -> None:
    """Refuses an axis that changes nothing, since its field stays hidden at every point."""
    names = [row.field.name for axis in axes for row in axis]
    if not any(form.fields[name].show_if for name in names):
        return
    shown = form.find_visible(base)
    for name in names:
        if not shown[name] and not _list_conditions(form, name) & set(names):
            needed = " and ".join(form.fields[name].show_if)
            raise AxisError(f"this field is not used as long as {needed} stays as it is.", name)


def _list_conditions(form: Form, name: str) -> set[str]:
    """The fields that decide, directly or by another, whether this one is shown."""
    found: set[str] = set()
    open_ones = [name]
    while open_ones:
        others = form.fields[open_ones.pop()].show_if.keys() & form.fields.keys() - found
        found |= others
        open_ones += others
    return found


def _check_replacing(name: str, axes: Sequence[Sequence[Row]], base: Mapping[str, Any]) -> None:
    """Raises AxisError where a search text finds nothing, is searched for by two axes, or the text
    becomes too long.
    """
    rows = [row for axis in axes for row in axis if row.field.name == name]
    values = [
        position[0].value
        for row in rows
        if not row.searched
        for position in row.positions
        if position
    ]
    values = values or [base.get(name, rows[0].field.default)]
    texts = list(dict.fromkeys(str(value) for value in values if value is not None))
    replacing = [row for row in rows if row.searched]
    joined = "\n\0".join(texts)
    for row in replacing:
        others = [search for other in replacing if other is not row for search in other.searched]
        _check_searches(row, others, joined)
    if is_too_long([_measure(row) for row in replacing], texts):
        raise AxisError(f"replacing makes the text longer than {MAX_TEXT:,} characters.", name)


def _check_searches(row: Row, others: Sequence[str], texts: str) -> None:
    taken = set(others)
    present = [other for other in others if other in texts]
    for search, (number, item) in row.searched.items():
        problem = (
            "two axes search for the same text."
            if search in taken
            else find_absent(search, present, texts)
        )
        if problem:
            raise AxisError(problem, row.field.name, number, item.start + 1, show(item.text))


def _measure(row: Row) -> dict[str, int]:
    """Search text → length of the longest text that is put in its place."""
    longest: dict[str, int] = {}
    for change, _ in filter(None, row.positions):
        longest[change.search] = max(longest.get(change.search, 0), len(change.value))
    return longest
