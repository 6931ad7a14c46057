"""Output nodes: files in output/ and temp/, pictures over the WebSocket, texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from comfygradio.demo.cache import NodeResult
from comfygradio.demo.folders import OutsideFolder
from comfygradio.demo.node_run import NodeRun, encode_image
from comfygradio.demo.values import Images, NodeInputs

if TYPE_CHECKING:
    from comfygradio.demo.nodes import NodeFunction


def nodes() -> dict[str, NodeFunction]:
    return {
        "SaveImage": save,
        "PreviewImage": preview,
        "MaskPreview": preview_mask,
        "SaveImageWebsocket": send,
        "PreviewAny": show_text,
    }


def save(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = inputs.images("images")
    return store(run, images, inputs.text("filename_prefix", "ComfyUI"), "output")


def preview(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return store(run, inputs.images("images"), run.temp_prefix, "temp")


def preview_mask(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    masks = inputs.masks("mask")
    shown = store(run, [mask.convert("RGB") for mask in masks], run.temp_prefix, "temp").ui or {}
    return NodeResult((masks,), shown | {"animated": [False]})


def store(run: NodeRun, images: Images, prefix: str, kind: str) -> NodeResult:
    try:
        files = run.folders.save_images(images, prefix, kind, run.png_texts())
    except OutsideFolder:
        raise Exception("**** ERROR: Saving image outside the output folder is not allowed.") from None
    return NodeResult((images,), {"images": [file.to_json() for file in files]})


def send(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """Each picture goes out as a PNG in the place of a preview."""
    images = inputs.images("images")
    for index, image in enumerate(images):
        run.step(index, len(images), encode_image(image, "PNG"))
    return NodeResult()


def show_text(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    text = to_text(inputs.get("source"))
    return NodeResult((text,), {"text": [text]})


def to_text(value: Any) -> str:
    if isinstance(value, (str, int, float, bool)) or value is None:
        return str(value)
    try:
        return json.dumps(value, indent=4)
    except TypeError:
        return str(value)
