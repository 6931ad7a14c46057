"""Makes files safe to open: those that could contain a script are only offered for saving."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.ui.middleware.guarded_app import find_path, is_among

FILE_ROUTES = (
    "/gradio_api/file=*",
    "/gradio_api/file/*",
    "/gradio_api/stream/*",
    "/gradio_api/comfygradio/result/*",
    "/gradio_api/comfygradio/sweep/*",
)
"""Routes that serve files of others: of ComfyUI servers, and of people who upload."""

INLINE_TYPES = frozenset(
    {
        *("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"),
        *("image/apng", "image/x-ms-bmp"),
        *("video/mp4", "video/webm", "video/ogg", "video/quicktime", "video/mpeg"),
        *("video/x-matroska", "video/x-msvideo"),
        *("audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/flac", "audio/wav"),
        *("audio/x-wav", "audio/x-flac", "audio/x-m4a", "audio/webm", "audio/opus"),
        *("audio/x-matroska", "audio/aiff", "audio/x-aiff"),
    }
)
"""Types of pictures, videos and sounds, which contain no script that a browser would run."""

SANDBOX = "sandbox; default-src 'none'"

KEPT_HEADERS = frozenset(
    {
        *("content-type", "content-length", "content-range", "content-disposition"),
        *("accept-ranges", "etag", "last-modified", "cache-control", "connection"),
    }
)
"""The headers of an answer that are kept: Gradio's answer to a Range request repeats all headers
of the request, the cookie among them.
"""


class FileGuard:
    """Puts safe types and headers on answers that are files."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app inside does, and set safe headers if the answer is a file."""
        if scope["type"] != "http" or not is_among(find_path(scope), FILE_ROUTES):
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _make_safe(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, answer)


def _make_safe(headers: MutableHeaders) -> None:
    dropped = [name for name in headers if name not in KEPT_HEADERS]
    for name in dropped:
        del headers[name]
    headers["content-security-policy"] = SANDBOX
    content_type, _, _ = headers.get("content-type", "").partition(";")
    if content_type.strip().lower() in INLINE_TYPES:
        return
    headers["content-type"] = "application/octet-stream"
    # The file name after the semicolon is kept.
    disposition = headers.get("content-disposition", "")
    _, separator, name = disposition.partition(";")
    headers["content-disposition"] = f"attachment{separator}{name}"
