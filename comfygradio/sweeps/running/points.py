"""Points: the order for one point of a sweep, and the key by which the same content is
known again.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from comfygradio.comfy.workflow import Prompt
from comfygradio.forms.field import MEDIA
from comfygradio.forms.form import Form
from comfygradio.jobs.job import Order, Point
from comfygradio.sweeps.axes.axis import Axis, Index
from comfygradio.sweeps.planning.space import Space

NO_DAY = datetime.datetime(2000, 1, 1)
"""Stands in file names for the day on which a point is run, which does not belong to its content.
"""


def make_order(space: Space, sweep: str, index: Index) -> Order:
    """The order for a point of the sweep with this id. Raises ValuesRefused and PresetError."""
    form = space.form
    checked = form.check(space.values(index))
    point = Point(sweep, index, make_key(form, checked))
    return Order(
        form.name,
        form.title,
        form.build(checked, space.now),
        form.describe(checked),
        form.seeds,
        point,
    )


def make_key(form: Form, checked: Mapping[str, Any]) -> str:
    """The key of what a form makes of checked values: equal for equal content, whatever files are
    called.

    Files are known by their content, since the graph names them after it. Raises ValuesRefused for
    one that is gone.
    """
    described = form.describe(checked)
    values = {}
    for name, value in described.items():
        if name not in form.fields or form.fields[name].widget not in MEDIA:
            values[name] = value
    prompt = form.build(checked, NO_DAY)
    return hash_content(form.name, values, prompt)


def hash_content(preset: str, values: Mapping[str, Any], prompt: Prompt) -> str:
    """SHA-256 over a preset's name, described values, and what a prompt says to a server."""
    nodes = {key: (node["class_type"], node["inputs"]) for key, node in prompt.graph.items()}
    content = json.dumps([preset, values, nodes, prompt.outputs], sort_keys=True)
    encoded = content.encode("utf-8", "surrogatepass")
    return hashlib.sha256(encoded).hexdigest()


def describe_cells(space: Space) -> Iterator[tuple[Index, dict[str, Any]]]:
    """Every point, with the values of the fields that axes change, as JSON."""
    if any(_replaces(axis) for axis in space.axes):
        # What stands in a text depends on several axes together, so that every point is described.
        names = _list_fields(space.axes)
        for index in space:
            values = space.values(index)
            yield index, space.form.describe({name: values[name] for name in names})
        return
    described = [_describe_steps(space.form, axis) for axis in space.axes]
    for index in space:
        values = {}
        for row, position in zip(described, index, strict=True):
            values.update(row[position])
        yield index, values


def _replaces(axis: Axis) -> bool:
    kinds: set[str] = set()
    for step in axis.steps:
        kinds.update(change.kind for change in step.changes)
    return "replace" in kinds


def _list_fields(axes: Sequence[Axis]) -> list[str]:
    """The fields that axes change, each once."""
    names: list[str] = []
    for axis in axes:
        names += axis.fields
    return list(dict.fromkeys(names))


def _describe_steps(form: Form, axis: Axis) -> list[dict[str, Any]]:
    described = []
    for step in axis.steps:
        values = {change.field: change.value for change in step.changes}
        described.append(form.describe(values))
    return described
