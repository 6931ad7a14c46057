"""Import comfy-pack: CPackInput… nodes are fields, CPackOutput… nodes show results
(August 2025).
"""

from __future__ import annotations

import sys
from dataclasses import replace

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation
from comfygradio.importers.mapping import map_file, map_value
from comfygradio.importers.output_nodes import replace_output
from comfygradio.importers.values import drop_far_limit, get_number, slugify
from comfygradio.importers.workflow_editor import WorkflowEditor

SOURCE = "comfy-pack"
INPUTS = {
    "CPackInputString": "value",
    "CPackInputInt": "value",
    "CPackInputFile": "path",
    "CPackInputAny": "input",
}
"""Class → the input with the value."""

PLAIN_TITLES = ("Image Input", "String Input", "Int Input", "File Input", "Any Input")
"""Titles that the nodes have until their author renames them."""


def import_comfy_pack(editor: WorkflowEditor) -> list[Annotation]:
    """Import an annotation for each input node in the order of the file. As in comfy-pack, the
    title names it, else the target.
    """
    hints: list[Annotation] = []
    for node in editor.find("CPackInput"):
        # Read before the node gives way: afterwards it may feed nothing any more.
        fed = editor.find_fed_inputs(node.id)
        target = fed[0][0].input if fed else ""
        titled = "" if node.title in (*PLAIN_TITLES, node.class_type) else node.title
        name = slugify(titled or target)
        hint = _read_node(editor, node)
        if hint is not None:
            hints.append(replace(hint, name=name, label=titled, order=len(hints)))
    for node in editor.find("CPackOutput"):
        replace_output(editor, node)
    return hints


def _read_node(editor: WorkflowEditor, node: Node) -> Annotation | None:
    if node.class_type == "CPackInputImage":
        return _read_image(editor, node)
    input = INPUTS.get(node.class_type, "value")
    value = node.inputs.get(input)
    if isinstance(value, dict | list) and not Link.parse(value):
        value = ""
    slots = map_value(editor, node, input, value)
    if not slots:
        return None
    low = drop_far_limit(get_number(node.inputs, "min"), sys.maxsize)
    high = drop_far_limit(get_number(node.inputs, "max"), sys.maxsize)
    return Annotation(SOURCE, slots, default=editor.get_input(slots[0]), minimum=low, maximum=high)


def _read_image(editor: WorkflowEditor, node: Node) -> Annotation:
    slot = Slot(node.id, "image")
    if editor.spec(slot) is None:
        slot = map_file(editor, node, "image", node.inputs.get("image"))
    return Annotation(SOURCE, (slot,), widget="image")
