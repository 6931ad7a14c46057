"""Cookies go along only with requests of our own pages."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAME_SITE = re.compile(r"(?i);\s*samesite=[a-z]*")
HTTP_ONLY = re.compile(r"(?i);\s*httponly\b")


class CookieGuard:
    """Makes every cookie `SameSite=Lax` and unreadable for scripts.

    Where other websites may frame the page (`is_framed`), a secure cookie has to go along with
    requests from their frames too. It is partitioned: each website has a login of its own in its
    frame, which browsers let in that refuse third-party cookies, and which no other website can
    use. Where scripts of other websites may call the app (`is_called`), they come with the login
    of their people, which is then not partitioned.
    """

    def __init__(self, app: ASGIApp, *, is_framed: bool = False, is_called: bool = False) -> None:
        self._app = app
        self._abroad = ""
        if is_called:
            self._abroad = "SameSite=None"
        elif is_framed:
            self._abroad = "SameSite=None; Partitioned"

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
        site = "SameSite=Lax"
        if self._abroad and is_secure:
            site = self._abroad
        return name, f"{cookie}; HttpOnly; {site}".encode("latin-1")
