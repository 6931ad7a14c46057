"""Output nodes: files in output/ and temp/, pictures over the WebSocket, texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

from comfygradio.demo.execution.folders import OutsideFolder, StoredFile
from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import Images, NodeInputs
from comfygradio.demo.media.pictures import encode_image

OUTSIDE = "**** ERROR: Saving image outside the output folder is not allowed."
WEBP_METHODS = {"default": 4, "fastest": 0, "slowest": 6}
EXIF_MAKE = 0x010F
EXIF_MODEL = 0x0110


def nodes() -> dict[str, NodeFunction]:
    return {
        "SaveImage": save,
        "PreviewImage": preview,
        "MaskPreview": preview_mask,
        "SaveAnimatedWEBP": save_animation,
        "SaveImageWebsocket": send,
        "PreviewAny": show_text,
    }


def save(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = inputs.images("images")
    prefix = inputs.text("filename_prefix", "ComfyUI")
    if run.options.sequence_names:
        return store_sequence(run, images, prefix)
    return store(run, images, prefix, "output")


def preview(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    images = inputs.images("images")
    return store(run, images, run.temp_prefix, "temp")


def preview_mask(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    masks = inputs.masks("mask")
    images = [mask.convert("RGB") for mask in masks]
    files = store_images(run, images, run.temp_prefix, "temp")
    return NodeResult((masks,), {"images": files, "animated": [False]})


def store(run: NodeRun, images: Images, prefix: str, kind: str) -> NodeResult:
    """Writes the pictures into output/ or temp/, and shows them."""
    files = store_images(run, images, prefix, kind)
    return NodeResult((images,), {"images": files})


def store_images(run: NodeRun, images: Images, prefix: str, kind: str) -> list[dict[str, str]]:
    """Writes the pictures, and names them as the client gets them."""
    try:
        files = run.folders.save_images(images, prefix, kind, run.png_texts())
    except OutsideFolder:
        # ComfyUI raises this class itself, and clients see its name.
        raise Exception(OUTSIDE) from None
    return [file.to_json() for file in files]


def store_sequence(run: NodeRun, images: Images, prefix: str) -> NodeResult:
    """All pictures under one name, in which `%03d` stands for their numbers."""
    pattern, stored = claim_file(run, prefix, "output", ".%03d.png", images[0].size)
    for number, image in enumerate(images, 1):
        path = pattern.with_name(pattern.name % number)
        image.save(path, compress_level=1)
    return NodeResult((images,), {"images": [stored.to_json()]})


def claim_file(
    run: NodeRun, prefix: str, kind: str, ending: str, size: tuple[int, int] = (0, 0)
) -> tuple[Path, StoredFile]:
    """Where a node writes its file; size is for `%width%` and `%height%` in the prefix."""
    try:
        return run.folders.claim(prefix, kind, ending, size)
    except OutsideFolder:
        raise Exception(OUTSIDE) from None


def save_animation(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """One WebP with the prompt in its EXIF data; servers of 2025 say of a single picture that it is
    not animated.
    """
    images = inputs.images("images")
    first = images[0]
    prefix = inputs.text("filename_prefix")
    path, stored = claim_file(run, prefix, "output", "_.webp", first.size)
    milliseconds = int(1000 / inputs.real("fps"))
    method = inputs.text("method", "default")
    first.save(
        path,
        save_all=True,
        append_images=images[1:],
        lossless=bool(inputs.get("lossless", True)),
        quality=inputs.integer("quality", 80),
        method=WEBP_METHODS[method],
        duration=milliseconds,
        exif=write_exif(run),
    )
    ui: dict[str, Any] = {"images": [stored.to_json()]}
    is_animated = len(images) > 1
    if is_animated or not run.options.can("v3_schemas"):
        ui["animated"] = [is_animated]
    return NodeResult((images,), ui)


def write_exif(run: NodeRun) -> Image.Exif:
    """`prompt:{...}` as the camera's model, the other texts in the tags below it, as
    ComfyUI does.
    """
    texts = run.tag_texts()
    prompt = texts.pop("prompt")
    exif = Image.Exif()
    exif[EXIF_MODEL] = f"prompt:{prompt}"
    tag = EXIF_MAKE
    for key, text in texts.items():
        exif[tag] = f"{key}:{text}"
        tag -= 1
    return exif


def send(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """Each picture goes out as a PNG in the place of a preview."""
    images = inputs.images("images")
    for index, image in enumerate(images):
        encoded = encode_image(image, "PNG")
        run.step(index, len(images), encoded)
    return NodeResult()


def show_text(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    text = to_text(inputs.get("source"))
    return NodeResult((text,), {"text": [text]})


def to_text(value: Any) -> str:
    """Simple values as Python writes them, others as JSON where they can be written as such."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return str(value)
    try:
        return json.dumps(value, indent=4)
    except TypeError:
        return str(value)
