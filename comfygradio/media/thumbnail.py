"""Makes small copies of pictures, for pages that show dozens."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from comfygradio.media.pictures import SHOWN_FORMATS, open_picture


def encode_thumbnail(picture: Image.Image, pixels: int) -> bytes:
    """Encode a picture that is open as WebP, its longer side at most so long."""
    picture.draft("RGB", (pixels, pixels))
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    small = picture.convert(mode)
    small.thumbnail((pixels, pixels))
    encoded = BytesIO()
    small.save(encoded, "WEBP", quality=80, method=2)
    return encoded.getvalue()


def shrink_picture(content: bytes, pixels: int) -> bytes | None:
    """Make the thumbnail of a picture's bytes; None if they are no picture that can be shown."""
    try:
        with open_picture(BytesIO(content), SHOWN_FORMATS) as picture:
            return encode_thumbnail(picture, pixels)
    except Exception:  # Pillow raises SyntaxError and others for damaged files
        return None
