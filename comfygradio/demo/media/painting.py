"""Draws the demo server's pictures: a small landscape that every input of the sampler changes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

Array = npt.NDArray[np.float32]
Color = tuple[float, float, float]

PALETTES: tuple[tuple[Color, Color, Color, Color], ...] = (
    ((26, 24, 68), (214, 92, 104), (255, 196, 120), (34, 28, 62)),
    ((16, 60, 98), (92, 174, 200), (244, 236, 198), (14, 56, 66)),
    ((58, 16, 66), (232, 80, 120), (255, 178, 94), (46, 14, 54)),
    ((10, 34, 46), (28, 120, 116), (196, 226, 164), (8, 38, 42)),
    ((70, 40, 24), (226, 140, 70), (252, 222, 150), (56, 34, 30)),
    ((18, 18, 34), (74, 78, 132), (198, 180, 212), (20, 20, 40)),
)


@dataclass(frozen=True)
class Recipe:
    """Everything a picture depends on; equal recipes give equal pictures.

    `prompt` chooses the scene, `checkpoint` the colours, `everything` (any JSON value that holds
    all the inputs) moves every detail.
    """

    prompt: str
    checkpoint: str
    everything: Any
    cfg: float = 7.0
    detail: int = 20

    def draw(self, width: int, height: int) -> Image.Image:
        """The finished picture, mode RGB, with the prompt and the word "demo" at the bottom."""
        scene = paint_scene(self, width, height)
        picture = to_image(scene)
        write_caption(picture, self.prompt)
        return picture


def hash_number(*values: Any) -> int:
    """A 64-bit number that any JSON values decide."""
    text = json.dumps(values, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode())
    first_bytes = digest.digest()[:8]
    return int.from_bytes(first_bytes, "big")


def paint_scene(recipe: Recipe, width: int, height: int) -> Array:
    """Sky, stars or sun, hills and sometimes water as an array (height, width, 3) of 0 to 255."""
    # Equal recipes give equal pictures: the order in which numbers are drawn must stay.
    details = np.random.default_rng(hash_number(recipe.everything))
    scene = np.random.default_rng(hash_number(recipe.prompt))
    colors = choose_colors(recipe, details)
    horizon = 0.45 + 0.25 * float(scene.random())
    canvas = paint_sky(width, height, colors, horizon)
    if scene.random() < 0.45:
        count = 20 + recipe.detail * 4
        add_stars(canvas, details, horizon, count)
    place = 0.2 + 0.6 * float(details.random())
    radius = 0.05 + 0.08 * float(scene.random())
    add_sun(canvas, colors[2], place, horizon, radius)
    ridges = 3 + int(scene.integers(3))
    has_water = bool(scene.random() < 0.4)
    if has_water:
        add_ridges(canvas, colors, horizon, ridges - 1, details)
        add_water(canvas, horizon + (1 - horizon) * 0.55)
    else:
        add_ridges(canvas, colors, horizon, ridges, details)
    return add_contrast(canvas, recipe.cfg)


def add_contrast(canvas: Array, cfg: float) -> Array:
    """The picture with more contrast for a larger cfg."""
    middle = float(canvas.mean())
    contrast = 0.8 + min(cfg, 20.0) / 35
    from_middle = canvas - middle
    vivid: Array = from_middle * np.float32(contrast) + np.float32(middle)
    return vivid


def choose_colors(recipe: Recipe, rng: np.random.Generator) -> list[Array]:
    """Top, middle and glow of the sky and the nearest hill; a little shifted by every input."""
    number = hash_number(recipe.checkpoint) % len(PALETTES)
    shift = rng.uniform(-22, 22, 3)
    colors: list[Array] = []
    for color in PALETTES[number]:
        shifted = np.array(color) + shift
        clipped = np.clip(shifted, 0, 255)
        colors.append(clipped.astype(np.float32))
    return colors


def paint_sky(width: int, height: int, colors: list[Array], horizon: float) -> Array:
    """A gradient of three colors from the top to the horizon, the same in every column."""
    top, middle, glow, _ = colors
    bottom = 1 / max(horizon, 0.1)
    # 0 at the top and 1 at the horizon; what lies below is covered by hills.
    rows = np.linspace(0, bottom, height, dtype=np.float32)
    place = rows.clip(0, 1)[:, None]
    lower = (place * 2 - 1).clip(0, 1)
    upper = (place * 2).clip(0, 1)
    column = top * (1 - upper)
    column = column + middle * (upper - lower)
    column = column + glow * lower
    sky = np.repeat(column[:, None, :], width, axis=1)
    return sky.astype(np.float32)


def add_stars(canvas: Array, rng: np.random.Generator, horizon: float, count: int) -> None:
    """Bright pixels above the horizon, most of them near the top."""
    height, width = canvas.shape[:2]
    heights = rng.random(count) ** 1.5
    places = heights * horizon * height * 0.9
    rows = places.astype(int).clip(0, height - 1)
    columns = rng.integers(0, width, count)
    brightness = rng.uniform(60, 180, (count, 1))
    canvas[rows, columns] += brightness.astype(np.float32)


def add_sun(canvas: Array, color: Array, x: float, horizon: float, radius: float) -> None:
    """A bright disc with a glow, a little above the horizon; `x` and `radius` are parts of the
    width.
    """
    height, width = canvas.shape[:2]
    columns = np.arange(width, dtype=np.float32) / width
    rows = np.arange(height, dtype=np.float32) / height
    # The distance from the middle of the sun, squared, in parts of the width.
    from_left = columns - x
    from_top = (rows - horizon * 0.62) * (height / width)
    distance = from_left[None, :] ** 2 + from_top[:, None] ** 2
    area = radius * radius
    glow = np.exp(-distance / (area * 9))
    disc = ((area - distance) / (area * 0.06)).clip(0, 1)
    bright = np.minimum(color + 40, 255)
    mix_in(canvas, color, glow * 0.5)
    mix_in(canvas, bright, disc)


def mix_in(canvas: Array, color: Array, cover: Array) -> None:
    """Puts a color on the canvas where `cover`, a number for each pixel, is above 0; 1 hides what
    was there.
    """
    canvas += cover[..., None] * (color - canvas)


def add_ridges(
    canvas: Array, colors: list[Array], horizon: float, count: int, rng: np.random.Generator
) -> None:
    """Hills from far and hazy to near and dark."""
    _, haze, _, ground = colors
    height, width = canvas.shape[:2]
    rows = np.arange(height, dtype=np.float32)[:, None]
    for index in range(count):
        # From nearly 0 for the hill that is farthest to 1 for the nearest.
        near = (index + 1) / count
        below_horizon = (1 - horizon) * 0.8 * index / count
        top = (horizon + below_horizon) * height
        curve = ridge_line(width, rng, near)
        steepness = 0.10 + 0.05 * near
        line = top - curve * height * steepness
        hazy = haze * (1 - near) * 0.75
        color = hazy + ground * near
        # Below the line this is above 1; on the line it is a part of a pixel, for a soft edge.
        below = rows - line[None, :]
        mix_in(canvas, color, below.clip(0, 1))


def ridge_line(width: int, rng: np.random.Generator, near: float) -> Array:
    """A curve between about -1 and 1, one number per column."""
    place = np.linspace(0, 1, width, dtype=np.float32)
    line = np.zeros(width, dtype=np.float32)
    narrower = 1.6 - 0.6 * near
    for octave in range(1, 6):
        square = octave * octave
        spread = 0.7 + float(rng.random())
        waves = square * spread * narrower
        phase = float(rng.random()) * 6.283
        curve = np.sin(place * 6.283 * waves + phase)
        line += curve.astype(np.float32) / square
    return line


def add_water(canvas: Array, shore: float) -> None:
    """Mirrors what is above the shore line (a part of the height), darker and bluish."""
    height = canvas.shape[0]
    line = int(shore * height)
    depth = height - line
    above = canvas[max(line - depth, 0) : line]
    mirrored = above[::-1]
    tint = np.array((12, 30, 52), dtype=np.float32)
    end = line + len(mirrored)
    canvas[line:end] = mirrored * 0.72 + tint * 0.6


def write_caption(picture: Image.Image, text: str) -> None:
    """Writes the text small at the bottom left and "demo" at the bottom right."""
    width, height = picture.size
    size = max(8, min(width, height) // 32)
    draw = ImageDraw.Draw(picture, "RGBA")
    font = ImageFont.load_default(size)
    # A letter is about half as wide as it is high.
    letters = max(1, int((width - size * 5) / (size * 0.5)))
    line = shorten_line(text, letters)
    draw.rectangle((0, height - size * 2, width, height), fill=(0, 0, 0, 110))
    middle = height - size
    left = (size // 2, middle)
    right = (width - size // 2, middle)
    draw.text(left, line, font=font, fill=(255, 255, 255, 230), anchor="lm")
    draw.text(right, "demo", font=font, fill=(255, 255, 255, 160), anchor="rm")


def shorten_line(text: str, letters: int) -> str:
    """The text as one line of at most so many letters, with … where something is left out."""
    line = " ".join(text.split())
    if len(line) <= letters:
        return line
    return line[: letters - 1] + "…"


def trace_outlines(picture: Image.Image, guide: Image.Image, strength: float) -> Image.Image:
    """The picture with the outlines of the guide drawn on it in white, as visibly as `strength` (0
    to 1 and more).
    """
    fitted = guide.convert("L").resize(picture.size)
    outlines = fitted.filter(ImageFilter.FIND_EDGES)
    wide = outlines.filter(ImageFilter.MaxFilter(3))
    edges = ImageOps.autocontrast(wide, cutoff=2)
    opacity = min(strength, 1.0)
    levels: list[int] = []
    for level in range(256):
        levels.append(min(255, round(level * opacity)))
    white = Image.new("RGB", picture.size, "white")
    return Image.composite(white, picture, edges.point(levels))


def draw_noise(seed: int, width: int, height: int) -> Image.Image:
    """Coloured noise in blocks of 8 pixels, like a latent before its first step."""
    rng = np.random.default_rng(seed)
    rows = max(1, height // 8)
    columns = max(1, width // 8)
    grains = rng.integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    noise = Image.fromarray(grains)
    return noise.resize((width, height), Image.Resampling.NEAREST)


def draw_step(final: Image.Image, noise: Image.Image, part: float) -> Image.Image:
    """The picture after `part` (0 to 1) of the steps: blurred under noise first, sharp
    at the end.
    """
    if part >= 1:
        return final
    # The picture is made smaller and larger again, which blurs it the more the smaller it was.
    scale = 0.04 + 0.96 * part**2
    width = max(1, int(final.width * scale))
    height = max(1, int(final.height * scale))
    small = final.resize((width, height))
    soft = small.resize(final.size, Image.Resampling.BILINEAR)
    opacity = 0.9 * (1 - part) ** 1.5
    return Image.blend(soft, noise, opacity)


def to_image(array: Array) -> Image.Image:
    levels = array.clip(0, 255).astype(np.uint8)
    return Image.fromarray(levels)
