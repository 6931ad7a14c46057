"""The good inputs that are mutated: a preset with every key, a workflow that it fits, and node
classes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data"

PRESET = """
title: Everything
workflow: workflow.json
description: One field of each kind.
icon: "🎨"
outputs: [9]
fields:
  prompt:
    slot: {node: "6", class: CLIPTextEncode, title: Positive, input: text}
    label: What?
    template: "{value}, {style}"
  negative: {slot: 7.text, optional: true, bypass: 20, advanced: true, group: Words}
  style:    {slot: 9.filename_prefix, choices: {Ink: ink, Oil: oil}}
  size:     {slots: {width: 5.width, height: 5.height}, choices: [512x512, 768x512]}
  model:    {slot: 4.ckpt_name, choices: "*"}
  seed:     {slot: 3.seed}
  steps:    {slot: 3.steps, min: 2, max: 60, step: 1, show_if: {look: [Photo]}}
  cfg:      {slot: 3.cfg, widget: slider, default: 7.5}
  look:
    choices:
      Photo: {3.denoise: 0.5, 7.text: "photo of {prompt}, 35mm"}
      Comic: {3.denoise: 1.0}
  image:    {slot: 10.image, optional: true, bypass: [10, 11, 21], max_mb: 3}
  mask:     {slot: 12.image, widget: mask, show_if: {switch: true}, optional: true}
  switch:   {bypass: 20}
  loras:    {slot: 20.lora_name, widget: loras, default: [{name: a.safetensors, strength: 0.5}]}
  chain:    {slots: {model: 3.model, clip: [6.clip, 7.clip]}}
  sampler:  {slot: 3.sampler_name, fixed: euler}
examples:
  - {title: Lighthouse, prompt: a lighthouse, seed: 7, loras: [{name: a.safetensors}]}
sweep: {seed: 1..4}
"""


def build_workflow() -> dict[str, Any]:
    """A workflow that the preset above fits."""
    flow: dict[str, Any] = json.loads(
        (ROOT / "presets" / "text_to_image.json").read_text(encoding="utf-8")
    )
    lora = {
        "model": ["4", 0],
        "clip": ["4", 1],
        "lora_name": "a.safetensors",
        "strength_model": 1,
        "strength_clip": 1,
    }
    flow["20"] = {"class_type": "LoraLoader", "inputs": lora}
    flow["10"] = flow["12"] = {"class_type": "LoadImage", "inputs": {"image": "example.png"}}
    flow["11"] = {
        "class_type": "ImageScaleBy",
        "inputs": {"image": ["10", 0], "upscale_method": "area", "scale_by": 2.0},
    }
    flow["21"] = {"class_type": "PreviewImage", "inputs": {"images": ["11", 0]}}
    flow["6"]["_meta"] = {"title": "Positive"}
    flow["3"]["inputs"]["model"] = ["20", 0]
    return flow


def build_classes() -> dict[str, Any]:
    """Node classes of the corpus, with lists that hold what the workflow uses."""
    path = DATA / "object_info" / "corpus-v0.33.0.json"
    classes: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    flow = build_workflow()
    names = {
        "ckpt_name": flow["4"]["inputs"]["ckpt_name"],
        "lora_name": "a.safetensors",
        "image": "example.png",
    }
    for class_type in ("CheckpointLoaderSimple", "LoraLoader", "LoraLoaderModelOnly", "LoadImage"):
        required = classes[class_type]["input"]["required"]
        for name in names.keys() & required.keys():
            required[name][0] = [*required[name][0][:3], names[name]]
    return classes
