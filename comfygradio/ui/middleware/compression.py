"""Compresses what makes the page: its HTML, settings and descriptions."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from comfygradio.ui.middleware.guarded_app import find_path, is_among
from comfygradio.ui.static.static_route import accepts_gzip

COMPRESSED = (
    "/",
    "/login",
    "/config",
    "/gradio_api/info",
    "/gradio_api/openapi.json",
    "/theme.css",
)
"""Routes whose answers are texts of a size that the app itself decides. Results are left alone:
pictures are compressed already, and a person could ask for the compression of gigabytes. Gradio
compresses its scripts and styles, and we our own.
"""

LEVEL = 5
"""zlib's level. It makes 37 kB of a page of 319 kB in 5 ms; level 9 makes 35 kB in 13 ms
(November 2026).
"""

MIN_BYTES = 1000
"""Shorter answers fit into one packet as they are."""


class Compression:
    """Compresses the answers of some routes for browsers that take gzip."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressing = GZipMiddleware(app, minimum_size=MIN_BYTES, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as the app inside does, compressed on the routes of `COMPRESSED`."""
        is_compressed = scope["type"] == "http" and is_among(find_path(scope), COMPRESSED)
        # Starlette would take `gzip;q=0`, which refuses it, for a browser that takes gzip.
        if is_compressed and accepts_gzip(Headers(scope=scope).get("accept-encoding", "")):
            await self._compressing(scope, receive, send)
        else:
            await self._app(scope, receive, send)
