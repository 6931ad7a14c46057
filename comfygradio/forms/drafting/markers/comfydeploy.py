"""comfydeploy: nodes of the classes ComfyUIDeployExternal… are fields, ComfyDeployOutput… show
results (2025).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.drafting.hint import Hint
from comfygradio.forms.drafting.markers.exposure import (
    Medium,
    expose_file,
    expose_value,
    find_loader,
    place_loader,
)
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.outputs import replace_output
from comfygradio.forms.drafting.markers.values import (
    bound,
    make_name,
    read_number,
    read_text,
    to_flag,
    to_number,
    to_text,
    to_whole,
)
from comfygradio.forms.preset_file import Widget
from comfygradio.forms.slots import Slot

SOURCE = "comfydeploy"
PREFIX = "ComfyUIDeployExternal"
SOCKET_INPUT = "ComfyDeployWebscoketImageInput"
VIDEO = "ComfyUIDeployExternalVideo"
BEYOND = 2**31 - 1
"""Limits of this size and more are the node's own way of having none."""


@dataclass(frozen=True)
class Kind:
    """What a class of nodes asks for: the input with its default, and how it is drawn."""

    input: str = "default_value"
    widget: Widget | None = None
    reads: Any = to_text


@dataclass(frozen=True)
class FileKind:
    """A class of nodes that ask for a file: its medium, the inputs that may name one, and what is
    lost with it.
    """

    medium: Medium
    inputs: tuple[str, ...] = ()
    loss: str = ""


KINDS: Mapping[str, Kind] = {
    "Text": Kind(),
    "TextAny": Kind(),
    "Number": Kind(widget="number", reads=to_number),
    "NumberInt": Kind(widget="number", reads=to_whole),
    "NumberSlider": Kind(widget="slider", reads=to_number),
    "NumberSliderInt": Kind(widget="slider", reads=to_whole),
    "Slider": Kind(widget="slider", reads=to_number),
    "Seed": Kind(widget="seed", reads=to_whole),
    "Boolean": Kind(widget="checkbox", reads=to_flag),
    "Checkpoint": Kind(),
    "Lora": Kind("default_lora_name"),
    "FaceModel": Kind("default_face_model_name"),
    "Enum": Kind(widget="dropdown"),
    "Color": Kind(widget="color"),
    "File": Kind("file_url"),
    "Vid": Kind(),
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


def read_comfydeploy(graph: Graph) -> list[Hint]:
    """A hint for each External node in the order of the file; nodes of the same
    input_id share one.
    """
    found: dict[str, Hint] = {}
    for node in graph.find(PREFIX, SOCKET_INPUT):
        hint = _read_node(graph, node)
        if hint is None:
            continue
        # `node` is as the file has it; the graph's own may have changed.
        key = read_text(node.inputs, "input_id") or node.id
        twin = found.get(key)
        if twin is not None:
            slots = dict.fromkeys((*twin.slots, *hint.slots))
            hint = replace(twin, slots=tuple(slots))
        found[key] = hint
    for node in graph.find("ComfyDeployOutput", "ComfyDeployWebscoketImageOutput"):
        replace_output(graph, node)
    return [replace(hint, order=order) for order, hint in enumerate(found.values())]


def _read_node(graph: Graph, node: Node) -> Hint | None:
    suffix = node.class_type.removeprefix(PREFIX)
    if node.class_type == SOCKET_INPUT:
        suffix = "Image"
    hint = Hint(
        SOURCE,
        (),
        name=make_name(read_text(node.inputs, "input_id")),
        label=read_text(node.inputs, "display_name"),
        help=read_text(node.inputs, "description"),
    )
    file = FILES.get(suffix)
    if file is not None:
        slot = _expose_file(graph, node, file)
        return replace(hint, slots=(slot,), widget=file.medium)
    kind = KINDS.get(suffix, Kind())
    slots = _expose_value(graph, node, kind)
    if not slots:
        return None
    default = None if kind.widget == "seed" else graph.read(slots[0])
    hint = replace(hint, slots=slots, widget=kind.widget, default=default)
    return _with_limits(node, hint)


def _expose_value(graph: Graph, node: Node, kind: Kind) -> tuple[Slot, ...]:
    raw = node.inputs.get(kind.input)
    if Link.parse(raw):
        return expose_value(graph, node, kind.input, raw)
    if kind.widget in ("number", "slider"):
        raw = _take_sent(graph, node, kind)
    value = kind.reads(raw)
    if kind.widget == "seed":
        low = max(1, to_whole(node.inputs.get("min_value")) or 1)
        if value is None or value < low:
            value = low
    if isinstance(value, str) and "://" in value:
        graph.notes.append(
            f"{graph.call(node.id)}: its file would have been fetched from the web; choose "
            "one here."
        )
        value = ""
    return expose_value(graph, node, kind.input, value)


def _take_sent(graph: Graph, node: Node, kind: Kind) -> Any:
    """A number: comfydeploy writes what was sent over the input_id, and only without it the default
    counts.
    """
    sent = read_number(node.inputs, "input_id")
    if sent is None:
        return node.inputs.get(kind.input)
    graph.put(Slot(node.id, "input_id"), f"input_{node.id}")
    graph.put(Slot(node.id, kind.input), sent)
    return sent


def _with_limits(node: Node, hint: Hint) -> Hint:
    if hint.widget == "dropdown":
        options = read_text(node.inputs, "options")
        return replace(hint, choices=_read_options(options))
    low = bound(read_number(node.inputs, "min_value"), BEYOND)
    high = read_number(node.inputs, "max_value")
    if hint.widget != "seed":
        high = bound(high, BEYOND)
    return replace(hint, minimum=low, maximum=high)


def _read_options(text: str) -> tuple[str, ...]:
    """The choices of an Enum node: a JSON list, or one choice a line."""
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        listed = text.splitlines()
    choices = [to_text(entry).strip() for entry in listed]
    return tuple(dict.fromkeys(choice for choice in choices if choice))


def _expose_file(graph: Graph, node: Node, file: FileKind) -> Slot:
    """The file of a loader: of the one that the node has for a default, else of one in the node's
    place.

    Files come from web addresses in comfydeploy, so that its own nodes are of no use to a form;
    only the video node lists the files that were uploaded.
    """
    loader = find_loader(graph, node.inputs.get("default_value"))
    if loader is not None:
        fed = graph.follow(node.id)
        graph.rewire(fed, {0: [loader.node_id, 0], 1: [loader.node_id, 1]})
        graph.remove(node.id)
        return loader
    if file.medium == "video" and file.inputs:
        own = Slot(node.id, file.inputs[0])
        if graph.spec(own) is not None:
            return own
    if file.loss:
        graph.notes.append(f"{graph.call(node.id)} became a loader of ComfyUI's own: {file.loss}.")
    if read_text(node.inputs, "default_value_url"):
        graph.notes.append(
            f"{graph.call(node.id)}: its default would have been fetched from the web; choose "
            "a file."
        )
    name = read_text(node.inputs, *file.inputs)
    if node.class_type == VIDEO:
        return _place_frames(graph, node, name)
    return expose_file(graph, node, file.medium, name)


def _place_frames(graph: Graph, node: Node, file: str) -> Slot:
    """The video node gives frames (output 0) and sound (2); ComfyUI's own loader needs a second
    node for that.
    """
    fed = graph.follow(node.id)
    slot = place_loader(graph, node, "video", file)
    parts = graph.add(f"{node.id}_frames", "GetVideoComponents", {"video": [node.id, 0]})
    graph.rewire(fed, {0: [parts, 0], 2: [parts, 1]})
    return slot
