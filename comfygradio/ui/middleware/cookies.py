"""Makes browsers send our cookies along only with requests of our own pages."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAME_SITE = re.compile(r"(?i);\s*samesite=[a-z]*")
HTTP_ONLY = re.compile(r"(?i);\s*httponly\b")
SECURE = re.compile(r"(?i);\s*secure\b")


class CookieGuard:
    """Makes every cookie `SameSite=Lax` and unreadable for scripts.

    If other websites may frame the page (`is_framed`), a secure cookie is also sent from their
    frames. It is partitioned: in the frame of each website people log in anew, which no other
    website can use, and which works in browsers that refuse third-party cookies.

    If scripts of other websites may call the app (`is_called`), they call it with the login of
    whoever uses them. A secure cookie is then sent along, and is not partitioned.
    """

    def __init__(self, app: ASGIApp, *, is_framed: bool = False, is_called: bool = False) -> None:
        self._app = app
        self._cross_site = ""
        if is_called:
            self._cross_site = "SameSite=None"
        elif is_framed:
            self._cross_site = "SameSite=None; Partitioned"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app inside does, with safe cookies."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = []
                for name, value in message.get("headers", []):
                    if name.lower() == b"set-cookie":
                        value = self._guard(value)
                    headers.append((name, value))
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, answer)

    def _guard(self, value: bytes) -> bytes:
        """Rewrite the value of a Set-Cookie header."""
        cookie = SAME_SITE.sub("", value.decode("latin-1"))
        cookie = HTTP_ONLY.sub("", cookie)
        is_secure = SECURE.search(cookie) is not None
        same_site = "SameSite=Lax"
        if self._cross_site and is_secure:
            same_site = self._cross_site
        return f"{cookie}; HttpOnly; {same_site}".encode("latin-1")
