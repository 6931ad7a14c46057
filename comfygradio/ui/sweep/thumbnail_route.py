"""The route of thumbnails: pictures of a sweep, so small that a page can show dozens; made when
they are requested.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import UnidentifiedImageError
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from comfygradio.errors import ComfyGradioError
from comfygradio.media.pictures import SHOWN_FORMATS, open_picture
from comfygradio.sweeps.cell_store import Cell
from comfygradio.sweeps.sweep import Sweep
from comfygradio.ui.identity.person import Person, find_person
from comfygradio.ui.sweep.sweep_text import find_index, list_sizes

THUMB_PATH = "/gradio_api/comfygradio/sweep/{token}/{place:int}/{number:int}/{mark}"

THUMB_PIXELS = 360
"""Longest side of a thumbnail."""

SMALL_BYTES = 20_000
"""Files up to this size are sent as they are."""

MEMORY_BYTES = 48_000_000
"""Most bytes of thumbnails kept in memory; enough for about 4000."""

CACHE_HEADERS = {"cache-control": "private, max-age=31536000, immutable"}
"""Thumbnails may be cached for ever, since the address changes with the picture."""


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


def make_thumbnail(path: Path) -> bytes | None:
    """Encode a picture as WebP of at most 360 pixels; None if it is animated or cannot be read.

    Raises OSError if the file is gone.
    """
    try:
        with open_picture(path, SHOWN_FORMATS) as picture:
            if getattr(picture, "is_animated", False):
                return None
            picture.draft("RGB", (THUMB_PIXELS, THUMB_PIXELS))
            mode = "RGBA" if picture.has_transparency_data else "RGB"
            small = picture.convert(mode)
            small.thumbnail((THUMB_PIXELS, THUMB_PIXELS))
            encoded = BytesIO()
            small.save(encoded, "WEBP", quality=80, method=2)
            return encoded.getvalue()
    except UnidentifiedImageError:
        return None
    except OSError:
        raise
    except Exception:  # Pillow raises SyntaxError and others for damaged files
        return None


def make_thumb_route(
    find_sweep: Callable[[str], Sweep | None], threads: Executor | None = None
) -> Route:
    """Make the route of THUMB_PATH, where `place` is the number of a cell, and `number` that of its
    result. Whoever knows the sweep's secret may see its pictures.
    """
    thumbs = Thumbnails()

    def find(parameters: Mapping[str, Any], person: Person) -> Path | None:
        sweep = find_sweep(parameters["token"])
        if sweep is None or not person.may_see(sweep.owner):
            return None
        index = find_index(parameters["place"], list_sizes(sweep))
        if index is None:
            return None
        cell = sweep.cells.get(index)
        if cell is None:
            return None
        return _find_picture(cell, parameters["number"])

    async def serve_thumbnail(request: Request) -> Response:
        made = None
        try:
            person = find_person(request)
            path = await asyncio.to_thread(find, request.path_params, person)
            if path:
                loop = asyncio.get_running_loop()
                made = await loop.run_in_executor(threads, thumbs.get, path)
        except (OSError, ComfyGradioError):
            path = None
        if path is None:
            return PlainTextResponse("This picture is no longer here.", 404)
        if made:
            return Response(made, media_type="image/webp", headers=CACHE_HEADERS)
        return FileResponse(path, headers=CACHE_HEADERS)

    return Route(THUMB_PATH, serve_thumbnail)


def _find_picture(cell: Cell, number: int) -> Path | None:
    if number >= len(cell.results):
        return None
    result = cell.results[number]
    if result.kind not in ("image", "preview"):
        return None
    return result.display or result.path
