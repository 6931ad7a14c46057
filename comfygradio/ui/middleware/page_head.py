"""Writes the operator's title, description and icons into the head of the page."""

from __future__ import annotations

from collections.abc import Callable

from gradio.route_utils import get_root_url
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.ui.middleware.guarded_app import find_path

WriteHead = Callable[[str, str], str]
"""Writes into the HTML of a page that is found at an address."""


class PageHead:
    """Changes the HTML of the page, whose template is Gradio's and says so to other websites."""

    def __init__(self, app: ASGIApp, write_head: WriteHead, root_path: str = "") -> None:
        self._app = app
        self._write_head = write_head
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as the app inside does, the page itself with our head."""
        if scope["type"] != "http" or find_path(scope) != "/":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        parts: list[bytes] = []

        async def answer(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body", False):
                return
            body = b"".join(parts)
            if body:  # an answer to HEAD has none
                address = get_root_url(Request(scope), "/", self._root_path or None)
                page = self._write_head(body.decode("utf-8", "replace"), address)
                body = page.encode()
                MutableHeaders(scope=start)["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, answer)


def _is_page(message: Message) -> bool:
    headers = MutableHeaders(scope=message)
    return headers.get("content-type", "").startswith("text/html")
