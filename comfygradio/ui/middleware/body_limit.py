"""Limits the size of a request's body, and the time it may take to arrive.

Bodies are counted while they are read, and passed on at once; nothing is stored here. What Gradio
stored of an upload is removed if the upload is cut off.
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
from comfygradio.units import MEGABYTE

SMALL_BYTES = MEGABYTE
"""Largest body by default, and of every request before a login."""

AUTHOR_BYTES = 9 * MEGABYTE
"""Largest body of a call if presets can be made here: a workflow of 8 MB and the text around it."""

UPLOADS = ("/gradio_api/upload",)
"""The route that takes files; Gradio writes them to the disk while they arrive."""

CALLS = (
    "/gradio_api/queue/join",
    "/gradio_api/run/*",
    "/gradio_api/api/*",
    "/gradio_api/component_server",
)
"""The routes by which the page calls functions; files were uploaded before."""

TOO_SLOW = "The request did not arrive in time."


@dataclass(frozen=True)
class BodyRules:
    """Limits for bodies. Each part has to follow the one before within `silence_seconds`; after
    `grace_seconds`, the average has to be at least `bytes_per_second`.
    """

    upload_bytes: int
    has_authors: bool = False
    silence_seconds: float = 30.0
    grace_seconds: float = 30.0
    bytes_per_second: float = 4096.0

    def limit(self, path: str) -> int:
        """Return how many bytes a request to this path may carry."""
        if is_among(path, UPLOADS):
            return self.upload_bytes + SMALL_BYTES
        if self.has_authors and is_among(path, CALLS):
            return AUTHOR_BYTES
        return SMALL_BYTES


class BodyGuard:
    """Answers 413 to bodies that are too large, and 408 to those that arrive too slowly."""

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
        """Pass a request on, and end it if its body is too large or too slow."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = SMALL_BYTES
        if self._is_logged_in(scope):
            limit = self._rules.limit(find_path(scope))
        declared = Headers(scope=scope).get("content-length", "0")
        # Python takes long to parse a number of very many digits, or refuses to.
        is_number = declared.isdecimal() and len(declared) <= 15
        if not is_number or int(declared) > limit:
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
    """Tell the sender of a body that is too large what the limit is."""
    megabytes = max(limit // MEGABYTE, 1)
    return f"This is too large: a request may carry {megabytes} MB here."


class _Body:
    """Reads a body within its limits.

    If it exceeds one, `refusal` holds the status and the message of the answer, and the app inside
    sees a lost connection.
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
            self.refusal = (408, TOO_SLOW)
            return {"type": "http.disconnect"}
        if message["type"] != "http.request":
            return message
        part = message.get("body", b"")
        self._bytes += len(part)
        self._is_whole = not message.get("more_body", False)
        if self._bytes > self._limit:
            self.refusal = (413, describe_limit(self._limit))
        elif not self._is_whole and self._is_slow():
            self.refusal = (408, TOO_SLOW)
        if self.refusal is not None:
            return {"type": "http.disconnect"}
        return message

    def _is_slow(self) -> bool:
        seconds = self._clock.monotonic() - self._since
        if seconds <= self._rules.grace_seconds:
            return False
        least_bytes = seconds * self._rules.bytes_per_second
        return self._bytes < least_bytes


class _Answer:
    """Passes on the answer of the app inside, unless its request was refused before it began."""

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
    """Makes Gradio remove its files of an upload that ends early, which it would keep."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; raise the error that Gradio expects if an upload ends early."""
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
                # Gradio's parser removes its files at no other error.
                raise MultiPartException("The upload was cut off.")
            return message

        await self._app(scope, take, send)
