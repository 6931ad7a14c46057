"""Pictures that people hand in: is it one, can it be read, is it small enough; and masks that they
paint.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError, features

from comfygradio.forms.kinds.value import shorten
from comfygradio.media.file_signature import HEAD_BYTES, detect_format
from comfygradio.media.metadata_limits import MetadataTooLarge
from comfygradio.media.pictures import (
    PictureTooLarge,
    decode_picture,
    inspect_picture,
    open_picture,
    reserve_pixels,
)

MAX_MEGAPIXELS = 50

DAMAGED = "this picture is damaged and cannot be read; please save it again or use another one."

PAINTED_ALPHA = 25
"""Where the alpha (0 to 255) of what was painted is above this, the mask is set: brushes are
translucent.
"""

MAX_LAYERS = 2
"""Layers of what somebody painted; the page sends one."""


def check_picture(path: Path, max_mb: float) -> str | None:
    """What is wrong with a picture file, in a sentence, or None; decodes it whole to find cut-off
    files.
    """
    problem = check_file_size(path, max_mb)
    if problem:
        return problem
    try:
        with open_picture(path, max_pixels=MAX_MEGAPIXELS * 1_000_000) as picture:
            picture.load()
        return None
    except UnidentifiedImageError:
        return _describe_unknown(path)
    except PictureTooLarge as error:
        megapixels = error.width * error.height / 1e6
        return (
            f"the picture has {error.width} × {error.height} pixels, that is "
            f"{megapixels:.0f} megapixels; at most {MAX_MEGAPIXELS} are allowed."
        )
    except Image.DecompressionBombError:
        return f"the picture is far too large; at most {MAX_MEGAPIXELS} megapixels are allowed."
    except MetadataTooLarge:
        return "the picture carries far more text than settings need, and is not read."
    except Exception:  # Pillow's decoders raise errors of any kind on broken files
        return DAMAGED


def _describe_unknown(path: Path) -> str:
    """What to do about a file that Pillow does not know."""
    try:
        with path.open("rb") as file:
            name = detect_format(file.read(HEAD_BYTES))
    except OSError:
        return DAMAGED
    if name == "AVIF" and features.check("avif"):
        return DAMAGED
    if name in ("HEIC", "HEIF"):
        return (
            f"this is a {name} picture, as phones take them, and cannot be read here; please save "
            "it as JPEG or PNG and add that."
        )
    if name:
        return f"pictures in the format {name} cannot be read; please save it as PNG or JPEG."
    return "this file is not a picture that can be read; please use PNG, JPEG or WebP."


def check_file_size(path: Path, max_mb: float) -> str | None:
    """What is wrong with a file's presence or size in megabytes, in a sentence, or None."""
    try:
        megabytes = path.stat().st_size / 1e6
        is_file = path.is_file()
    except (OSError, ValueError):
        return f"the file {shorten(path.name)} does not exist."
    if not is_file:
        return f"{shorten(path.name)} is no file."
    if megabytes > max_mb:
        return f"the file has {megabytes:.0f} MB; at most {max_mb:g} MB are allowed."
    return None


def check_mask(path: Path) -> str | None:
    """What is wrong with the mask of a readable picture: the part to repaint is where its alpha is
    0.
    """
    with open_picture(path) as picture:
        if picture.has_transparency_data:
            low, _ = picture.convert("RGBA").getchannel("A").getextrema()
            if isinstance(low, int | float) and low < 255:
                return None
    return (
        "nothing is marked yet; paint over the part that shall change (or use a picture that "
        "is transparent there)."
    )


def compose_mask(background: Path, layers: Sequence[Path], target: Path) -> Path:
    """Save the background as RGBA PNG whose alpha is 0 where a layer is painted, as ComfyUI's
    LoadImage reads masks.

    The alpha of the background itself stays: painting adds to it. Layers are scaled to the
    background's size. Raises OSError and ValueError for files that cannot be read, for layers that
    are larger than the background, and for more than two.
    """
    if len(layers) > MAX_LAYERS:
        raise ValueError(f"{len(layers)} layers are too many")
    try:
        pixels = _measure(background)
        if any(_measure(layer) > pixels for layer in layers):
            raise ValueError("a layer is larger than the picture")
        needed = pixels * 2 if layers else pixels
        with reserve_pixels(needed):
            picture = _compose(background, layers)
            picture.save(target, "PNG", compress_level=1)
    except (PictureTooLarge, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error
    return target


def _measure(path: Path) -> int:
    """How many pixels a picture has. Raises PictureTooLarge."""
    with inspect_picture(path) as picture:
        width, height = picture.size
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise PictureTooLarge(width, height)
    return width * height


def _compose(background: Path, layers: Sequence[Path]) -> Image.Image:
    """The picture with its mask; one file is open at a time, of each layer only the mask is kept,
    and nothing is copied that need not be.
    """
    painted = [_decode_mask(layer) for layer in layers]
    picture = _decode_rgba(background)
    left = picture.getchannel("A")
    while painted:
        mask = painted.pop()
        if mask.size != picture.size:
            mask = mask.resize(picture.size)
        left = ImageChops.subtract(left, mask)
    picture.putalpha(left)
    return picture


def _decode_rgba(path: Path) -> Image.Image:
    """A picture as RGBA, turned as its camera was held."""
    with decode_picture(path) as opened:
        ImageOps.exif_transpose(opened, in_place=True)
        opened.load()
        return _convert_to_rgba(opened)


def _decode_mask(layer: Path) -> Image.Image:
    """Where a layer is painted: 255 there, else 0."""
    with decode_picture(layer) as opened:
        alpha = _convert_to_rgba(opened).getchannel("A")
    return alpha.point(lambda value: 255 if value > PAINTED_ALPHA else 0)


def _convert_to_rgba(picture: Image.Image) -> Image.Image:
    """The picture itself where it is RGBA already: converting would copy it."""
    if picture.mode == "RGBA":
        return picture
    return picture.convert("RGBA")


def find_suffix(path: Path) -> str:
    """The suffix that fits a readable picture's content, `.png` for instance."""
    with inspect_picture(path) as picture:
        kind = (picture.format or "png").lower()
    if kind in ("jpeg", "mpo"):
        return ".jpg"
    return f".{kind}"
