"""The route that serves the page's scripts and styles, which browsers may keep for ever."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from comfygradio.ui.static import STATIC_PREFIX, list_static, name_version, read_static
from comfygradio.ui.static.comments import remove_comments

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript"}
"""Suffix → what a browser takes the file for. Templates are not served: only Python reads them."""

CACHE_HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "vary": "accept-encoding",
}
"""The files may be kept for ever, since their address changes with them."""

MIN_SAVING = 0.9
"""A file is compressed if less than this share of its bytes is left."""


@dataclass(frozen=True)
class _ServedFile:
    """The content of a file as it is sent."""

    media_type: str
    plain: bytes
    compressed: bytes | None


def make_static_route() -> Route:
    """Make the route; it reads and compresses the files now, and never again."""
    version = name_version()
    served: dict[str, _ServedFile] = {}
    for path in list_static():
        suffix = path[path.rindex(".") :]
        media_type = MEDIA_TYPES.get(suffix)
        if media_type:
            served[path] = _load(path, media_type)

    async def serve_static(request: Request) -> Response:
        parameters = request.path_params
        file = served.get(parameters["path"])
        if file is None or parameters["version"] != version:
            return PlainTextResponse("There is no such file.", 404)
        accepted = request.headers.get("accept-encoding", "")
        if file.compressed is not None and accepts_gzip(accepted):
            headers = {**CACHE_HEADERS, "content-encoding": "gzip"}
            return Response(file.compressed, headers=headers, media_type=file.media_type)
        return Response(file.plain, headers=CACHE_HEADERS, media_type=file.media_type)

    return Route(f"/{STATIC_PREFIX}{{version}}/{{path:path}}", serve_static)


def accepts_gzip(accepted: str) -> bool:
    """Return whether a browser with this `Accept-Encoding` takes gzip."""
    for coding in accepted.split(","):
        name, _, weight = coding.partition(";")
        if name.strip().lower() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _load(path: str, media_type: str) -> _ServedFile:
    text = read_static(path)
    if path.endswith(".js"):
        text = remove_comments(text)
    plain = text.encode()
    compressed: bytes | None = gzip.compress(plain, mtime=0)
    if compressed is not None and len(compressed) > len(plain) * MIN_SAVING:
        compressed = None
    return _ServedFile(media_type, plain, compressed)
