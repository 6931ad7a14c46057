"""Uploads that are cut off or no form of files: Gradio would keep what came, or fail."""

from __future__ import annotations

from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.ui.middleware.answers import refuse
from comfygradio.ui.middleware.bodies import UPLOADS
from comfygradio.ui.middleware.paths import find_path, is_among


class UploadGuard:
    """Makes Gradio remove what it has of an upload that ends early, and refuses forms that it
    cannot read.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on; an upload with what Gradio lacks."""
        if scope["type"] != "http" or not is_among(find_path(scope), UPLOADS):
            await self._app(scope, receive, send)
            return
        is_whole = has_failed = False

        async def take() -> Message:
            nonlocal is_whole
            message = await receive()
            if message["type"] == "http.request":
                is_whole = not message.get("more_body", False)
            elif not is_whole:
                # The only error at which Gradio's parser removes its files.
                raise MultiPartException("The upload was cut off.")
            return message

        async def answer(message: Message) -> None:
            nonlocal has_failed
            if message["type"] == "http.response.start" and message["status"] == 500:
                has_failed = True
            if not has_failed:
                await send(message)

        try:
            await self._app(scope, take, answer)
        except TypeError:
            # A part without a file's name is no file to Gradio.
            if not has_failed:
                raise
            await refuse(send, 400, "An upload is a form of files with names.", close=True)
