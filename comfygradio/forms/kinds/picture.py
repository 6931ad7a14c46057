"""Checks of uploaded pictures: type, size and damage; and composition of painted masks."""

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
from comfygradio.units import MEGABYTE

MAX_MEGAPIXELS = 50

DAMAGED = "this picture is damaged and cannot be read; please save it again or use another one."

PAINTED_ALPHA = 25
"""The mask is set where the alpha of a painted layer (0 to 255) is above this. Brushes are
translucent.
"""

MAX_LAYERS = 2
"""Maximum number of painted layers; the page sends one."""


def check_picture(path: Path, max_mb: float) -> str | None:
    """Explain in a sentence what is wrong with a picture file, or return None.

    The whole file is decoded, so that a file that is cut off is found.
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
    """Tell what to do about a file whose format Pillow does not know."""
    try:
        with path.open("rb") as file:
            name = detect_format(file.read(HEAD_BYTES))
    except OSError:
        return DAMAGED
    # This Pillow reads AVIF, so that the file itself is at fault.
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
    """Explain in a sentence that a file is missing or too large, in megabytes, or return None."""
    try:
        megabytes = path.stat().st_size / MEGABYTE
        is_file = path.is_file()
    except (OSError, ValueError):
        return f"the file {shorten(path.name)} does not exist."
    if not is_file:
        return f"{shorten(path.name)} is not a file."
    if megabytes > max_mb:
        return f"the file has {megabytes:.0f} MB; at most {max_mb:g} MB are allowed."
    return None


def check_mask(path: Path) -> str | None:
    """Explain in a sentence that a readable picture has no mask, or return None. The mask is where
    the alpha is below 255.
    """
    with open_picture(path) as picture:
        if picture.has_transparency_data:
            alpha = picture.convert("RGBA").getchannel("A")
            low, _ = alpha.getextrema()
            if isinstance(low, int | float) and low < 255:
                return None
    return (
        "nothing is marked yet; paint over the part that should change (or use a picture that "
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
        # Beside the picture there is at most one decoded layer at a time.
        needed = pixels * 2 if layers else pixels
        with reserve_pixels(needed):
            picture = _compose(background, layers)
            # The quickest level: at the default a large picture takes seconds.
            picture.save(target, "PNG", compress_level=1)
    except (PictureTooLarge, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error
    return target


def _measure(path: Path) -> int:
    """Count the pixels of a picture. Raises PictureTooLarge."""
    with inspect_picture(path) as picture:
        width, height = picture.size
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise PictureTooLarge(width, height)
    return width * height


def _compose(background: Path, layers: Sequence[Path]) -> Image.Image:
    """Compose a picture with its mask. To save memory, one file is open at a time, and only the
    mask of each layer is kept.
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
    """Decode a picture as RGBA, rotated as its EXIF orientation says."""
    with decode_picture(path) as opened:
        ImageOps.exif_transpose(opened, in_place=True)
        opened.load()
        return _convert_to_rgba(opened)


def _decode_mask(layer: Path) -> Image.Image:
    """Decode a layer to its mask: 255 where it is painted, else 0."""
    with decode_picture(layer) as opened:
        picture = _convert_to_rgba(opened)
        alpha = picture.getchannel("A")
    return alpha.point(lambda value: 255 if value > PAINTED_ALPHA else 0)


def _convert_to_rgba(picture: Image.Image) -> Image.Image:
    """Convert a picture to RGBA. One that is RGBA already is not copied."""
    if picture.mode == "RGBA":
        return picture
    return picture.convert("RGBA")


def find_suffix(path: Path) -> str:
    """Find the suffix for the content of a readable picture, such as `.png`."""
    with inspect_picture(path) as picture:
        kind = (picture.format or "png").lower()
    # MPO is a JPEG with further pictures behind the first, as some cameras write it.
    if kind in ("jpeg", "mpo"):
        return ".jpg"
    return f".{kind}"
