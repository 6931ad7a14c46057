"""Words: what the lines of a drafted form are called, role by role, in the order in which they
stand in the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """The name and label of a role's field; `help` None leaves the server's tooltip, `low` and
    `high` are limits.

    With `by_title` the author's title of the node is a better label: the node holds this one thing.
    """

    name: str
    label: str
    help: str | None = None
    is_advanced: bool = True
    by_title: bool = False
    low: int | float | None = None
    high: int | float | None = None


ROLES: Mapping[str, Words] = {
    "image": Words("image", "Your picture", "", False, True),
    "mask": Words("image", "Your picture", "Paint over the part that should change.", False, True),
    "video": Words("video", "Your video", "", False, True),
    "audio": Words("audio", "Your sound", "", False, True),
    "file": Words("file", "Your file", "", False, True),
    "prompt": Words("prompt", "What do you want to see?", "", False, True),
    "text": Words("text", "Text", "", False, True),
    "tags": Words("tags", "What kind of music?", "", False),
    "lyrics": Words("lyrics", "What is sung?", "", False),
    "size": Words("size", "Picture size", "", False),
    "shape": Words("shape", "Picture size", None, False),
    "seconds": Words("seconds", "Length in seconds", "", False, True, low=0),
    "frames": Words("frames", "Length in frames", "", False, True, low=1),
    "strength": Words("strength", "How much may change", "", False, low=0.05),
    "checkpoint": Words("checkpoint", "Model", "", False, True),
    "model": Words("model", "Model", "", False, True),
    "upscale_model": Words("upscale_model", "Upscale model", "", False, True),
    "seed": Words(
        "seed", "Seed", "The same seed with the same words gives the same picture.", False
    ),
    "negative_prompt": Words("negative_prompt", "What should not be in it?", "", by_title=True),
    "steps": Words(
        "steps", "Steps", "More steps take longer and show more detail.", low=1, high=60
    ),
    "cfg": Words("cfg", "How closely to follow the words", "", low=1, high=20),
    "guidance": Words("guidance", "Guidance", "", high=20),
    "sampler": Words("sampler", "Sampler", ""),
    "scheduler": Words("scheduler", "Scheduler", ""),
    "denoise": Words("denoise", "How much this pass may change", "", low=0.05),
    "pictures": Words("pictures", "How many pictures", "", high=4),
    "fps": Words("fps", "Frames a second", "", by_title=True, low=1),
    "megapixels": Words("megapixels", "Size in megapixels", None),
    "edge": Words("edge", "Length of an edge", None),
    "loras": Words("loras", "LoRAs", ""),
    "lora": Words("lora", "LoRA", "", by_title=True),
    "controlnet": Words("controlnet", "ControlNet", "", by_title=True),
    "style_model": Words("style_model", "Style model", "", by_title=True),
    "model_patch": Words("model_patch", "Model patch", "", by_title=True),
    "clip_vision": Words("clip_vision", "Vision model", "", by_title=True),
    "text_encoder": Words("text_encoder", "Text encoder", "", by_title=True),
    "audio_encoder": Words("audio_encoder", "Audio encoder", "", by_title=True),
    "vae": Words("vae", "VAE", "", by_title=True),
    "gligen": Words("gligen", "GLIGEN model", "", by_title=True),
    "model_file": Words("model_file", "Model file", None, by_title=True),
    "other": Words("", "", None),
}
"""Every role; what a role is called here is what people read."""

ORDER: Mapping[str, int] = {role: place for place, role in enumerate(ROLES)}
