"""The presets that are measured, written into a temporary folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Graph = dict[str, Any]

COLOR: Graph = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 512, "height": 512, "batch_size": 1, "color": 0},
    },
    "2": {
        "class_type": "SaveImage",
        "inputs": {"images": ["1", 0], "filename_prefix": "comfygradio-benchmark"},
    },
}
FRAMES: Graph = {
    "1": {
        "class_type": "LabFrames",
        "inputs": {"count": 50, "fps": 10.0, "width": 512, "height": 512},
    },
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "frames"}},
}
PICTURE: Graph = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "picture"}},
}


def write_color_preset(folder: Path) -> Path:
    """One picture of one colour, new for every colour: nothing in it takes time,
    nothing is cached.
    """
    return write_preset(folder, "color", COLOR, {"color": {"slot": "1.color", "widget": "number"}})


def write_lab_presets(folder: Path) -> None:
    """Preview frames at an exact pace, and beside it a preset that takes a picture."""
    write_preset(
        folder, "frames", FRAMES, {"count": {"slot": "1.count"}, "fps": {"slot": "1.fps"}}, order=1
    )
    write_preset(folder, "picture", PICTURE, {"image": {"slot": "1.image"}}, order=2)


def write_preset(
    folder: Path, name: str, graph: Graph, fields: dict[str, Any], order: int = 1
) -> Path:
    """Write `name.yaml` (JSON is YAML too) and its workflow; returns the preset's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(graph), encoding="utf-8")
    preset = {
        "title": name.capitalize(),
        "workflow": f"{name}.json",
        "order": order,
        "fields": fields,
    }
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(preset), encoding="utf-8")
    return path
