"""Security headers of every answer, and the Content-Security-Policy of the page."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.ui.middleware.guarded_app import find_path, is_among

PAGES = ("/", "/login")
"""Routes that answer with a page, whose scripts may run."""

SPACE_FRAMES = ("https://huggingface.co", "https://hf.co")
"""Websites that show a Space in a frame."""

SPACE_NAME = ".hf.space"
"""The end of a Space's host name."""

SPACE_STATE = "https://huggingface.co/api/spaces/by-subdomain/{name}"
"""The address where Gradio's page, if it is a Space's, asks whether its Space is up."""

PAGE_POLICY = (
    "default-src 'self'; "
    # Gradio compiles the scripts of its HTML components and events from text.
    "script-src 'self' 'unsafe-eval' {scripts}; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:; connect-src {asked}; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-src 'self'"
)

NO_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"
"""The policy of HTML that is not a page of ours: nothing in it may run."""


class SafeHeaders:
    """Sets security headers on every answer, and a Content-Security-Policy on HTML.

    The headers tell browsers not to guess content types, not to send our address to other
    websites, and who may frame the page: the websites in `frames`. `asked` are the addresses
    elsewhere that the page may send requests to. `scripts` are the inline scripts that Gradio adds
    while it draws the page; they are allowed by their hash, those of Gradio's template by a nonce
    that is new in each answer.
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
        ancestors = ["frame-ancestors 'self'", *frames]
        sources = ["'self' data: blob:", *asked]
        self._ancestors = " ".join(ancestors)
        self._may_be_framed = bool(frames)
        self._is_shared = is_shared
        self._hashes = [make_script_hash(script) for script in scripts]
        self._sources = " ".join(sources)

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
        """Write the policy of a page whose scripts carry this nonce."""
        scripts = [f"'nonce-{nonce}'", *self._hashes]
        policy = PAGE_POLICY.format(
            scripts=" ".join(scripts),
            asked=self._sources,
        )
        return f"{policy}; {self._ancestors}"


class _Page:
    """Sends an answer with a nonce on each of its script tags.

    That is safe since Gradio escapes all values in its template: every tag in it is its own.
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
        script_tag = f'<script nonce="{nonce}"'.encode()
        body = b"".join(self._parts)
        body = body.replace(b"<script", script_tag)
        headers = MutableHeaders(scope=start)
        headers["content-security-policy"] = self._write_policy(nonce)
        if body:  # an answer to HEAD has none
            headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def list_space_states(names: Iterable[str]) -> list[str]:
    """List the addresses where the page asks for the state of its Space, one for each of the app's
    names that is a Space's.

    Each is a whole address: the page may ask that website nothing else.
    """
    addresses = []
    for name in sorted(names):
        if name.endswith(SPACE_NAME):
            space = name.removesuffix(SPACE_NAME)
            addresses.append(SPACE_STATE.format(name=space))
    return addresses


def make_script_hash(script: str) -> str:
    """Make the hash by which a policy allows an inline script."""
    digest = hashlib.sha256(script.encode()).digest()
    encoded = base64.b64encode(digest).decode()
    return f"'sha256-{encoded}'"
