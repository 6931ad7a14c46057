"""Headers that every answer carries, and the rules for what the page itself may load and run."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.ui.middleware.guarded_app import find_path, is_among

PAGES = ("/", "/login")
"""Where whole pages are answered, whose scripts may run."""

SPACE_FRAMES = ("https://huggingface.co", "https://hf.co")
"""The websites that show a Space in a frame."""

SPACE_NAME = ".hf.space"
"""How the names of Spaces end."""

SPACE_STATE = "https://huggingface.co/api/spaces/by-subdomain/{name}"
"""Gradio's page asks here whether its Space is up, wherever its own address is a Space's."""

PAGE_POLICY = (
    "default-src 'self'; "
    # Gradio makes functions of text: the scripts of its HTML components and of events.
    "script-src 'self' 'unsafe-eval' {scripts}; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:; connect-src {asked}; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-src 'self'"
)

NO_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"
"""For HTML that is no page of ours: nothing of it runs."""


class SafeHeaders:
    """Puts on every answer what tells a browser to guess no types, name no addresses, and where
    the page may be shown; on pages what they may load and run.

    `frames` are the websites that may show the page, `asked` the addresses elsewhere that it may
    ask. `scripts` are inline scripts that Gradio puts into the page when it draws it; they run by
    their hash, those of Gradio's template by a word that is new in each answer.
    """

    def __init__(
        self,
        app: ASGIApp,
        frames: Sequence[str] = (),
        scripts: Sequence[str] = (),
        asked: Sequence[str] = (),
        *,
        is_shared: bool = False,
    ) -> None:
        self._app = app
        self._ancestors = " ".join(["frame-ancestors 'self'", *frames])
        self._may_be_framed = bool(frames)
        self._is_shared = is_shared
        self._hashes = [make_script_hash(script) for script in scripts]
        self._asked = " ".join(["'self' data: blob:", *asked])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as the app inside does, with our headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if is_among(find_path(scope), PAGES):
            page = _Page(send, self._set, self._policy)
            await self._app(scope, receive, page.send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                self._set(headers)
                if headers.get("content-type", "").startswith("text/html"):
                    headers["content-security-policy"] = f"{NO_POLICY}; {self._ancestors}"
            await send(message)

        await self._app(scope, receive, answer)

    def _set(self, headers: MutableHeaders) -> None:
        headers["x-content-type-options"] = "nosniff"
        headers["referrer-policy"] = "same-origin"
        if not self._may_be_framed:
            headers["x-frame-options"] = "SAMEORIGIN"
        if not self._is_shared:
            headers["cross-origin-resource-policy"] = "same-origin"

    def _policy(self, nonce: str) -> str:
        scripts = " ".join([f"'nonce-{nonce}'", *self._hashes])
        policy = PAGE_POLICY.format(scripts=scripts, asked=self._asked)
        return f"{policy}; {self._ancestors}"


class _Page:
    """An answer whose scripts get the word of this answer before it goes out.

    Gradio escapes all values in its template: every tag in it is its own.
    """

    def __init__(
        self,
        send: Send,
        set_headers: Callable[[MutableHeaders], None],
        write_policy: Callable[[str], str],
    ) -> None:
        self._send = send
        self._set_headers = set_headers
        self._write_policy = write_policy
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Pass on a message; the head of a page waits until the page is whole."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            self._set_headers(headers)
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
        nonce = secrets.token_urlsafe(18)
        body = b"".join(self._parts)
        body = body.replace(b"<script", f'<script nonce="{nonce}"'.encode())
        headers = MutableHeaders(scope=start)
        headers["content-security-policy"] = self._write_policy(nonce)
        if body:  # an answer to HEAD has none
            headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def list_space_states(names: Iterable[str]) -> list[str]:
    """Where the page asks for the state of its Space, for each name of the app that is a Space's.

    Each is a whole address: the page may ask nothing else of that website.
    """
    spaces = [name.removesuffix(SPACE_NAME) for name in sorted(names) if name.endswith(SPACE_NAME)]
    return [SPACE_STATE.format(name=name) for name in spaces]


def make_script_hash(script: str) -> str:
    """How a policy names an inline script."""
    digest = hashlib.sha256(script.encode()).digest()
    encoded = base64.b64encode(digest).decode()
    return f"'sha256-{encoded}'"
