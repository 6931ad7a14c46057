"""Writes the operator's title, description and icons into the head of the page."""

from __future__ import annotations

from collections.abc import Callable

from gradio.route_utils import get_root_url
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from comfygradio.ui.middleware.guarded_app import find_path
from comfygradio.ui.middleware.whole_page import WholePage

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

        def change(headers: MutableHeaders, body: bytes) -> bytes:
            if not body:
                return body
            address = get_root_url(Request(scope), "/", self._root_path or None)
            page = self._write_head(body.decode("utf-8"), address)
            return page.encode()

        page = WholePage(send, change)
        await self._app(scope, receive, page.send)
