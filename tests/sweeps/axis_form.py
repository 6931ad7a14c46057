"""A form with a field of every kind, made by hand, on which axes are read."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.value import Choice
from comfygradio.forms.preset_file import PresetFile
from comfygradio.forms.slots import Slot
from comfygradio.sweeps.axes.axis import Axis
from comfygradio.sweeps.axes.axis_parser import parse_axis

MODELS = (
    "sdxl/juggernaut.safetensors",
    "sdxl\\Dream, big.safetensors",
    "sd15/plain.ckpt",
    "flux.safetensors",
)
SAMPLERS = ("euler", "euler_ancestral", "Heun", "dpm_2", "DPM_2", "")


def list_choices(*values: Any) -> tuple[Choice, ...]:
    """Choices whose labels are their values."""
    return tuple(Choice(str(value), value) for value in values)


LOOKS = (
    Choice("Photo", "Photo", ((Slot("1", "x"), 1),)),
    Choice("Comic, ink", "Comic, ink", ((Slot("1", "x"), 2),)),
)
LORAS = list_choices(
    "film-grain.safetensors", "styles/soft, light.safetensors", "styles/x:1.safetensors"
)

FIELDS = (
    Field("prompt", "textarea", "Prompt", {}, default="a cat"),
    Field("words", "text", "Words", {}, default="blurry", optional=True, bypass=("1",)),
    Field("steps", "slider", "Steps", {}, default=20, minimum=1, maximum=10_000, is_integer=True),
    Field("cfg", "number", "CFG", {}, default=7.5, minimum=-100, maximum=100),
    Field("free", "number", "Free", {}, default=0.0, optional=True),
    Field("seed", "seed", "Seed", {}, default=7, minimum=0, maximum=2**64 - 1, is_integer=True),
    Field("model", "dropdown", "Model", {}, default=MODELS[0], choices=list_choices(*MODELS)),
    Field("sampler", "dropdown", "Sampler", {}, default="euler", choices=list_choices(*SAMPLERS)),
    Field(
        "speed",
        "radio",
        "Speed",
        {},
        default=4,
        choices=(Choice("Fast", 4), Choice("Slow and fine", 40)),
    ),
    Field("look", "radio", "Look", {}, default="Photo", choices=LOOKS),
    Field("vae", "dropdown", "VAE", {}, choices=list_choices("a.pt", "b.pt"), optional=True),
    Field(
        "tags",
        "dropdown",
        "Tags",
        {},
        default=[],
        choices=list_choices("red", "green", 'a, "b"', "x || y"),
        is_multiple=True,
        optional=True,
    ),
    Field("upscale", "checkbox", "Upscale", {}, default=False),
    Field(
        "factor",
        "slider",
        "Factor",
        {},
        default=2.0,
        minimum=1,
        maximum=8,
        show_if={"upscale": (True,)},
    ),
    Field("size", "size", "Size", {}, default="512x512", minimum=64, maximum=2048, is_integer=True),
    Field(
        "shape",
        "size",
        "Shape",
        {},
        default="512x512",
        choices=(Choice("Square", "512x512"), Choice("Wide", "768x512")),
        is_integer=True,
    ),
    Field("color", "color", "Color", {}, default="#ffffff"),
    Field("tint", "color", "Tint", {}, default="#ffffff", is_integer=True),
    Field("loras", "loras", "LoRAs", {}, default=[], choices=LORAS, minimum=-2, maximum=2),
    Field("image", "image", "Image", {}, optional=True),
    Field("note", "file", "Note", {}, optional=True),
)


def make_form(*fields: Field) -> Form:
    """A form of these fields."""
    workflow = Workflow.from_json({"1": {"class_type": "Test", "inputs": {}}})
    file = PresetFile(title="Test", workflow="test.json")
    return Form("test", "Test", file, workflow, {one.name: one for one in fields}, (), (), ())


FORM = make_form(*FIELDS)
BASE: Mapping[str, Any] = FORM.check({"prompt": "a cat at night, (fur:0.8)"})


def read(name: str, given: Any, root: Path | None = None, rng: random.Random | None = None) -> Axis:
    """The axis of one field."""
    return parse_axis(FORM, {name: given}, BASE, rng, root)


def list_values(axis: Axis) -> list[Any]:
    """What the steps of an axis of one field set."""
    return [change.value for step in axis.steps for change in step.changes]


def list_labels(axis: Axis) -> list[str]:
    """What people read at its steps."""
    return [step.label for step in axis.steps]


def save_picture(path: Path) -> Path:
    """A small picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "red").save(path)
    return path
