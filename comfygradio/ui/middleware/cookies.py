"""Cookies go along only with requests of our own pages."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAME_SITE = re.compile(r"(?i);\s*samesite=[a-z]*")
HTTP_ONLY = re.compile(r"(?i);\s*httponly\b")


class CookieGuard:
    """Makes every cookie `SameSite=Lax` and unreadable for scripts.

    Where other websites may frame the page, a secure cookie has to go along with requests from
    their frames too.
    """

    def __init__(self, app: ASGIApp, *, is_framed: bool = False) -> None:
        self._app = app
        self._is_framed = is_framed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app inside does, with safe cookies."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", [])
                message["headers"] = [self._guard(name, value) for name, value in headers]
            await send(message)

        await self._app(scope, receive, answer)

    def _guard(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        if name.lower() != b"set-cookie":
            return name, value
        cookie = SAME_SITE.sub("", value.decode("latin-1"))
        cookie = HTTP_ONLY.sub("", cookie)
        is_secure = re.search(r"(?i);\s*secure\b", cookie) is not None
        site = "None" if self._is_framed and is_secure else "Lax"
        return name, f"{cookie}; HttpOnly; SameSite={site}".encode("latin-1")
