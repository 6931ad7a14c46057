"""Graphs in API format for the tests."""

from __future__ import annotations

import itertools
import random
from typing import Any

Graph = dict[str, dict[str, Any]]
SEEDS = itertools.count(random.randrange(2**40))


def make_empty_graph(node: str = "SaveImage") -> Graph:
    """A tiny picture that no earlier run can have cached."""
    inputs = {"width": 64, "height": 64, "batch_size": 1, "color": next(SEEDS) % 2**24}
    saved: dict[str, Any] = {"images": ["1", 0]}
    saved |= {"filename_prefix": "client"} if node == "SaveImage" else {}
    return {
        "1": {"class_type": "EmptyImage", "inputs": inputs},
        "2": {"class_type": node, "inputs": saved},
    }


def make_text_to_image_graph(checkpoint: str, steps: int = 8, size: int = 64) -> Graph:
    """Text to image with a new seed each time."""
    sampler = {
        "seed": next(SEEDS),
        "steps": steps,
        "cfg": 7.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
        "model": ["4", 0],
        "positive": ["6", 0],
        "negative": ["7", 0],
        "latent_image": ["5", 0],
    }
    return {
        "3": {"class_type": "KSampler", "inputs": sampler, "_meta": {"title": "Paint"}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": checkpoint}},
        "5": {
            "class_type": "EmptyLatentImage",
            "inputs": {"width": size, "height": size, "batch_size": 1},
        },
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "bad", "clip": ["4", 1]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {
            "class_type": "SaveImage",
            "inputs": {"images": ["8", 0], "filename_prefix": "client"},
        },
    }


def make_text_graph(text: str, seconds: float = 0.0) -> Graph:
    """One node that sends a text and works on for that long; needs the demo server's lab nodes."""
    return {"7": {"class_type": "LabText", "inputs": {"text": text, "seconds": seconds}}}


def make_sleep_graph(seconds: float) -> Graph:
    """One node that is silent for that long; needs the demo server's lab nodes."""
    return {
        "1": {"class_type": "LabSleep", "inputs": {"seconds": seconds, "value": "slept"}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }
