"""A folder in which tests write presets, and the workflow that most of them use."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import Preset, load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form

DATA = Path(__file__).parent.parent / "data" / "object_info"

WORKFLOW: Mapping[str, Any] = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "tiny-a.safetensors"}},
    "5": {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": 512, "height": 768, "batch_size": 1},
    },
    "6": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": "a lighthouse", "clip": ["4", 1]},
        "_meta": {"title": "Positive"},
    },
    "7": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": "blurry", "clip": ["4", 1]},
        "_meta": {"title": "Negative v1.5"},
    },
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 7,
            "steps": 20,
            "cfg": 7.5,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
        "_meta": {"title": "KSampler"},
    },
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "test", "images": ["8", 0]}},
    "10": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
    "11": {"class_type": "PrimitiveBoolean", "inputs": {"value": True}},
    "12": {"class_type": "KSamplerAdvanced", "inputs": {"noise_seed": 1, "add_noise": "enable"}},
    "13": {"class_type": "UpscaleModelLoader", "inputs": {"model_name": "tiny-esrgan-x2.pth"}},
}

RESIZE = {
    "class_type": "ResizeImageMaskNode",
    "inputs": {
        "input": ["10", 0],
        "resize_type": "scale dimensions",
        "resize_type.width": 640,
        "resize_type.height": 480,
        "resize_type.crop": "center",
        "scale_method": "area",
    },
    "_meta": {"title": "Resize"},
}


def load_object_info(version: str) -> dict[str, Any]:
    """The recorded classes of one version, as JSON."""
    data: dict[str, Any] = json.loads((DATA / f"{version}.json").read_text(encoding="utf-8"))
    return data


@dataclass(frozen=True)
class PresetFolder:
    """Writes presets into a folder and binds them."""

    folder: Path

    def write(self, text: str, workflow: Any = WORKFLOW, name: str = "test") -> Path:
        """A preset file with this text and, beside it, workflow.json."""
        (self.folder / "workflow.json").write_text(json.dumps(workflow), encoding="utf-8")
        path = self.folder / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def load(self, fields: str, workflow: Any = WORKFLOW) -> Preset:
        """A preset with these fields, one a line."""
        lines = "".join(f"  {line.strip()}\n" for line in fields.strip().splitlines())
        return load_preset(
            self.write(f"title: Test\nworkflow: workflow.json\nfields:\n{lines}", workflow)
        )

    def bind(self, fields: str, info: ObjectInfo, workflow: Any = WORKFLOW) -> Form:
        """The form of these fields."""
        return self.load(fields, workflow).bind(info)

    def field(self, line: str, info: ObjectInfo, workflow: Any = WORKFLOW) -> Field:
        """The one field `f` of a form without problems."""
        form = self.bind(f"f: {line}", info, workflow)
        assert form.problems == ()
        return form.fields["f"]

    def problem(self, line: str, info: ObjectInfo, workflow: Any = WORKFLOW) -> str:
        """The one problem of a form with this field `f`."""
        form = self.bind(f"f: {line}", info, workflow)
        assert len(form.problems) == 1, form.problems
        return str(form.problems[0])


def change_workflow(**nodes: Any) -> dict[str, Any]:
    """The workflow with nodes added, replaced, or (None) removed; `n3` stands for node 3."""
    changed = copy.deepcopy(dict(WORKFLOW))
    for key, node in nodes.items():
        changed.pop(key.removeprefix("n"), None)
        if node is not None:
            changed[key.removeprefix("n")] = node
    return changed
