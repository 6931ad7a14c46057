"""Points: builds the order of a point, and the key that identifies its content."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from comfygradio.comfy.workflow import Prompt
from comfygradio.forms.form import Form
from comfygradio.jobs.job import Order, Point
from comfygradio.sweeps.axes.axis import Axis, Index
from comfygradio.sweeps.space import Space

FIXED_DATE = datetime.datetime(2000, 1, 1)
"""A fixed date for file names, so that the day of a run does not change the content key.
"""


def build_order(space: Space, sweep: str, index: Index) -> Order:
    """Build the order of a point of the sweep with this id. Raises ValuesRefused or PresetError."""
    form = space.form
    checked = form.check(space.values(index))
    key = build_key(form, checked)
    point = Point(sweep, index, key)
    return Order(
        form.name,
        form.title,
        form.build(checked, space.now),
        form.values_to_json(checked),
        form.seeds,
        point,
    )


def build_key(form: Form, checked: Mapping[str, Any]) -> str:
    """Build the key of checked values. Equal content has equal keys, whatever files are called.

    The graph names files after their content. Raises ValuesRefused if a file is gone.
    """
    described = form.values_to_json(checked)
    values = {}
    for name, value in described.items():
        is_file = name in form.fields and form.fields[name].kind.is_media
        if not is_file:
            values[name] = value
    prompt = form.build(checked, FIXED_DATE)
    return hash_content(form.name, values, prompt)


def hash_content(preset: str, values: Mapping[str, Any], prompt: Prompt) -> str:
    """Hash a preset's name, its described values, and what a prompt sends to a server, with
    SHA-256.
    """
    nodes = {}
    for node_id, node in prompt.graph.items():
        nodes[node_id] = (node["class_type"], node["inputs"])
    content = [preset, values, nodes, prompt.outputs]
    text = json.dumps(content, sort_keys=True)
    encoded = text.encode("utf-8", "surrogatepass")
    return hashlib.sha256(encoded).hexdigest()


def describe_points(space: Space) -> Iterator[tuple[Index, dict[str, Any]]]:
    """Yield every point with the values of the fields that axes change, as JSON."""
    if any(_replaces(axis) for axis in space.axes):
        return _describe_each_point(space)
    return _combine_steps(space)


def _describe_each_point(space: Space) -> Iterator[tuple[Index, dict[str, Any]]]:
    """Describe every point by itself, as is needed where several axes change one text together."""
    names = _list_fields(space.axes)
    for index in space:
        values = space.values(index)
        varying = {name: values[name] for name in names}
        yield index, space.form.values_to_json(varying)


def _combine_steps(space: Space) -> Iterator[tuple[Index, dict[str, Any]]]:
    """Describe every step of every axis once, and combine these for the points.

    This is much quicker, as a sweep has far more points than steps; a value must not depend on
    other axes.
    """
    described = [_describe_steps(space.form, axis) for axis in space.axes]
    for index in space:
        values: dict[str, Any] = {}
        for steps, number in zip(described, index, strict=True):
            values.update(steps[number])
        yield index, values


def _replaces(axis: Axis) -> bool:
    for step in axis.steps:
        for change in step.changes:
            if change.kind == "replace":
                return True
    return False


def _list_fields(axes: Sequence[Axis]) -> list[str]:
    """List the fields that axes change, each once."""
    names: list[str] = []
    for axis in axes:
        names += axis.fields
    return list(dict.fromkeys(names))


def _describe_steps(form: Form, axis: Axis) -> list[dict[str, Any]]:
    described = []
    for step in axis.steps:
        values = {change.field: change.value for change in step.changes}
        described.append(form.values_to_json(values))
    return described
