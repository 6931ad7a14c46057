"""What Krita's canvas, layers, selection and styles become: pictures to upload, and fields for what
a style sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.comfy.workflow import Node
from comfygradio.forms.drafting.hint import Hint
from comfygradio.forms.drafting.markers.exposure import choose_file, place_loader
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.values import read_text
from comfygradio.forms.preset_file import Widget
from comfygradio.forms.slots import Slot

SIZE = 512
"""Pixels of Krita's own stand-in for a canvas."""

STYLE: Mapping[int, tuple[str, Widget | None, Any]] = {
    3: ("2. Prompt", "textarea", ""),
    4: ("3. Negative prompt", "textarea", ""),
    5: ("4. Sampler", None, "euler"),
    6: ("5. Scheduler", None, "normal"),
    7: ("6. Steps", None, 20),
    8: ("7. Guidance", None, 7.0),
}
"""Outputs of a style node beyond model, CLIP and VAE: name, widget and a usual value."""

Named = tuple[str, Hint]
"""A hint and its name in Krita, "1. Group/2. Label"."""


def read_canvas(graph: Graph, source: str) -> tuple[list[Hint], list[Hint]]:
    """Replace canvases and selections by one picture, with a mask if there is a selection; then,
    the canvas's seeds.
    """
    pictures: list[Slot] = []
    seeds: list[Slot] = []
    for node in graph.find("ETN_KritaCanvas"):
        seeds += [slot for slot, output in graph.follow(node.id) if output == 3]
        pictures.append(_replace_canvas(graph, node))
    selections = list(graph.find("ETN_KritaSelection"))
    for node in selections:
        fed = graph.follow(node.id)
        if pictures:
            graph.remove(node.id)
        else:
            pictures.append(place_loader(graph, node, "image", ""))
        graph.rewire(fed, {0: [pictures[0].node_id, 1], 1: True, 2: 0, 3: 0})
        graph.notes.append(
            f"Krita's selection (node {node.id}) became a mask that is painted on the picture."
        )
    picture_hints: list[Hint] = []
    if pictures:
        widget: Widget = "mask" if selections else "image"
        picture_hints.append(Hint(source, tuple(pictures), label="Picture", widget=widget))
    seed_hints: list[Hint] = []
    if seeds:
        seed_hints.append(Hint(source, tuple(seeds), label="Seed", widget="seed"))
    return picture_hints, seed_hints


def read_layers(graph: Graph, source: str) -> list[Named]:
    """Replace layers by pictures to upload."""
    hints: list[Named] = []
    for node in graph.find("ETN_KritaImageLayer", "ETN_KritaMaskLayer"):
        fed = graph.follow(node.id)
        slot = place_loader(graph, node, "image", "")
        feeds: dict[int, Any] = {0: [node.id, 0]}
        if node.class_type == "ETN_KritaMaskLayer":
            graph.replace(node.id, "LoadImageMask", {"image": graph.read(slot), "channel": "red"})
        else:
            feeds |= _invert_mask(graph, node.id, 1, fed)
        graph.rewire(fed, feeds)
        name = read_text(node.inputs, "name") or "Picture"
        hints.append((name, Hint(source, (slot,), widget="image")))
    return hints


def read_styles(graph: Graph, source: str) -> list[Named]:
    """Replace styles by a checkpoint, and by fields for the prompts and sampler settings that a
    style holds.
    """
    hints: list[Named] = []
    for node in graph.find("ETN_KritaStyle"):
        fed = graph.follow(node.id)
        style = read_text(node.inputs, "name") or "Style"
        # A slash would part the group from the label.
        group = style.replace("/", " ")
        checkpoint = choose_file(graph, "CheckpointLoaderSimple", "ckpt_name", None)
        graph.notes.append(
            f"{graph.call(node.id)} became a checkpoint; choose its model, and check prompts and "
            "steps."
        )
        graph.replace(node.id, "CheckpointLoaderSimple", {"ckpt_name": checkpoint})
        # Model, CLIP and VAE are outputs of the checkpoint, with the same numbers.
        feeds: dict[int, Any] = {output: [node.id, output] for output in (0, 1, 2)}
        for output, (_, _, usual) in STYLE.items():
            feeds[output] = usual
        graph.rewire(fed, feeds)
        hints.append((f"{group}/1. Checkpoint", Hint(source, (Slot(node.id, "ckpt_name"),))))
        for output, (label, widget, usual) in STYLE.items():
            slots = tuple(slot for slot, number in fed if number == output)
            if slots:
                hint = Hint(source, slots, widget=widget, default=usual)
                hints.append((f"{group}/{label}", hint))
    return hints


def _replace_canvas(graph: Graph, node: Node) -> Slot:
    """A picture in the place of a canvas, whose outputs are picture, width, height,
    seed and mask.
    """
    fed = graph.follow(node.id)
    graph.notes.append(
        f"{graph.call(node.id)} became a picture to upload; it is not cut to Krita's selection."
    )
    slot = place_loader(graph, node, "image", "")
    feeds: dict[int, Any] = {0: [node.id, 0], 3: 0}
    feeds |= _measure(graph, node.id, fed)
    feeds |= _invert_mask(graph, node.id, 4, fed)
    graph.rewire(fed, feeds)
    return slot


def _measure(graph: Graph, node_id: str, fed: list[tuple[Slot, int]]) -> dict[int, Any]:
    """Width and height (outputs 1 and 2 of a canvas), measured where the server can."""
    used = {output for _, output in fed}
    if used.isdisjoint({1, 2}):
        return {}
    if "GetImageSize" not in graph.info:
        graph.notes.append(
            f"This ComfyUI cannot measure pictures; width and height are {SIZE} instead."
        )
        return {1: SIZE, 2: SIZE}
    measured = graph.add(f"{node_id}_size", "GetImageSize", {"image": [node_id, 0]})
    return {1: [measured, 0], 2: [measured, 1]}


def _invert_mask(
    graph: Graph, node_id: str, output: int, fed: list[tuple[Slot, int]]
) -> dict[int, Any]:
    """A picture's mask, if it is used: in Krita it is the opaque part, from ComfyUI's loader the
    transparent one.
    """
    used = {number for _, number in fed}
    if output not in used:
        return {}
    inverted = graph.add(f"{node_id}_mask", "InvertMask", {"mask": [node_id, 1]})
    return {output: [inverted, 0]}
