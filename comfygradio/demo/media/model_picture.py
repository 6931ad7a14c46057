"""Paints the picture of a model: a gradient with a disc, in the colours of its name."""

from __future__ import annotations

import colorsys
import io
import zlib

from PIL import Image, ImageDraw

SIZE = (256, 320)


def paint_model(name: str) -> bytes:
    """A picture as WebP; the same for the same name."""
    number = zlib.crc32(name.encode())
    hue = number % 360 / 360
    top = _make_color(hue, 0.55, 0.95)
    bottom = _make_color((hue + 0.12) % 1, 0.7, 0.45)
    mask = Image.linear_gradient("L").resize(SIZE)
    picture = Image.composite(Image.new("RGB", SIZE, bottom), Image.new("RGB", SIZE, top), mask)
    radius = 30 + number // 360 % 50
    middle = (60 + number // 7 % 136, 80 + number // 11 % 160)
    box = (
        middle[0] - radius,
        middle[1] - radius,
        middle[0] + radius,
        middle[1] + radius,
    )
    ImageDraw.Draw(picture).ellipse(box, fill=_make_color((hue + 0.5) % 1, 0.35, 1.0))
    encoded = io.BytesIO()
    picture.save(encoded, "WEBP", quality=70)
    return encoded.getvalue()


def _make_color(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return (round(red * 255), round(green * 255), round(blue * 255))
