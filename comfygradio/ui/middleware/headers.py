"""Security headers of every answer, and the Content-Security-Policy of the page."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable, Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.ui.middleware.guarded_app import find_path, is_among
from comfygradio.ui.middleware.whole_page import WholePage

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
        is_page = is_among(find_path(scope), PAGES)
        page = WholePage(send, self._change)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                self._set(headers)
                if headers.get("content-type", "").startswith("text/html"):
                    headers["content-security-policy"] = f"{NO_POLICY}; {self._ancestors}"
            if is_page:
                await page.send(message)
            else:
                await send(message)

        await self._app(scope, receive, answer)

    def _set(self, headers: MutableHeaders) -> None:
        headers["x-content-type-options"] = "nosniff"
        headers["referrer-policy"] = "same-origin"
        if not self._may_be_framed:
            headers["x-frame-options"] = "SAMEORIGIN"
        if not self._is_shared:
            headers["cross-origin-resource-policy"] = "same-origin"

    def _change(self, headers: MutableHeaders, body: bytes) -> bytes:
        """Write a nonce on each script tag of a page, and the policy that allows them.

        That is safe since Gradio escapes all values in its template: every tag in it is its own.
        """
        nonce = secrets.token_urlsafe(18)
        headers["content-security-policy"] = self._policy(nonce)
        script_tag = f'<script nonce="{nonce}"'.encode()
        return body.replace(b"<script", script_tag)

    def _policy(self, nonce: str) -> str:
        """Write the policy of a page whose scripts carry this nonce."""
        scripts = [f"'nonce-{nonce}'", *self._hashes]
        policy = PAGE_POLICY.format(
            scripts=" ".join(scripts),
            asked=self._sources,
        )
        return f"{policy}; {self._ancestors}"


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
