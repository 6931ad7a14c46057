"""Scripts of other websites are refused, except of those that the settings name."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.ui.middleware.error_response import refuse
from comfygradio.ui.middleware.host import NETLOC_KEY
from comfygradio.ui.middleware.host_name import OwnNames

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""

FOREIGN_SITES = ("cross-site", "same-site")
"""What Sec-Fetch-Site says of a request that another website makes, or another port of ours."""

METHODS = "GET, HEAD, POST, OPTIONS"
MAX_AGE_SECONDS = "600"
"""How long a browser may remember what it was allowed."""


class OriginGuard:
    """Answers requests of our own pages, of programs, and of the websites that are allowed.

    A browser names the website whose script asks in `Origin`; programs do not. Gradio's own
    `Access-Control` headers, which let everybody in, are taken away. Whom `*` lets in, comes
    without cookies.
    """

    def __init__(self, app: ASGIApp, names: OwnNames, allowed: tuple[str, ...] = ()) -> None:
        self._app = app
        self._names = names
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or answer that its website is not known."""
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
        told = {"access-control-allow-origin": origin, "vary": "Origin"}
        if "*" in self._allowed:
            told = {"access-control-allow-origin": "*"}
            kept = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
            scope = {**scope, "headers": kept}
        else:
            told["access-control-allow-credentials"] = "true"
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _answer_preflight(send, told, headers)
            return
        await self._app(scope, receive, _answer(send, told))

    def _is_foreign(self, scope: Scope, headers: Headers, origin: str) -> bool:
        if not origin:
            site = headers.get("sec-fetch-site", "")
            return scope["method"] not in SAFE_METHODS and site in FOREIGN_SITES
        if self._names.is_own_origin(origin, scope[NETLOC_KEY]):
            return False
        return "*" not in self._allowed and origin.lower() not in self._allowed


def _answer(send: Send, told: dict[str, str]) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            gradios = [name for name in headers if name.startswith("access-control-")]
            for name in gradios:
                del headers[name]
            headers.update(told)
        await send(message)

    return answer


async def _answer_preflight(send: Send, told: dict[str, str], asked: Headers) -> None:
    permitted = {
        **told,
        "access-control-allow-methods": METHODS,
        "access-control-max-age": MAX_AGE_SECONDS,
    }
    if "access-control-request-headers" in asked:
        permitted["access-control-allow-headers"] = asked["access-control-request-headers"]
    headers = [(name.encode(), value.encode("latin-1")) for name, value in permitted.items()]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
