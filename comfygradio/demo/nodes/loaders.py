"""Loaders: models by name only, images from the server's folders."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image, ImageOps

from comfygradio.demo.execution.folders import PICTURE_FORMATS
from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import (
    ControlNet,
    Model,
    NodeInputs,
    RemoteError,
    Upscaler,
    Vae,
)

CHANNELS = {"red": "R", "green": "G", "blue": "B", "alpha": "A"}
SIZE_WITHOUT_MASK = (64, 64)


def nodes() -> dict[str, NodeFunction]:
    return {
        "CheckpointLoaderSimple": load_checkpoint,
        "VAELoader": load_vae,
        "LoraLoader": load_lora,
        "LoraLoaderModelOnly": load_lora_model_only,
        "CLIPSetLastLayer": set_last_layer,
        "UpscaleModelLoader": load_upscaler,
        "ControlNetLoader": load_control_net,
        "LoadImage": load_image,
        "LoadImageMask": load_image_mask,
    }


def load_checkpoint(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    name = inputs.text("ckpt_name")
    model = Model(name)
    clip = Model(name)
    return NodeResult((model, clip, Vae(name)))


def load_vae(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    name = inputs.text("vae_name")
    return NodeResult((Vae(name),))


def load_lora(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    name = inputs.text("lora_name")
    model = inputs.model("model")
    clip = inputs.model("clip")
    changed_model = model.with_lora(name, inputs.real("strength_model"))
    changed_clip = clip.with_lora(name, inputs.real("strength_clip"))
    return NodeResult((changed_model, changed_clip))


def load_lora_model_only(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    model = inputs.model("model")
    name = inputs.text("lora_name")
    changed = model.with_lora(name, inputs.real("strength_model"))
    return NodeResult((changed,))


def set_last_layer(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    clip = inputs.model("clip")
    changed = replace(clip, stop_at_layer=inputs.integer("stop_at_clip_layer"))
    return NodeResult((changed,))


def load_upscaler(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    name = inputs.text("model_name")
    factor = 2
    if "x4" in name or "4x" in name:
        factor = 4
    upscaler = Upscaler(name, factor)
    return NodeResult((upscaler,))


def load_control_net(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    name = inputs.text("control_net_name")
    return NodeResult((ControlNet(name),))


def load_image(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """RGB picture and mask = 1 - alpha (64 by 64 black when there is no alpha, as in ComfyUI)."""
    picture = open_image(run, inputs.text("image"))
    image = picture.convert("RGB")
    mask = load_mask(picture, "A")
    return NodeResult(([image], [mask]))


def load_image_mask(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    picture = open_image(run, inputs.text("image"))
    band = CHANNELS[inputs.text("channel")]
    mask = load_mask(picture, band)
    return NodeResult(([mask],))


def load_mask(picture: Image.Image, band: str) -> Image.Image:
    """A band of a picture as a mask: R, G or B as it is, A inverted."""
    if band == "A" and not has_alpha(picture):
        return Image.new("L", SIZE_WITHOUT_MASK, 0)
    mask = picture.convert("RGBA").getchannel(band)
    if band == "A":
        return ImageOps.invert(mask)
    return mask


def open_image(run: NodeRun, name: str) -> Image.Image:
    """A picture of 8 bits, upright. RemoteError if there is none of that name."""
    path = run.folders.annotated(name)
    if not path.is_file():
        missing = f"[Errno 2] No such file or directory: '{path}'"
        raise RemoteError("av.error.FileNotFoundError", missing)
    with Image.open(path, formats=PICTURE_FORMATS) as picture:
        picture.load()
        reduced = reduce_depth(picture)
        return ImageOps.exif_transpose(reduced)


def reduce_depth(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits as one of 8: ComfyUI scales it, while Pillow would make nearly all white."""
    if not picture.mode.startswith("I"):
        return picture
    # 257 is 65535 / 255. In these modes Pillow accepts only a factor and a summand.
    scaled = picture.point(lambda value: value * (1 / 257) + 0)
    reduced = scaled.convert("L")
    reduced.info = {}
    if "exif" in picture.info:
        reduced.info["exif"] = picture.info["exif"]
    return reduced


def has_alpha(picture: Image.Image) -> bool:
    if "transparency" in picture.info:
        return True
    return "A" in picture.getbands()
