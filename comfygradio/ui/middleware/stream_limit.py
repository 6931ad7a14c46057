"""How many answers that stay open one address may hold."""

from __future__ import annotations

import ipaddress
from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

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

MAX_STREAMS = 300
"""Held by one address at most: a class behind one router, or all people behind a proxy that is
not trusted.
"""


class StreamGuard:
    """Refuses the stream that would be one too many of an address, with 429."""

    def __init__(self, app: ASGIApp, limit: int = MAX_STREAMS) -> None:
        self._app = app
        self._limit = limit
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or answer that its address holds too many."""
        is_reading = scope["type"] == "http" and scope["method"] == "GET"
        if not is_reading or not is_among(find_path(scope), STREAMS):
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


def find_network(scope: Scope) -> str:
    """The address that a request comes from; of IPv6 the network that one household has."""
    client = scope.get("client")
    host = str(client[0]) if client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        network = ipaddress.ip_network((address, 64), strict=False)
        return str(network)
    return host
