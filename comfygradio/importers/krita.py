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
from comfygradio.importers.annotation import Annotation
from comfygradio.importers.krita_canvas import import_canvas, import_layers, import_styles
from comfygradio.importers.mapping import map_value
from comfygradio.importers.output_nodes import replace_output
from comfygradio.importers.values import (
    drop_far_limit,
    get_number,
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
        hint = _read_parameter(editor, node)
        if hint is None:
            continue
        name = get_text(node.inputs, "name") or "Parameter"
        twin = found.get(name)
        if twin is not None:
            slots = dict.fromkeys((*twin.slots, *hint.slots))
            hint = replace(twin, slots=tuple(slots))
        found[name] = hint
    pictures, seeds = import_canvas(editor, SOURCE)
    layers = import_layers(editor, SOURCE)
    styles = import_styles(editor, SOURCE)
    named = sorted([*found.items(), *layers, *styles], key=lambda entry: _sort(entry[0]))
    placed = [_place(name, hint) for name, hint in named]
    for node in editor.find("ETN_KritaOutput", "ETN_KritaSendText"):
        prefix = get_text(node.inputs, "name") or "krita"
        replace_output(editor, node, keep=False, prefix=prefix)
    hints = [*pictures, *placed, *seeds]
    return [replace(hint, order=order) for order, hint in enumerate(hints)]


def _read_parameter(editor: WorkflowEditor, node: Node) -> Annotation | None:
    said = OLD_TYPES.get(node.class_type) or get_text(node.inputs, "type") or "auto"
    if said not in TYPES:
        editor.notes.append(
            f"{editor.describe_node(node.id)}: the type {said:.40} is not known; the server's "
            "own is used."
        )
    widget, read = TYPES.get(said, TYPES["auto"])
    raw = node.inputs.get("default")
    value = raw if Link.parse(raw) else read(raw)
    slots = map_value(editor, node, "default", value, may_stay=False)
    if not slots:
        return None
    hint = Annotation(SOURCE, slots, widget=widget, default=editor.get_input(slots[0]))
    if widget != "number":
        return hint
    low = drop_far_limit(get_number(node.inputs, "min"), NO_LIMIT)
    high = drop_far_limit(get_number(node.inputs, "max"), NO_LIMIT)
    return replace(hint, minimum=low, maximum=high)


def _place(name: str, annotation: Annotation) -> Annotation:
    """Set group and label of an annotation, without the numbers that sort them."""
    group, label = _split_group(name)
    _, shown_group = _split_order(group)
    _, shown_label = _split_order(label)
    return replace(annotation, group=shown_group, label=shown_label)


def _sort(name: str) -> tuple[int, str, int, str]:
    group, label = _split_group(name)
    return *_split_order(group), *_split_order(label)


def _split_group(name: str) -> tuple[str, str]:
    group, _, label = name.rpartition("/")
    return group, label


def _split_order(text: str) -> tuple[int, str]:
    """Split "2. Label" into its number, or 0 without one, and the rest."""
    found = re.match(r"([0-9]{1,9})\. ", text)
    if found is None:
        return 0, text.strip()
    rest = text[found.end() :]
    return int(found[1]), rest.strip()
