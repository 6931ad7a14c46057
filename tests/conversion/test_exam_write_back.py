"""Every workflow of the exam takes back a prompt in which all values are changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comfygradio import convert_workflow
from comfygradio.conversion.reading import Reading, is_link
from comfygradio.conversion.widget import Widget
from comfygradio.conversion.write_back import write_back
from tests.exam import FOLDER, NO_EXAM

pytestmark = pytest.mark.deep

MIN_SHARE = 0.99
"""Share of the workflows whose prompt is exactly the changed one."""


@pytest.mark.skipif(not FOLDER, reason=NO_EXAM)
def test_changed_values_go_back_into_every_workflow() -> None:
    folder = Path(FOLDER)
    info: dict[str, Any] = json.loads((folder / "object_info.json").read_bytes())
    same = 0
    different = []
    for path in sorted((folder / "workflows").glob("*.json")):
        data = json.loads(path.read_bytes())
        if not isinstance(data, dict) or "nodes" not in data:
            continue
        prompt = change_all(data, info)
        written = write_back(data, info, prompt)
        if written.differences:
            different.append(path.stem)
        else:
            same += 1
    assert same >= MIN_SHARE * (same + len(different)), different


def change_all(data: dict[str, Any], info: dict[str, Any]) -> dict[str, Any]:
    """Change each plain value of a workflow's prompt to another one of its type."""
    reading = Reading.read(data, info)
    prompt: dict[str, Any] = copy.deepcopy(convert_workflow(data, info).prompt)
    for node_id, node in prompt.items():
        _, owner = reading.owners[node_id]
        widgets = reading.catalogue.place(owner).widgets
        for name, value in list_plain(node["inputs"]):
            placed = widgets.get(name)
            # A socket has the value of a widget outside, with which it has to change.
            widget = placed.widget if placed else Widget(name, "PAGE")
            if can_change(node["class_type"], widget):
                node["inputs"][name] = choose_other(widget, value)
    return prompt


def list_plain(inputs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """List the inputs that no other node feeds."""
    for name, value in list(inputs.items()):
        if not is_link(value):
            yield name, value


def can_change(class_type: str, widget: Widget) -> bool:
    """Whether a person can change a value without changing which inputs the node has. The page
    counts the index of a choice itself.
    """
    is_counted = class_type == "CustomCombo" and widget.name == "index"
    return widget.is_saved and widget.kind != "COMFY_DYNAMICCOMBO_V3" and not is_counted


def choose_other(widget: Widget, value: Any) -> Any:
    """Choose another value of the same type: another choice where there are choices."""
    if widget.choices:
        others = [choice for choice in widget.choices if type(choice) is type(value)]
        return next((choice for choice in others if choice != value), value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value + 0.25
    if isinstance(value, str):
        return f"{value} x"
    if isinstance(value, dict) and "__value__" in value:
        return {"__value__": [*value["__value__"], 1]}
    return value
