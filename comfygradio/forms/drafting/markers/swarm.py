"""SwarmUI: nodes of the classes SwarmInput… are fields, tied to a SwarmInputGroup by a link (August
2026).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.drafting.hint import Hint
from comfygradio.forms.drafting.markers.exposure import Medium, expose_file, expose_value
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.values import (
    bound,
    make_name,
    read_flag,
    read_number,
    read_text,
    to_flag,
    to_number,
    to_text,
    to_whole,
)
from comfygradio.forms.preset_file import Widget
from comfygradio.forms.slots import Slot

SOURCE = "SwarmUI"
GROUP = "SwarmInputGroup"
DESCRIPTION = "SwarmWorkflowDescription"
FILES: dict[str, Medium] = {
    "SwarmInputImage": "image",
    "SwarmInputVideo": "video",
    "SwarmInputAudio": "audio",
}
READERS: dict[str, Callable[[Any], Any]] = {
    "SwarmInputInteger": to_whole,
    "SwarmInputFloat": to_number,
    "SwarmInputBoolean": to_flag,
}
"""Class → how its value is read; all others hold texts."""

NUMBER_WIDGETS: dict[str, Widget] = {"seed": "seed", "slider": "slider", "pot_slider": "slider"}
"""What SwarmUI draws a number as, besides a plain number."""

PLACEHOLDER = "(Do Not Set Me)"
BEYOND = 2**63
"""Limits of this size and more are the node's own way of having none."""


@dataclass(frozen=True)
class Group:
    """A heading; fields without one stand in a group that has no title."""

    title: str = ""
    order: int | float = 0
    advanced: bool = False


def read_swarm(graph: Graph) -> list[Hint]:
    """A hint for each input node, group by group as SwarmUI sorts them."""
    groups = {node.id: _read_group(node) for node in graph.find(GROUP)}
    found: list[tuple[Group, Hint]] = []
    for node in graph.find("SwarmInput"):
        if node.id in groups:
            continue
        hint = _read_node(graph, node)
        if hint is None:
            continue
        group = _find_group(node, groups)
        is_advanced = hint.advanced or group.advanced
        found.append((group, replace(hint, group=group.title, advanced=is_advanced)))
    _drop_labels(graph)
    # Groups of the same order stand as they come in the file.
    places = list(dict.fromkeys(group for group, _ in found))

    def place(entry: tuple[Group, Hint]) -> tuple[int | float, int, int | float]:
        group, hint = entry
        return group.order, places.index(group), hint.order

    found.sort(key=place)
    return [replace(hint, order=order) for order, (_, hint) in enumerate(found)]


def _read_group(node: Node) -> Group:
    title = read_text(node.inputs, "title")
    order = read_number(node.inputs, "order_priority") or 0
    return Group(title, order, read_flag(node.inputs, "is_advanced"))


def _find_group(node: Node, groups: dict[str, Group]) -> Group:
    link = Link.parse(node.inputs.get("group"))
    if link is None:
        return Group()
    return groups.get(link.node_id, Group())


def _read_node(graph: Graph, node: Node) -> Hint | None:
    slots = _expose(graph, node)
    if not slots:
        return None
    inputs = node.inputs
    hint = Hint(
        SOURCE,
        slots,
        name=make_name(read_text(inputs, "raw_id")),
        label=read_text(inputs, "title"),
        help=read_text(inputs, "description"),
        order=read_number(inputs, "order_priority") or 0,
        advanced=read_flag(inputs, "is_advanced"),
        widget=_choose_widget(node),
        default=None if node.class_type in FILES else graph.read(slots[0]),
    )
    if node.class_type in ("SwarmInputInteger", "SwarmInputFloat"):
        return _with_limits(graph, node, hint)
    if node.class_type == "SwarmInputDropdown":
        words = [word.strip() for word in read_text(inputs, "values").split(",")]
        choices = tuple(word for word in words if word)
        return replace(hint, choices=choices if len(choices) > 1 else ())
    return hint


def _expose(graph: Graph, node: Node) -> tuple[Slot, ...]:
    """The inputs that the node's field fills.

    SwarmUI hands files in as text, so that its own nodes need a loader.
    """
    medium = FILES.get(node.class_type)
    if medium is not None:
        own = Slot(node.id, medium)
        if graph.spec(own) is not None:
            return (own,)
        return (expose_file(graph, node, medium, node.inputs.get(medium)),)
    value = node.inputs.get("value")
    if node.class_type == "SwarmInputCheckpoint" and node.class_type not in graph.info:
        slot = Slot(node.id, "ckpt_name")
        graph.replace(node.id, "CheckpointLoaderSimple", {})
        graph.put(slot, to_text(value))
        return (slot,)
    if Link.parse(value) is None:
        read: Callable[[Any], Any] = READERS.get(node.class_type, to_text)
        value = read(value)
    return expose_value(graph, node, "value", value)


def _choose_widget(node: Node) -> Widget | None:
    view = read_text(node.inputs, "view_type")
    if node.class_type in ("SwarmInputInteger", "SwarmInputFloat"):
        return NUMBER_WIDGETS.get(view, "number")
    if node.class_type == "SwarmInputText":
        return "textarea" if view in ("prompt", "big") else "text"
    if node.class_type == "SwarmInputDropdown":
        return "dropdown"
    return FILES.get(node.class_type)


def _with_limits(graph: Graph, node: Node, hint: Hint) -> Hint:
    low = read_number(node.inputs, "min")
    high = read_number(node.inputs, "max")
    shown = read_number(node.inputs, "view_max")
    step = read_number(node.inputs, "step")
    if low == high:
        low = None
        high = None
    if hint.widget == "slider" and shown and high is not None and (low or 0) < shown < high:
        graph.notes.append(
            f"{hint.label or graph.call(node.id)}: SwarmUI's slider ends at {shown}, but up to "
            f"{high} may be typed in there; this one ends at {shown}."
        )
        high = shown
    return replace(hint, minimum=bound(low, BEYOND), maximum=bound(high, BEYOND), step=step)


def _drop_labels(graph: Graph) -> None:
    """Take out groups and descriptions, which no ComfyUI but SwarmUI's needs."""
    for node in graph.find(GROUP, DESCRIPTION):
        if node.class_type == DESCRIPTION:
            text = read_text(node.inputs, "description")
            if text:
                graph.notes.append(f"The workflow describes itself: {text:.300}")
        if node.class_type not in graph.info:
            graph.remove(node.id)
