"""Image nodes, done with Pillow."""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import Images, NodeInputs
from comfygradio.demo.media.pictures import resize_image

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
    return NodeResult(([change(image) for image in images],))


def make_empty(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    color = inputs.integer("color")
    rgb = (color >> 16 & 255, color >> 8 & 255, color & 255)
    size = (inputs.integer("width", 512), inputs.integer("height", 512))
    count = inputs.integer("batch_size", 1)
    images = [Image.new("RGB", size, rgb) for _ in range(count)]
    return NodeResult((images,))


def scale(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """A width or height of 0 follows from the other one; both 0 changes nothing."""
    images = inputs.images("image")
    width = inputs.integer("width")
    height = inputs.integer("height")
    if width == 0 and height == 0:
        return NodeResult((images,))
    width = width or max(1, round(images[0].width * height / images[0].height))
    height = height or max(1, round(images[0].height * width / images[0].width))
    crop_first = inputs.text("crop") == "center"
    method = inputs.text("upscale_method")
    return each(images, lambda image: resize_image(image, width, height, method, crop_first))


def scale_by(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = inputs.images("image")
    factor = inputs.real("scale_by")
    return scale_all(images, factor, inputs.text("upscale_method"))


def scale_to_total(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = inputs.images("image")
    first = images[0]
    pixels = inputs.real("megapixels") * 1024 * 1024
    factor = math.sqrt(pixels / (first.width * first.height))
    step = inputs.integer("resolution_steps", 1)
    width = max(step, round(first.width * factor / step) * step)
    height = max(step, round(first.height * factor / step) * step)
    method = inputs.text("upscale_method")
    return each(images, lambda image: resize_image(image, width, height, method, False))


def upscale(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    factor = inputs.upscaler("upscale_model").factor
    images = inputs.images("image")
    run.step(1, 1)
    if factor == 4:
        images = [image.filter(ImageFilter.SHARPEN) for image in images]
    return scale_all(images, factor, "lanczos")


def scale_all(images: Images, factor: float, method: str) -> NodeResult:
    width = round(images[0].width * factor)
    height = round(images[0].height * factor)
    return each(images, lambda image: resize_image(image, width, height, method, False))


def resize_any(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """The V3 node with dotted inputs (`resize_type.width`)."""
    images = inputs.images("input")
    width, height = choose_size(images[0], inputs)
    crop_first = inputs.text("resize_type.crop", "disabled") == "center"
    method = inputs.text("scale_method", "area")
    return each(images, lambda image: resize_image(image, width, height, method, crop_first))


def choose_size(image: Image.Image, inputs: NodeInputs) -> tuple[int, int]:
    kind = inputs.text("resize_type")
    value = {name.partition(".")[2]: inputs.get(name) for name in inputs.names() if "." in name}
    width, height = image.size
    factors: dict[str, Callable[[], float]] = {
        "scale by multiplier": lambda: float(value["multiplier"]),
        "scale longer dimension": lambda: float(value["longer_size"]) / max(width, height),
        "scale shorter dimension": lambda: float(value["shorter_size"]) / min(width, height),
        "scale width": lambda: float(value["width"]) / width,
        "scale height": lambda: float(value["height"]) / height,
        "scale total pixels": lambda: math.sqrt(
            float(value["megapixels"]) * 1048576 / (width * height)
        ),
    }
    if kind in factors:
        factor = factors[kind]()
        width = max(1, round(width * factor))
        height = max(1, round(height * factor))
        return width, height
    if kind == "scale dimensions":
        return int(value["width"]) or width, int(value["height"]) or height
    if kind == "match size":
        size: tuple[int, int] = value["match"][0].size
        return size
    if kind == "scale to multiple":
        multiple = int(value["multiple"])
        width = max(multiple, width // multiple * multiple)
        height = max(multiple, height // multiple * multiple)
        return width, height
    raise TypeError(
        "ResizeImageMaskNode.execute() missing 1 required positional argument: 'resize_type'"
    )


def invert(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return each(inputs.images("image"), ImageOps.invert)


def blur(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    radius = inputs.real("sigma") * min(1.0, inputs.integer("blur_radius") / 3)
    images = inputs.images("image")
    return each(images, lambda image: image.filter(ImageFilter.GaussianBlur(radius)))


def crop(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = inputs.images("image")
    width, height = images[0].size
    left = min(inputs.integer("x"), width - 1)
    top = min(inputs.integer("y"), height - 1)
    right = min(left + inputs.integer("width"), width)
    bottom = min(top + inputs.integer("height"), height)
    return each(images, lambda image: image.crop((left, top, right, bottom)))


def flip(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    vertical = inputs.text("flip_method").startswith("x")
    return each(inputs.images("image"), ImageOps.flip if vertical else ImageOps.mirror)


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
    mask = inputs.masks("mask")[0].resize(source.size) if inputs.has("mask") else None
    place = (inputs.integer("x"), inputs.integer("y"))

    def paste(image: Image.Image) -> Image.Image:
        image = image.copy()
        image.paste(source, place, mask)
        return image

    return each(target, paste)


def pad(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """Grey margins, and a mask that is white there, fading into the picture over `feathering`
    pixels.
    """
    images = inputs.images("image")
    left = inputs.integer("left")
    top = inputs.integer("top")
    right = inputs.integer("right")
    bottom = inputs.integer("bottom")
    width, height = images[0].size
    size = (left + width + right, top + height + bottom)
    mask = Image.new("L", size, 255)
    ImageDraw.Draw(mask).rectangle((left, top, left + width - 1, top + height - 1), fill=0)
    feathering = inputs.integer("feathering")
    if feathering:
        mask = mask.filter(ImageFilter.GaussianBlur(feathering / 4))

    def frame(image: Image.Image) -> Image.Image:
        padded = Image.new("RGB", size, (128, 128, 128))
        padded.paste(image, (left, top))
        return padded

    framed = [frame(image) for image in images]
    return NodeResult((framed, [mask]))


def batch(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    batches = [inputs.images("image1"), inputs.images("image2")]
    return NodeResult((join_batches(batches),))


def batch_many(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    names = sorted(inputs.names(), key=parse_number)
    batches = [inputs.images(name) for name in names]
    return NodeResult((join_batches(batches),))


def parse_number(name: str) -> int:
    """The number in the name of an input, 0 where there is none."""
    digits = "".join(letter for letter in name if letter.isdigit())
    return int(digits or 0)


def join_batches(batches: list[Images]) -> Images:
    """One batch; pictures of another size are fitted to the first one's."""
    width, height = batches[0][0].size
    joined: Images = []
    for images in batches:
        for image in images:
            if image.size != (width, height):
                image = resize_image(image, width, height, "bilinear", True)
            joined.append(image)
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
    width, height = images[0].size
    run.send_text(f"width: {width}, height: {height}\n batch size: {len(images)}")
    return NodeResult((width, height, len(images)))
