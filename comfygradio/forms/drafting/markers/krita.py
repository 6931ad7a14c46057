"""Krita AI Diffusion: ETN_Parameter nodes are fields, ETN_Krita… nodes stand for the canvas (June
2026).

Krita itself replaces these nodes before it posts a workflow, so that they never stay here either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.drafting.hint import Hint
from comfygradio.forms.drafting.markers.canvas import read_canvas, read_layers, read_styles
from comfygradio.forms.drafting.markers.exposure import expose_value
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.outputs import replace_output
from comfygradio.forms.drafting.markers.values import (
    bound,
    read_number,
    read_text,
    to_flag,
    to_number,
    to_text,
    to_whole,
)
from comfygradio.forms.preset_file import Widget

SOURCE = "Krita AI Diffusion"
BEYOND = 10**9
"""The nodes' own way of having no limit is ±1e10, of older ones ±2^31."""

TYPES: Mapping[str, tuple[Widget | None, Callable[[Any], Any]]] = {
    "number": ("number", to_number),
    "number (integer)": ("number", to_whole),
    "toggle": ("checkbox", to_flag),
    "text": (None, to_text),
    "prompt (positive)": ("textarea", to_text),
    "prompt (negative)": ("textarea", to_text),
    "choice": (None, lambda value: value),
    "auto": (None, lambda value: value),
}
"""The type that a parameter says → how it is drawn, and how its default is read."""

OLD_TYPES: Mapping[str, str] = {
    "ETN_IntParameter": "number (integer)",
    "ETN_NumberParameter": "number",
    "ETN_BoolParameter": "toggle",
    "ETN_TextParameter": "text",
}
"""The classes of 2024, before there was one for all types."""


def read_krita(graph: Graph) -> list[Hint]:
    """A hint for each parameter and picture, as Krita sorts them; parameters of the same name share
    one.
    """
    found: dict[str, Hint] = {}
    for node in graph.find("ETN_Parameter", *OLD_TYPES):
        hint = _read_parameter(graph, node)
        if hint is None:
            continue
        name = read_text(node.inputs, "name") or "Parameter"
        twin = found.get(name)
        if twin is not None:
            slots = dict.fromkeys((*twin.slots, *hint.slots))
            hint = replace(twin, slots=tuple(slots))
        found[name] = hint
    pictures, seeds = read_canvas(graph, SOURCE)
    layers = read_layers(graph, SOURCE)
    styles = read_styles(graph, SOURCE)
    named = sorted([*found.items(), *layers, *styles], key=lambda entry: _sort(entry[0]))
    placed = [_place(name, hint) for name, hint in named]
    for node in graph.find("ETN_KritaOutput", "ETN_KritaSendText"):
        prefix = read_text(node.inputs, "name") or "krita"
        replace_output(graph, node, keep=False, prefix=prefix)
    hints = [*pictures, *placed, *seeds]
    return [replace(hint, order=order) for order, hint in enumerate(hints)]


def _read_parameter(graph: Graph, node: Node) -> Hint | None:
    said = OLD_TYPES.get(node.class_type) or read_text(node.inputs, "type") or "auto"
    if said not in TYPES:
        graph.notes.append(
            f"{graph.call(node.id)}: the type {said:.40} is not known; the server's own is used."
        )
    widget, read = TYPES.get(said, TYPES["auto"])
    raw = node.inputs.get("default")
    value = raw if Link.parse(raw) else read(raw)
    slots = expose_value(graph, node, "default", value, may_stay=False)
    if not slots:
        return None
    hint = Hint(SOURCE, slots, widget=widget, default=graph.read(slots[0]))
    if widget != "number":
        return hint
    low = bound(read_number(node.inputs, "min"), BEYOND)
    high = bound(read_number(node.inputs, "max"), BEYOND)
    return replace(hint, minimum=low, maximum=high)


def _place(name: str, hint: Hint) -> Hint:
    """The hint under its group and label, without the numbers that sort them."""
    group, label = _split_group(name)
    _, shown_group = _split_order(group)
    _, shown_label = _split_order(label)
    return replace(hint, group=shown_group, label=shown_label)


def _sort(name: str) -> tuple[int, str, int, str]:
    group, label = _split_group(name)
    return *_split_order(group), *_split_order(label)


def _split_group(name: str) -> tuple[str, str]:
    group, _, label = name.rpartition("/")
    return group, label


def _split_order(text: str) -> tuple[int, str]:
    """The number in front of "2. Label", 0 without one, and the rest."""
    found = re.match(r"([0-9]{1,9})\. ", text)
    if found is None:
        return 0, text.strip()
    rest = text[found.end() :]
    return int(found[1]), rest.strip()
