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
    part = crop_to_ratio(image, width, height) if crop else image
    size = (max(1, width), max(1, height))
    return part.resize(size, METHODS[method])
