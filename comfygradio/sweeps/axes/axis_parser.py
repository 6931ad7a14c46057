"""Parses axes, given as texts or as lists of values."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comfygradio.errors import AxisError
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.axis_text import MAX_VALUES, quote_if_split
from comfygradio.forms.kinds.axis_values import AxisContext
from comfygradio.forms.kinds.file_pattern import AllowedFiles
from comfygradio.forms.kinds.text import MAX_TEXT
from comfygradio.forms.kinds.value import shorten
from comfygradio.forms.value_check import check_value
from comfygradio.sweeps.axes.axis import Axis, Entry, Step
from comfygradio.sweeps.axes.axis_row import AxisRow, format_items, parse_row
from comfygradio.sweeps.axes.search_replace import explain_absent, is_too_long

MAX_AXIS_VALUES = 3 * MAX_VALUES
"""Values of all fields of all axes together: as many as three fields may have."""

TOO_MANY_AXIS_VALUES = (
    f"all axes together hold too many values; at most {MAX_AXIS_VALUES:,} are allowed."
)


def parse_all_axes(
    form: Form,
    entries: Sequence[Entry],
    base: Mapping[str, Any],
    rng: random.Random | None = None,
    root: Path | None = None,
    is_confined: bool = True,
) -> tuple[Axis, ...]:
    """Parse the axes of a sweep.

    `base` are the checked values of the form: `+3` counts on from a seed there, and `S/R:` searches
    the texts there. `rng` draws random seeds. Files can be named below `root`; anywhere if not
    `is_confined`; not at all without a root. Raises AxisError, which names field and place, and no
    other error, whatever is typed.
    """
    if not isinstance(entries, list | tuple):
        raise AxisError("the axes are a list; each entry maps fields to their values.")
    rng = rng or random.SystemRandom()
    files = AllowedFiles(root, is_confined)
    axes: list[list[AxisRow]] = []
    read = 0
    for entry in entries:
        rows = _parse_entry(form, entry, base, rng, files)
        axes.append(rows)
        # Counted after each axis, so that a crowd of them is refused before it fills the memory.
        read += sum(len(row.positions) for row in rows)
        if read > MAX_AXIS_VALUES:
            raise AxisError(TOO_MANY_AXIS_VALUES, rows[0].field.name)
    _check_duplicates(axes)
    _check_hidden(form, axes, base)
    searched = {row.field.name for row in _list_rows(axes) if row.searched}
    for name in searched:
        _check_replacing(name, axes, base)
    joined = [_join(rows) for rows in axes]
    return tuple(joined)


def parse_axis(
    form: Form,
    entry: Entry,
    base: Mapping[str, Any],
    rng: random.Random | None = None,
    root: Path | None = None,
    is_confined: bool = True,
) -> Axis:
    """Parse one axis by itself.

    What depends on other axes is checked by `parse_all_axes` only: hidden fields, and texts that
    `S/R:` searches. Raises AxisError.
    """
    rng = rng or random.SystemRandom()
    files = AllowedFiles(root, is_confined)
    rows = _parse_entry(form, entry, base, rng, files)
    return _join(rows)


def format_values(form: Form, name: str, values: Sequence[Any], root: Path | None = None) -> str:
    """Format values of a field as an axis text that parses to the same values. Raises AxisError."""
    entry = {name: list(values)}
    axis = parse_axis(form, entry, {}, root=root)
    return axis.texts[name]


def format_each(form: Form, name: str, values: Sequence[Any]) -> list[str]:
    """Format each value as an axis text of its own; the field's choices are indexed only once.

    Raises AxisError.
    """
    context = AxisContext(
        form.fields[name],
        start=None,
        rng=random.SystemRandom(),
        files=AllowedFiles(),
        check_value=check_value,
    )
    return format_items(context, values)


def format_unquoted(form: Form, name: str, values: Sequence[Any]) -> list[str]:
    """Format each value as `format_each` does, but without quotes if all values can do without."""
    if not values:
        return []
    field = form.fields[name]
    quoted = format_each(form, name, values)
    plain = [quote_if_split(value) for value in values if isinstance(value, str)]
    if field.is_multiple or field.kind.is_text or len(plain) != len(values):
        return quoted
    # Whether the quotes are needed shows only when the text without them is read.
    text = ", ".join(plain)
    try:
        axis = parse_axis(form, {name: text}, {})
    except AxisError:
        return quoted
    return plain if list_axis_values(axis) == list(values) else quoted


def list_axis_values(axis: Axis) -> list[Any]:
    """List the values that an axis sets, in its order."""
    values: list[Any] = []
    for step in axis.steps:
        values.extend(change.value for change in step.changes)
    return values


def _parse_entry(
    form: Form, entry: Entry, base: Mapping[str, Any], rng: random.Random, files: AllowedFiles
) -> list[AxisRow]:
    if not isinstance(entry, Mapping) or not entry:
        raise AxisError(
            "an axis maps at least one field to its values, for example cfg: 1-10 (+3)."
        )
    rows = []
    for name, given in entry.items():
        if name not in form.fields:
            raise AxisError(form.describe_unknown_field(shorten(name)), shorten(name))
        one = form.fields[name]
        start = base.get(name, one.default)
        context = AxisContext(one, start, rng, files, check_value)
        rows.append(parse_row(context, given))
    _check_equal_lengths(rows)
    return rows


def _list_rows(axes: Sequence[Sequence[AxisRow]]) -> list[AxisRow]:
    rows: list[AxisRow] = []
    for axis in axes:
        rows += axis
    return rows


def _join(rows: Sequence[AxisRow]) -> Axis:
    steps = []
    columns = [row.positions for row in rows]
    for parts in zip(*columns, strict=True):
        kept = [part for part in parts if part is not None]
        if len(kept) < len(parts):
            continue  # one of the fields skips this position, and so do those that go with it
        label = ", ".join(label for _, label in kept)
        changes = tuple(change for change, _ in kept)
        steps.append(Step(label, changes))
    if not steps:
        raise AxisError(
            "there are no values here; write some, for example 1-10.", rows[0].field.name
        )
    title = " + ".join([_title(row) for row in rows])
    texts = {row.field.name: row.text for row in rows}
    return Axis(title, texts, tuple(steps))


def _title(row: AxisRow) -> str:
    label = row.field.label
    if len(row.searched) != 1:
        return label
    [search] = row.searched
    return f"{label}: {search}"


def _check_equal_lengths(rows: Sequence[AxisRow]) -> None:
    first = rows[0]
    expected = len(first.positions)
    for row in rows[1:]:
        count = len(row.positions)
        if count == expected:
            continue
        name = row.field.name
        raise AxisError(
            f"{first.field.name} has {expected} values and {name} has {count}; fields of one axis "
            "change together and need equally many.",
            name,
        )


def _check_duplicates(axes: Sequence[Sequence[AxisRow]]) -> None:
    taken = set()
    for row in _list_rows(axes):
        if row.searched:
            continue  # several axes may replace words in one text
        name = row.field.name
        if name in taken:
            raise AxisError("two axes set this field; put all its values on one of them.", name)
        taken.add(name)


def _check_hidden(form: Form, axes: Sequence[Sequence[AxisRow]], base: Mapping[str, Any]) -> None:
    """Raise AxisError for an axis that changes nothing, because its field is always hidden."""
    names = [row.field.name for row in _list_rows(axes)]
    if not any(form.fields[name].show_if for name in names):
        return
    shown = form.find_visible(base)
    for name in names:
        if shown[name]:
            continue
        conditions = _list_conditions(form, name)
        if conditions.isdisjoint(names):
            needed = " and ".join(form.fields[name].show_if)
            raise AxisError(f"this field is not used as long as {needed} stays as it is.", name)


def _list_conditions(form: Form, name: str) -> set[str]:
    """List the fields that decide, directly or through others, whether this one is shown."""
    found: set[str] = set()
    open_ones = [name]
    while open_ones:
        field = form.fields[open_ones.pop()]
        known = form.fields.keys() - found
        others = field.show_if.keys() & known
        found |= others
        open_ones += others
    return found


def _check_replacing(name: str, axes: Sequence[Sequence[AxisRow]], base: Mapping[str, Any]) -> None:
    """Raise AxisError if a search text is not found or is on two axes, or the text may become too
    long.
    """
    rows = [row for row in _list_rows(axes) if row.field.name == name]
    values = _list_set_values(rows)
    if not values:
        field = rows[0].field
        values = [base.get(name, field.default)]
    written = [str(value) for value in values if value is not None]
    texts = list(dict.fromkeys(written))
    # No search text reaches over this from one text into the next.
    joined = "\n\0".join(texts)
    replacing = [row for row in rows if row.searched]
    for row in replacing:
        others: list[str] = []
        for other in replacing:
            if other is not row:
                others += other.searched
        _check_searches(row, others, joined)
    lengths = [_list_replacement_lengths(row) for row in replacing]
    if is_too_long(lengths, texts):
        raise AxisError(f"replacing makes the text longer than {MAX_TEXT:,} characters.", name)


def _list_set_values(rows: Sequence[AxisRow]) -> list[Any]:
    """List the values that replace a text as a whole."""
    values = []
    for row in rows:
        if row.searched:
            continue
        for position in row.positions:
            if position is not None:
                change, _ = position
                values.append(change.value)
    return values


def _check_searches(row: AxisRow, others: Sequence[str], texts: str) -> None:
    taken = set(others)
    present = [other for other in others if other in texts]
    for search, (number, item) in row.searched.items():
        problem: str | None
        if search in taken:
            problem = "two axes search for the same text."
        else:
            problem = explain_absent(search, present, texts)
        if problem is None:
            continue
        raise AxisError(
            problem,
            row.field.name,
            number,
            item.start + 1,
            shorten(item.text),
        )


def _list_replacement_lengths(row: AxisRow) -> dict[str, int]:
    """Map each search text to the length of its longest replacement."""
    longest: dict[str, int] = {}
    for position in row.positions:
        if position is None:
            continue
        change, _ = position
        known = longest.get(change.search, 0)
        longest[change.search] = max(known, len(change.value))
    return longest
