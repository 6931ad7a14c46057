"""Test nodes for forms: they take inputs of every kind and show what came."""

from __future__ import annotations

import json

from PIL import Image

from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import NodeInputs

COLOR_SIZE = (64, 64)


def nodes() -> dict[str, NodeFunction]:
    return {
        "LabTags": show_tags,
        "LabColor": show_color,
        "LabFile": show_file,
        "LabKinds": show_values,
        "LabDynamic": show_values,
    }


def show(text: str, *more: object) -> NodeResult:
    """A result that is the text, and further outputs; the text is shown too."""
    outputs = (text, *more)
    return NodeResult(outputs, {"text": [text]})


def show_tags(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """The chosen tags in the order they came, with commas between them."""
    tags = inputs.get("tags")
    if not isinstance(tags, list):
        tags = [str(tags)]
    return show(", ".join(tags))


def show_color(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """`#ff8800`, then the number as `#rrggbb` if there is one; and a picture of the colour."""
    color = inputs.text("color")
    text = color
    if inputs.has("number"):
        number = inputs.integer("number")
        text = f"{color} #{number:06x}"
    picture = Image.new("RGB", COLOR_SIZE, color)
    return show(text, [picture])


def show_file(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    name = inputs.text("file")
    path = run.folders.annotated(name)
    size = path.stat().st_size
    return show(f"{name}: {size} bytes")


def show_values(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """All values as one JSON object with sorted keys; what is no JSON is named by its
    Python type.
    """
    values = {name: inputs.get(name) for name in inputs.names()}
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=name_type)
    return show(text)


def name_type(value: object) -> str:
    return type(value).__name__
