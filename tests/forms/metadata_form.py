"""A form with a field of every kind, and its prompts as a file remembers them."""

from __future__ import annotations

import copy
import datetime
import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import Preset, load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Prompt
from comfygradio.forms.form import Form
from comfygradio.metadata.load import Metadata
from comfygradio.metadata.restore import RestoredField, RestoredForm
from tests.forms.graph_shuffle import renumber
from tests.forms.preset_folder import PresetFolder, load_object_info

NOON = datetime.datetime(2026, 1, 2, 12)


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    """One node in API format."""
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": title or class_type}}


WORKFLOW = {
    "4": node("CheckpointLoaderSimple", ckpt_name="tiny-a.safetensors"),
    "14": node(
        "LoraLoader",
        lora_name="tiny-lora.safetensors",
        strength_model=1.0,
        strength_clip=1.0,
        model=["4", 0],
        clip=["4", 1],
    ),
    "5": node("EmptyLatentImage", width=512, height=768, batch_size=1),
    "6": node("CLIPTextEncode", "Positive", text="a lighthouse", clip=["14", 1]),
    "7": node("CLIPTextEncode", "Negative", text="ugly, blurry", clip=["14", 1]),
    "3": node(
        "KSampler",
        seed=7,
        steps=20,
        cfg=7.5,
        sampler_name="euler",
        scheduler="normal",
        denoise=1.0,
        model=["14", 0],
        positive=["6", 0],
        negative=["7", 0],
        latent_image=["5", 0],
    ),
    "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
    "20": node("LoadImage", image="example.png"),
    "21": node("ImageBatch", image1=["8", 0], image2=["20", 0]),
    "22": node("ImageScaleBy", image=["21", 0], upscale_method="area", scale_by=2.0),
    "30": node("TestTags", image=["22", 0], tags={"__value__": ["red"]}, color=255, tint="#102030"),
    "9": node("SaveImage", filename_prefix="test", images=["30", 0]),
}

FIELDS = """
prompt: {slot: 6.text}
negative: {slot: 7.text, template: "{value}, blurry"}
size: {slots: {width: 5.width, height: 5.height}, max: 2048}
checkpoint: {slot: 4.ckpt_name}
seed: {slot: 3.seed}
steps: {slot: 3.steps, max: 60}
strength: {slot: 3.denoise}
scheduler: {slot: 3.scheduler, choices: {Even: normal, Soft: karras, "Very soft": exponential}}
loras: {slot: 14.lora_name, widget: loras}
tags: {slot: 30.tags}
color: {slot: 30.color}
tint: {slot: 30.tint}
picture: {slot: 20.image, optional: true, bypass: 21}
double: {bypass: 22, default: true}
look:
    choices:
      Plain: {3.cfg: 5}
      Photo: {3.cfg: 6, 6.text: "photo of {prompt}, 35mm"}
      Ink: {3.cfg: 8, 6.text: "{prompt}, ink"}
"""

TAGS = {
    "input": {
        "required": {
            "image": ["IMAGE", {}],
            "tags": ["COMBO", {"options": ["red", "green", "blue, deep"], "multiselect": True}],
            "color": ["INT", {"default": 0, "min": 0, "max": 0xFFFFFF, "display": "color"}],
            "tint": ["COLOR", {"default": "#000000"}],
        }
    },
    "output": ["IMAGE"],
    "name": "TestTags",
}


def make_info(version: str) -> ObjectInfo:
    """The recorded classes of one version, with a picture, and a node with inputs that core nodes
    do not have.
    """
    data = {**load_object_info(version), "TestTags": TAGS}
    data["LoadImage"]["input"]["required"]["image"] = [["example.png"], {"image_upload": True}]
    return ObjectInfo.from_json(data)


def make_form(
    folder: Path, fields: str = FIELDS, workflow: Any = WORKFLOW, version: str = "v0.33.0"
) -> Form:
    """A form without problems on a server of one version."""
    form = load(folder, fields, workflow).bind(make_info(version))
    assert form.problems == ()
    return form


def load(
    folder: Path,
    fields: str = FIELDS,
    workflow: Any = WORKFLOW,
    name: str = "test",
    title: str = "Test",
) -> Preset:
    """A preset with these fields over a workflow."""
    lines = textwrap.indent(textwrap.dedent(fields).strip(), "  ")
    text = f"title: {title}\nworkflow: workflow.json\nfields:\n{lines}\n"
    return load_preset(PresetFolder(folder).write(text, workflow, name))


def make_metadata(prompt: Prompt, *, own: bool = False) -> Metadata:
    """What a file remembers of a prompt: everything, or only the graph, as somebody else might have
    stored it.
    """
    info, graph = json.loads(json.dumps([prompt.extra_pnginfo, prompt.graph]))
    return (
        Metadata("png", graph, comfygradio=info["comfygradio"])
        if own
        else Metadata("png", renumber(graph, 3)[0])
    )


def make_changed_metadata(graph: Mapping[str, Any], **inputs: Any) -> Metadata:
    """The metadata of a graph with some inputs changed, each named NODE.INPUT."""
    changed = copy.deepcopy(dict(graph))
    for place, value in inputs.items():
        node_id, _, name = place.partition(".")
        changed[node_id]["inputs"][name] = value
    return Metadata("png", changed)


def rows(restored: RestoredForm) -> dict[str, RestoredField]:
    """The rows by the names of their fields."""
    return {row.name: row for row in restored.fields}
