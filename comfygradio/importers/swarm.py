"""Import SwarmUI: SwarmInput… nodes are fields, linked to a SwarmInputGroup (August 2026)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation
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
        hint = _read_node(editor, node)
        if hint is None:
            continue
        group = _find_group(node, groups)
        is_advanced = hint.advanced or group.advanced
        found.append((group, replace(hint, group=group.title, advanced=is_advanced)))
    _drop_labels(editor)
    # Groups of the same order stand as they come in the file.
    places = list(dict.fromkeys(group for group, _ in found))

    def place(entry: tuple[Group, Annotation]) -> tuple[int | float, int, int | float]:
        group, hint = entry
        return group.order, places.index(group), hint.order

    found.sort(key=place)
    return [replace(hint, order=order) for order, (_, hint) in enumerate(found)]


def _read_group(node: Node) -> Group:
    title = get_text(node.inputs, "title")
    order = get_number(node.inputs, "order_priority") or 0
    return Group(title, order, get_flag(node.inputs, "is_advanced"))


def _find_group(node: Node, groups: dict[str, Group]) -> Group:
    link = Link.parse(node.inputs.get("group"))
    if link is None:
        return Group()
    return groups.get(link.node_id, Group())


def _read_node(editor: WorkflowEditor, node: Node) -> Annotation | None:
    slots = _expose(editor, node)
    if not slots:
        return None
    inputs = node.inputs
    hint = Annotation(
        SOURCE,
        slots,
        name=slugify(get_text(inputs, "raw_id")),
        label=get_text(inputs, "title"),
        help=get_text(inputs, "description"),
        order=get_number(inputs, "order_priority") or 0,
        advanced=get_flag(inputs, "is_advanced"),
        widget=_choose_widget(node),
        default=None if node.class_type in FILES else editor.get_input(slots[0]),
    )
    if node.class_type in ("SwarmInputInteger", "SwarmInputFloat"):
        return _with_limits(editor, node, hint)
    if node.class_type == "SwarmInputDropdown":
        words = [word.strip() for word in get_text(inputs, "values").split(",")]
        choices = tuple(word for word in words if word)
        return replace(hint, choices=choices if len(choices) > 1 else ())
    return hint


def _expose(editor: WorkflowEditor, node: Node) -> tuple[Slot, ...]:
    """Find the inputs that the node's field fills. SwarmUI passes files as text, so that its own
    nodes are replaced by a loader.
    """
    medium = FILES.get(node.class_type)
    if medium is not None:
        own = Slot(node.id, medium)
        if editor.spec(own) is not None:
            return (own,)
        return (map_file(editor, node, medium, node.inputs.get(medium)),)
    value = node.inputs.get("value")
    if node.class_type == "SwarmInputCheckpoint" and node.class_type not in editor.object_info:
        slot = Slot(node.id, "ckpt_name")
        editor.replace(node.id, "CheckpointLoaderSimple", {})
        editor.set_input(slot, to_text(value))
        return (slot,)
    if Link.parse(value) is None:
        read: Callable[[Any], Any] = READERS.get(node.class_type, to_text)
        value = read(value)
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


def _with_limits(editor: WorkflowEditor, node: Node, annotation: Annotation) -> Annotation:
    low = get_number(node.inputs, "min")
    high = get_number(node.inputs, "max")
    shown = get_number(node.inputs, "view_max")
    step = get_number(node.inputs, "step")
    if low == high:
        low = None
        high = None
    if annotation.widget == "slider" and shown and high is not None and (low or 0) < shown < high:
        editor.notes.append(
            f"{annotation.label or editor.describe_node(node.id)}: SwarmUI's slider ends at "
            f"{shown}, but up to "
            f"{high} may be typed in there; this one ends at {shown}."
        )
        high = shown
    return replace(
        annotation,
        minimum=drop_far_limit(low, NO_LIMIT),
        maximum=drop_far_limit(high, NO_LIMIT),
        step=step,
    )


def _drop_labels(editor: WorkflowEditor) -> None:
    """Remove groups and descriptions, which only SwarmUI uses."""
    for node in editor.find(GROUP, DESCRIPTION):
        if node.class_type == DESCRIPTION:
            text = get_text(node.inputs, "description")
            if text:
                editor.notes.append(f"The workflow describes itself: {text:.300}")
        if node.class_type not in editor.object_info:
            editor.remove(node.id)
