"""Sends a page only when it is whole, so that it can be changed."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

ChangePage = Callable[[MutableHeaders, bytes], bytes]
"""Changes a page: gets its headers, which may be changed, and its HTML; returns the HTML. An answer
to HEAD has none.
"""


class WholePage:
    """Sends an answer; if it is HTML, as `change` makes it."""

    def __init__(self, send: Send, change: ChangePage) -> None:
        self._send = send
        self._change = change
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Pass on a message; the head of a page waits until the page is whole."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if headers.get("content-type", "").startswith("text/html"):
                self._start = message
                return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            await self._send_whole(self._start)

    async def _send_whole(self, start: Message) -> None:
        headers = MutableHeaders(scope=start)
        body = self._change(headers, b"".join(self._parts))
        if body:
            headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})
