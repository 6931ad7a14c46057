"""Limits how many answers that stay open one network address may hold."""

from __future__ import annotations

from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from comfygradio.ui.identity.network_address import find_network
from comfygradio.ui.middleware.error_response import refuse
from comfygradio.ui.middleware.guarded_app import find_path, is_among

STREAMS = (
    "/gradio_api/heartbeat/*",
    "/gradio_api/queue/data",
    "/gradio_api/call/*",
    "/gradio_api/upload_progress",
    "/gradio_api/dev/reload",
)
"""Routes whose answers stay open as long as something goes on."""

MAX_OPEN_ANSWERS = 300
"""Most answers of one address that stay open. The address may be that of a class behind one
router, or of all people behind a proxy that is not trusted.
"""


class StreamGuard:
    """Answers 429 to a further stream of an address that holds MAX_OPEN_ANSWERS already."""

    def __init__(self, app: ASGIApp, limit: int = MAX_OPEN_ANSWERS) -> None:
        self._app = app
        self._limit = limit
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that its address holds too many streams."""
        if not _is_stream(scope):
            await self._app(scope, receive, send)
            return
        address = find_network(scope)
        if self._open[address] >= self._limit:
            await refuse(send, 429, "Too many pages are open at this address.", close=True)
            return
        self._open[address] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


def _is_stream(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return is_among(find_path(scope), STREAMS)
