"""Image nodes, done with Pillow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import Images, NodeInputs
from comfygradio.demo.media.pictures import resize_image

GREY = (128, 128, 128)

# ComfyUI turns clockwise, Pillow counterclockwise.
ROTATIONS = {
    "90 degrees": Image.Transpose.ROTATE_270,
    "180 degrees": Image.Transpose.ROTATE_180,
    "270 degrees": Image.Transpose.ROTATE_90,
}


def nodes() -> dict[str, NodeFunction]:
    return {
        "EmptyImage": make_empty,
        "ImageScale": scale,
        "ImageScaleBy": scale_by,
        "ImageScaleToTotalPixels": scale_to_total,
        "ImageUpscaleWithModel": upscale,
        "ResizeImageMaskNode": resize_any,
        "ImageInvert": invert,
        "ImageBlur": blur,
        "ImageCrop": crop,
        "ImageFlip": flip,
        "ImageRotate": rotate,
        "ImageCompositeMasked": composite,
        "ImagePadForOutpaint": pad,
        "ImageBatch": batch,
        "BatchImagesNode": batch_many,
        "ImageFromBatch": take_from_batch,
        "GetImageSize": get_size,
    }


def each(images: Images, change: Callable[[Image.Image], Image.Image]) -> NodeResult:
    """The result of a node that does the same with every picture of a batch."""
    changed = [change(image) for image in images]
    return NodeResult((changed,))


def make_empty(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    color = inputs.integer("color")
    red = color >> 16 & 255
    green = color >> 8 & 255
    blue = color & 255
    width = inputs.integer("width", 512)
    height = inputs.integer("height", 512)
    images: Images = []
    for _ in range(inputs.integer("batch_size", 1)):
        images.append(Image.new("RGB", (width, height), (red, green, blue)))
    return NodeResult((images,))


def scale(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """A width or height of 0 follows from the other one; both 0 changes nothing."""
    images = inputs.images("image")
    first = images[0]
    width = inputs.integer("width")
    height = inputs.integer("height")
    if width == 0 and height == 0:
        return NodeResult((images,))
    if width == 0:
        width = max(1, round(first.width * height / first.height))
    if height == 0:
        height = max(1, round(first.height * width / first.width))
    crop_first = inputs.text("crop") == "center"
    method = inputs.text("upscale_method")
    return resize_all(images, width, height, method, crop_first)


def scale_by(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = inputs.images("image")
    factor = inputs.real("scale_by")
    return scale_all(images, factor, inputs.text("upscale_method"))


def scale_to_total(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """So many megapixels, with sides that are multiples of `resolution_steps`."""
    images = inputs.images("image")
    first = images[0]
    # ComfyUI counts 1024 × 1024 pixels as a megapixel.
    pixels = inputs.real("megapixels") * 1024 * 1024
    factor = math.sqrt(pixels / (first.width * first.height))
    step = inputs.integer("resolution_steps", 1)
    width = round(first.width * factor / step) * step
    height = round(first.height * factor / step) * step
    method = inputs.text("upscale_method")
    return resize_all(images, max(step, width), max(step, height), method)


def upscale(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    factor = inputs.upscaler("upscale_model").factor
    images = inputs.images("image")
    run.step(1, 1)
    if factor == 4:
        images = [image.filter(ImageFilter.SHARPEN) for image in images]
    return scale_all(images, factor, "lanczos")


def scale_all(images: Images, factor: float, method: str) -> NodeResult:
    first = images[0]
    width = round(first.width * factor)
    height = round(first.height * factor)
    return resize_all(images, width, height, method)


def resize_all(
    images: Images, width: int, height: int, method: str, crop_first: bool = False
) -> NodeResult:
    """The result of a node that gives all pictures one size."""

    def resize(image: Image.Image) -> Image.Image:
        return resize_image(image, width, height, method, crop_first)

    return each(images, resize)


def resize_any(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """The V3 node with dotted inputs (`resize_type.width`)."""
    images = inputs.images("input")
    width, height = choose_size(images[0], inputs)
    crop_first = inputs.text("resize_type.crop", "disabled") == "center"
    method = inputs.text("scale_method", "area")
    return resize_all(images, width, height, method, crop_first)


def choose_size(image: Image.Image, inputs: NodeInputs) -> tuple[int, int]:
    """The size that the chosen way of resizing asks for. TypeError for one that is unknown."""
    kind = inputs.text("resize_type")
    width, height = image.size
    if kind == "scale dimensions":
        wanted_width = int(take_option(inputs, "width"))
        wanted_height = int(take_option(inputs, "height"))
        return wanted_width or width, wanted_height or height
    if kind == "match size":
        size: tuple[int, int] = take_option(inputs, "match")[0].size
        return size
    if kind == "scale to multiple":
        multiple = int(take_option(inputs, "multiple"))
        width = max(multiple, width // multiple * multiple)
        height = max(multiple, height // multiple * multiple)
        return width, height
    factor = choose_factor(kind, image, inputs)
    return max(1, round(width * factor)), max(1, round(height * factor))


def choose_factor(kind: str, image: Image.Image, inputs: NodeInputs) -> float:
    """How much larger a way of resizing makes a picture. TypeError for one that is unknown."""
    width, height = image.size
    if kind == "scale by multiplier":
        return float(take_option(inputs, "multiplier"))
    if kind == "scale longer dimension":
        return float(take_option(inputs, "longer_size")) / max(width, height)
    if kind == "scale shorter dimension":
        return float(take_option(inputs, "shorter_size")) / min(width, height)
    if kind == "scale width":
        return float(take_option(inputs, "width")) / width
    if kind == "scale height":
        return float(take_option(inputs, "height")) / height
    if kind == "scale total pixels":
        pixels = float(take_option(inputs, "megapixels")) * 1048576
        return math.sqrt(pixels / (width * height))
    raise TypeError(
        "ResizeImageMaskNode.execute() missing 1 required positional argument: 'resize_type'"
    )


def take_option(inputs: NodeInputs, name: str) -> Any:
    """An input that the chosen way of resizing brings. KeyError if it is not there."""
    dotted = f"resize_type.{name}"
    if not inputs.has(dotted):
        raise KeyError(name)
    return inputs.get(dotted)


def invert(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return each(inputs.images("image"), ImageOps.invert)


def blur(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = inputs.images("image")
    # A radius below 3 cuts the wide part of the blur off.
    share = min(1.0, inputs.integer("blur_radius") / 3)
    sigma = inputs.real("sigma")
    gaussian = ImageFilter.GaussianBlur(sigma * share)
    return each(images, lambda image: image.filter(gaussian))


def crop(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = inputs.images("image")
    width, height = images[0].size
    left = min(inputs.integer("x"), width - 1)
    top = min(inputs.integer("y"), height - 1)
    right = left + inputs.integer("width")
    bottom = top + inputs.integer("height")
    box = (left, top, min(right, width), min(bottom, height))
    return each(images, lambda image: image.crop(box))


def flip(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = inputs.images("image")
    if inputs.text("flip_method").startswith("x"):
        return each(images, ImageOps.flip)
    return each(images, ImageOps.mirror)


def rotate(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    turn = ROTATIONS.get(inputs.text("rotation"))
    images = inputs.images("image")
    if turn is None:
        return NodeResult((images,))
    return each(images, lambda image: image.transpose(turn))


def composite(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    source = inputs.images("source")[0]
    target = inputs.images("destination")
    if inputs.get("resize_source"):
        source = source.resize(target[0].size)
    mask: Image.Image | None = None
    if inputs.has("mask"):
        first_mask = inputs.masks("mask")[0]
        mask = first_mask.resize(source.size)
    place = (inputs.integer("x"), inputs.integer("y"))

    def paste(image: Image.Image) -> Image.Image:
        pasted = image.copy()
        pasted.paste(source, place, mask)
        return pasted

    return each(target, paste)


def pad(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """Grey margins, and a mask that is white there, fading into the picture over `feathering`
    pixels.
    """
    images = inputs.images("image")
    left = inputs.integer("left")
    top = inputs.integer("top")
    width, height = images[0].size
    right = left + width
    bottom = top + height
    size = (right + inputs.integer("right"), bottom + inputs.integer("bottom"))
    mask = Image.new("L", size, 255)
    ImageDraw.Draw(mask).rectangle((left, top, right - 1, bottom - 1), fill=0)
    feathering = inputs.integer("feathering")
    if feathering:
        mask = mask.filter(ImageFilter.GaussianBlur(feathering / 4))
    framed: Images = []
    for image in images:
        padded = Image.new("RGB", size, GREY)
        padded.paste(image, (left, top))
        framed.append(padded)
    return NodeResult((framed, [mask]))


def batch(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    first = inputs.images("image1")
    second = inputs.images("image2")
    joined = join_batches([first, second])
    return NodeResult((joined,))


def batch_many(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    names = sorted(inputs.names(), key=parse_number)
    batches = [inputs.images(name) for name in names]
    joined = join_batches(batches)
    return NodeResult((joined,))


def parse_number(name: str) -> int:
    """The number in the name of an input, 0 where there is none."""
    digits = [letter for letter in name if letter.isdigit()]
    return int("".join(digits) or 0)


def join_batches(batches: list[Images]) -> Images:
    """One batch; pictures of another size are fitted to the first one's."""
    first = batches[0][0]
    joined: Images = []
    for images in batches:
        for image in images:
            if image.size == first.size:
                joined.append(image)
            else:
                joined.append(resize_image(image, first.width, first.height, "bilinear", True))
    return joined


def take_from_batch(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = inputs.images("image")
    start = inputs.integer("batch_index")
    if start < 0:
        start += len(images)
    start = max(0, min(start, len(images) - 1))
    end = start + inputs.integer("length", 1)
    return NodeResult((images[start:end],))


def get_size(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = inputs.images("image")
    count = len(images)
    width, height = images[0].size
    run.send_text(f"width: {width}, height: {height}\n batch size: {count}")
    return NodeResult((width, height, count))
