"""Refuses requests by scripts of other websites, except of those that the settings name."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.ui.middleware.error_response import refuse
from comfygradio.ui.middleware.host import NETLOC_KEY
from comfygradio.ui.middleware.host_name import OwnNames

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""

FOREIGN_SITES = ("cross-site", "same-site")
"""Values of Sec-Fetch-Site for a request of another website, or of another port of this host."""

METHODS = "GET, HEAD, POST, OPTIONS"
MAX_AGE_SECONDS = "600"
"""How long a browser may cache what a preflight allowed."""


class OriginGuard:
    """Passes on requests of our own pages, of programs, and of the allowed websites.

    A browser sends the website whose script makes the request in `Origin`; programs send none.
    Gradio's own `Access-Control` headers, which allow everybody, are removed. If a website is
    allowed only by `*`, its requests are passed on without cookies.
    """

    def __init__(self, app: ASGIApp, names: OwnNames, allowed: tuple[str, ...] = ()) -> None:
        self._app = app
        self._names = names
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that its website may not use the page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origins = headers.getlist("origin")
        origin = origins[0] if origins else ""
        if len(origins) > 1 or self._is_foreign(scope, headers, origin):
            await refuse(send, 403, "Scripts of this website may not use the page.", close=True)
            return
        if not origin or self._names.is_own_origin(origin, scope[NETLOC_KEY]):
            await self._app(scope, receive, _answer(send, {}))
            return
        if "*" in self._allowed:
            permission = {"access-control-allow-origin": "*"}
            scope = _drop_cookies(scope)
        else:
            permission = {
                "access-control-allow-origin": origin,
                "vary": "Origin",
                "access-control-allow-credentials": "true",
            }
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _answer_preflight(send, permission, headers)
            return
        await self._app(scope, receive, _answer(send, permission))

    def _is_foreign(self, scope: Scope, headers: Headers, origin: str) -> bool:
        """Return whether a request comes from another website, which is not allowed."""
        if not origin:
            site = headers.get("sec-fetch-site", "")
            is_safe = scope["method"] in SAFE_METHODS
            return site in FOREIGN_SITES and not is_safe
        if self._names.is_own_origin(origin, scope[NETLOC_KEY]):
            return False
        if "*" in self._allowed:
            return False
        return origin.lower() not in self._allowed


def _drop_cookies(scope: Scope) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    return {**scope, "headers": headers}


def _answer(send: Send, permission: dict[str, str]) -> Send:
    """Replace the `Access-Control` headers of an answer."""

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            gradios = [name for name in headers if name.startswith("access-control-")]
            for name in gradios:
                del headers[name]
            headers.update(permission)
        await send(message)

    return answer


async def _answer_preflight(send: Send, permission: dict[str, str], asked: Headers) -> None:
    """Tell a browser, before it sends a request of an allowed website, that it may."""
    permitted = {
        **permission,
        "access-control-allow-methods": METHODS,
        "access-control-max-age": MAX_AGE_SECONDS,
    }
    if "access-control-request-headers" in asked:
        permitted["access-control-allow-headers"] = asked["access-control-request-headers"]
    headers = []
    for name, value in permitted.items():
        headers.append((name.encode(), value.encode("latin-1")))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
