"""Import comfydeploy: ComfyUIDeployExternal… nodes are fields, ComfyDeployOutput… nodes show
results (2025).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation, number_annotations
from comfygradio.importers.mapping import (
    Medium,
    find_loader,
    map_file,
    map_value,
    replace_with_loader,
)
from comfygradio.importers.output_nodes import replace_output
from comfygradio.importers.values import (
    get_limit,
    get_number,
    get_text,
    slugify,
    to_flag,
    to_int,
    to_number,
    to_text,
)
from comfygradio.importers.workflow_editor import WorkflowEditor

SOURCE = "comfydeploy"
PREFIX = "ComfyUIDeployExternal"
# comfydeploy itself spells these classes so.
SOCKET_INPUT = "ComfyDeployWebscoketImageInput"
VIDEO = "ComfyUIDeployExternalVideo"
NO_LIMIT = 2**31 - 1
"""The nodes express "no limit" by limits of at least this size."""


@dataclass(frozen=True)
class ValueKind:
    """What a class of nodes asks for: the input with its default, and the widget."""

    input: str = "default_value"
    widget: Widget | None = None
    convert: Any = to_text


@dataclass(frozen=True)
class FileKind:
    """A class of nodes that ask for a file: its medium, the inputs that may name one, and what is
    lost with it.
    """

    medium: Medium
    inputs: tuple[str, ...] = ()
    loss: str = ""


KINDS: Mapping[str, ValueKind] = {
    "Text": ValueKind(),
    "TextAny": ValueKind(),
    "Number": ValueKind(widget="number", convert=to_number),
    "NumberInt": ValueKind(widget="number", convert=to_int),
    "NumberSlider": ValueKind(widget="slider", convert=to_number),
    "NumberSliderInt": ValueKind(widget="slider", convert=to_int),
    "Slider": ValueKind(widget="slider", convert=to_number),
    "Seed": ValueKind(widget="seed", convert=to_int),
    "Boolean": ValueKind(widget="checkbox", convert=to_flag),
    "Checkpoint": ValueKind(),
    "Lora": ValueKind("default_lora_name"),
    "FaceModel": ValueKind("default_face_model_name"),
    "Enum": ValueKind(widget="dropdown"),
    "Color": ValueKind(widget="color"),
    "File": ValueKind("file_url"),
    "Vid": ValueKind(),
}

FILES: Mapping[str, FileKind] = {
    "Image": FileKind("image"),
    "ImageAlpha": FileKind(
        "image", loss="the transparency of the picture comes as a mask, not as a fourth channel"
    ),
    "ImageBatch": FileKind("image", loss="it takes one picture instead of several"),
    "EXR": FileKind("image", ("exr_file",), "it takes ordinary pictures instead of EXR files"),
    "Audio": FileKind("audio", ("audio_file",)),
    "Video": FileKind("video", ("default_video",), "it takes every frame at its own size and rate"),
}


def import_comfydeploy(editor: WorkflowEditor) -> list[Annotation]:
    """Import an annotation for each External node in the order of the file. Nodes with the same
    input_id share one.
    """
    found: dict[str, Annotation] = {}
    for node in editor.find(PREFIX, SOCKET_INPUT):
        annotation = _read_node(editor, node)
        if annotation is None:
            continue
        # `node` is as the file has it; the graph's own may have changed.
        key = get_text(node.inputs, "input_id") or node.id
        twin = found.get(key)
        if twin is not None:
            annotation = twin.add_slots(annotation.slots)
        found[key] = annotation
    for node in editor.find("ComfyDeployOutput", "ComfyDeployWebscoketImageOutput"):
        replace_output(editor, node)
    return number_annotations(found.values())


def _read_node(editor: WorkflowEditor, node: Node) -> Annotation | None:
    """Read one External node. Returns None if it fills no input."""
    suffix = node.class_type.removeprefix(PREFIX)
    if node.class_type == SOCKET_INPUT:
        suffix = "Image"
    input_id = get_text(node.inputs, "input_id")
    bare = Annotation(
        source=SOURCE,
        slots=(),
        name=slugify(input_id),
        label=get_text(node.inputs, "display_name"),
        help=get_text(node.inputs, "description"),
    )
    file = FILES.get(suffix)
    if file is not None:
        slot = _expose_file(editor, node, file)
        return replace(bare, slots=(slot,), widget=file.medium)
    kind = KINDS.get(suffix, ValueKind())
    slots = _expose_value(editor, node, kind)
    if not slots:
        return None
    default = None if kind.widget == "seed" else editor.get_input(slots[0])
    annotation = replace(bare, slots=slots, widget=kind.widget, default=default)
    return _add_limits(node, annotation)


def _expose_value(editor: WorkflowEditor, node: Node, kind: ValueKind) -> tuple[Slot, ...]:
    """Find the inputs that the node's field fills, and put its value into them."""
    raw = node.inputs.get(kind.input)
    if Link.parse(raw):
        return map_value(editor, node, kind.input, raw)
    if kind.widget in ("number", "slider"):
        raw = _take_sent(editor, node, kind)
    value = kind.convert(raw)
    if kind.widget == "seed":
        low = max(1, to_int(node.inputs.get("min_value")) or 1)
        if value is None or value < low:
            value = low
    # comfydeploy fetches such an address, while the inputs of ComfyUI take the names of files.
    if isinstance(value, str) and "://" in value:
        shown = editor.describe_node(node.id)
        editor.notes.append(
            f"{shown}: its file would have been fetched from the web; choose one here."
        )
        value = ""
    return map_value(editor, node, kind.input, value)


def _take_sent(editor: WorkflowEditor, node: Node, kind: ValueKind) -> Any:
    """Return the number of a node. comfydeploy writes a sent number over the input_id; the default
    counts only without it.
    """
    sent = get_number(node.inputs, "input_id")
    if sent is None:
        return node.inputs.get(kind.input)
    id_slot = Slot(node.id, "input_id")
    value_slot = Slot(node.id, kind.input)
    editor.set_input(id_slot, f"input_{node.id}")
    editor.set_input(value_slot, sent)
    return sent


def _add_limits(node: Node, annotation: Annotation) -> Annotation:
    """Add the node's choices, or its limits."""
    if annotation.widget == "dropdown":
        options = get_text(node.inputs, "options")
        return replace(annotation, choices=_parse_options(options))
    low = get_limit(node.inputs, "min_value", NO_LIMIT)
    high = get_limit(node.inputs, "max_value", NO_LIMIT)
    if annotation.widget == "seed":
        # Seeds may be that large.
        high = get_number(node.inputs, "max_value")
    return replace(annotation, minimum=low, maximum=high)


def _parse_options(text: str) -> tuple[str, ...]:
    """Parse the choices of an Enum node: a JSON list, or one choice a line."""
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        listed = text.splitlines()
    choices: dict[str, None] = {}
    for entry in listed:
        choice = to_text(entry).strip()
        if choice:
            choices[choice] = None
    return tuple(choices)


def _expose_file(editor: WorkflowEditor, node: Node, file: FileKind) -> Slot:
    """Return the file input of a loader: of the node's default if that is one, else of one that
    replaces the node.

    comfydeploy loads files from web addresses, so that a form cannot use its nodes.
    """
    loader = find_loader(editor, node.inputs.get("default_value"))
    if loader is not None:
        fed = editor.find_fed_inputs(node.id)
        # A picture and its mask are the same outputs of both nodes.
        feeds = {output: [loader.node_id, output] for output in (0, 1)}
        editor.rewire(fed, feeds)
        editor.remove(node.id)
        return loader
    # The video node is the only one that lists uploaded files, and stays where it is known.
    if file.medium == "video" and file.inputs:
        own = Slot(node.id, file.inputs[0])
        if editor.spec(own) is not None:
            return own
    shown = editor.describe_node(node.id)
    if file.loss:
        editor.notes.append(f"{shown} became a loader of ComfyUI's own: {file.loss}.")
    if get_text(node.inputs, "default_value_url"):
        editor.notes.append(
            f"{shown}: its default would have been fetched from the web; choose a file."
        )
    name = get_text(node.inputs, *file.inputs)
    if node.class_type == VIDEO:
        return _place_frames(editor, node, name)
    return map_file(editor, node, file.medium, name)


def _place_frames(editor: WorkflowEditor, node: Node, file: str) -> Slot:
    """Replace the frames (output 0) and sound (output 2) of the video node. ComfyUI's own loader
    needs a second node for these.
    """
    fed = editor.find_fed_inputs(node.id)
    slot = replace_with_loader(editor, node, "video", file)
    video = [node.id, 0]
    parts = editor.add(f"{node.id}_frames", "GetVideoComponents", {"video": video})
    frames = [parts, 0]
    sound = [parts, 1]
    editor.rewire(fed, {0: frames, 2: sound})
    return slot
