"""Reduce the depth of pictures with more than 8 bits of grey (depth maps, height maps, scans).

Pillow clips such a picture when it converts it: everything above 255 turns white.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

STRIP_PIXELS = 1_000_000
"""Pixels that are scaled at a time, since as numbers they need several times their memory."""

USUAL_MAXIMA = {"I": (255, 65_535), "F": (1,)}
"""Mode → usual values of white. A picture within such a range is scaled by it."""


def reduce_depth(picture: Image.Image) -> Image.Image:
    """Return the picture itself or, if it has more than 8 bits of grey, a copy with 8 bits.

    16-bit integers are scaled by their full range, as ComfyUI does. Other values are scaled by the
    usual range of their mode if all of them are within it; else the lowest becomes black and the
    highest white. NaN (a depth that was not measured) is black. A value that means "transparent"
    becomes an alpha channel. Decodes such a picture, and raises what Pillow raises.
    """
    if picture.mode != "F" and not picture.mode.startswith("I"):
        return picture
    picture.load()
    low, high = _find_range(picture)
    transparent = picture.info.get("transparency")
    grey = Image.new("L", picture.size)
    alpha: Image.Image | None = None
    # PNG names one grey value that is transparent.
    if isinstance(transparent, int):
        alpha = Image.new("L", picture.size, 255)
    for top, numbers in _walk_strips(picture):
        brightness = _scale(numbers, low, high)
        grey.paste(_paint(brightness), (0, top))
        if alpha is not None:
            opacity = (numbers != transparent) * 255.0
            alpha.paste(_paint(opacity), (0, top))
    reduced = grey
    if alpha is not None:
        reduced = Image.merge("LA", (grey, alpha))
    reduced.info = dict(picture.info)
    reduced.info.pop("transparency", None)
    return reduced


def _walk_strips(picture: Image.Image) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """Yield the values of some rows at a time, each with the number of its first row."""
    import numpy as np  # not at the top: a run in the terminal starts without it

    width, height = picture.size
    rows = max(1, STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        strip = picture.crop((0, top, width, bottom))
        yield top, np.asarray(strip).astype(np.float64)


def _find_range(picture: Image.Image) -> tuple[float, float]:
    """Find the values that become black and white."""
    import numpy as np

    if picture.mode.startswith("I;16"):
        return 0, 65_535
    low = math.inf
    high = -math.inf
    for _, numbers in _walk_strips(picture):
        finite = numbers[np.isfinite(numbers)]
        if finite.size:
            low = min(low, float(finite.min()))
            high = max(high, float(finite.max()))
    for top in USUAL_MAXIMA.get(picture.mode, ()):
        if low >= 0 and high <= top:
            return 0, top
    return low, high


def _scale(numbers: npt.NDArray[np.float64], low: float, high: float) -> npt.NDArray[np.float64]:
    """Scale values to 0 to 255."""
    import numpy as np

    span = high - low if high > low else 1.0
    if not math.isfinite(span):  # not a single number
        low = 0.0
        span = 1.0
    # Infinite values give NaN and warnings; below, NaN becomes black.
    with np.errstate(all="ignore"):
        scaled = (numbers - low) / span * 255
    finite = np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0)
    return np.clip(finite, 0, 255)


def _paint(numbers: npt.NDArray[Any]) -> Image.Image:
    """Make a grey picture from values of 0 to 255."""
    import numpy as np

    whole = np.rint(numbers).astype(np.uint8)
    return Image.fromarray(whole)
