"""Texts on their way to a sampler, and what is added to them there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from comfygradio.demo.cache import NodeResult
from comfygradio.demo.node_run import NodeRun
from comfygradio.demo.nodes.latents import encode_images, fit_mask
from comfygradio.demo.painting import hash_number
from comfygradio.demo.values import Conditioning, Control, NodeInputs

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
        "ControlNetApply": apply_control,
        "ControlNetApplyAdvanced": apply_control_to_both,
        "InpaintModelConditioning": prepare_inpainting,
    }


def encode_text(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    clip = inputs.model("clip")
    extras = (
        f"layer {clip.stop_at_layer}",
        *(f"{name} {strength}" for name, strength in clip.loras),
    )
    return NodeResult((Conditioning(((inputs.text("text"), 1.0),), extras),))


def combine(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return NodeResult(
        (join(inputs.conditioning("conditioning_1"), inputs.conditioning("conditioning_2")),)
    )


def concatenate(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return NodeResult(
        (join(inputs.conditioning("conditioning_to"), inputs.conditioning("conditioning_from")),)
    )


def average(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    strength = inputs.real("conditioning_to_strength")
    first = weigh(inputs.conditioning("conditioning_to"), strength)
    return NodeResult((join(first, weigh(inputs.conditioning("conditioning_from"), 1 - strength)),))


def zero_out(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return NodeResult((replace(inputs.conditioning("conditioning"), texts=()),))


def set_guidance(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    conditioning = inputs.conditioning("conditioning")
    guidance = f"guidance {inputs.real('guidance')}"
    return NodeResult((replace(conditioning, extras=(*conditioning.extras, guidance)),))


def apply_control(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return NodeResult((add_control(inputs, "conditioning"),))


def apply_control_to_both(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return NodeResult((add_control(inputs, "positive"), add_control(inputs, "negative")))


def add_control(inputs: NodeInputs, name: str) -> Conditioning:
    """A strength of 0 changes nothing."""
    conditioning, net = inputs.conditioning(name), inputs.control_net("control_net")
    strength, picture = inputs.real("strength", 1.0), inputs.images("image")[0]
    if strength == 0:
        return conditioning
    span = f"{inputs.real('start_percent', 0.0)} to {inputs.real('end_percent', 1.0)}"
    extra = f"{net.name} {strength} {span} {hash_number(picture.tobytes().hex())}"
    controls = (*conditioning.controls, Control(picture, strength))
    return replace(conditioning, extras=(*conditioning.extras, extra), controls=controls)


def prepare_inpainting(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """The conditionings as they are, and the picture as a latent with the mask unless `noise_mask`
    is off.
    """
    latent = encode_images(inputs.images("pixels"))
    if inputs.get("noise_mask", True):
        latent = replace(latent, mask=fit_mask(inputs.masks("mask")[0], latent))
    return NodeResult((inputs.conditioning("positive"), inputs.conditioning("negative"), latent))


def join(first: Conditioning, second: Conditioning) -> Conditioning:
    controls = first.controls + second.controls
    return Conditioning(first.texts + second.texts, first.extras + second.extras, controls)


def weigh(conditioning: Conditioning, strength: float) -> Conditioning:
    return replace(
        conditioning, texts=tuple((t, weight * strength) for t, weight in conditioning.texts)
    )
