"""Import SwarmUI: SwarmInput… nodes are fields, linked to a SwarmInputGroup (August 2026)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation, number_annotations
from comfygradio.importers.mapping import Medium, map_file, map_value
from comfygradio.importers.values import (
    drop_far_limit,
    get_flag,
    get_number,
    get_text,
    slugify,
    to_flag,
    to_int,
    to_number,
    to_text,
)
from comfygradio.importers.workflow_editor import WorkflowEditor

SOURCE = "SwarmUI"
GROUP = "SwarmInputGroup"
DESCRIPTION = "SwarmWorkflowDescription"
FILES: dict[str, Medium] = {
    "SwarmInputImage": "image",
    "SwarmInputVideo": "video",
    "SwarmInputAudio": "audio",
}
READERS: dict[str, Callable[[Any], Any]] = {
    "SwarmInputInteger": to_int,
    "SwarmInputFloat": to_number,
    "SwarmInputBoolean": to_flag,
}
"""Class → how its value is read. All others contain texts."""

NUMBER_WIDGETS: dict[str, Widget] = {"seed": "seed", "slider": "slider", "pot_slider": "slider"}
"""SwarmUI's views of a number → our widgets."""

PLACEHOLDER = "(Do Not Set Me)"
NO_LIMIT = 2**63
"""The nodes express "no limit" by limits of at least this size."""


@dataclass(frozen=True)
class Group:
    """A heading. Fields without one belong to a group without a title."""

    title: str = ""
    order: int | float = 0
    advanced: bool = False


def import_swarm(editor: WorkflowEditor) -> list[Annotation]:
    """Import an annotation for each input node, group by group in SwarmUI's order."""
    groups = {node.id: _read_group(node) for node in editor.find(GROUP)}
    found: list[tuple[Group, Annotation]] = []
    for node in editor.find("SwarmInput"):
        if node.id in groups:
            continue
        annotation = _read_node(editor, node)
        if annotation is None:
            continue
        group = _find_group(node, groups)
        is_advanced = annotation.advanced or group.advanced
        annotation = replace(annotation, group=group.title, advanced=is_advanced)
        found.append((group, annotation))
    _drop_labels(editor)
    # Groups of the same order stand as they come in the file.
    listed = list(dict.fromkeys(group for group, _ in found))

    def place(entry: tuple[Group, Annotation]) -> tuple[int | float, int, int | float]:
        group, annotation = entry
        return group.order, listed.index(group), annotation.order

    found.sort(key=place)
    return number_annotations(annotation for _, annotation in found)


def _read_group(node: Node) -> Group:
    return Group(
        title=get_text(node.inputs, "title"),
        order=get_number(node.inputs, "order_priority") or 0,
        advanced=get_flag(node.inputs, "is_advanced"),
    )


def _find_group(node: Node, groups: dict[str, Group]) -> Group:
    link = Link.parse(node.inputs.get("group"))
    if link is None:
        return Group()
    return groups.get(link.node_id, Group())


def _read_node(editor: WorkflowEditor, node: Node) -> Annotation | None:
    """Read one input node. Returns None if it fills no input."""
    slots = _expose(editor, node)
    if not slots:
        return None
    inputs = node.inputs
    raw_id = get_text(inputs, "raw_id")
    annotation = Annotation(
        source=SOURCE,
        slots=slots,
        name=slugify(raw_id),
        label=get_text(inputs, "title"),
        help=get_text(inputs, "description"),
        order=get_number(inputs, "order_priority") or 0,
        advanced=get_flag(inputs, "is_advanced"),
        widget=_choose_widget(node),
        default=None if node.class_type in FILES else editor.get_input(slots[0]),
    )
    if node.class_type in ("SwarmInputInteger", "SwarmInputFloat"):
        return _add_limits(editor, node, annotation)
    if node.class_type == "SwarmInputDropdown":
        values = get_text(inputs, "values")
        return replace(annotation, choices=_parse_choices(values))
    return annotation


def _parse_choices(text: str) -> tuple[str, ...]:
    """Parse choices that commas separate. A single one is no choice."""
    words = [word.strip() for word in text.split(",")]
    choices = tuple(word for word in words if word)
    return choices if len(choices) > 1 else ()


def _expose(editor: WorkflowEditor, node: Node) -> tuple[Slot, ...]:
    """Find the inputs that the node's field fills. SwarmUI passes files as text, so that its own
    nodes are replaced by a loader.
    """
    medium = FILES.get(node.class_type)
    if medium is not None:
        own = Slot(node.id, medium)
        if editor.spec(own) is not None:
            return (own,)
        file = node.inputs.get(medium)
        return (map_file(editor, node, medium, file),)
    value = node.inputs.get("value")
    if node.class_type == "SwarmInputCheckpoint" and node.class_type not in editor.object_info:
        slot = Slot(node.id, "ckpt_name")
        editor.replace(node.id, "CheckpointLoaderSimple", {})
        editor.set_input(slot, to_text(value))
        return (slot,)
    if Link.parse(value) is None:
        convert: Callable[[Any], Any] = READERS.get(node.class_type, to_text)
        value = convert(value)
    return map_value(editor, node, "value", value)


def _choose_widget(node: Node) -> Widget | None:
    view = get_text(node.inputs, "view_type")
    if node.class_type in ("SwarmInputInteger", "SwarmInputFloat"):
        return NUMBER_WIDGETS.get(view, "number")
    if node.class_type == "SwarmInputText":
        return "textarea" if view in ("prompt", "big") else "text"
    if node.class_type == "SwarmInputDropdown":
        return "dropdown"
    return FILES.get(node.class_type)


def _add_limits(editor: WorkflowEditor, node: Node, annotation: Annotation) -> Annotation:
    """Add the node's limits. A slider ends where SwarmUI's does."""
    low = get_number(node.inputs, "min")
    high = get_number(node.inputs, "max")
    if low == high:
        low = None
        high = None
    end = get_number(node.inputs, "view_max")
    if annotation.widget == "slider" and end and high is not None:
        start = low or 0
        # A slider here has one limit, for what is moved and for what is typed.
        if start < end < high:
            shown = annotation.label or editor.describe_node(node.id)
            editor.notes.append(
                f"{shown}: SwarmUI's slider ends at {end}, but up to {high} may be typed in there; "
                f"this one ends at {end}."
            )
            high = end
    return replace(
        annotation,
        minimum=drop_far_limit(low, NO_LIMIT),
        maximum=drop_far_limit(high, NO_LIMIT),
        step=get_number(node.inputs, "step"),
    )


def _drop_labels(editor: WorkflowEditor) -> None:
    """Remove groups and descriptions, which only SwarmUI uses."""
    for node in editor.find(GROUP, DESCRIPTION):
        text = get_text(node.inputs, "description")
        if node.class_type == DESCRIPTION and text:
            editor.notes.append(f"The workflow describes itself: {text:.300}")
        if node.class_type not in editor.object_info:
            editor.remove(node.id)
