"""Points: the order for one point of a sweep, and the key by which the same content is
known again.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from comfygradio.comfy.workflow import Prompt
from comfygradio.forms.field import MEDIA
from comfygradio.forms.form import Form
from comfygradio.jobs.job import Order, Point
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planning.space import Space

NO_DAY = datetime.datetime(2000, 1, 1)
"""Stands in file names for the day on which a point is run, which does not belong to its content.
"""


def make_order(space: Space, sweep: str, index: Index) -> Order:
    """The order for a point of the sweep with this id. Raises ValuesRefused and PresetError."""
    form, checked = space.form, space.form.check(space.values(index))
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
    files = {name for name, field in form.fields.items() if field.widget in MEDIA}
    values = {name: value for name, value in form.describe(checked).items() if name not in files}
    return hash_content(form.name, values, form.build(checked, NO_DAY))


def hash_content(preset: str, values: Mapping[str, Any], prompt: Prompt) -> str:
    """SHA-256 over a preset's name, described values, and what a prompt says to a server."""
    nodes = {key: (node["class_type"], node["inputs"]) for key, node in prompt.graph.items()}
    content = json.dumps([preset, values, nodes, prompt.outputs], sort_keys=True)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def describe_cells(space: Space) -> Iterator[tuple[Index, dict[str, Any]]]:
    """Every point, with the values of the fields that axes change, as JSON."""
    steps = [step for axis in space.axes for step in axis.steps]
    if any(change.kind != "set" for step in steps for change in step.changes):
        names = list(dict.fromkeys(name for axis in space.axes for name in axis.fields))
        for index in space:
            values = space.values(index)
            yield index, space.form.describe({name: values[name] for name in names})
        return
    described = [
        [
            space.form.describe({change.field: change.value for change in step.changes})
            for step in axis.steps
        ]
        for axis in space.axes
    ]
    for index in space:
        values = {}
        for row, position in zip(described, index, strict=True):
            values.update(row[position])
        yield index, values
