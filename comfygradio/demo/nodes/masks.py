"""Mask nodes: a mask is a picture of mode L, white where something should change."""

from __future__ import annotations

from PIL import Image, ImageFilter, ImageOps

from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import Masks, NodeInputs

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
    masks = inputs.masks("mask")
    images = [mask.convert("RGB") for mask in masks]
    return NodeResult((images,))


def from_image(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    band = BANDS[inputs.text("channel")]
    masks: Masks = []
    for image in inputs.images("image"):
        with_alpha = image.convert("RGBA")
        masks.append(with_alpha.getchannel(band))
    return NodeResult((masks,))


def invert(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    masks = inputs.masks("mask")
    inverted = [ImageOps.invert(mask) for mask in masks]
    return NodeResult((inverted,))


def make_solid(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    width = inputs.integer("width", 512)
    height = inputs.integer("height", 512)
    level = round(inputs.real("value", 1.0) * 255)
    mask = Image.new("L", (width, height), level)
    return NodeResult(([mask],))


def grow(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """Grows by `expand` pixels, shrinks if it is negative."""
    expand = inputs.integer("expand")
    size = 2 * min(abs(expand), 64) + 1
    change = ImageFilter.MaxFilter(size) if expand > 0 else ImageFilter.MinFilter(size)
    masks = inputs.masks("mask")
    grown = [mask.filter(change) for mask in masks]
    return NodeResult((grown,))
