"""Texts on their way to a sampler."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from comfygradio.demo.cache import NodeResult
from comfygradio.demo.node_run import NodeRun
from comfygradio.demo.values import Conditioning, NodeInputs

if TYPE_CHECKING:
    from comfygradio.demo.nodes import NodeFunction


def nodes() -> dict[str, NodeFunction]:
    return {
        "CLIPTextEncode": encode_text,
        "ConditioningCombine": combine,
        "ConditioningConcat": concatenate,
        "ConditioningAverage": average,
        "ConditioningZeroOut": zero_out,
        "FluxGuidance": set_guidance,
    }


def encode_text(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    clip = inputs.model("clip")
    extras = (f"layer {clip.stop_at_layer}", *(f"{name} {strength}" for name, strength in clip.loras))
    return NodeResult((Conditioning(((inputs.text("text"), 1.0),), extras),))


def combine(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return NodeResult((join(inputs.conditioning("conditioning_1"), inputs.conditioning("conditioning_2")),))


def concatenate(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return NodeResult((join(inputs.conditioning("conditioning_to"), inputs.conditioning("conditioning_from")),))


def average(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    strength = inputs.real("conditioning_to_strength")
    first = weigh(inputs.conditioning("conditioning_to"), strength)
    return NodeResult((join(first, weigh(inputs.conditioning("conditioning_from"), 1 - strength)),))


def zero_out(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return NodeResult((Conditioning((), inputs.conditioning("conditioning").extras),))


def set_guidance(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    conditioning = inputs.conditioning("conditioning")
    guidance = f"guidance {inputs.real('guidance')}"
    return NodeResult((replace(conditioning, extras=(*conditioning.extras, guidance)),))


def join(first: Conditioning, second: Conditioning) -> Conditioning:
    return Conditioning(first.texts + second.texts, first.extras + second.extras)


def weigh(conditioning: Conditioning, strength: float) -> Conditioning:
    return replace(conditioning, texts=tuple((t, weight * strength) for t, weight in conditioning.texts))
