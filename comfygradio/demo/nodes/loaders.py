"""Loaders: models by name only, images from the server's folders."""

from __future__ import annotations

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
    return NodeResult((Model(name), Model(name), Vae(name)))


def load_vae(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return NodeResult((Vae(inputs.text("vae_name")),))


def load_lora(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    name = inputs.text("lora_name")
    model = inputs.model("model").with_lora(name, inputs.real("strength_model"))
    clip = inputs.model("clip").with_lora(name, inputs.real("strength_clip"))
    return NodeResult((model, clip))


def load_lora_model_only(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    model = inputs.model("model")
    name = inputs.text("lora_name")
    strength = inputs.real("strength_model")
    return NodeResult((model.with_lora(name, strength),))


def set_last_layer(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    clip = inputs.model("clip")
    layer = inputs.integer("stop_at_clip_layer")
    return NodeResult((Model(clip.checkpoint, clip.loras, layer),))


def load_upscaler(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    name = inputs.text("model_name")
    factor = 4 if "x4" in name or "4x" in name else 2
    return NodeResult((Upscaler(name, factor),))


def load_control_net(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return NodeResult((ControlNet(inputs.text("control_net_name")),))


def load_image(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """RGB picture and mask = 1 - alpha (64 by 64 black when there is no alpha, as in ComfyUI)."""
    picture = open_image(run, inputs.text("image"))
    mask = Image.new("L", SIZE_WITHOUT_MASK, 0)
    if has_alpha(picture):
        mask = ImageOps.invert(picture.convert("RGBA").getchannel("A"))
    return NodeResult(([picture.convert("RGB")], [mask]))


def load_image_mask(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    picture = open_image(run, inputs.text("image"))
    channel = CHANNELS[inputs.text("channel")]
    if channel == "A" and not has_alpha(picture):
        return NodeResult(([Image.new("L", SIZE_WITHOUT_MASK, 0)],))
    mask = picture.convert("RGBA").getchannel(channel)
    if channel == "A":
        mask = ImageOps.invert(mask)
    return NodeResult(([mask],))


def open_image(run: NodeRun, name: str) -> Image.Image:
    path = run.folders.annotated(name)
    if not path.is_file():
        missing = f"[Errno 2] No such file or directory: '{path}'"
        raise RemoteError("av.error.FileNotFoundError", missing)
    with Image.open(path, formats=PICTURE_FORMATS) as picture:
        picture.load()
        return ImageOps.exif_transpose(reduce_depth(picture))


def reduce_depth(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits as one of 8: ComfyUI scales it, while Pillow would make nearly all white."""
    if not picture.mode.startswith("I"):
        return picture
    reduced = picture.point(lambda value: value * (1 / 257) + 0).convert("L")
    reduced.info = {name: value for name, value in picture.info.items() if name == "exif"}
    return reduced


def has_alpha(picture: Image.Image) -> bool:
    return "A" in picture.getbands() or "transparency" in picture.info
