"""How much a request may carry, and how long that may take.

Bodies are counted while they are read and passed on at once; nothing is kept here, nor of an
upload that is cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.ui.middleware.error_response import refuse_body
from comfygradio.ui.middleware.guarded_app import LoginCheck, find_path, is_among

MB = 2**20

SMALL_BYTES = MB
"""What a request may carry where nothing else is said, and always before a login."""

AUTHOR_BYTES = 9 * MB
"""A workflow of 8 MB that an author drops on the page, and the words around it."""

UPLOADS = ("/gradio_api/upload",)
"""Where pictures and other files come in; Gradio writes them to the disk as they come."""

CALLS = (
    "/gradio_api/queue/join",
    "/gradio_api/run/*",
    "/gradio_api/api/*",
    "/gradio_api/component_server",
)
"""How the page calls functions; values only, whose files went through the uploads before."""


@dataclass(frozen=True)
class BodyRules:
    """How long a body may take: no part of it later than `silence_seconds` after the one before,
    and after `grace_seconds` on average `bytes_per_second`.
    """

    upload_bytes: int
    has_authors: bool = False
    silence_seconds: float = 30.0
    grace_seconds: float = 30.0
    bytes_per_second: float = 4096.0

    def limit(self, path: str) -> int:
        """How many bytes a request to this path may carry."""
        if is_among(path, UPLOADS):
            return self.upload_bytes + SMALL_BYTES
        if self.has_authors and is_among(path, CALLS):
            return AUTHOR_BYTES
        return SMALL_BYTES


class BodyGuard:
    """Refuses bodies that are too large with 413, and those that come too slowly with 408."""

    def __init__(
        self,
        app: ASGIApp,
        rules: BodyRules,
        is_logged_in: LoginCheck,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._app = app
        self._rules = rules
        self._is_logged_in = is_logged_in
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, and end it where its body is too large or too slow."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = SMALL_BYTES
        if self._is_logged_in(scope):
            limit = self._rules.limit(find_path(scope))
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or len(declared) > 15 or int(declared) > limit:
            await refuse_body(receive, send, 413, describe_limit(limit))
            return
        body = _Body(receive, limit, self._rules, self._clock)
        answer = _Answer(send, lambda: body.refusal is not None)
        try:
            await self._app(scope, body.receive, answer.send)
        except Exception:
            if body.refusal is None:
                raise
        if body.refusal is not None and not answer.has_started:
            await refuse_body(receive, send, *body.refusal)


def describe_limit(limit: int) -> str:
    """What to tell who sent too much."""
    megabytes = max(limit // MB, 1)
    return f"This is too large: a request may carry {megabytes} MB here."


class _Body:
    """A body as it is read; `refusal` is what is wrong with it, and the app inside then sees a
    connection that was lost.
    """

    def __init__(self, receive: Receive, limit: int, rules: BodyRules, clock: Clock) -> None:
        self.refusal: tuple[int, str] | None = None
        self._receive = receive
        self._limit = limit
        self._rules = rules
        self._clock = clock
        self._since = clock.monotonic()
        self._bytes = 0
        self._is_whole = False

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()
        if self.refusal is not None:
            return {"type": "http.disconnect"}
        try:
            message = await asyncio.wait_for(self._receive(), self._rules.silence_seconds)
        except asyncio.TimeoutError:
            self.refusal = (408, "The request did not arrive in time.")
            return {"type": "http.disconnect"}
        if message["type"] != "http.request":
            return message
        self._bytes += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._bytes > self._limit:
            self.refusal = (413, describe_limit(self._limit))
        elif not self._is_whole and self._is_slow():
            self.refusal = (408, "The request did not arrive in time.")
        if self.refusal is not None:
            return {"type": "http.disconnect"}
        return message

    def _is_slow(self) -> bool:
        seconds = self._clock.monotonic() - self._since
        if seconds <= self._rules.grace_seconds:
            return False
        return self._bytes < seconds * self._rules.bytes_per_second


class _Answer:
    """What the app inside answers; dropped once its request was refused."""

    def __init__(self, send: Send, is_refused: Callable[[], bool]) -> None:
        self.has_started = False
        self._send = send
        self._is_refused = is_refused

    async def send(self, message: Message) -> None:
        if self._is_refused() and not self.has_started:
            return
        self.has_started = True
        await self._send(message)


class UploadGuard:
    """Makes Gradio remove what it has of an upload that ends early, which it would keep."""

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
