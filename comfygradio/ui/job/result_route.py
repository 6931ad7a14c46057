"""The route by which the page gets results; programs get them by Gradio's own.

The middleware around the app decides which types a browser shows and which it only saves.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from comfygradio.errors import ComfyGradioError
from comfygradio.ui.job.thumbnails import Thumbnails

RESULT_PREFIX = "gradio_api/comfygradio/result/"
"""The beginning of the addresses of results, relative to the app's root."""


GONE = "This result is no longer here."

CACHE_HEADERS = {"cache-control": "private"}


def make_result_url(path: Path | None, outputs: Path) -> str:
    """Make the address of a saved file, relative to the app's root.

    The address contains the file's place in the outputs folder, and does not reveal where that
    folder is. "" for a file elsewhere.
    """
    if path is None or not path.is_relative_to(outputs):
        return ""
    place = path.relative_to(outputs).as_posix()
    return RESULT_PREFIX + quote(place)


def make_result_route(outputs: Path, hidden: str, threads: Executor | None = None) -> Route:
    """Make the route that serves the files in the outputs folder, except those in a folder named
    `hidden`; with `small` in the query, a thumbnail of a picture.
    """
    outputs = outputs.resolve()
    thumbnails = Thumbnails()

    def find(text: str) -> Path | None:
        try:
            path = (outputs / text).resolve()
            parts = path.relative_to(outputs).parts
            is_file = path.is_file()
        except (OSError, ValueError):  # too long, with a zero byte, or outside of the folder
            return None
        # Some file systems ignore case.
        is_hidden = any(part.lower() == hidden for part in parts)
        if is_hidden or not is_file:
            return None
        return path

    async def shrink(path: Path) -> bytes | None:
        """Make a thumbnail; None if the file itself is to be sent."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(threads, thumbnails.get, path)
        except (OSError, ComfyGradioError):
            return None

    async def serve_result(request: Request) -> Response:
        path = await asyncio.to_thread(find, request.path_params["path"])
        if path is None:
            return PlainTextResponse(GONE, 404)
        if "small" in request.query_params:
            made = await shrink(path)
            if made:
                return Response(made, media_type="image/webp", headers=CACHE_HEADERS)
        return FileResponse(
            path,
            filename=path.name,
            content_disposition_type="inline",
            headers=CACHE_HEADERS,
        )

    return Route(f"/{RESULT_PREFIX}{{path:path}}", serve_result)
