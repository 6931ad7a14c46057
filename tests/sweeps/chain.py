"""A form whose graph is worth planning: a base model, a refiner with a LoRA, a picture of a few
pixels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.forms.form import Form
from comfygradio.sweeps.axes.axis import Axis, Change, Step
from comfygradio.sweeps.space import Space

CLASSES = (
    *(
        "CheckpointLoaderSimple",
        "LoraLoader",
        "CLIPTextEncode",
        "EmptyLatentImage",
        "KSampler",
        "LatentUpscaleBy",
    ),
    *("VAEDecode", "SaveImage"),
)

FIELDS: Mapping[str, Mapping[str, Any]] = {
    "checkpoint": {"slot": "1.ckpt_name"},
    "refiner": {"slot": "11.ckpt_name"},
    "lora": {"slot": "2.lora_name"},
    "prompt": {"slot": ["3.text", "12.text"]},
    "negative": {"slot": ["4.text", "13.text"]},
    "seed": {"slot": "6.seed"},
    "cfg": {"slot": "6.cfg"},
    "denoise": {"slot": "8.denoise"},
}


def _node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def _sampler(model: str, positive: str, negative: str, latent: str, **more: Any) -> dict[str, Any]:
    sources = {"model": model, "positive": positive, "negative": negative, "latent_image": latent}
    links = {name: [source, 0] for name, source in sources.items()}
    plain = {
        "seed": 1,
        "steps": 1,
        "cfg": 5.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
    }
    return _node("KSampler", **plain | more, **links)


def write_chain(folder: Path) -> Path:
    """The preset file and its workflow."""
    graph = {
        "1": _node("CheckpointLoaderSimple", ckpt_name=""),
        "3": _node("CLIPTextEncode", text="a cat", clip=["1", 1]),
        "4": _node("CLIPTextEncode", text="bad", clip=["1", 1]),
        "5": _node("EmptyLatentImage", width=32, height=32, batch_size=1),
        "6": _sampler("1", "3", "4", "5"),
        "7": _node(
            "LatentUpscaleBy", upscale_method="nearest-exact", scale_by=2.0, samples=["6", 0]
        ),
        "11": _node("CheckpointLoaderSimple", ckpt_name=""),
        "2": _node(
            "LoraLoader",
            lora_name="",
            strength_model=1.0,
            strength_clip=1.0,
            model=["11", 0],
            clip=["11", 1],
        ),
        "12": _node("CLIPTextEncode", text="a cat", clip=["2", 1]),
        "13": _node("CLIPTextEncode", text="bad", clip=["2", 1]),
        "8": _sampler("2", "12", "13", "7", denoise=0.5),
        "9": _node("VAEDecode", samples=["8", 0], vae=["11", 2]),
        "10": _node("SaveImage", filename_prefix="chain", images=["9", 0]),
    }
    (folder / "chain.json").write_text(json.dumps(graph), encoding="utf-8")
    path = folder / "chain.yaml"
    path.write_text(
        json.dumps({"title": "Chain", "workflow": "chain.json", "fields": FIELDS}), encoding="utf-8"
    )
    return path


def make_chain(folder: Path, info: ObjectInfo) -> Form:
    """The form on a server with these classes."""
    return load_preset(write_chain(folder)).bind(info)


def make_axis(field: str, values: Sequence[Any]) -> Axis:
    """An axis that sets one field."""
    steps = tuple(Step(str(value), (Change(field, value),)) for value in values)
    return Axis(field, {field: ", ".join(map(str, values))}, steps)


def make_space(form: Form, base: Mapping[str, Any], **axes: Sequence[Any]) -> Space:
    """The sweep of a form over these values of its fields, the first axis outermost as typed."""
    first = {name: values[0] for name, values in axes.items()}
    checked = form.values_to_json(form.check({**base, **first}))
    return Space(form, tuple(make_axis(name, values) for name, values in axes.items()), checked)
