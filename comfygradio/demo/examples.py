"""Example input images, drawn when the server starts."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from comfygradio.demo.media.painting import Recipe, paint_scene, to_image

EXAMPLE_SIZE = (512, 384)
DISC = (176, 96, 336, 256)
"""Left, top, right and bottom of the disc in the mask."""


def write_examples(folder: Path) -> None:
    """Writes example.png (RGB) and example-mask.png (RGBA, a transparent disc to repaint) if
    absent.
    """
    plain = folder / "example.png"
    masked = folder / "example-mask.png"
    if plain.exists() and masked.exists():
        return
    recipe = Recipe("example", "dream-sd15.safetensors", "example")
    width, height = EXAMPLE_SIZE
    scene = paint_scene(recipe, width, height)
    picture = to_image(scene)
    picture.save(plain, compress_level=1)
    alpha = Image.new("L", EXAMPLE_SIZE, 255)
    ImageDraw.Draw(alpha).ellipse(DISC, fill=0)
    picture.putalpha(alpha)
    picture.save(masked, compress_level=1)
