"""Reading axes: what people typed, or lists of values, against a form and the values of all its
other fields.
"""

from __future__ import annotations

import itertools
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
    """The axes of a sweep. `base` are the form's checked values, from which `+3` counts on and in
    which `S/R:` finds.

    Random seeds are drawn from `rng`. Files can be named below `root`, or with `is_confined` off
    anywhere, and not at all without a root. Raises AxisError, which names field and place; whatever
    is typed, no other error.
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
        read += sum(len(row.positions) for row in rows)
        if read > MAX_AXIS_VALUES:
            raise AxisError(TOO_MANY_AXIS_VALUES, rows[0].field.name)
    _check_duplicates(axes)
    _check_hidden(form, axes, base)
    searched = {row.field.name for row in _list_rows(axes) if row.searched}
    for name in searched:
        _check_replacing(name, axes, base)
    return tuple(_join(rows) for rows in axes)


def parse_axis(
    form: Form,
    entry: Entry,
    base: Mapping[str, Any],
    rng: random.Random | None = None,
    root: Path | None = None,
    is_confined: bool = True,
) -> Axis:
    """One axis by itself; what other axes may change is left to `parse_all_axes`: hidden fields,
    texts that `S/R:` finds.
    """
    rng = rng or random.SystemRandom()
    files = AllowedFiles(root, is_confined)
    rows = _parse_entry(form, entry, base, rng, files)
    return _join(rows)


def format_values(form: Form, name: str, values: Sequence[Any], root: Path | None = None) -> str:
    """The axis text that reads as these values of a field, whatever they hold. Raises AxisError."""
    axis = parse_axis(form, {name: list(values)}, {}, root=root)
    return axis.texts[name]


def format_each(form: Form, name: str, values: Sequence[Any]) -> list[str]:
    """The axis text that reads as each of these values alone; the field's choices are indexed once
    for all of them.

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
    """The text of each value; without quotes where all of them read as themselves without."""
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
    """The values that an axis sets, in its order."""
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
    return list(itertools.chain.from_iterable(axes))


def _join(rows: Sequence[AxisRow]) -> Axis:
    steps = []
    for parts in zip(*(row.positions for row in rows), strict=True):
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
    title = " + ".join(_title(row) for row in rows)
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
    for row in rows[1:]:
        if len(row.positions) == len(first.positions):
            continue
        count = (
            f"{first.field.name} has {len(first.positions)} values and {row.field.name} "
            f"has {len(row.positions)}"
        )
        raise AxisError(
            f"{count}; fields of one axis change together and need equally many.",
            row.field.name,
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
    """Refuses an axis that changes nothing, since its field stays hidden at every point."""
    names = [row.field.name for row in _list_rows(axes)]
    if not any(form.fields[name].show_if for name in names):
        return
    shown = form.find_visible(base)
    for name in names:
        if shown[name]:
            continue
        if _list_conditions(form, name).isdisjoint(names):
            needed = " and ".join(form.fields[name].show_if)
            raise AxisError(f"this field is not used as long as {needed} stays as it is.", name)


def _list_conditions(form: Form, name: str) -> set[str]:
    """The fields that decide, directly or by another, whether this one is shown."""
    found: set[str] = set()
    open_ones = [name]
    while open_ones:
        conditions = form.fields[open_ones.pop()].show_if
        others = conditions.keys() & form.fields.keys() - found
        found |= others
        open_ones += others
    return found


def _check_replacing(name: str, axes: Sequence[Sequence[AxisRow]], base: Mapping[str, Any]) -> None:
    """Raises AxisError where a search text finds nothing, is searched for by two axes, or the text
    becomes too long.
    """
    rows = [row for row in _list_rows(axes) if row.field.name == name]
    values = _list_set_values(rows)
    if not values:
        values = [base.get(name, rows[0].field.default)]
    texts = list(dict.fromkeys(str(value) for value in values if value is not None))
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
    """The values that are set as a whole; those that are put in for search texts are no values."""
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
        if problem:
            raise AxisError(problem, row.field.name, number, item.start + 1, shorten(item.text))


def _list_replacement_lengths(row: AxisRow) -> dict[str, int]:
    """Search text → length of the longest text that is put in its place."""
    longest: dict[str, int] = {}
    for position in row.positions:
        if position is None:
            continue
        change, _ = position
        known = longest.get(change.search, 0)
        longest[change.search] = max(known, len(change.value))
    return longest
