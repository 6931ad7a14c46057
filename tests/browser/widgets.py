"""Presets that use what the shipped ones do not, on classes that the demo server has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

TEXT_TO_IMAGE: Mapping[str, Any] = {
    "4": {
        "class_type": "CheckpointLoaderSimple",
        "inputs": {"ckpt_name": "dream-sd15.safetensors"},
    },
    "10": {
        "class_type": "LoraLoader",
        "inputs": {
            "lora_name": "film-grain.safetensors",
            "strength_model": 0.8,
            "strength_clip": 0.8,
            "model": ["4", 0],
            "clip": ["4", 1],
        },
    },
    "5": {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": 128, "height": 128, "batch_size": 1},
    },
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["10", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["10", 1]}},
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 7,
            "steps": 4,
            "cfg": 7.5,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
            "model": ["10", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "14": {"class_type": "UpscaleModelLoader", "inputs": {"model_name": "soft-x2.pth"}},
    "15": {
        "class_type": "ImageUpscaleWithModel",
        "inputs": {"upscale_model": ["14", 0], "image": ["8", 0]},
        "_meta": {"title": "Enlarge"},
    },
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "test", "images": ["15", 0]}},
}

INPAINT: Mapping[str, Any] = {
    **{key: TEXT_TO_IMAGE[key] for key in ("4", "7")},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red door", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["4", 1]}},
    "10": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
    "11": {
        "class_type": "VAEEncodeForInpaint",
        "inputs": {"pixels": ["10", 0], "vae": ["4", 2], "mask": ["10", 1], "grow_mask_by": 0},
    },
    "3": {
        "class_type": "KSampler",
        "inputs": {**TEXT_TO_IMAGE["3"]["inputs"], "model": ["4", 0], "latent_image": ["11", 0]},
    },
    "8": TEXT_TO_IMAGE["8"],
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "inpaint", "images": ["8", 0]}},
}

EVERYTHING = """
title: Everything
order: 1
workflow: everything.json
fields:
  prompt: {slot: 6.text, embeddings: true, label: What do you want to see?}
  look: {choices: {Plain: {3.cfg: 7}, Photo: {3.cfg: 6, 6.text: "photo of {prompt}"}}}
  size: {slots: {width: 5.width, height: 5.height}, label: Picture size, min: 64, max: 512}
  loras: {slot: 10.lora_name, widget: loras, label: LoRAs, min: 0, max: 2}
  checkpoint: {slot: 4.ckpt_name, label: Model}
  seed: {slot: 3.seed}
  enlarge: {bypass: [Enlarge], label: Enlarge}
  upscaler: {slot: 14.model_name, label: Upscaler, show_if: {enlarge: true}}
examples:
  - title: Fox
    prompt: a fox
    size: 192x128
    look: Photo
    loras: [{name: watercolor.safetensors, strength: 0.5}]
"""

PAINT = """
title: Inpaint
order: 2
workflow: inpaint.json
fields:
  picture: {slot: 10.image, widget: mask, label: Your picture}
  prompt: {slot: 6.text, label: What should be there?}
  seed: {slot: 3.seed}
"""

MISSING = """
title: Missing
order: 3
workflow: missing.json
fields:
  prompt: {slot: 6.text}
"""


def write_presets(folder: Path) -> Path:
    """Write the three presets; one needs a model that no server has."""
    missing = {
        **INPAINT,
        "4": {
            "class_type": "CheckpointLoaderSimple",
            "inputs": {"ckpt_name": "xl/gone.safetensors"},
        },
    }
    for name, text, workflow in (
        ("everything", EVERYTHING, TEXT_TO_IMAGE),
        ("inpaint", PAINT, INPAINT),
        ("missing", MISSING, missing),
    ):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        (folder / f"{name}.json").write_text(json.dumps(workflow), encoding="utf-8")
    return folder


def search_models(page: Page, words: str) -> None:
    """Type into the dialog of models, and choose the first that fits."""
    page.get_by_role("combobox", name="Search").wait_for()
    page.keyboard.type(words)
    page.keyboard.press("Enter")
