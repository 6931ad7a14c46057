"""Samplers: pictures that sharpen out of noise, one step at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import Images, Latent, NodeInputs, RemoteError
from comfygradio.demo.media.painting import (
    Recipe,
    draw_noise,
    draw_step,
    hash_number,
    trace_outlines,
)
from comfygradio.demo.media.pictures import encode_image, fit_preview

OUT_OF_MEMORY = (
    "Allocation on device 0 would exceed allowed memory. (out of memory)\n\n"
    "TIPS: the demo server pretends to have run out of memory; a smaller picture would need less."
)


def nodes() -> dict[str, NodeFunction]:
    return {"KSampler": sample, "KSamplerAdvanced": sample_advanced}


@dataclass(frozen=True)
class Sampling:
    """One call of a sampler: seed, all steps and the part of them that is done, strength 0 to 1."""

    seed: int
    steps: int
    first: int
    last: int
    strength: float


def sample(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    steps = inputs.integer("steps")
    sampling = Sampling(
        seed=inputs.integer("seed"),
        steps=steps,
        first=0,
        last=steps,
        strength=inputs.real("denoise", 1.0),
    )
    return run_sampler(run, inputs, sampling)


def sample_advanced(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    steps = inputs.integer("steps")
    first = min(inputs.integer("start_at_step"), steps)
    # By default this is 10000, which means the last step.
    last = min(inputs.integer("end_at_step"), steps)
    strength = 1 - first / steps
    if inputs.text("add_noise") != "enable":
        strength *= 0.5
    sampling = Sampling(
        seed=inputs.integer("noise_seed"),
        steps=steps,
        first=first,
        last=max(first, last),
        strength=strength,
    )
    return run_sampler(run, inputs, sampling)


def run_sampler(run: NodeRun, inputs: NodeInputs, sampling: Sampling) -> NodeResult:
    """Draws the pictures of the batch, then shows the steps of the first one."""
    latent = inputs.latent("latent_image")
    finals: Images = []
    for index in range(latent.batch):
        finals.append(draw_final(inputs, sampling, latent, index))
    walk_steps(run, sampling, finals[0])
    sampled = replace(latent, pictures=tuple(finals))
    return NodeResult((sampled,))


def walk_steps(run: NodeRun, sampling: Sampling, final: Image.Image) -> None:
    """Waits, reports and shows every step; frames show the first picture of the batch."""
    run.interrupt.check()
    count = sampling.last - sampling.first
    frames: PreviewFrames | None = None
    if run.wants_preview():
        frames = PreviewFrames(final, sampling.seed, run.options.preview_size)
    for step in range(1, count + 1):
        run.wait_step()
        inject_failure(run, step)
        encoded: tuple[bytes, str] | None = None
        if frames:
            encoded = frames.encode(step / count)
        run.step(step, count, encoded)


class PreviewFrames:
    """Makes the frames of one run, scaled once so that each costs little.

    `size` is the longest side of a frame in pixels.
    """

    def __init__(self, final: Image.Image, seed: int, size: int) -> None:
        self._final = fit_preview(final, size)
        width, height = self._final.size
        self._noise = draw_noise(seed, width, height)

    def encode(self, part: float) -> tuple[bytes, str]:
        """The JPEG after `part` (0 to 1) of the steps."""
        frame = draw_step(self._final, self._noise, part)
        return encode_image(frame, "JPEG")


def inject_failure(run: NodeRun, step: int) -> None:
    if step == run.options.fail_at_step:
        raise RuntimeError(f"the demo server fails at step {step} on purpose")
    if step == run.options.oom_at_step:
        raise RemoteError("torch.OutOfMemoryError", OUT_OF_MEMORY)


def draw_final(inputs: NodeInputs, sampling: Sampling, latent: Latent, index: int) -> Image.Image:
    """The end result for one picture of the batch: mixed with its source by strength, within the
    mask.
    """
    recipe = write_recipe(inputs, sampling, latent, index)
    painted = recipe.draw(latent.width, latent.height)
    conditioning = inputs.conditioning("positive")
    for control in conditioning.controls:
        painted = trace_outlines(painted, control.picture, control.strength)
    if not latent.pictures:
        return painted
    # A batch may be larger than what it was encoded from.
    source = latent.pictures[index % len(latent.pictures)]
    strength = min(1.0, sampling.strength)
    mixed = Image.blend(source, painted, strength)
    if latent.mask:
        return Image.composite(mixed, source, latent.mask)
    return mixed


def write_recipe(inputs: NodeInputs, sampling: Sampling, latent: Latent, index: int) -> Recipe:
    model = inputs.model("model")
    positive = inputs.conditioning("positive")
    negative = inputs.conditioning("negative")
    cfg = inputs.real("cfg")
    everything: list[Any] = [
        sampling.seed + index,
        sampling.steps,
        sampling.first,
        sampling.last,
        sampling.strength,
        cfg,
        inputs.text("sampler_name"),
        inputs.text("scheduler"),
        positive.texts,
        positive.extras,
        negative.texts,
        negative.extras,
        model.checkpoint,
        model.loras,
        latent.width,
        latent.height,
        [hash_number(picture.tobytes().hex()) for picture in latent.pictures],
    ]
    return Recipe(
        prompt=positive.text(),
        checkpoint=model.checkpoint,
        everything=everything,
        cfg=cfg,
        detail=min(sampling.steps, 50),
    )
