"""A form in which fields hide, bypass, share and mix one another, and random axes over it."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

from comfygradio.binding.form_binding import bind_form
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.value import Lora
from comfygradio.forms.preset_file import PresetFile
from comfygradio.sweeps.axes.axis import Axis
from tests.forms.corpus import corpus_info

from .chain import make_axis

SAMPLER = {
    "seed": 1,
    "steps": 20,
    "cfg": 7.0,
    "sampler_name": "euler",
    "scheduler": "normal",
    "model": ["1", 0],
}
WORDS = {"positive": ["2", 0], "negative": ["3", 0]}


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


FLOW = {
    "1": node("CheckpointLoaderSimple", ckpt_name="Anything-V3.0.ckpt"),
    "2": node("CLIPTextEncode", text="a cat", clip=["1", 1]),
    "3": node("CLIPTextEncode", text="bad", clip=["1", 1]),
    "4": node("EmptyLatentImage", width=512, height=512, batch_size=1),
    "5": node("KSampler", denoise=1.0, **SAMPLER, **WORDS, latent_image=["4", 0]),
    "6": node(
        "LatentUpscale",
        upscale_method="bilinear",
        width=640,
        height=640,
        crop="disabled",
        samples=["5", 0],
    ),
    "7": node("KSampler", denoise=0.5, **SAMPLER, **WORDS, latent_image=["6", 0]),
    "8": node("VAEDecode", samples=["7", 0], vae=["1", 2]),
    "9": node("SaveImage", filename_prefix="%KSampler.seed%", images=["8", 0]),
}

FIELDS: dict[str, Any] = {
    "prompt": {"slot": "2.text", "template": "{value}, {style}, size {size}"},
    "style": {"slot": "3.text", "widget": "text"},
    "negative": {"slot": "3.text", "show_if": {"second": True}},
    "size": {
        "slots": {"width": "4.width", "height": "4.height"},
        "choices": ["512x512", "768x512", "640x640"],
    },
    "seed": {"slot": ["5.seed", "7.seed"]},
    "cfg": {"slot": ["5.cfg", "7.cfg"]},
    "loras": {
        "widget": "loras",
        "slots": {"model": ["5.model", "7.model"], "clip": ["2.clip", "3.clip"]},
    },
    "second": {"widget": "checkbox", "bypass": ["6", "7"], "default": False},
    "strength": {"slot": "7.denoise", "show_if": {"second": True}},
    "scale": {"slot": "6.width", "show_if": {"second": True}},
    "mode": {
        "choices": {
            "plain": {"5.steps": 20, "5.scheduler": "normal"},
            "fine": {"5.steps": 40, "5.scheduler": "karras", "3.text": "ugly {style}"},
        }
    },
}


@cache
def make_maze() -> Form:
    """The form, bound to the classes of the corpus."""
    file = PresetFile.model_validate(
        {"title": "Maze", "workflow": "maze.json", "fields": FIELDS}, strict=False
    )
    form = bind_form("maze", file, Workflow.from_json(FLOW), corpus_info())
    assert not form.problems
    return form


def draw_axes(chance: random.Random) -> tuple[Axis, ...]:
    """Three to five axes of three to eight positions, some of them with equal values."""
    loras = [choice.value for choice in make_maze().fields["loras"].choices or ()][:3]
    rows = [
        (),
        *((Lora(str(name), 0.5),) for name in loras),
        (Lora(str(loras[0]), 0.5), Lora(str(loras[1]), 1.0)),
    ]
    values: dict[str, list[Any]] = {
        "prompt": [
            "a cat",
            "a {red|blue} cat",
            "",
            "{a|b|c}",
            "a dog // at night",
            "a fox",
            "{style}",
        ],
        "style": ["oil", "ink", "{warm|cold} oil", "", "bad"],
        "negative": ["bad", "worse", "oil", "{x|y}"],
        "size": ["512x512", "768x512", "640x640", "512x512"],
        "seed": [1, 2, 3, 5, 8, 13, 21],
        "cfg": [1, 2.5, 5, 5.0, 7.5, 9],
        "loras": rows,
        "second": [True, False],
        "strength": [0.2, 0.4, 0.5, 0.6, 1.0],
        "scale": [512, 640, 768, 1024],
        "mode": ["plain", "fine"],
    }
    names = chance.sample(sorted(values), chance.randint(3, 5))
    return tuple(make_axis(name, chance.sample(values[name], len(values[name]))) for name in names)
