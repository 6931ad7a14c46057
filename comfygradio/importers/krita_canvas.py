"""Replace Krita's canvas, layers, selection and styles: by pictures to upload, and by fields for
what a style sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.comfy.workflow import Node
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation
from comfygradio.importers.mapping import choose_file, replace_with_loader
from comfygradio.importers.values import get_text
from comfygradio.importers.workflow_editor import WorkflowEditor

SIZE = 512
"""Width and height in pixels of Krita's own placeholder for a canvas."""

STYLE_OUTPUTS: Mapping[int, tuple[str, Widget | None, Any]] = {
    3: ("2. Prompt", "textarea", ""),
    4: ("3. Negative prompt", "textarea", ""),
    5: ("4. Sampler", None, "euler"),
    6: ("5. Scheduler", None, "normal"),
    7: ("6. Steps", None, 20),
    8: ("7. Guidance", None, 7.0),
}
"""Outputs of a style node after model, CLIP and VAE: name, widget and a typical value."""

NamedAnnotation = tuple[str, Annotation]
"""An annotation and its name in Krita, "1. Group/2. Label"."""


def import_canvas(editor: WorkflowEditor, source: str) -> tuple[list[Annotation], list[Annotation]]:
    """Replace canvases and selections by one picture, with a mask if there is a selection, and by
    the seeds of the canvas.
    """
    pictures: list[Slot] = []
    seeds: list[Slot] = []
    for node in editor.find("ETN_KritaCanvas"):
        fed = editor.find_fed_inputs(node.id)
        seeds += _pick_output(fed, 3)
        pictures.append(_replace_canvas(editor, node))
    selections = list(editor.find("ETN_KritaSelection"))
    for node in selections:
        fed = editor.find_fed_inputs(node.id)
        if pictures:
            # The picture that stands for the canvas takes the mask as well.
            editor.remove(node.id)
        else:
            pictures.append(replace_with_loader(editor, node, "image", ""))
        mask = [pictures[0].node_id, 1]
        editor.rewire(fed, {0: mask, 1: True, 2: 0, 3: 0})
        editor.notes.append(
            f"Krita's selection (node {node.id}) became a mask that is painted on the picture."
        )
    widget: Widget = "mask" if selections else "image"
    picture_fields: list[Annotation] = []
    if pictures:
        picture_fields.append(Annotation(source, tuple(pictures), label="Picture", widget=widget))
    seed_fields: list[Annotation] = []
    if seeds:
        seed_fields.append(Annotation(source, tuple(seeds), label="Seed", widget="seed"))
    return picture_fields, seed_fields


def _pick_output(fed: list[tuple[Slot, int]], output: int) -> tuple[Slot, ...]:
    """Pick the inputs that one output feeds."""
    return tuple(slot for slot, number in fed if number == output)


def import_layers(editor: WorkflowEditor, source: str) -> list[NamedAnnotation]:
    """Replace layers by pictures to upload."""
    found: list[NamedAnnotation] = []
    for node in editor.find("ETN_KritaImageLayer", "ETN_KritaMaskLayer"):
        fed = editor.find_fed_inputs(node.id)
        slot = replace_with_loader(editor, node, "image", "")
        feeds: dict[int, Any] = {0: [node.id, 0]}
        if node.class_type == "ETN_KritaMaskLayer":
            file = editor.get_input(slot)
            editor.replace(node.id, "LoadImageMask", {"image": file, "channel": "red"})
        else:
            feeds |= _invert_mask(editor, node.id, 1, fed)
        editor.rewire(fed, feeds)
        name = get_text(node.inputs, "name") or "Picture"
        found.append((name, Annotation(source, (slot,), widget="image")))
    return found


def import_styles(editor: WorkflowEditor, source: str) -> list[NamedAnnotation]:
    """Replace styles by a checkpoint, and by fields for the prompts and sampler settings that a
    style holds.
    """
    found: list[NamedAnnotation] = []
    for node in editor.find("ETN_KritaStyle"):
        fed = editor.find_fed_inputs(node.id)
        style = get_text(node.inputs, "name") or "Style"
        # A slash would part the group from the label.
        group = style.replace("/", " ")
        _replace_style(editor, node, fed)
        checkpoint = Slot(node.id, "ckpt_name")
        found.append((f"{group}/1. Checkpoint", Annotation(source, (checkpoint,))))
        for output, (label, widget, usual) in STYLE_OUTPUTS.items():
            slots = _pick_output(fed, output)
            if slots:
                annotation = Annotation(source, slots, widget=widget, default=usual)
                found.append((f"{group}/{label}", annotation))
    return found


def _replace_style(editor: WorkflowEditor, node: Node, fed: list[tuple[Slot, int]]) -> None:
    """Replace a style by a checkpoint, and by typical values for the rest."""
    checkpoint = choose_file(editor, "CheckpointLoaderSimple", "ckpt_name", None)
    editor.notes.append(
        f"{editor.describe_node(node.id)} became a checkpoint; choose its model, and check prompts "
        "and steps."
    )
    editor.replace(node.id, "CheckpointLoaderSimple", {"ckpt_name": checkpoint})
    # Model, CLIP and VAE are outputs of the checkpoint, with the same numbers.
    feeds: dict[int, Any] = {output: [node.id, output] for output in (0, 1, 2)}
    for output, (_, _, usual) in STYLE_OUTPUTS.items():
        feeds[output] = usual
    editor.rewire(fed, feeds)


def _replace_canvas(editor: WorkflowEditor, node: Node) -> Slot:
    """Replace a canvas, whose outputs are picture, width, height, seed and mask, by a picture."""
    fed = editor.find_fed_inputs(node.id)
    editor.notes.append(
        f"{editor.describe_node(node.id)} became a picture to upload; it is not cut to Krita's "
        "selection."
    )
    slot = replace_with_loader(editor, node, "image", "")
    feeds: dict[int, Any] = {0: [node.id, 0], 3: 0}
    feeds |= _measure(editor, node.id, fed)
    feeds |= _invert_mask(editor, node.id, 4, fed)
    editor.rewire(fed, feeds)
    return slot


def _measure(editor: WorkflowEditor, node_id: str, fed: list[tuple[Slot, int]]) -> dict[int, Any]:
    """Return links or values for width and height (outputs 1 and 2 of a canvas), measured from the
    picture if the server can.
    """
    used = {output for _, output in fed}
    if used.isdisjoint({1, 2}):
        return {}
    if "GetImageSize" not in editor.object_info:
        editor.notes.append(
            f"This ComfyUI cannot measure pictures; width and height are {SIZE} instead."
        )
        return {1: SIZE, 2: SIZE}
    picture = [node_id, 0]
    measured = editor.add(f"{node_id}_size", "GetImageSize", {"image": picture})
    return {1: [measured, 0], 2: [measured, 1]}


def _invert_mask(
    editor: WorkflowEditor, node_id: str, output: int, fed: list[tuple[Slot, int]]
) -> dict[int, Any]:
    """Return a link to a picture's inverted mask if it is used. In Krita the mask is the opaque
    part, in ComfyUI's loader the transparent one.
    """
    if not _pick_output(fed, output):
        return {}
    mask = [node_id, 1]
    inverted = editor.add(f"{node_id}_mask", "InvertMask", {"mask": mask})
    return {output: [inverted, 0]}
