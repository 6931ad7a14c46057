"""Mask nodes: a mask is a picture of mode L, white where something shall change."""

from __future__ import annotations

from PIL import Image, ImageFilter, ImageOps

from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import NodeInputs

BANDS = {"red": 0, "green": 1, "blue": 2, "alpha": 3}


def nodes() -> dict[str, NodeFunction]:
    return {
        "MaskToImage": to_image,
        "ImageToMask": from_image,
        "InvertMask": invert,
        "SolidMask": make_solid,
        "GrowMask": grow,
    }


def to_image(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = [mask.convert("RGB") for mask in inputs.masks("mask")]
    return NodeResult((images,))


def from_image(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    band = BANDS[inputs.text("channel")]
    images = inputs.images("image")
    masks = [image.convert("RGBA").getchannel(band) for image in images]
    return NodeResult((masks,))


def invert(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    inverted = [ImageOps.invert(mask) for mask in inputs.masks("mask")]
    return NodeResult((inverted,))


def make_solid(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    size = (inputs.integer("width", 512), inputs.integer("height", 512))
    level = round(inputs.real("value", 1.0) * 255)
    return NodeResult(([Image.new("L", size, level)],))


def grow(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """Grows by `expand` pixels, shrinks if it is negative."""
    expand = inputs.integer("expand")
    size = 2 * min(abs(expand), 64) + 1
    change = ImageFilter.MaxFilter(size) if expand > 0 else ImageFilter.MinFilter(size)
    grown = [mask.filter(change) for mask in inputs.masks("mask")]
    return NodeResult((grown,))
