"""Opening pictures: the formats are named, what a file carries beside its pixels is measured, and
its size is looked up in its header, all before a pixel is decoded; only so many pixels are open at
once; and what is decoded has 8 bits a channel, however many its file has.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, PngImagePlugin

from comfygradio.media.bit_depth import reduce_depth
from comfygradio.media.metadata_limits import MAX_METADATA_BYTES, check_exif, check_metadata_size
from comfygradio.media.pixel_budget import MAX_PIXELS, PIXEL_BUDGET

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What people hand in. Only named formats are ever opened: for a PostScript file that calls itself
a picture, Pillow would start Ghostscript. A Pillow that was built without AVIF opens none.
"""

SHOWN_FORMATS = FORMATS
"""What a server may have made, and is shown."""


class PictureTooLarge(Exception):
    """A picture has more pixels than are ever decoded; the text names its sides."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(f"{width} × {height} pixels are too many")
        self.width = width
        self.height = height


@contextmanager
def open_picture(
    source: Path | BinaryIO,
    formats: Sequence[str] = FORMATS,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[Image.Image]:
    """A picture whose pixels may be decoded; waits until there is room for them.

    One of more than 8 bits of grey is decoded and scaled: see `reduce_depth`. Not to be nested: see
    `PixelBudget`. Raises PictureTooLarge, MetadataTooLarge, OSError (among them
    UnidentifiedImageError) and, since Pillow does for broken files, others.
    """
    with inspect_picture(source, formats) as picture:
        width, height = picture.size
        if width * height > max_pixels:
            raise PictureTooLarge(width, height)
        with PIXEL_BUDGET.reserve(width * height):
            yield reduce_depth(picture)


@contextmanager
def decode_picture(
    source: Path | BinaryIO, formats: Sequence[str] = FORMATS
) -> Iterator[Image.Image]:
    """What `open_picture` gives, for who has asked for the room already, and measured the picture.

    Raises what `inspect_picture` does.
    """
    with inspect_picture(source, formats) as picture:
        yield reduce_depth(picture)


@contextmanager
def inspect_picture(
    source: Path | BinaryIO, formats: Sequence[str] = FORMATS
) -> Iterator[Image.Image]:
    """A picture of which only the header is read: its size, its format and what it carries.

    Raises what `open_picture` does, but for PictureTooLarge.
    """
    PngImagePlugin.MAX_TEXT_MEMORY = MAX_METADATA_BYTES
    if isinstance(source, Path):
        with source.open("rb") as file, inspect_picture(file, formats) as picture:
            yield picture
        return
    check_metadata_size(source)
    with _without_warnings():
        picture = Image.open(source, formats=tuple(formats))
    with picture:
        exif = picture.info.get("exif")
        if isinstance(exif, bytes):
            check_exif(exif)
        yield picture


@contextmanager
def reserve_pixels(pixels: int) -> Iterator[None]:
    """Room for a picture that is decoded by other means, such as the frame of a video."""
    with PIXEL_BUDGET.reserve(pixels):
        yield


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Pillow warns of large pictures and odd headers, which is what we look at ourselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
