"""Drafts of sweeps: parses what the editor of a page sent, and checks it."""

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
"""Most values of an axis that are listed while it is typed."""

MAX_TICKED = 500
"""Most values of a list that are sent one by one, so that they can be ticked."""

ERROR_COST = 2_500
"""How many values an invalid text counts as: it may have been parsed almost to its end."""

MAX_AXES = 12
MAX_LINKED = 12

Json = dict[str, Any]
AxisInput = tuple[str, str | list[Path]]
"""The name of a field, and the text or the files that were given for it."""


@dataclass(frozen=True)
class SweepDraft:
    """A sweep that a page edits: the values of the form, and what was typed for each axis."""

    preset: str
    values: Mapping[str, Any]
    axes: tuple[tuple[AxisInput, ...], ...]
    carry: bool = True
    title: str = ""

    @property
    def is_complete(self) -> bool:
        """True if there is an axis, and every axis has a field and something typed for it."""
        if not self.axes:
            return False
        for axis in self.axes:
            if not axis:
                return False
            for name, given in axis:
                if not name or not given:
                    return False
        return True

    def define(self) -> Definition:
        """Make the definition of the sweep. Raises AxisError for a text that is too long."""
        for axis in self.axes:
            for name, given in axis:
                check_length(name, given)
        values = {**self.values, FROM_FORM: True}
        axes = tuple(dict(axis) for axis in self.axes)
        return Definition(self.preset, values, axes, self.carry, self.title)


def parse_draft(form: Form, asked: Mapping[str, Any]) -> SweepDraft:
    """Parse what a page sent. Whatever makes no sense is left out; so is a refused value of a field
    that an axis sets.
    """
    values = _read_values(form, asked.get("values"))
    axes = []
    swept = set[str]()
    for sent_axis in _take_list(asked.get("axes"))[:MAX_AXES]:
        axis = tuple(_read_axis(form, sent_axis))
        axes.append(axis)
        swept.update(name for name, _ in axis)
    for name in _find_refused(form, values):
        if name in swept:
            values.pop(name, None)
    sent_title = _take_text(asked.get("title"))
    title = " ".join(sent_title[:1000].split())
    return SweepDraft(
        form.name,
        values,
        tuple(axes),
        carry=asked.get("carry") is not False,
        title=title[:120],
    )


def _read_values(form: Form, sent: Any) -> dict[str, Any]:
    """Read the form's values as they were sent; a file that did not arrive is left out."""
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
    """Check the axes of a draft; return for each field of each axis what to say about it, and
    whether the whole draft can be used.

    Raises ValuesRefused.
    """
    base = check_base(form, draft)
    reports: list[list[Json]] = []
    left = MAX_AXIS_VALUES
    for axis in draft.axes:
        axis_reports: list[Json] = []
        for name, given in axis:
            if left > 0:
                report = _check_axis_field(form, name, given, base)
            else:
                too_many = AxisError(TOO_MANY_AXIS_VALUES, name)
                report = {"error": describe_axis_error(too_many)}
            left -= ERROR_COST if "error" in report else report.get("count", 0)
            axis_reports.append(report)
        _compare_lengths(form, axis, axis_reports)
        reports.append(axis_reports)
    if not draft.is_complete or _has_error(reports):
        return reports, False
    try:
        axes = [dict(axis) for axis in draft.axes]
        parse_all_axes(form, axes, base)
    except AxisError as error:
        axis_number, place = _find_axis_field(draft, error.field)
        reports[axis_number][place]["error"] = describe_axis_error(error)
        return reports, False
    return reports, True


def _has_error(reports: Sequence[Sequence[Json]]) -> bool:
    """Return whether something is wrong with a field of an axis."""
    for axis_reports in reports:
        for report in axis_reports:
            if "error" in report:
                return True
    return False


def check_base(form: Form, draft: SweepDraft) -> dict[str, Any]:
    """Check the form's values, which the axes change.

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
    """Describe an error of an axis beside its field: which value is wrong, and why."""
    problem = error.problem
    if not error.position:
        return problem[:1].upper() + problem[1:]
    value = f"Value {error.position}"
    if error.item:
        value += f" ({error.item})"
    return f"{value}: {problem}"


def _find_refused(form: Form, values: Mapping[str, Any]) -> list[str]:
    """Find the fields whose values the form refuses."""
    try:
        form.check(values)
    except ValuesRefused as error:
        return list(error.problems)
    return []


def _check_kept(form: Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """Check values; if they are refused since a file is still to come, return the defaults."""
    try:
        return form.check(values)
    except ValuesRefused:
        return {name: field.default for name, field in form.fields.items()}


def _read_axis(form: Form, axis: Any) -> Iterator[AxisInput]:
    """Read the fields of an axis; a field that the form does not have gets the name ""."""
    for entry in _take_list(axis)[:MAX_LINKED]:
        if not isinstance(entry, Mapping):
            continue
        name = _take_text(entry.get("field"))
        field = form.fields.get(name)
        if field is not None and field.kind.is_media:
            yield name, _read_uploads(entry.get("files"))
        else:
            text = _take_text(entry.get("text")).strip()
            yield name if field else "", text


def _read_uploads(sent: Any) -> list[Path]:
    paths = []
    for payload in _take_list(sent)[:MAX_TICKED]:
        path = read_upload(payload)
        if path:
            paths.append(path)
    return paths


def _check_axis_field(form: Form, name: str, given: Any, base: Mapping[str, Any]) -> Json:
    """Describe how the values of one field were understood, or what is wrong with them."""
    if not name or not given:
        return {}
    try:
        check_length(name, given)
        axis = parse_axis(form, {name: given}, base)
    except AxisError as error:
        return {"error": describe_axis_error(error)}
    field = form.fields[name]
    report: Json = {
        "read": _summarise_values(field, axis, given),
        "count": len(axis.steps),
    }
    if field.choices is not None and len(axis.steps) <= MAX_TICKED:
        values = list_axis_values(axis)
        report["texts"] = format_unquoted(form, name, values)
    return report


def _compare_lengths(form: Form, axis: Sequence[AxisInput], reports: Sequence[Json]) -> None:
    """Report an error if fields that change together have different numbers of values."""
    if not reports:
        return
    first_count = reports[0].get("count")
    if first_count is None:
        return
    first_name, _ = axis[0]
    for (name, _), report in zip(axis[1:], reports[1:], strict=True):
        count = report.get("count")
        if count is None or count == first_count:
            continue
        first_label = form.fields[first_name].label
        label = form.fields[name].label
        report["error"] = (
            f"“{first_label}” has {_count_values(first_count)} and “{label}” has "
            f"{_count_values(count)}; what changes together needs equally many."
        )


def _count_values(count: int) -> str:
    if count == 1:
        return "1 value"
    return f"{count:,} values"


def _summarise_values(field: Field, axis: Axis, given: Any) -> str:
    """Write how many values were typed, and which, unless the text lists just these."""
    count = _count_values(len(axis.steps))
    if field.kind.is_seed and "random" in str(given):
        return f"{count}, drawn when it starts"
    labels = [step.label for step in axis.steps]
    typed = re.sub(r"[\s\"]", "", str(given))
    understood = re.sub(r"\s", "", ",".join(labels))
    if typed == understood:
        return count
    shown = [_shorten(label) for label in labels[:MAX_SHOWN_VALUES]]
    more = " …" if len(labels) > MAX_SHOWN_VALUES else ""
    return f"{count}: {', '.join(shown)}{more}"


def _shorten(label: str) -> str:
    if len(label) <= 40:
        return label
    return f"{label[:39]}…"


def _find_axis_field(draft: SweepDraft, field: str) -> tuple[int, int]:
    """Find the number of the axis that has this field, and the field's place in it; the first field
    of the first axis if none has it.
    """
    for number, axis in enumerate(draft.axes):
        for place, (name, _) in enumerate(axis):
            if name == field:
                return number, place
    return 0, 0


def check_length(name: str, given: str | list[Path]) -> None:
    """Raise AxisError for an axis text that is longer than anybody types."""
    if not isinstance(given, str):
        return
    try:
        check_typed(given)
    except InvalidValue as refusal:
        raise AxisError(str(refusal), name) from None


def _take_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _take_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
