"""Names of models: match different spellings, find similar names, and guess the folder of
a file.
"""

from __future__ import annotations

import difflib
import heapq
import re
from collections.abc import Callable, Mapping, Sequence

from comfygradio.comfy.object_info import Scalar

FOLDERS: Mapping[str, str] = {
    "ckpt_name": "checkpoints",
    "config_name": "configs",
    "lora_name": "loras",
    "vae_name": "vae",
    "unet_name": "diffusion_models",
    "clip_name": "text_encoders",
    "clip_name1": "text_encoders",
    "clip_name2": "text_encoders",
    "clip_name3": "text_encoders",
    "clip_name4": "text_encoders",
    "control_net_name": "controlnet",
    "style_model_name": "style_models",
    "gligen_name": "gligen",
    "hypernetwork_name": "hypernetworks",
    "audio_encoder_name": "audio_encoders",
}
"""Input name → models folder, as in ComfyUI's own loaders (v0.33.0)."""

CLASS_FOLDERS: Mapping[str, str] = {
    "UpscaleModelLoader": "upscale_models",
    "CLIPVisionLoader": "clip_vision",
    "PhotoMakerLoader": "photomaker",
    "ModelPatchLoader": "model_patches",
    "LatentUpscaleModelLoader": "latent_upscale_models",
    "LTXAVTextEncoderLoader": "text_encoders",
}
"""Class → models folder, if the input's name does not tell it."""

FILE_END = re.compile(r"[.][A-Za-z][A-Za-z0-9]{0,11}$")

WORD = re.compile(r"[^\W\d_]+|\d+")

MAX_COMPARED = 300
"""Maximum number of names that are compared letter by letter: those that share the most words."""

MAX_NAME = 300
"""Maximum number of characters of a name that are compared."""

SUFFIXES = (
    ".safetensors",
    ".sft",
    ".ckpt",
    ".pt",
    ".pt2",
    ".pth",
    ".bin",
    ".gguf",
    ".onnx",
    ".pkl",
)


def match_name(value: object, choices: Sequence[Scalar]) -> Scalar | None:
    """Find the only choice that is the same name apart from slashes, then case, then folders.
    Returns None if there is not exactly one.

    Models are stored in different folders, and Windows servers separate folders by backslashes.
    Folders are ignored only for names with a file suffix: `3/4` does not match `1/4`.
    """
    if not isinstance(value, str):
        return None
    steps: list[Callable[[str], str]] = [str, unify_slashes, _unify_case]
    if FILE_END.search(value):
        steps.append(fold_file_name)
    names = [choice for choice in choices if isinstance(choice, str)]
    for spell in steps:
        wanted = spell(value)
        # The strictest spelling that finds anything decides, even if it finds too many.
        found = [name for name in names if spell(name) == wanted]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def find_respelled(value: str, choices: Sequence[str]) -> list[str]:
    """Find the choices that are the same name apart from slashes, else apart from case. A different
    folder is a different name.
    """
    for spell in (unify_slashes, _unify_case):
        wanted = spell(value)
        found = [choice for choice in choices if spell(choice) == wanted]
        if found:
            return found
    return []


def find_near(value: object, choices: Sequence[Scalar], count: int = 3) -> tuple[str, ...]:
    """Find the most similar choices, best first. File names are compared without folders."""
    files = {fold_file_name(str(choice)): str(choice) for choice in choices}
    wanted = fold_file_name(str(value))[:MAX_NAME]
    words = frozenset(WORD.findall(wanted))

    def count_shared(name: str) -> int:
        return len(words.intersection(WORD.findall(name)))

    # Comparing letter by letter is slow, so that of a long list only the likeliest are compared.
    likely = heapq.nlargest(MAX_COMPARED, files, key=count_shared)
    near = difflib.get_close_matches(wanted, likely, count, 0.4)
    return tuple(files[name] for name in near)


def guess_folder(class_type: str, input_name: str) -> str:
    """Guess the models folder that an input lists (`checkpoints` …); "" if unknown."""
    if class_type in CLASS_FOLDERS:
        return CLASS_FOLDERS[class_type]
    return FOLDERS.get(input_name, "")


def is_model_name(value: object) -> bool:
    """Whether a value is the name of a model file."""
    if not isinstance(value, str):
        return False
    return value.lower().endswith(SUFFIXES)


def fold_file_name(name: str) -> str:
    """Return a name without folders, in lower case."""
    _, _, file_name = unify_slashes(name).rpartition("/")
    return file_name.casefold()


def _unify_case(name: str) -> str:
    return unify_slashes(name).casefold()


def unify_slashes(name: str) -> str:
    """Return a name with slashes between its folders; Windows servers write backslashes."""
    return name.replace("\\", "/")
