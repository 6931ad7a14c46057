"""Open pictures safely.

Only named formats are opened. Metadata and size are checked by the header before a pixel is
decoded, the pixels decoded at once are limited, and the result has 8 bits a channel.
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
"""Formats that people may upload. Only named formats are ever opened: for a PostScript file
disguised as a picture, Pillow would start Ghostscript. A Pillow built without AVIF opens none.
"""

SHOWN_FORMATS = FORMATS
"""Formats of results that are shown."""


class PictureTooLarge(Exception):
    """Raised if a picture has more pixels than are ever decoded. The text states its sides."""

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
    """Open a picture whose pixels may be decoded. Waits until the pixel budget has room.

    A picture with more than 8 bits of grey is decoded and scaled, see `reduce_depth`. Must not be
    nested, see `PixelBudget`. Raises PictureTooLarge, MetadataTooLarge, OSError (including
    UnidentifiedImageError) and other errors that Pillow raises for broken files.
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
    """Open a picture as `open_picture` does, if the caller has reserved its pixels and checked its
    size.

    Raises what `inspect_picture` raises.
    """
    with inspect_picture(source, formats) as picture:
        yield reduce_depth(picture)


@contextmanager
def inspect_picture(
    source: Path | BinaryIO, formats: Sequence[str] = FORMATS
) -> Iterator[Image.Image]:
    """Open a picture and read only its header: its size, format and metadata.

    Raises what `open_picture` raises, except PictureTooLarge.
    """
    # Pillow would decompress 64 MiB of texts from one file.
    PngImagePlugin.MAX_TEXT_MEMORY = MAX_METADATA_BYTES
    if isinstance(source, Path):
        with source.open("rb") as file, inspect_picture(file, formats) as picture:
            yield picture
        return
    check_metadata_size(source)
    with _without_warnings():
        picture = Image.open(source, formats=tuple(formats))
    with picture:
        # Pillow also finds EXIF where `check_metadata_size` does not look, as in AVIF.
        exif = picture.info.get("exif")
        if isinstance(exif, bytes):
            check_exif(exif)
        yield picture


@contextmanager
def reserve_pixels(pixels: int) -> Iterator[None]:
    """Reserve room for a picture that is decoded by other means, such as a video frame."""
    with PIXEL_BUDGET.reserve(pixels):
        yield


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Suppress Pillow's warnings about large pictures and odd headers, which are checked here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
