"""The outermost middleware: path prefix, tokens, origins, body limits and the faults of HTTP."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.demo.execution.options import DemoOptions
from comfygradio.demo.responses import BodyTooLarge, empty, text

LOGIN_PAGE = "<!doctype html><title>Sign in</title><h1>Please sign in</h1>"


class AccessMiddleware:
    """Wraps the application; refuses, delays or cuts off what the options name."""

    def __init__(self, app: ASGIApp, options: DemoOptions) -> None:
        self._app = app
        self._options = options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, _end_quietly(receive), send)
            return
        inner = self._strip_prefix(scope)
        if inner is None:
            await answer(empty(404), scope, receive, send)
            return
        refusal = self._refuse(inner)
        if refusal is not None:
            await answer(refusal, scope, receive, send)
            return
        await self._pass_on(inner, receive, send)

    def _strip_prefix(self, scope: Scope) -> Scope | None:
        prefix = self._options.path_prefix
        path = scope["path"]
        if not prefix:
            return scope
        if not path.startswith(prefix + "/"):
            return None
        return {**scope, "path": path.removeprefix(prefix), "raw_path": None}

    def _refuse(self, scope: Scope) -> Response | None:
        options = self._options
        headers = Headers(scope=scope)
        path = bare_path(scope["path"])
        if options.token is not None and not self._knows_token(scope, headers):
            return Response(status_code=401, headers={"www-authenticate": "Bearer"})
        if self._is_foreign(headers):
            return empty(403)
        if path in options.fail_on:
            return text("the demo server fails on purpose", options.fail_on[path])
        if scope.get("method") == "OPTIONS":
            return empty()
        if path in options.html_on:
            return Response(LOGIN_PAGE, media_type="text/html")
        return None

    def _knows_token(self, scope: Scope, headers: Headers) -> bool:
        token = self._options.token
        kind, _, value = headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            login = base64.b64decode(value).decode()
            _, _, value = login.partition(":")
        if value == token:
            return True
        query_string = scope.get("query_string", b"").decode()
        tokens = parse_qs(query_string).get("token", [""])
        return bool(tokens[0] == token)

    def _is_foreign(self, headers: Headers) -> bool:
        """A page of another origin that talks to a local server."""
        if not self._options.can("origin_check"):
            return False
        is_cross_site = headers.get("sec-fetch-site") == "cross-site"
        if is_cross_site and self._options.can("cross_site_check"):
            return True
        host = headers.get("host")
        origin = headers.get("origin")
        if not host or not origin or not is_loopback(host):
            return False
        return not same_host(host, urlsplit(origin).netloc)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = bare_path(scope["path"])
        await asyncio.sleep(self._options.slow_on.get(path, 0))
        if scope["type"] == "http" and path in self._options.cut_on:
            send = cutting(send)
        try:
            await self._app(scope, self._limited(scope, receive), send)
        except Exception:
            # The 500 is sent already; nothing is printed, as the server has no console.
            return

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        if scope["type"] != "http":
            return receive
        total = 0

        async def receive_within_limit() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total <= self._options.max_upload_size:
                return message
            # A client reads no answer before it has sent its whole body.
            while message.get("more_body"):
                message = await receive()
            raise BodyTooLarge(self._options.max_upload_size)

        return receive_within_limit


def bare_path(path: str) -> str:
    """The path without /api, below which all routes are served a second time."""
    if not path.startswith("/api/"):
        return path
    return path.removeprefix("/api")


def is_loopback(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def same_host(host: str, origin: str) -> bool:
    """Equal names; ports count only if both have one."""
    first = urlsplit(f"//{host}")
    second = urlsplit(f"//{origin}")
    if first.hostname != second.hostname:
        return False
    if first.port is None or second.port is None:
        return True
    return first.port == second.port


def cutting(send: Send) -> Send:
    """Sends half of the first body part and then breaks off."""

    async def send_half(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            half = body[: len(body) // 2]
            await send({**message, "body": half, "more_body": True})
            raise ConnectionAbortedError
        await send(message)

    return send_half


def _end_quietly(receive: Receive) -> Receive:
    """A server that dies cancels its lifespan; that is an end like any other."""

    async def receive_or_end() -> Message:
        try:
            return await receive()
        except asyncio.CancelledError:
            return {"type": "lifespan.shutdown"}

    return receive_or_end


async def answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends a response, also in place of a WebSocket's handshake."""
    if scope["type"] == "websocket":
        start = {"type": "websocket.http.response.start", "status": response.status_code}
        # ASGI sends the request for a connection first.
        await receive()
        await send({**start, "headers": response.raw_headers})
        await send({"type": "websocket.http.response.body", "body": response.body})
        return
    await response(scope, receive, send)
