"""A workflow as ComfyUI's page saves it, for the tests of every door that takes one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

UI_WORKFLOW = Path(__file__).parent / "data" / "ui_workflows" / "text_to_image.json"
"""Text to image with a note, a seed above 2^53 and two inputs that App mode shows."""

PROMPT: dict[str, dict[str, Any]] = {
    "4": {"ckpt_name": "v1-5-pruned-emaonly.safetensors"},
    "5": {"width": 512, "height": 768, "batch_size": 1},
    "6": {"text": "a lighthouse", "clip": ["4", 1]},
    "7": {"text": "blurry", "clip": ["4", 1]},
    "3": {
        **{"seed": 2**53 + 1, "steps": 20, "cfg": 7, "sampler_name": "euler"},
        **{"scheduler": "normal", "denoise": 1},
        **{"model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0]},
        "latent_image": ["5", 0],
    },
    "8": {"samples": ["3", 0], "vae": ["4", 2]},
    "9": {"filename_prefix": "ComfyUI", "images": ["8", 0]},
}
"""Node id → the inputs of the prompt that it stands for."""

PACK = "comfyui-somebody"


def load_ui_workflow() -> dict[str, Any]:
    """The workflow, to be changed by the caller."""
    data: dict[str, Any] = json.loads(UI_WORKFLOW.read_text(encoding="utf-8"))
    return data


def make_foreign_workflow() -> dict[str, Any]:
    """The workflow with a sampler of a custom node that no test server has."""
    data = load_ui_workflow()
    for node in data["nodes"]:
        if node["type"] == "KSampler":
            node["type"] = "SomebodysSampler"
            node["properties"]["cnr_id"] = PACK
    return data


def save_ui_picture(path: Path, data: Any, prompt: Any = None) -> Path:
    """Save a picture that holds this workflow, and no prompt but this one."""
    info = PngInfo()
    info.add_text("workflow", json.dumps(data))
    if prompt is not None:
        info.add_text("prompt", json.dumps(prompt))
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path
