"""Scales, crops and encodes pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping

from PIL import Image

JPEG_QUALITY = 95

METHODS: Mapping[str, Image.Resampling] = {
    "nearest-exact": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "area": Image.Resampling.BOX,
    "bicubic": Image.Resampling.BICUBIC,
    "bislerp": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def crop_to_ratio(image: Image.Image, width: int, height: int) -> Image.Image:
    """The largest centred part with the ratio width : height."""
    wanted = width / height
    kept_width = image.width
    kept_height = image.height
    if image.width / image.height > wanted:
        kept_width = max(1, round(image.height * wanted))
    else:
        kept_height = max(1, round(image.width / wanted))
    left = (image.width - kept_width) // 2
    top = (image.height - kept_height) // 2
    return image.crop((left, top, left + kept_width, top + kept_height))


def resize_image(
    image: Image.Image, width: int, height: int, method: str, crop: bool
) -> Image.Image:
    """Scales to width by height pixels, cropping the centre first if `crop` is set."""
    part = image
    if crop:
        part = crop_to_ratio(image, width, height)
    size = (max(1, width), max(1, height))
    return part.resize(size, METHODS[method])


def fit_preview(image: Image.Image, longest: int) -> Image.Image:
    scale = longest / max(image.size)
    width = max(1, round(image.width * scale))
    height = max(1, round(image.height * scale))
    if (width, height) == image.size:
        return image
    return image.resize((width, height), Image.Resampling.BILINEAR)


def encode_image(image: Image.Image, format: str) -> tuple[bytes, str]:
    """Encoded bytes and their format, `JPEG` (quality 95) or `PNG`."""
    buffer = io.BytesIO()
    if format == "JPEG":
        image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    else:
        image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue(), format
