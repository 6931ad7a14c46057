"""Pictures that people hand in: is it one, can it be read, is it small enough; and masks that they
paint.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

from comfygradio.forms.field import show

MAX_MEGAPIXELS = 50

PAINTED = 25
"""Where the alpha (0 to 255) of what was painted is above this, the mask is set: brushes are
translucent.
"""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Only these are ever decoded; Pillow would also start Ghostscript for an EPS that calls itself a
picture.
"""


def check_picture(path: Path, max_mb: float) -> str | None:
    """What is wrong with a picture file, in a sentence, or None; decodes it whole to find cut-off
    files.
    """
    if problem := check_file_size(path, max_mb):
        return problem
    try:
        return _check_pixels(path)
    except UnidentifiedImageError:
        return "this file is not a picture that can be read; please use PNG, JPEG or WebP."
    except Image.DecompressionBombError:
        return f"the picture is far too large; at most {MAX_MEGAPIXELS} megapixels are allowed."
    except Exception:  # Pillow's decoders raise errors of any kind on broken files
        return (
            "this picture is damaged and cannot be read; please save it again or use another one."
        )


def check_file_size(path: Path, max_mb: float) -> str | None:
    """What is wrong with a file's presence or size in megabytes, in a sentence, or None."""
    try:
        megabytes, is_file = path.stat().st_size / 1e6, path.is_file()
    except (OSError, ValueError):
        return f"the file {show(path.name)} does not exist."
    if not is_file:
        return f"{show(path.name)} is no file."
    return (
        f"the file has {megabytes:.0f} MB; at most {max_mb:g} MB are allowed."
        if megabytes > max_mb
        else None
    )


def check_mask(path: Path) -> str | None:
    """What is wrong with the mask of a readable picture: the part to repaint is where its alpha is
    0.
    """
    with _open(path) as picture:
        if picture.has_transparency_data:
            low, _ = picture.convert("RGBA").getchannel("A").getextrema()
            if isinstance(low, int | float) and low < 255:
                return None
    return (
        "nothing is marked yet; paint over the part that shall change (or use a picture that "
        "is transparent there)."
    )


def compose_mask(background: Path, layers: Iterable[Path], target: Path) -> Path:
    """Save the background as RGBA PNG whose alpha is 0 where a layer is painted, as ComfyUI's
    LoadImage reads masks.

    The alpha of the background itself stays: painting adds to it. Layers are scaled to the
    background's size. Raises OSError and ValueError for files that cannot be read.
    """
    with _open(background) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGBA")
    alpha = picture.getchannel("A")
    for layer in layers:
        with _open(layer) as opened:
            painted = opened.convert("RGBA").getchannel("A").resize(picture.size)
        alpha = ImageChops.subtract(
            alpha, painted.point(lambda value: 255 if value > PAINTED else 0)
        )
    picture.putalpha(alpha)
    picture.save(target, "PNG", compress_level=1)
    return target


def find_suffix(path: Path) -> str:
    """The suffix that fits a readable picture's content, `.png` for instance."""
    with _open(path) as picture:
        kind = (picture.format or "png").lower()
    return ".jpg" if kind in ("jpeg", "mpo") else f".{kind}"


def _open(path: Path) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(path, formats=FORMATS)


def _check_pixels(path: Path) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_MEGAPIXELS * 1e6:
                return (
                    f"the picture has {width} × {height} pixels, that is "
                    f"{width * height / 1e6:.0f} megapixels; "
                    f"at most {MAX_MEGAPIXELS} are allowed."
                )
            picture.load()
    return None
