"""Test nodes: they sleep, raise, send texts, or send preview frames at an exact rate."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from comfygradio.demo.execution.folders import PICTURE_FORMATS
from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import NodeInputs
from comfygradio.demo.media.painting import Recipe
from comfygradio.demo.media.pictures import encode_image

TICK = 0.05
GRAIN = 2.0


def nodes() -> dict[str, NodeFunction]:
    return {"LabSleep": sleep, "LabRaise": fail, "LabText": send_text, "LabFrames": send_frames}


def sleep(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """Sleeps `seconds`, interruptible, or deaf to interrupts when `deaf` is set.

    If it is not deaf, it ends at once while the server skips waits.
    """
    seconds = inputs.real("seconds")
    result = NodeResult((inputs.get("value", 0),))
    if inputs.get("deaf"):
        time.sleep(seconds)
        return result
    count = max(1, round(seconds / TICK))
    for step in range(count):
        if run.interrupt.timing.skips_waits:
            break
        run.wait(seconds / count)
        run.step(step + 1, count)
    return result


def fail(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    raise RuntimeError(inputs.text("message"))


def send_text(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """Sends a text, then works on for `seconds`, interruptible."""
    text = inputs.text("text")
    run.send_text(text)
    run.wait(inputs.real("seconds", 0.0))
    return NodeResult((text,), {"text": [text]})


def send_frames(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """Sends `count` prepared JPEGs, `fps` per second; frame n leaves n / fps seconds after the
    first.
    """
    count = inputs.integer("count")
    fps = inputs.real("fps")
    width = inputs.integer("width", 512)
    height = inputs.integer("height", 512)
    # All frames are encoded beforehand, so that this does not delay any of them.
    frames = [encode_image(frame, "JPEG") for frame in draw_frames(count, width, height)]
    start = time.monotonic()
    for index, frame in enumerate(frames):
        due = start + index / fps
        run.wait(due - time.monotonic())
        run.step(index + 1, count, frame)
    data, _ = frames[-1]
    with Image.open(io.BytesIO(data), formats=PICTURE_FORMATS) as last:
        picture = last.convert("RGB")
    return NodeResult(([picture],))


def draw_frames(count: int, width: int, height: int) -> Iterator[Image.Image]:
    """Grainy landscapes with their number (from 1) drawn big in the middle."""
    recipe = Recipe("lab frames", "lab", "lab")
    picture = recipe.draw(width, height)
    base = np.asarray(picture, dtype=np.float32)
    rng = np.random.default_rng(1)
    grain = rng.normal(0, GRAIN, base.shape).astype(np.float32)
    size = max(10, min(width, height) // 3)
    font = ImageFont.load_default(size)
    for number in range(1, count + 1):
        moved = np.roll(grain, 7 * number, axis=1)
        yield number_frame(base, moved, number, font)


def number_frame(
    base: np.ndarray,
    grain: np.ndarray,
    number: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> Image.Image:
    levels = (base + grain).clip(0, 255).astype(np.uint8)
    picture = Image.fromarray(levels)
    draw = ImageDraw.Draw(picture)
    middle = (picture.width // 2, picture.height // 2)
    draw.text(
        middle,
        str(number),
        font=font,
        fill="white",
        anchor="mm",
        stroke_width=3,
        stroke_fill="black",
    )
    return picture
