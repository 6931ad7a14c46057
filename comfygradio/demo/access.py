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
    """Wraps the application; refuses, delays or spoils what the options name."""

    def __init__(self, app: ASGIApp, options: DemoOptions) -> None:
        self._app = app
        self._options = options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, _end_quietly(receive), send)
            return
        inner = self._strip_prefix(scope)
        refusal = empty(404) if inner is None else self._refuse(inner)
        if inner is None or refusal is not None:
            await answer(refusal or empty(404), scope, receive, send)
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
        headers = Headers(scope=scope)
        path = bare_path(scope["path"])
        if self._options.token is not None and not self._knows_token(scope, headers):
            return Response(status_code=401, headers={"www-authenticate": "Bearer"})
        if self._is_foreign(headers):
            return empty(403)
        if path in self._options.fail_on:
            return text("the demo server fails on purpose", self._options.fail_on[path])
        if scope.get("method") == "OPTIONS":
            return empty()
        if path in self._options.html_on:
            return Response(LOGIN_PAGE, media_type="text/html")
        return None

    def _knows_token(self, scope: Scope, headers: Headers) -> bool:
        token = self._options.token
        kind, _, value = headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            login = base64.b64decode(value).decode()
            _, _, value = login.partition(":")
        query = parse_qs(scope.get("query_string", b"").decode())
        in_query = query.get("token", [""])[0]
        return token in (value, in_query)

    def _is_foreign(self, headers: Headers) -> bool:
        """A page of another origin that talks to a local server."""
        if not self._options.can("origin_check"):
            return False
        if self._options.can("cross_site_check") and headers.get("sec-fetch-site") == "cross-site":
            return True
        host = headers.get("host")
        origin = headers.get("origin")
        if not host or not origin:
            return False
        return is_loopback(host) and not same_host(host, urlsplit(origin).netloc)

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
            while message.get("more_body"):
                message = await receive()
            raise BodyTooLarge(self._options.max_upload_size)

        return receive_within_limit


def bare_path(path: str) -> str:
    return path[4:] if path.startswith("/api/") else path


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
    return first.port is None or second.port is None or first.port == second.port


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
        await receive()
        await send({**start, "headers": response.raw_headers})
        await send({"type": "websocket.http.response.body", "body": response.body})
        return
    await response(scope, receive, send)
