"""comfy-pack: nodes of the classes CPackInput… are fields, CPackOutput… show results
(August 2025).
"""

from __future__ import annotations

import sys
from dataclasses import replace

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.drafting.hint import Hint
from comfygradio.forms.drafting.markers.exposure import expose_file, expose_value
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.outputs import replace_output
from comfygradio.forms.drafting.markers.values import bound, make_name, read_number
from comfygradio.forms.slots import Slot

SOURCE = "comfy-pack"
INPUTS = {
    "CPackInputString": "value",
    "CPackInputInt": "value",
    "CPackInputFile": "path",
    "CPackInputAny": "input",
}
"""Class → the input that holds the value."""

PLAIN_TITLES = ("Image Input", "String Input", "Int Input", "File Input", "Any Input")
"""The titles that the nodes have until their author gives them a better one."""


def read_comfy_pack(graph: Graph) -> list[Hint]:
    """A hint for each input node in the order of the file, named like comfy-pack does: by title,
    else by target.
    """
    hints: list[Hint] = []
    for node in graph.find("CPackInput"):
        # Read before the node gives way: afterwards it may feed nothing any more.
        fed = graph.follow(node.id)
        target = fed[0][0].input if fed else ""
        titled = "" if node.title in (*PLAIN_TITLES, node.class_type) else node.title
        name = make_name(titled or target)
        hint = _read_node(graph, node)
        if hint is not None:
            hints.append(replace(hint, name=name, label=titled, order=len(hints)))
    for node in graph.find("CPackOutput"):
        replace_output(graph, node)
    return hints


def _read_node(graph: Graph, node: Node) -> Hint | None:
    if node.class_type == "CPackInputImage":
        return _read_image(graph, node)
    input = INPUTS.get(node.class_type, "value")
    value = node.inputs.get(input)
    if isinstance(value, dict | list) and not Link.parse(value):
        value = ""
    slots = expose_value(graph, node, input, value)
    if not slots:
        return None
    low = bound(read_number(node.inputs, "min"), sys.maxsize)
    high = bound(read_number(node.inputs, "max"), sys.maxsize)
    return Hint(SOURCE, slots, default=graph.read(slots[0]), minimum=low, maximum=high)


def _read_image(graph: Graph, node: Node) -> Hint:
    slot = Slot(node.id, "image")
    if graph.spec(slot) is None:
        slot = expose_file(graph, node, "image", node.inputs.get("image"))
    return Hint(SOURCE, (slot,), widget="image")
