"""Drafts: the sweep that a page is editing, what is wrong with it, and how it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.errors import AxisError, ValuesRefused
from comfygradio.forms.field import MEDIA, Field, Refused
from comfygradio.forms.fill import WRITTEN
from comfygradio.forms.form import Form
from comfygradio.sweeps.axes.axis import Axis
from comfygradio.sweeps.axes.reading import MOST_READ, TOO_MANY_READ, read_axes, read_axis
from comfygradio.sweeps.axes.text import check_typed
from comfygradio.sweeps.definition import Definition
from comfygradio.ui.sweep.choices import write_plainly
from comfygradio.ui.uploads import read_payload, read_upload

SHOWN = 12
"""So many values of an axis are read out to whoever types them."""

TICKED = 500
"""Up to so many values of a list are told one by one, so that they can be ticked."""

ERROR_VALUES = 2_500
"""What cannot be read counts as so many values, since it may have been read almost to its end."""

MOST_AXES = 12
MOST_LINKED = 12

Json = dict[str, Any]
Typed = tuple[str, str | list[Path]]
"""A field, and the text or the files that were given for it."""


@dataclass(frozen=True)
class Draft:
    """A sweep as a page has it: the form's values as they go into a form, and what was typed for
    each axis.
    """

    preset: str
    values: Mapping[str, Any]
    axes: tuple[tuple[Typed, ...], ...]
    carry: bool = True
    title: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether every axis has a field and something typed for it."""
        return bool(self.axes) and all(
            axis and all(name and given for name, given in axis) for axis in self.axes
        )

    def define(self) -> Definition:
        """The definition that everything else works with. Raises AxisError for texts too long."""
        for name, given in (typed for axis in self.axes for typed in axis):
            check_length(name, given)
        axes = tuple(map(dict, self.axes))
        return Definition(self.preset, {**self.values, WRITTEN: True}, axes, self.carry, self.title)


def read_draft(form: Form, asked: Mapping[str, Any]) -> Draft:
    """What a page sent; whatever makes no sense is left out, and a refused value of a field that an
    axis sets.
    """
    sent = asked.get("values")
    values = sent if isinstance(sent, Mapping) else {}
    read = {
        name: read_payload(field, values[name])
        for name, field in form.fields.items()
        if name in values
    }
    read = {
        name: value
        for name, value in read.items()
        if value is not None or form.fields[name].widget not in MEDIA
    }
    axes = tuple(tuple(_read_axis(form, axis)) for axis in _list(asked.get("axes"))[:MOST_AXES])
    title = " ".join(_take_text(asked.get("title"))[:1000].split())[:120]
    swept = {name for axis in axes for name, _ in axis}
    kept = {
        name: value for name, value in read.items() if name not in swept & _find_refused(form, read)
    }
    return Draft(form.name, kept, axes, asked.get("carry") is not False, title)


def study_axes(form: Form, draft: Draft) -> tuple[list[list[Json]], bool]:
    """What to say beside each field of each axis, and whether all of it can be used.

    Raises ValuesRefused.
    """
    base = check_base(form, draft)
    told: list[list[Json]] = []
    left = MOST_READ
    for axis in draft.axes:
        told.append([])
        for name, given in axis:
            if left > 0:
                one = _study(form, name, given, base)
            else:
                one = {"error": say_problem(AxisError(TOO_MANY_READ, name))}
            left -= ERROR_VALUES if "error" in one else one.get("count", 0)
            told[-1].append(one)
    for axis, said in zip(draft.axes, told, strict=True):
        _compare_lengths(form, axis, said)
    if not draft.is_complete or any("error" in one for axis in told for one in axis):
        return told, False
    try:
        read_axes(form, [dict(axis) for axis in draft.axes], base)
    except AxisError as error:
        told[0 if not error.field else _find_axis(draft, error.field)][
            _find_place(draft, error.field)
        ] |= {"error": say_problem(error)}
        return told, False
    return told, True


def check_base(form: Form, draft: Draft) -> dict[str, Any]:
    """The checked values that axes start from.

    Raises ValuesRefused, but not for a file that an axis brings.
    """
    try:
        return form.check(draft.values)
    except ValuesRefused as error:
        swept = dict(typed for axis in draft.axes for typed in axis)
        if not error.problems.keys() <= swept.keys():
            raise
        files = {
            name: swept[name][0]
            for name in error.problems
            if isinstance(swept[name], list) and swept[name]
        }
        return _check_kept(form, {**draft.values, **files})


def say_problem(error: AxisError) -> str:
    """A refusal for its place beside the field: which value, and what is wrong with it."""
    where = (
        f"Value {error.position}{f' ({error.item})' if error.item else ''}: "
        if error.position
        else ""
    )
    return where + error.problem if where else error.problem[:1].upper() + error.problem[1:]


def _find_refused(form: Form, values: Mapping[str, Any]) -> set[str]:
    try:
        form.check(values)
    except ValuesRefused as error:
        return set(error.problems)
    return set()


def _check_kept(form: Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """Checked values, or what the form begins with where a file is still to come."""
    try:
        return form.check(values)
    except ValuesRefused:
        return {name: field.default for name, field in form.fields.items()}


def _read_axis(form: Form, axis: Any) -> Iterator[Typed]:
    for entry in _list(axis)[:MOST_LINKED]:
        if not isinstance(entry, Mapping):
            continue
        name = _take_text(entry.get("field"))
        field = form.fields.get(name)
        if field is not None and field.widget in MEDIA:
            uploads = (read_upload(payload) for payload in _list(entry.get("files"))[:TICKED])
            yield name, [path for path in uploads if path]
        else:
            yield name if field else "", _take_text(entry.get("text")).strip()


def _study(form: Form, name: str, given: Any, base: Mapping[str, Any]) -> Json:
    """How one field's values read, or what is wrong with them."""
    if not name or not given:
        return {}
    try:
        check_length(name, given)
        axis = read_axis(form, {name: given}, base)
    except AxisError as error:
        return {"error": say_problem(error)}
    field = form.fields[name]
    told: Json = {"read": _read_out(field, axis, given), "count": len(axis.steps)}
    if field.choices is not None and len(axis.steps) <= TICKED:
        values = [change.value for step in axis.steps for change in step.changes]
        told["texts"] = write_plainly(form, name, values)
    return told


def _compare_lengths(form: Form, axis: Sequence[Typed], told: list[Json]) -> None:
    """Say so where fields that change together have different numbers of values."""
    first = told[0].get("count") if told else None
    for (name, _), one in zip(axis[1:], told[1:], strict=True):
        count = one.get("count")
        if first is not None and count is not None and count != first:
            labels = [form.fields[other].label for other in (axis[0][0], name)]
            one["error"] = (
                f"“{labels[0]}” has {_count(first)} and “{labels[1]}” has {_count(count)}; "
                "what changes together needs equally many."
            )


def _count(number: int) -> str:
    return "1 value" if number == 1 else f"{number:,} values"


def _read_out(field: Field, axis: Axis, given: Any) -> str:
    labels, count = [step.label for step in axis.steps], len(axis.steps)
    number = _count(count)
    if field.widget == "seed" and "random" in str(given):
        return f"{number}, drawn when it starts"
    if re.sub(r"[\s\"]", "", str(given)) == re.sub(r"\s", "", ",".join(labels)):
        return number
    shown = ", ".join(label if len(label) <= 40 else f"{label[:39]}…" for label in labels[:SHOWN])
    return f"{number}: {shown}{' …' if count > SHOWN else ''}"


def _find_axis(draft: Draft, field: str) -> int:
    return next((place for place, axis in enumerate(draft.axes) if field in dict(axis)), 0)


def _find_place(draft: Draft, field: str) -> int:
    names = [name for name, _ in draft.axes[_find_axis(draft, field)]]
    return names.index(field) if field in names else 0


def check_length(name: str, given: str | list[Path]) -> None:
    """Raises AxisError for an axis text that is longer than anybody types."""
    if not isinstance(given, str):
        return
    try:
        check_typed(given)
    except Refused as refusal:
        raise AxisError(str(refusal), name) from None


def _take_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
