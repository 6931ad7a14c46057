"""Texts on their way to a sampler, and what is added to them there."""

from __future__ import annotations

from dataclasses import replace

from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import Conditioning, Control, NodeInputs
from comfygradio.demo.media.painting import hash_number
from comfygradio.demo.nodes.latents import encode_images, fit_mask


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
    extras = [f"layer {clip.stop_at_layer}"]
    for name, strength in clip.loras:
        extras.append(f"{name} {strength}")
    weighted = (inputs.text("text"), 1.0)
    conditioning = Conditioning(texts=(weighted,), extras=tuple(extras))
    return NodeResult((conditioning,))


def combine(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    first = inputs.conditioning("conditioning_1")
    second = inputs.conditioning("conditioning_2")
    joined = join(first, second)
    return NodeResult((joined,))


def concatenate(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    first = inputs.conditioning("conditioning_to")
    second = inputs.conditioning("conditioning_from")
    joined = join(first, second)
    return NodeResult((joined,))


def average(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    strength = inputs.real("conditioning_to_strength")
    first = weigh(inputs.conditioning("conditioning_to"), strength)
    second = weigh(inputs.conditioning("conditioning_from"), 1 - strength)
    joined = join(first, second)
    return NodeResult((joined,))


def zero_out(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    conditioning = inputs.conditioning("conditioning")
    empty = replace(conditioning, texts=())
    return NodeResult((empty,))


def set_guidance(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    conditioning = inputs.conditioning("conditioning")
    guidance = inputs.real("guidance")
    extras = (*conditioning.extras, f"guidance {guidance}")
    guided = replace(conditioning, extras=extras)
    return NodeResult((guided,))


def apply_control(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    conditioning = add_control(inputs, "conditioning")
    return NodeResult((conditioning,))


def apply_control_to_both(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    positive = add_control(inputs, "positive")
    negative = add_control(inputs, "negative")
    return NodeResult((positive, negative))


def add_control(inputs: NodeInputs, name: str) -> Conditioning:
    """A strength of 0 changes nothing."""
    conditioning = inputs.conditioning(name)
    net = inputs.control_net("control_net")
    strength = inputs.real("strength", 1.0)
    picture = inputs.images("image")[0]
    if strength == 0:
        return conditioning
    start = inputs.real("start_percent", 0.0)
    end = inputs.real("end_percent", 1.0)
    digest = hash_number(picture.tobytes().hex())
    extra = f"{net.name} {strength} {start} to {end} {digest}"
    extras = (*conditioning.extras, extra)
    controls = (*conditioning.controls, Control(picture, strength))
    return replace(conditioning, extras=extras, controls=controls)


def prepare_inpainting(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """The conditionings as they are, and the picture as a latent with the mask unless `noise_mask`
    is off.
    """
    latent = encode_images(inputs.images("pixels"))
    if inputs.get("noise_mask", True):
        mask = inputs.masks("mask")[0]
        latent = replace(latent, mask=fit_mask(mask, latent))
    positive = inputs.conditioning("positive")
    negative = inputs.conditioning("negative")
    return NodeResult((positive, negative, latent))


def join(first: Conditioning, second: Conditioning) -> Conditioning:
    return Conditioning(
        texts=first.texts + second.texts,
        extras=first.extras + second.extras,
        controls=first.controls + second.controls,
    )


def weigh(conditioning: Conditioning, strength: float) -> Conditioning:
    texts: list[tuple[str, float]] = []
    for text, weight in conditioning.texts:
        texts.append((text, weight * strength))
    return replace(conditioning, texts=tuple(texts))
