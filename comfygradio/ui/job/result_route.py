"""Results on the page come by a route of ours; programs get them by Gradio's own.

Which types are shown and which are only for saving is decided by the middleware around the app.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

RESULT_PREFIX = "gradio_api/comfygradio/result/"
"""What the addresses of results begin with, relative to the app's root."""


def make_result_url(path: Path | None, outputs: Path) -> str:
    """The address of a saved file, relative to the app's root; it is sent byte for byte.

    It says where the file lies in the outputs folder, and nothing of where that is. "" for what
    lies elsewhere.
    """
    if path is None or not path.is_relative_to(outputs):
        return ""
    return RESULT_PREFIX + quote(path.relative_to(outputs).as_posix())


def make_result_route(outputs: Path, hidden: str) -> Route:
    """The route of results: files below the outputs folder, none of its folder named `hidden`."""
    outputs = outputs.resolve()

    def find(text: str) -> Path | None:
        try:
            path = (outputs / text).resolve()
            parts = path.relative_to(outputs).parts
            is_file = path.is_file()
        except (OSError, ValueError):  # too long, with a zero byte, or elsewhere
            return None
        # Some file systems take capital letters for the same.
        is_hidden = any(part.lower() == hidden for part in parts)
        return path if is_file and not is_hidden else None

    async def tell(request: Request) -> Response:
        path = await asyncio.to_thread(find, request.path_params["path"])
        if path is None:
            return PlainTextResponse("This result is no longer here.", 404)
        return FileResponse(
            path,
            filename=path.name,
            content_disposition_type="inline",
            headers={"cache-control": "private"},
        )

    handler: Callable[[Request], Awaitable[Response]] = tell
    return Route(f"/{RESULT_PREFIX}{{path:path}}", handler)
