"""Costs: how long nodes take, and how much memory their results hold, as long as nobody has
measured it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from comfygradio.comfy.node_times import InputLookup

MeasuredSeconds = Callable[[str, InputLookup], float | None]
"""A node's id, and how to read the inputs of nodes → the seconds that it takes by what was
measured, None where nothing was.
"""

Rule = tuple[re.Pattern[str], float]

REFERENCE_STEPS = 20
"""Sampler steps that the table's seconds stand for."""

FALLBACK_SECONDS = 0.05
SECONDS: tuple[Rule, ...] = (
    (re.compile(r"Select|Scheduler|Guider"), FALLBACK_SECONDS),
    (
        re.compile(
            r"Checkpoint.*Load|Load.*Checkpoint|UNET.*Load|Unet.*Load|DiffusionModel.*Load|ModelLoad"
        ),
        10.0,
    ),
    (re.compile(r"CLIPLoad|TextEncoder.*Load"), 5.0),
    (
        re.compile(r"(ControlNet|VAE|Lora|LoRA|CLIPVision|Style|Gligen|GLIGEN|Hypernetwork).*Load"),
        1.0,
    ),
    (re.compile(r"Sampl"), 5.0),
    (re.compile(r"UpscaleWithModel"), 2.0),
    (re.compile(r"VAE|Upscale"), 0.5),
    (re.compile(r"Encode|^Save|^Preview"), 0.1),
)

FALLBACK_GIGABYTES = 0.005
GIGABYTES: tuple[Rule, ...] = (
    (re.compile(r"Checkpoint.*Load|Load.*Checkpoint"), 7.0),
    (re.compile(r"UNET.*Load|Unet.*Load|DiffusionModel.*Load"), 12.0),
    (re.compile(r"UpscaleModelLoad|VAELoad"), 0.3),
    (re.compile(r"CLIPLoad|TextEncoder.*Load|ModelLoad"), 5.0),
    (re.compile(r"ControlNet.*Load|CLIPVision.*Load"), 1.5),
    (re.compile(r"Lora.*Load|LoRA"), 0.3),
    (re.compile(r"UpscaleWithModel|Video"), 0.2),
    (re.compile(r"VAEDecode|Image|Upscale"), 0.05),
)


def estimate_seconds(class_type: str, steps: Any = None) -> float:
    """Seconds of one execution on a common card, told by the name of the class, and by steps if it
    has some.
    """
    seconds = _find(SECONDS, class_type, FALLBACK_SECONDS)
    is_sampler = seconds > FALLBACK_SECONDS and "Sampl" in class_type
    if is_sampler and isinstance(steps, int):
        return seconds * max(1, steps) / REFERENCE_STEPS
    return seconds


def estimate_gigabytes(class_type: str) -> float:
    """Memory that a kept result of this class holds: large for models, small for all else."""
    return _find(GIGABYTES, class_type, FALLBACK_GIGABYTES)


@lru_cache(maxsize=1000)
def _find(rules: tuple[Rule, ...], class_type: str, otherwise: float) -> float:
    for pattern, amount in rules:
        if pattern.search(class_type):
            return amount
    return otherwise
