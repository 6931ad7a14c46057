"""Import Krita AI Diffusion: ETN_Parameter nodes are fields, ETN_Krita… nodes stand for the canvas
(June 2026).

Krita itself replaces these nodes before it posts a workflow, so that none of them is kept here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.kinds.registry import Widget
from comfygradio.importers.annotation import Annotation, number_annotations
from comfygradio.importers.krita_canvas import (
    NamedAnnotation,
    import_canvas,
    import_layers,
    import_styles,
)
from comfygradio.importers.mapping import map_value
from comfygradio.importers.output_nodes import replace_output
from comfygradio.importers.values import (
    get_limit,
    get_text,
    to_flag,
    to_int,
    to_number,
    to_text,
)
from comfygradio.importers.workflow_editor import WorkflowEditor

SOURCE = "Krita AI Diffusion"
NO_LIMIT = 10**9
"""The nodes express "no limit" by ±1e10, older ones by ±2^31."""

TYPES: Mapping[str, tuple[Widget | None, Callable[[Any], Any]]] = {
    "number": ("number", to_number),
    "number (integer)": ("number", to_int),
    "toggle": ("checkbox", to_flag),
    "text": (None, to_text),
    "prompt (positive)": ("textarea", to_text),
    "prompt (negative)": ("textarea", to_text),
    "choice": (None, lambda value: value),
    "auto": (None, lambda value: value),
}
"""Type of a parameter → its widget, and how its default is read."""

OLD_TYPES: Mapping[str, str] = {
    "ETN_IntParameter": "number (integer)",
    "ETN_NumberParameter": "number",
    "ETN_BoolParameter": "toggle",
    "ETN_TextParameter": "text",
}
"""The classes of 2024, before there was one class for all types."""


def import_krita(editor: WorkflowEditor) -> list[Annotation]:
    """Import an annotation for each parameter and picture, in Krita's order. Parameters of the same
    name share one.
    """
    found: dict[str, Annotation] = {}
    for node in editor.find("ETN_Parameter", *OLD_TYPES):
        annotation = _read_parameter(editor, node)
        if annotation is None:
            continue
        name = get_text(node.inputs, "name") or "Parameter"
        twin = found.get(name)
        if twin is not None:
            annotation = twin.add_slots(annotation.slots)
        found[name] = annotation
    pictures, seeds = import_canvas(editor, SOURCE)
    named = [*found.items()]
    named += import_layers(editor, SOURCE)
    named += import_styles(editor, SOURCE)
    named.sort(key=_rank)
    fields = [_name_field(name, annotation) for name, annotation in named]
    for node in editor.find("ETN_KritaOutput", "ETN_KritaSendText"):
        prefix = get_text(node.inputs, "name") or "krita"
        replace_output(editor, node, keep=False, prefix=prefix)
    return number_annotations([*pictures, *fields, *seeds])


def _read_parameter(editor: WorkflowEditor, node: Node) -> Annotation | None:
    """Read one parameter. Returns None if it fills no input."""
    said = OLD_TYPES.get(node.class_type) or get_text(node.inputs, "type") or "auto"
    if said not in TYPES:
        editor.notes.append(
            f"{editor.describe_node(node.id)}: the type {said:.40} is not known; the server's "
            "own is used."
        )
        said = "auto"
    widget, read = TYPES[said]
    raw = node.inputs.get("default")
    value = raw if Link.parse(raw) else read(raw)
    # Krita replaces the node before it posts a workflow, and so does this.
    slots = map_value(editor, node, "default", value, may_stay=False)
    if not slots:
        return None
    default = editor.get_input(slots[0])
    annotation = Annotation(SOURCE, slots, widget=widget, default=default)
    if widget != "number":
        return annotation
    return replace(
        annotation,
        minimum=get_limit(node.inputs, "min", NO_LIMIT),
        maximum=get_limit(node.inputs, "max", NO_LIMIT),
    )


def _name_field(name: str, annotation: Annotation) -> Annotation:
    """Set group and label of an annotation, without the numbers that sort them."""
    _, group, _, label = _split_name(name)
    return replace(annotation, group=group, label=label)


def _rank(named: NamedAnnotation) -> tuple[int, str, int, str]:
    name, _ = named
    return _split_name(name)


def _split_name(name: str) -> tuple[int, str, int, str]:
    """Split "1. Group/2. Label" into number and text of the group and number and text of the
    label.
    """
    group, _, label = name.rpartition("/")
    group_order, group_text = _split_order(group)
    order, text = _split_order(label)
    return group_order, group_text, order, text


def _split_order(text: str) -> tuple[int, str]:
    """Split "2. Label" into its number, or 0 without one, and the rest."""
    found = re.match(r"([0-9]{1,9})\. ", text)
    if found is None:
        return 0, text.strip()
    rest = text[found.end() :]
    return int(found[1]), rest.strip()
