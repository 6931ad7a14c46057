"""Thumbnails: pictures so small that a page can show dozens; made when they are requested."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from PIL import UnidentifiedImageError

from comfygradio.media.pictures import SHOWN_FORMATS, open_picture
from comfygradio.media.thumbnail import encode_thumbnail

THUMB_PIXELS = 360
"""Longest side of a thumbnail."""

SMALL_BYTES = 20_000
"""Files up to this size are sent as they are."""

MEMORY_BYTES = 48_000_000
"""Most bytes of thumbnails kept in memory; enough for about 4000."""


class Thumbnails:
    """Keeps the thumbnails used last, in memory. Thread-safe."""

    def __init__(self, limit_bytes: int = MEMORY_BYTES) -> None:
        self._limit = limit_bytes
        self._kept: OrderedDict[Path, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, path: Path) -> bytes | None:
        """Return the thumbnail of a picture as WebP; None if the file itself is to be sent.

        Raises OSError.
        """
        with self._lock:
            known = self._kept.get(path)
            if known is not None:
                self._kept.move_to_end(path)
                return known
        if path.stat().st_size <= SMALL_BYTES:
            return None
        made = make_thumbnail(path)
        if made is not None:
            self._keep(path, made)
        return made

    def _keep(self, path: Path, made: bytes) -> None:
        with self._lock:
            # Two threads may have made the same thumbnail.
            replaced = self._kept.pop(path, b"")
            self._bytes -= len(replaced)
            self._kept[path] = made
            self._bytes += len(made)
            while self._bytes > self._limit and self._kept:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest)


def make_thumbnail(path: Path, pixels: int = THUMB_PIXELS) -> bytes | None:
    """Encode a picture as WebP of at most so many pixels a side; None if it is animated or cannot
    be read.

    Raises OSError if the file is gone.
    """
    try:
        with open_picture(path, SHOWN_FORMATS) as picture:
            if getattr(picture, "is_animated", False):
                return None
            return encode_thumbnail(picture, pixels)
    except UnidentifiedImageError:
        return None
    except OSError:
        raise
    except Exception:  # Pillow raises SyntaxError and others for damaged files
        return None
