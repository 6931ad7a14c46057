"""Preparing: a definition against a form becomes the space of its points, and a definition that
says all of it.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from comfygradio.errors import ValuesRefused
from comfygradio.forms.field import MEDIA, Refused
from comfygradio.forms.fill import DRAWN, WRITTEN
from comfygradio.forms.form import Form
from comfygradio.forms.meaning import find_meaning, read_unknown
from comfygradio.sweeps.axes.axis import Axis
from comfygradio.sweeps.axes.file_patterns import Files
from comfygradio.sweeps.axes.reading import read_axes, read_axis
from comfygradio.sweeps.definition import Definition
from comfygradio.sweeps.planning.space import Space


def prepare_space(
    form: Form,
    definition: Definition,
    root: Path | None = None,
    is_confined: bool = True,
    rng: random.Random | None = None,
) -> Space:
    """The points of a definition; what is open, such as seeds, is drawn once, for all of them.

    Files can be named below `root`, or with `is_confined` off anywhere, and without a root not at
    all (paths that are Path objects are taken as they are). Raises ValuesRefused, AxisError, and
    PresetError for a form with problems.
    """
    form.refuse_if_closed()
    values = _take_files(form, definition.values, Files(root, is_confined))
    base = _check_base(form, definition, values, root, is_confined)
    axes = read_axes(form, definition.axes, base, rng, root, is_confined)
    space = Space(form, axes, base)
    form.build(form.check(space.values(tuple(0 for _ in axes))))
    return space


def resolve_definition(definition: Definition, space: Space, root: Path) -> Definition:
    """The definition that reads as exactly this space again, with the files of `root` named
    relative to it.
    """
    files = Files(root)
    values = space.form.describe(space.base)
    values |= {
        name: files.write(value) for name, value in space.base.items() if isinstance(value, Path)
    }
    return replace(
        definition,
        values=values,
        axes=tuple(_write_axis(space.form, axis, files) for axis in space.axes),
    )


def _take_files(form: Form, values: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """The values as the form checks them, with texts that name files as paths.

    Raises ValuesRefused.
    """
    taken, problems = _find_meanings(form, values), dict[str, str]()
    for name, value in list(taken.items()):
        if (
            name in form.fields
            and form.fields[name].widget in MEDIA
            and isinstance(value, str)
            and value
        ):
            try:
                taken[name] = files.find(value, is_literal=True)[0]
            except Refused as refusal:
                problems[name] = str(refusal)
    if problems:
        raise ValuesRefused(problems)
    return taken


def _find_meanings(form: Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with what a file has without quotes as the fields take it."""
    return {
        name: find_meaning(form.fields[name], value) if name in form.fields else read_unknown(value)
        for name, value in values.items()
    }


def _check_base(
    form: Form, definition: Definition, values: dict[str, Any], root: Path | None, is_confined: bool
) -> dict[str, Any]:
    """The checked values that all points share, and what chance decides, also for points that alone
    use it.

    A field that has to have a value, and has one only on an axis, starts with the first one there.
    """
    try:
        checked = form.check(values)
    except ValuesRefused as refusal:
        on_axes = {name: given for entry in definition.axes for name, given in entry.items()}
        missing = [
            name
            for name in refusal.problems
            if name in on_axes and name in form.fields and name not in values
        ]
        if not missing:
            raise
        for name in missing:
            axis = read_axis(form, {name: on_axes[name]}, {}, None, root, is_confined)
            values[name] = next(change.value for change in axis.steps[0].changes)
        checked = form.check(values)
    # A text on an axis may be drawn although none among these values is.
    written = {WRITTEN: True} if values.get(WRITTEN) is True else {}
    return {DRAWN: values.get(DRAWN, secrets.randbelow(2**50)), **written, **checked}


def _write_axis(form: Form, axis: Axis, files: Files) -> dict[str, Any]:
    """An axis as an entry of a definition: texts, but lists of values where it goes
    through files.
    """
    if not any(form.fields[name].widget in MEDIA for name in axis.fields):
        return dict(axis.texts)
    entry: dict[str, Any] = dict(axis.texts)
    for name in axis.fields:
        changes = [change for step in axis.steps for change in step.changes if change.field == name]
        if all(change.kind == "set" for change in changes):
            values = [change.value for change in changes]
            described = [form.describe({name: value})[name] for value in values]
            entry[name] = [
                files.write(value) if isinstance(value, Path) else shown
                for value, shown in zip(values, described, strict=True)
            ]
    return entry
