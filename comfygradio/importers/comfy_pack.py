"""Import comfy-pack: CPackInput… nodes are fields, CPackOutput… nodes show results
(August 2025).
"""

from __future__ import annotations

import sys
from dataclasses import replace

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation, number_annotations
from comfygradio.importers.mapping import map_file, map_value
from comfygradio.importers.output_nodes import replace_output
from comfygradio.importers.values import get_limit, slugify
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
    annotations: list[Annotation] = []
    for node in editor.find("CPackInput"):
        # Read before the node is replaced: afterwards it may feed nothing any more.
        fed = editor.find_fed_inputs(node.id)
        title = node.title
        if title in (*PLAIN_TITLES, node.class_type):
            title = ""
        name = slugify(title)
        if not title and fed:
            target, _ = fed[0]
            name = slugify(target.input)
        annotation = _read_node(editor, node)
        if annotation is not None:
            annotations.append(replace(annotation, name=name, label=title))
    for node in editor.find("CPackOutput"):
        replace_output(editor, node)
    return number_annotations(annotations)


def _read_node(editor: WorkflowEditor, node: Node) -> Annotation | None:
    """Read one input node. Returns None if it fills no input."""
    if node.class_type == "CPackInputImage":
        return _read_image(editor, node)
    input = INPUTS.get(node.class_type, "value")
    value = node.inputs.get(input)
    if isinstance(value, dict | list) and not Link.parse(value):
        value = ""
    slots = map_value(editor, node, input, value)
    if not slots:
        return None
    return Annotation(
        source=SOURCE,
        slots=slots,
        default=editor.get_input(slots[0]),
        minimum=get_limit(node.inputs, "min", sys.maxsize),
        maximum=get_limit(node.inputs, "max", sys.maxsize),
    )


def _read_image(editor: WorkflowEditor, node: Node) -> Annotation:
    """Read an image node. If the server lacks it, a loader takes its place."""
    slot = Slot(node.id, "image")
    if editor.spec(slot) is None:
        file = node.inputs.get("image")
        slot = map_file(editor, node, "image", file)
    return Annotation(SOURCE, (slot,), widget="image")
