"""Roles of fields, in the order of the form: name, label, help and limits of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """The name and label of a role's field. A `help` of None leaves the server's tooltip; `minimum`
    and `maximum` are limits.

    `is_titled_by_author`: the author's title of the node makes a better label, since the node has
    only this one value.
    """

    name: str
    label: str
    help: str | None = None
    is_advanced: bool = True
    is_titled_by_author: bool = False
    minimum: int | float | None = None
    maximum: int | float | None = None


ROLES: Mapping[str, Role] = {
    "image": Role("image", "Your picture", "", is_advanced=False, is_titled_by_author=True),
    "mask": Role(
        "image",
        "Your picture",
        "Paint over the part that should change.",
        is_advanced=False,
        is_titled_by_author=True,
    ),
    "video": Role("video", "Your video", "", is_advanced=False, is_titled_by_author=True),
    "audio": Role("audio", "Your sound", "", is_advanced=False, is_titled_by_author=True),
    "file": Role("file", "Your file", "", is_advanced=False, is_titled_by_author=True),
    "prompt": Role(
        "prompt", "What do you want to see?", "", is_advanced=False, is_titled_by_author=True
    ),
    "text": Role("text", "Text", "", is_advanced=False, is_titled_by_author=True),
    "tags": Role("tags", "What kind of music?", "", is_advanced=False),
    "lyrics": Role("lyrics", "What is sung?", "", is_advanced=False),
    "size": Role("size", "Picture size", "", is_advanced=False),
    "shape": Role("shape", "Picture size", None, is_advanced=False),
    "seconds": Role(
        "seconds", "Length in seconds", "", is_advanced=False, is_titled_by_author=True, minimum=0
    ),
    "frames": Role(
        "frames", "Length in frames", "", is_advanced=False, is_titled_by_author=True, minimum=1
    ),
    "strength": Role("strength", "How much may change", "", is_advanced=False, minimum=0.05),
    "checkpoint": Role("checkpoint", "Model", "", is_advanced=False, is_titled_by_author=True),
    "model": Role("model", "Model", "", is_advanced=False, is_titled_by_author=True),
    "upscale_model": Role(
        "upscale_model", "Upscale model", "", is_advanced=False, is_titled_by_author=True
    ),
    "seed": Role(
        "seed",
        "Seed",
        "The same seed with the same words gives the same picture.",
        is_advanced=False,
    ),
    "negative_prompt": Role(
        "negative_prompt", "What should not be in it?", "", is_titled_by_author=True
    ),
    "steps": Role(
        "steps", "Steps", "More steps take longer and show more detail.", minimum=1, maximum=60
    ),
    "cfg": Role("cfg", "How closely to follow the words", "", minimum=1, maximum=20),
    "guidance": Role("guidance", "Guidance", "", maximum=20),
    "sampler": Role("sampler", "Sampler", ""),
    "scheduler": Role("scheduler", "Scheduler", ""),
    "denoise": Role("denoise", "How much this pass may change", "", minimum=0.05),
    "pictures": Role("pictures", "How many pictures", "", maximum=4),
    "fps": Role("fps", "Frames a second", "", is_titled_by_author=True, minimum=1),
    "megapixels": Role("megapixels", "Size in megapixels", None),
    "edge": Role("edge", "Length of an edge", None),
    "loras": Role("loras", "LoRAs", ""),
    "lora": Role("lora", "LoRA", "", is_titled_by_author=True),
    "controlnet": Role("controlnet", "ControlNet", "", is_titled_by_author=True),
    "style_model": Role("style_model", "Style model", "", is_titled_by_author=True),
    "model_patch": Role("model_patch", "Model patch", "", is_titled_by_author=True),
    "clip_vision": Role("clip_vision", "Vision model", "", is_titled_by_author=True),
    "text_encoder": Role("text_encoder", "Text encoder", "", is_titled_by_author=True),
    "audio_encoder": Role("audio_encoder", "Audio encoder", "", is_titled_by_author=True),
    "vae": Role("vae", "VAE", "", is_titled_by_author=True),
    "gligen": Role("gligen", "GLIGEN model", "", is_titled_by_author=True),
    "model_file": Role("model_file", "Model file", None, is_titled_by_author=True),
    "other": Role("", "", None),
}
"""Every role. Its name and label are what people read."""

ROLE_ORDER: Mapping[str, int] = {role: place for place, role in enumerate(ROLES)}
