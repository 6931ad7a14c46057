"""Pictures that people hand in: is it one, can it be read, is it small enough."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

MAX_MEGAPIXELS = 50

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Only these are ever decoded; Pillow would also start Ghostscript for an EPS that calls itself a picture."""


def check_picture(path: Path, max_mb: float) -> str | None:
    """What is wrong with a picture file, in a sentence, or None; decodes it whole to find cut-off files."""
    try:
        megabytes = path.stat().st_size / 1e6
    except (OSError, ValueError):
        return f"the file {path.name} does not exist."
    if megabytes > max_mb:
        return f"the file has {megabytes:.0f} MB; at most {max_mb:g} MB are allowed."
    try:
        return _check_pixels(path)
    except UnidentifiedImageError:
        return "this file is not a picture that can be read; please use PNG, JPEG or WebP."
    except Image.DecompressionBombError:
        return f"the picture is far too large; at most {MAX_MEGAPIXELS} megapixels are allowed."
    except Exception:  # Pillow's decoders raise errors of any kind on broken files
        return "this picture is damaged and cannot be read; please save it again or use another one."


def name_picture(path: Path) -> str:
    """A file name made from the content, so that the same picture is uploaded once and stays in ComfyUI's cache."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path) as picture:
            suffix = (picture.format or "png").lower()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:20]
    return f"comfygradio-{digest}.{'jpg' if suffix in ('jpeg', 'mpo') else suffix}"


def _check_pixels(path: Path) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_MEGAPIXELS * 1e6:
                return (
                    f"the picture has {width} × {height} pixels, that is {width * height / 1e6:.0f} megapixels; "
                    f"at most {MAX_MEGAPIXELS} are allowed."
                )
            picture.load()
    return None
