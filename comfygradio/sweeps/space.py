"""A space is all points of a sweep, with the prompt of each.

`build_space` makes it from a definition and a form; `resolve_definition` writes everything that was
drawn back into the definition.
"""

from __future__ import annotations

import datetime
import math
import random
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import ValuesRefused
from comfygradio.forms.fill import FROM_FORM, RANDOM_SEED
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.file_pattern import AllowedFiles
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.forms.scalar_resolution import resolve_value, to_plain_data
from comfygradio.sweeps.axes.axis import Axis, Change, Index, apply_point, list_points
from comfygradio.sweeps.axes.axis_parser import parse_all_axes, parse_axis
from comfygradio.sweeps.definition import Definition


@dataclass(frozen=True)
class Space:
    """A form, the values that all points share, and the axes that change them.

    `base` are checked values with every seed drawn. `now` is the date in file names.
    """

    form: Form
    axes: tuple[Axis, ...]
    base: Mapping[str, Any]
    now: datetime.datetime = field(default_factory=datetime.datetime.now)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Positions on each axis."""
        lengths = [len(axis.steps) for axis in self.axes]
        return tuple(lengths)

    def __len__(self) -> int:
        return math.prod(self.sizes)

    def __iter__(self) -> Iterator[Index]:
        """Iterate over every point, in the order as typed."""
        return list_points(self.axes)

    def describe(self, index: Index) -> dict[str, Any]:
        """Describe the values of the whole form at a point, as JSON. Raises ValuesRefused."""
        values = self.values(index)
        checked = self.form.check(values)
        return self.form.values_to_json(checked)

    def values(self, index: Index) -> dict[str, Any]:
        """Return the values of a point, which are not checked yet."""
        return apply_point(self.axes, self.base, index)

    def prompt(self, index: Index) -> Prompt:
        """Build the prompt of a point. Raises ValuesRefused if the form refuses its values."""
        values = self.values(index)
        checked = self.form.check(values)
        return self.form.build(checked, self.now)


def build_space(
    form: Form,
    definition: Definition,
    root: Path | None = None,
    is_confined: bool = True,
    rng: random.Random | None = None,
) -> Space:
    """Build the space of a definition. Open values, such as random seeds, are drawn once for all
    points.

    Files can be named below `root`; anywhere if not `is_confined`; not at all without a root,
    except as Path objects. Raises ValuesRefused, AxisError, and PresetError for a form with
    problems.
    """
    form.raise_for_problems()
    files = AllowedFiles(root, is_confined)
    values = _resolve_files(form, definition.values, files)
    base = _check_base(form, definition, values, root, is_confined)
    axes = parse_all_axes(form, definition.axes, base, rng, root, is_confined)
    space = Space(form, axes, base)
    # What the form refuses at the first point is said now, before anything runs.
    first = tuple(0 for _ in axes)
    checked = form.check(space.values(first))
    form.build(checked)
    return space


def resolve_definition(definition: Definition, space: Space, root: Path) -> Definition:
    """Return a definition that gives exactly this space again. Files in `root` are named relative
    to it.
    """
    files = AllowedFiles(root)
    values = space.form.values_to_json(space.base)
    for name, value in space.base.items():
        if isinstance(value, Path):
            values[name] = files.to_text(value)
    axes = [_axis_to_entry(space.form, axis, files) for axis in space.axes]
    return replace(definition, values=values, axes=tuple(axes))


def _resolve_files(form: Form, values: Mapping[str, Any], files: AllowedFiles) -> dict[str, Any]:
    """Convert values to what the form checks; texts that name files become paths.

    Raises ValuesRefused.
    """
    taken = _resolve_scalars(form, values)
    problems: dict[str, str] = {}
    for name, value in list(taken.items()):
        if name not in form.fields or not form.fields[name].kind.is_media:
            continue
        if not isinstance(value, str) or not value:
            continue
        try:
            [path] = files.find(value, is_literal=True)
            taken[name] = path
        except InvalidValue as refusal:
            problems[name] = str(refusal)
    if problems:
        raise ValuesRefused(problems)
    return taken


def _resolve_scalars(form: Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve unquoted YAML values by the fields that take them."""
    found = {}
    for name, value in values.items():
        if name in form.fields:
            found[name] = resolve_value(form.fields[name], value)
        else:
            found[name] = to_plain_data(value)
    return found


def _check_base(
    form: Form, definition: Definition, values: dict[str, Any], root: Path | None, is_confined: bool
) -> dict[str, Any]:
    """Check the values that all points share, and draw what is random, even if only some points use
    it.

    A required field that has values only on an axis starts with the first one there.
    """
    try:
        checked = form.check(values)
    except ValuesRefused as refusal:
        on_axes: dict[str, Any] = {}
        for entry in definition.axes:
            on_axes.update(entry)
        missing = []
        for name in refusal.problems:
            is_on_axis = name in on_axes and name in form.fields
            # A prompt that nobody has written comes from a form as an empty text.
            if is_on_axis and not values.get(name):
                missing.append(name)
        if not missing:
            raise
        # The axis sets these fields at every point, so that any of its values will do for the
        # check.
        for name in missing:
            entry = {name: on_axes[name]}
            axis = parse_axis(form, entry, {}, None, root, is_confined)
            first = axis.steps[0].changes[0]
            values[name] = first.value
        checked = form.check(values)
    random_seed = values.get(RANDOM_SEED, secrets.randbelow(2**50))
    base: dict[str, Any] = {RANDOM_SEED: random_seed}
    if values.get(FROM_FORM) is True:
        # A text on an axis may be drawn although none among these values is.
        base[FROM_FORM] = True
    return base | checked


def _axis_to_entry(form: Form, axis: Axis, files: AllowedFiles) -> dict[str, Any]:
    """Convert an axis to an entry of a definition: texts, or lists of values for files."""
    entry: dict[str, Any] = dict(axis.texts)
    kinds = [form.fields[name].kind for name in axis.fields]
    # The texts of files name what was typed, while the steps may hold copies of that.
    if not any(kind.is_media for kind in kinds):
        return entry
    for name in axis.fields:
        changes = _list_changes(axis, name)
        if all(change.kind == "set" for change in changes):
            entry[name] = [_change_to_json(form, change, files) for change in changes]
    return entry


def _list_changes(axis: Axis, field: str) -> list[Change]:
    changes = []
    for step in axis.steps:
        changes += [change for change in step.changes if change.field == field]
    return changes


def _change_to_json(form: Form, change: Change, files: AllowedFiles) -> Any:
    if isinstance(change.value, Path):
        return files.to_text(change.value)
    described = form.values_to_json({change.field: change.value})
    return described[change.field]
