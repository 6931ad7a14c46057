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
        picture = to_image(paint_scene(self, width, height))
        write_caption(picture, self.prompt)
        return picture


def hash_number(*values: Any) -> int:
    """A 64-bit number that any JSON values decide."""
    text = json.dumps(values, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big")


def paint_scene(recipe: Recipe, width: int, height: int) -> Array:
    """Sky, stars or sun, hills and sometimes water as an array (height, width, 3) of 0 to 255."""
    everything = np.random.default_rng(hash_number(recipe.everything))
    scene = np.random.default_rng(hash_number(recipe.prompt))
    colors = choose_colors(recipe, everything)
    horizon = 0.45 + 0.25 * float(scene.random())
    canvas = paint_sky(width, height, colors, horizon)
    if scene.random() < 0.45:
        add_stars(canvas, everything, horizon, 20 + recipe.detail * 4)
    place = 0.2 + 0.6 * float(everything.random())
    radius = 0.05 + 0.08 * float(scene.random())
    add_sun(canvas, colors[2], place, horizon, radius)
    ridges = 3 + int(scene.integers(3))
    water = bool(scene.random() < 0.4)
    add_ridges(canvas, colors, horizon, ridges - water, everything)
    if water:
        add_water(canvas, horizon + (1 - horizon) * 0.55)
    middle = float(canvas.mean())
    contrast = 0.8 + min(recipe.cfg, 20.0) / 35
    vivid: Array = (canvas - middle) * np.float32(contrast) + np.float32(middle)
    return vivid


def choose_colors(recipe: Recipe, rng: np.random.Generator) -> list[Array]:
    """Top, middle and glow of the sky and the nearest hill; a little shifted by every input."""
    palette = PALETTES[hash_number(recipe.checkpoint) % len(PALETTES)]
    shift = rng.uniform(-22, 22, 3)
    colors: list[Array] = []
    for color in palette:
        shifted = np.clip(np.array(color) + shift, 0, 255)
        colors.append(shifted.astype(np.float32))
    return colors


def paint_sky(width: int, height: int, colors: list[Array], horizon: float) -> Array:
    top, middle, glow, _ = colors
    bottom = 1 / max(horizon, 0.1)
    rows = np.linspace(0, bottom, height, dtype=np.float32).clip(0, 1)
    place = rows[:, None]
    lower = (place * 2 - 1).clip(0, 1)
    upper = (place * 2).clip(0, 1)
    column = top * (1 - upper) + middle * (upper - lower) + glow * lower
    sky = np.repeat(column[:, None, :], width, axis=1)
    return sky.astype(np.float32)


def add_stars(canvas: Array, rng: np.random.Generator, horizon: float, count: int) -> None:
    height, width = canvas.shape[:2]
    places = rng.random(count) ** 1.5 * horizon * height * 0.9
    rows = places.astype(int).clip(0, height - 1)
    columns = rng.integers(0, width, count)
    brightness = rng.uniform(60, 180, (count, 1))
    canvas[rows, columns] += brightness.astype(np.float32)


def add_sun(canvas: Array, color: Array, x: float, horizon: float, radius: float) -> None:
    """A bright disc with a glow, a little above the horizon; `x` and `radius` are parts of the
    width.
    """
    height, width = canvas.shape[:2]
    columns = np.arange(width, dtype=np.float32)[None, :] / width - x
    rows = np.arange(height, dtype=np.float32)[:, None] / height - horizon * 0.62
    rows = rows * (height / width)
    distance = columns**2 + rows**2
    glow = np.exp(-distance / (radius * radius * 9))
    disc = ((radius * radius - distance) / (radius * radius * 0.06)).clip(0, 1)
    bright = np.minimum(color + 40, 255)
    canvas += (glow * 0.5)[..., None] * (color - canvas)
    canvas += disc[..., None] * (bright - canvas)


def add_ridges(
    canvas: Array, colors: list[Array], horizon: float, count: int, rng: np.random.Generator
) -> None:
    """Hills from far and hazy to near and dark."""
    _, haze, _, ground = colors
    height, width = canvas.shape[:2]
    rows = np.arange(height, dtype=np.float32)[:, None]
    for index in range(count):
        near = (index + 1) / count
        top = (horizon + (1 - horizon) * 0.8 * index / count) * height
        curve = ridge_line(width, rng, near)
        line = top - curve * height * (0.10 + 0.05 * near)
        color = haze * (1 - near) * 0.75 + ground * near
        cover = (rows - line[None, :]).clip(0, 1)[..., None]
        canvas += cover * (color - canvas)


def ridge_line(width: int, rng: np.random.Generator, near: float) -> Array:
    """A curve between about -1 and 1, one number per column."""
    place = np.linspace(0, 1, width, dtype=np.float32)
    line = np.zeros(width, dtype=np.float32)
    for octave in range(1, 6):
        waves = octave * octave * (0.7 + float(rng.random())) * (1.6 - 0.6 * near)
        phase = float(rng.random()) * 6.283
        curve = np.sin(place * 6.283 * waves + phase)
        line += curve.astype(np.float32) / (octave * octave)
    return line


def add_water(canvas: Array, shore: float) -> None:
    """Mirrors what is above the shore line (a part of the height), darker and bluish."""
    height = canvas.shape[0]
    line = int(shore * height)
    depth = height - line
    mirrored = canvas[max(line - depth, 0) : line][::-1]
    tint = np.array((12, 30, 52), dtype=np.float32)
    canvas[line : line + len(mirrored)] = mirrored * 0.72 + tint * 0.6


def write_caption(picture: Image.Image, text: str) -> None:
    """Writes the text small at the bottom left and "demo" at the bottom right."""
    width, height = picture.size
    size = max(8, min(width, height) // 32)
    draw = ImageDraw.Draw(picture, "RGBA")
    font = ImageFont.load_default(size)
    line = " ".join(text.split())
    room = max(1, int((width - size * 5) / (size * 0.5)))
    shown = line if len(line) <= room else line[: room - 1] + "…"
    draw.rectangle((0, height - size * 2, width, height), fill=(0, 0, 0, 110))
    middle = height - size
    draw.text((size // 2, middle), shown, font=font, fill=(255, 255, 255, 230), anchor="lm")
    draw.text(
        (width - size // 2, middle), "demo", font=font, fill=(255, 255, 255, 160), anchor="rm"
    )


def trace_outlines(picture: Image.Image, guide: Image.Image, strength: float) -> Image.Image:
    """The picture with the outlines of the guide drawn on it in white, as visibly as `strength` (0
    to 1 and more).
    """
    fitted = guide.convert("L").resize(picture.size)
    outlines = fitted.filter(ImageFilter.FIND_EDGES).filter(ImageFilter.MaxFilter(3))
    edges = ImageOps.autocontrast(outlines, cutoff=2)
    opacity = min(strength, 1.0)
    cover = edges.point([min(255, round(level * opacity)) for level in range(256)])
    white = Image.new("RGB", picture.size, "white")
    return Image.composite(white, picture, cover)


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
    scale = 0.04 + 0.96 * part**2
    width = max(1, int(final.width * scale))
    height = max(1, int(final.height * scale))
    small = final.resize((width, height))
    soft = small.resize(final.size, Image.Resampling.BILINEAR)
    return Image.blend(soft, noise, 0.9 * (1 - part) ** 1.5)


def to_image(array: Array) -> Image.Image:
    levels = array.clip(0, 255).astype(np.uint8)
    return Image.fromarray(levels)
