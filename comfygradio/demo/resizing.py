"""Names of scaling methods, and cropping to a ratio."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image

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
    if image.width / image.height > wanted:
        size = max(1, round(image.height * wanted)), image.height
    else:
        size = image.width, max(1, round(image.width / wanted))
    left, top = (image.width - size[0]) // 2, (image.height - size[1]) // 2
    return image.crop((left, top, left + size[0], top + size[1]))


def resize_image(
    image: Image.Image, width: int, height: int, method: str, crop: bool
) -> Image.Image:
    """Scales to width by height pixels, cropping the centre first if `crop` is set."""
    part = crop_to_ratio(image, width, height) if crop else image
    return part.resize((max(1, width), max(1, height)), METHODS[method])
