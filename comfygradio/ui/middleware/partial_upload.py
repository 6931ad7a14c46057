"""Removes partial uploads, which Gradio would keep."""

from __future__ import annotations

from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.ui.middleware.body_limit import UPLOADS
from comfygradio.ui.middleware.request_path import find_path, is_among


class UploadGuard:
    """Makes Gradio remove what it has of an upload that ends early."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on; the end of an upload that ends early as an error."""
        if scope["type"] != "http" or not is_among(find_path(scope), UPLOADS):
            await self._app(scope, receive, send)
            return
        is_whole = False

        async def take() -> Message:
            nonlocal is_whole
            message = await receive()
            if message["type"] == "http.request":
                is_whole = not message.get("more_body", False)
            elif not is_whole:
                # The only error at which Gradio's parser removes its files.
                raise MultiPartException("The upload was cut off.")
            return message

        await self._app(scope, take, send)
