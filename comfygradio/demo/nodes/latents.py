"""Latents: empty ones, encoded pictures, scaling, masks.

Sizes are kept in pixels, multiples of 8.
"""

from __future__ import annotations

from dataclasses import replace

from PIL import Image, ImageFilter

from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import Images, Latent, NodeInputs
from comfygradio.demo.media.pictures import METHODS, crop_to_ratio

GRID = 8
BROWN = (122, 113, 104)


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
    width = snap(inputs.integer("width"))
    height = snap(inputs.integer("height"))
    latent = Latent(width, height, inputs.integer("batch_size", 1))
    return NodeResult((latent,))


def encode(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    latent = encode_images(inputs.images("pixels"))
    return NodeResult((latent,))


def encode_for_inpaint(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """The masked area is greyed out, and the mask grows by `grow_mask_by` pixels."""
    latent = encode_images(inputs.images("pixels"))
    mask = fit_mask(inputs.masks("mask")[0], latent)
    grey = Image.new("RGB", (latent.width, latent.height), (128, 128, 128))
    pictures = [Image.composite(grey, picture, mask) for picture in latent.pictures]
    reach = inputs.integer("grow_mask_by") // 2
    # Pillow crashes on a size of 1.
    if reach:
        mask = mask.filter(ImageFilter.MaxFilter(2 * reach + 1))
    masked = replace(latent, pictures=tuple(pictures), mask=mask)
    return NodeResult((masked,))


def decode(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """The pictures of a latent; brown ones for an empty latent."""
    latent = inputs.latent("samples")
    if latent.pictures:
        return NodeResult((list(latent.pictures),))
    size = (latent.width, latent.height)
    images = [Image.new("RGB", size, BROWN) for _ in range(latent.batch)]
    return NodeResult((images,))


def upscale(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """A width or height of 0 follows from the other one; both 0 changes nothing."""
    latent = inputs.latent("samples")
    width = inputs.integer("width")
    height = inputs.integer("height")
    if width == 0 and height == 0:
        return NodeResult((latent,))
    if width == 0:
        width = round(latent.width * height / latent.height)
    if height == 0:
        height = round(latent.height * width / latent.width)
    crop = inputs.text("crop") == "center"
    method = inputs.text("upscale_method")
    resized = resize_latent(latent, snap(width), snap(height), method, crop)
    return NodeResult((resized,))


def upscale_by(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    latent = inputs.latent("samples")
    factor = inputs.real("scale_by")
    width = snap(round(latent.width * factor))
    height = snap(round(latent.height * factor))
    method = inputs.text("upscale_method")
    resized = resize_latent(latent, width, height, method, False)
    return NodeResult((resized,))


def set_noise_mask(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    latent = inputs.latent("samples")
    mask = fit_mask(inputs.masks("mask")[0], latent)
    masked = replace(latent, mask=mask)
    return NodeResult((masked,))


def repeat(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    latent = inputs.latent("samples")
    amount = inputs.integer("amount", 1)
    repeated = replace(latent, batch=latent.batch * amount, pictures=latent.pictures * amount)
    return NodeResult((repeated,))


def snap(pixels: int) -> int:
    """The next smaller multiple of 8, but at least 8."""
    whole = pixels // GRID
    return max(1, whole) * GRID


def encode_images(images: Images) -> Latent:
    """Crops every picture to multiples of 8, centred."""
    first = images[0]
    width = snap(first.width)
    height = snap(first.height)
    left = (first.width - width) // 2
    top = (first.height - height) // 2
    box = (left, top, left + width, top + height)
    pictures: Images = []
    for image in images:
        picture = image.convert("RGB")
        pictures.append(picture.crop(box))
    return Latent(width, height, len(pictures), tuple(pictures))


def fit_mask(mask: Image.Image, latent: Latent) -> Image.Image:
    size = (latent.width, latent.height)
    return mask.resize(size, Image.Resampling.BILINEAR)


def resize_latent(latent: Latent, width: int, height: int, method: str, crop: bool) -> Latent:
    size = (width, height)
    pictures: Images = []
    for picture in latent.pictures:
        part = crop_to_ratio(picture, width, height) if crop else picture
        pictures.append(part.resize(size, METHODS[method]))
    mask = latent.mask
    if mask:
        mask = mask.resize(size)
    return replace(latent, width=width, height=height, pictures=tuple(pictures), mask=mask)
