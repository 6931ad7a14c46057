"""Drafts: the sweep that a page is editing, what is wrong with it, and how it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.errors import AxisError, ValuesRefused
from comfygradio.forms.field import Field
from comfygradio.forms.fill import FROM_FORM
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.axis_text import check_typed
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.sweeps.axes.axis import Axis
from comfygradio.sweeps.axes.axis_parser import (
    MAX_AXIS_VALUES,
    TOO_MANY_AXIS_VALUES,
    format_unquoted,
    list_axis_values,
    parse_all_axes,
    parse_axis,
)
from comfygradio.sweeps.definition import Definition
from comfygradio.ui.form.upload_value import read_payload, read_upload

MAX_SHOWN_VALUES = 12
"""Most values of an axis that are listed back while it is typed."""

MAX_TICKED = 500
"""Up to so many values of a list are told one by one, so that they can be ticked."""

ERROR_COST = 2_500
"""Parsing cost charged for invalid text, which may have been parsed almost to its end."""

MAX_AXES = 12
MAX_LINKED = 12

Json = dict[str, Any]
AxisInput = tuple[str, str | list[Path]]
"""A field, and the text or the files that were given for it."""


@dataclass(frozen=True)
class SweepDraft:
    """A sweep as a page has it: the form's values as they go into a form, and what was typed for
    each axis.
    """

    preset: str
    values: Mapping[str, Any]
    axes: tuple[tuple[AxisInput, ...], ...]
    carry: bool = True
    title: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether every axis has a field and something typed for it."""
        if not self.axes:
            return False
        for axis in self.axes:
            if not axis or not all(name and given for name, given in axis):
                return False
        return True

    def define(self) -> Definition:
        """The definition that everything else works with. Raises AxisError for texts too long."""
        for axis in self.axes:
            for name, given in axis:
                check_length(name, given)
        values = {**self.values, FROM_FORM: True}
        axes = tuple(dict(axis) for axis in self.axes)
        return Definition(self.preset, values, axes, self.carry, self.title)


def parse_draft(form: Form, asked: Mapping[str, Any]) -> SweepDraft:
    """What a page sent; whatever makes no sense is left out, and a refused value of a field that an
    axis sets.
    """
    values = _read_values(form, asked.get("values"))
    axes = []
    swept = set[str]()
    for sent in _list(asked.get("axes"))[:MAX_AXES]:
        axis = tuple(_read_axis(form, sent))
        axes.append(axis)
        swept.update(name for name, _ in axis)
    left_out = swept & _find_refused(form, values)
    kept = {name: value for name, value in values.items() if name not in left_out}
    carry = asked.get("carry") is not False
    words = _take_text(asked.get("title"))[:1000].split()
    title = " ".join(words)
    return SweepDraft(form.name, kept, tuple(axes), carry, title[:120])


def _read_values(form: Form, sent: Any) -> dict[str, Any]:
    """The form's values as they were sent; a file that did not arrive is left out."""
    if not isinstance(sent, Mapping):
        return {}
    values = {}
    for name, field in form.fields.items():
        if name not in sent:
            continue
        value = read_payload(field, sent[name])
        if value is not None or not field.kind.is_media:
            values[name] = value
    return values


def check_axes(form: Form, draft: SweepDraft) -> tuple[list[list[Json]], bool]:
    """What to say beside each field of each axis, and whether all of it can be used.

    Raises ValuesRefused.
    """
    base = check_base(form, draft)
    told: list[list[Json]] = []
    left = MAX_AXIS_VALUES
    for axis in draft.axes:
        said: list[Json] = []
        for name, given in axis:
            if left > 0:
                one = _check_axis_field(form, name, given, base)
            else:
                one = {"error": describe_axis_error(AxisError(TOO_MANY_AXIS_VALUES, name))}
            left -= ERROR_COST if "error" in one else one.get("count", 0)
            said.append(one)
        told.append(said)
    for axis, said in zip(draft.axes, told, strict=True):
        _compare_lengths(form, axis, said)
    if not draft.is_complete or any(_has_error(said) for said in told):
        return told, False
    try:
        parse_all_axes(form, [dict(axis) for axis in draft.axes], base)
    except AxisError as error:
        # A refusal that names no field is said beside the first one.
        place = _find_axis(draft, error.field) if error.field else 0
        one = told[place][_find_place(draft, error.field)]
        one["error"] = describe_axis_error(error)
        return told, False
    return told, True


def _has_error(said: list[Json]) -> bool:
    """Whether something is wrong with a field of an axis."""
    return any("error" in one for one in said)


def check_base(form: Form, draft: SweepDraft) -> dict[str, Any]:
    """The checked values that axes start from.

    Raises ValuesRefused, but not for a file that an axis brings.
    """
    try:
        return form.check(draft.values)
    except ValuesRefused as error:
        swept: dict[str, str | list[Path]] = {}
        for axis in draft.axes:
            swept.update(axis)
        if not error.problems.keys() <= swept.keys():
            raise
        files = {}
        for name in error.problems:
            given = swept[name]
            if isinstance(given, list) and given:
                files[name] = given[0]
        return _check_kept(form, {**draft.values, **files})


def describe_axis_error(error: AxisError) -> str:
    """A refusal for its place beside the field: which value, and what is wrong with it."""
    if not error.position:
        return error.problem[:1].upper() + error.problem[1:]
    item = f" ({error.item})" if error.item else ""
    return f"Value {error.position}{item}: {error.problem}"


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


def _read_axis(form: Form, axis: Any) -> Iterator[AxisInput]:
    for entry in _list(axis)[:MAX_LINKED]:
        if not isinstance(entry, Mapping):
            continue
        name = _take_text(entry.get("field"))
        field = form.fields.get(name)
        if field is not None and field.kind.is_media:
            files = _list(entry.get("files"))[:MAX_TICKED]
            paths = [read_upload(payload) for payload in files]
            yield name, [path for path in paths if path]
        else:
            text = _take_text(entry.get("text")).strip()
            yield name if field else "", text


def _check_axis_field(form: Form, name: str, given: Any, base: Mapping[str, Any]) -> Json:
    """How one field's values read, or what is wrong with them."""
    if not name or not given:
        return {}
    try:
        check_length(name, given)
        axis = parse_axis(form, {name: given}, base)
    except AxisError as error:
        return {"error": describe_axis_error(error)}
    field = form.fields[name]
    told: Json = {"read": _summarise_values(field, axis, given), "count": len(axis.steps)}
    if field.choices is not None and len(axis.steps) <= MAX_TICKED:
        told["texts"] = format_unquoted(form, name, list_axis_values(axis))
    return told


def _compare_lengths(form: Form, axis: Sequence[AxisInput], told: list[Json]) -> None:
    """Say so where fields that change together have different numbers of values."""
    if not told:
        return
    first = told[0].get("count")
    if first is None:
        return
    first_name, _ = axis[0]
    for (name, _), one in zip(axis[1:], told[1:], strict=True):
        count = one.get("count")
        if count is None or count == first:
            continue
        first_label = form.fields[first_name].label
        label = form.fields[name].label
        one["error"] = (
            f"“{first_label}” has {_count(first)} and “{label}” has {_count(count)}; "
            "what changes together needs equally many."
        )


def _count(number: int) -> str:
    return "1 value" if number == 1 else f"{number:,} values"


def _summarise_values(field: Field, axis: Axis, given: Any) -> str:
    """How many values were typed, and which, unless what was typed says so itself."""
    number = _count(len(axis.steps))
    if field.kind.is_seed and "random" in str(given):
        return f"{number}, drawn when it starts"
    labels = [step.label for step in axis.steps]
    as_typed = re.sub(r"[\s\"]", "", str(given))
    as_read = re.sub(r"\s", "", ",".join(labels))
    if as_typed == as_read:
        return number
    shown = ", ".join(_shorten(label) for label in labels[:MAX_SHOWN_VALUES])
    more = " …" if len(labels) > MAX_SHOWN_VALUES else ""
    return f"{number}: {shown}{more}"


def _shorten(label: str) -> str:
    return label if len(label) <= 40 else f"{label[:39]}…"


def _find_axis(draft: SweepDraft, field: str) -> int:
    for place, axis in enumerate(draft.axes):
        if field in dict(axis):
            return place
    return 0


def _find_place(draft: SweepDraft, field: str) -> int:
    axis = draft.axes[_find_axis(draft, field)]
    names = [name for name, _ in axis]
    return names.index(field) if field in names else 0


def check_length(name: str, given: str | list[Path]) -> None:
    """Raises AxisError for an axis text that is longer than anybody types."""
    if not isinstance(given, str):
        return
    try:
        check_typed(given)
    except InvalidValue as refusal:
        raise AxisError(str(refusal), name) from None


def _take_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
