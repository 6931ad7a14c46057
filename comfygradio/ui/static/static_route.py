"""The route that serves the page's scripts, which browsers may keep for ever."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from comfygradio.ui.static import STATIC_PREFIX, name_version
from comfygradio.ui.static.bundle import bundle_chunks
from comfygradio.ui.static.entries import CHUNKS

CACHE_HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "vary": "accept-encoding",
}
"""The files may be kept for ever, since their address changes with them."""

MEDIA_TYPE = "text/javascript"


@dataclass(frozen=True)
class _ServedFile:
    """The content of a file as it is sent."""

    plain: bytes
    compressed: bytes


def make_static_route() -> Route:
    """Make the route; it reads and compresses the files now, and never again."""
    version = name_version()
    served = {name: _compress(text) for name, text in bundle_chunks(CHUNKS).items()}

    async def serve_static(request: Request) -> Response:
        parameters = request.path_params
        file = served.get(parameters["path"])
        if file is None or parameters["version"] != version:
            return PlainTextResponse("There is no such file.", 404)
        accepted = request.headers.get("accept-encoding", "")
        if accepts_gzip(accepted):
            headers = {**CACHE_HEADERS, "content-encoding": "gzip"}
            return Response(file.compressed, headers=headers, media_type=MEDIA_TYPE)
        return Response(file.plain, headers=CACHE_HEADERS, media_type=MEDIA_TYPE)

    return Route(f"/{STATIC_PREFIX}{{version}}/{{path:path}}", serve_static)


def accepts_gzip(accepted: str) -> bool:
    """Return whether a browser with this `Accept-Encoding` takes gzip."""
    for coding in accepted.split(","):
        name, _, weight = coding.partition(";")
        if name.strip().lower() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _compress(text: str) -> _ServedFile:
    plain = text.encode()
    return _ServedFile(plain, gzip.compress(plain, mtime=0))
