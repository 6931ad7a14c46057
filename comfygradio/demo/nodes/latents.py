"""Latents: empty ones, encoded pictures, scaling, masks.

Sizes are kept in pixels, multiples of 8.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image, ImageFilter

from comfygradio.demo.cache import NodeResult
from comfygradio.demo.node_run import NodeRun
from comfygradio.demo.resizing import METHODS, crop_to_ratio
from comfygradio.demo.values import Images, Latent, NodeInputs

if TYPE_CHECKING:
    from comfygradio.demo.nodes import NodeFunction

GRID = 8


def nodes() -> dict[str, NodeFunction]:
    return {
        "EmptyLatentImage": make_empty,
        "EmptySD3LatentImage": make_empty,
        "VAEEncode": encode,
        "VAEEncodeForInpaint": encode_for_inpaint,
        "VAEDecode": decode,
        "VAEDecodeTiled": decode,
        "LatentUpscale": upscale,
        "LatentUpscaleBy": upscale_by,
        "SetLatentNoiseMask": set_noise_mask,
        "RepeatLatentBatch": repeat,
    }


def make_empty(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """Width and height are rounded down to multiples of 8."""
    width, height = snap(inputs.integer("width")), snap(inputs.integer("height"))
    return NodeResult((Latent(width, height, inputs.integer("batch_size", 1)),))


def encode(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return NodeResult((encode_images(inputs.images("pixels")),))


def encode_for_inpaint(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """The masked area is greyed out, and the mask grows by `grow_mask_by` pixels."""
    latent = encode_images(inputs.images("pixels"))
    mask = fit_mask(inputs.masks("mask")[0], latent)
    grey = Image.new("RGB", (latent.width, latent.height), (128, 128, 128))
    pictures = tuple(Image.composite(grey, picture, mask) for picture in latent.pictures)
    reach = inputs.integer("grow_mask_by") // 2
    grown = (
        mask.filter(ImageFilter.MaxFilter(2 * reach + 1)) if reach else mask
    )  # Pillow crashes on a size of 1
    return NodeResult((replace(latent, pictures=pictures, mask=grown),))


def decode(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    latent = inputs.latent("samples")
    inputs.get("vae")
    if latent.pictures:
        return NodeResult((list(latent.pictures),))
    brown = Image.new("RGB", (latent.width, latent.height), (122, 113, 104))
    return NodeResult(([brown.copy() for _ in range(latent.batch)],))


def upscale(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """A width or height of 0 follows from the other one; both 0 changes nothing."""
    latent = inputs.latent("samples")
    width, height = inputs.integer("width"), inputs.integer("height")
    if width == 0 and height == 0:
        return NodeResult((latent,))
    width = width or round(latent.width * height / latent.height)
    height = height or round(latent.height * width / latent.width)
    crop = inputs.text("crop") == "center"
    return NodeResult(
        (resize_latent(latent, snap(width), snap(height), inputs.text("upscale_method"), crop),)
    )


def upscale_by(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    latent, factor = inputs.latent("samples"), inputs.real("scale_by")
    size = snap(round(latent.width * factor)), snap(round(latent.height * factor))
    return NodeResult((resize_latent(latent, *size, inputs.text("upscale_method"), False),))


def set_noise_mask(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    latent = inputs.latent("samples")
    return NodeResult((replace(latent, mask=fit_mask(inputs.masks("mask")[0], latent)),))


def repeat(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    latent, amount = inputs.latent("samples"), inputs.integer("amount", 1)
    return NodeResult(
        (replace(latent, batch=latent.batch * amount, pictures=latent.pictures * amount),)
    )


def snap(pixels: int) -> int:
    return max(GRID, pixels // GRID * GRID)


def encode_images(images: Images) -> Latent:
    """Crops every picture to multiples of 8, centred."""
    size = snap(images[0].width), snap(images[0].height)
    left, top = (images[0].width - size[0]) // 2, (images[0].height - size[1]) // 2
    box = (left, top, left + size[0], top + size[1])
    pictures = tuple(image.convert("RGB").crop(box) for image in images)
    return Latent(size[0], size[1], len(pictures), pictures)


def fit_mask(mask: Image.Image, latent: Latent) -> Image.Image:
    return mask.resize((latent.width, latent.height), Image.Resampling.BILINEAR)


def resize_latent(latent: Latent, width: int, height: int, method: str, crop: bool) -> Latent:
    pictures = tuple(
        (crop_to_ratio(p, width, height) if crop else p).resize((width, height), METHODS[method])
        for p in latent.pictures
    )
    mask = latent.mask.resize((width, height)) if latent.mask else None
    return replace(latent, width=width, height=height, pictures=pictures, mask=mask)
