"""The middleware that says who somebody is: it puts the person into the scope of every request,
lets nobody in without a login where one is needed, and answers `/login` and `/logout`.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Callable, Sequence
from string import Template
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.ui.assets import read_asset
from comfygradio.ui.identity.auth_scheme import (
    AuthResult,
    AuthScheme,
    find_root,
    is_secure,
    name_cookie,
    read_cookie,
)
from comfygradio.ui.identity.authenticator import Authenticator
from comfygradio.ui.identity.network_address import Network, find_address, is_local
from comfygradio.ui.identity.person import KEY, Person, put_person

MAX_FORM_BYTES = 16_384
"""A name and a password are no longer."""

MAX_QUERY_LENGTH = 2_000
"""Characters of the address's query that are kept through a login."""

OPEN_ROUTES = ("/gradio_api/startup-events", "/gradio_api/app_id")
"""What is answered without a login: what Gradio asks itself before it says that it has started
(asked again, it does nothing), and what open pages ask after the app was away, to load themselves
anew.
"""

NOT_LOGGED_IN: dict[str, Any] = {"detail": {"error": "Not authenticated", "auth_message": None}}
"""As Gradio itself says it."""


class AccessControl:
    """Identifies whoever sends a request, and says whether they may use the app.

    Knows the ways in, of which the first that tells counts. Without a way everybody may come in.

    `proxies` are those whose word about the address of a person is taken.
    """

    def __init__(self, ways: Sequence[AuthScheme] = (), proxies: Sequence[Network] = ()) -> None:
        self._ways = tuple(ways)
        self._proxies = tuple(proxies)

    def identify(self, scope: Scope) -> Person:
        """Who sends a request; asked again, it says the same."""
        known = scope.get(KEY)
        if isinstance(known, Person):
            return known
        headers = HTTPConnection(scope).headers
        client = scope.get("client")
        peer = str(client[0]) if client else ""
        entry = self._find_entry(scope)
        person = Person(
            login=entry.login if entry else "",
            session=entry.session if entry else "",
            address=find_address(peer, headers, self._proxies),
            is_local=is_local(peer, headers),
        )
        put_person(scope, person)
        return person

    def admits(self, scope: Scope) -> bool:
        """Whether the person who sends a request may use the app: is logged in, or need not be."""
        if not self._ways:
            return True
        return bool(self.identify(scope).login)

    def find_quota_key(self, scope: Scope) -> str:
        """Whom the limits of a request count for."""
        return self.identify(scope).party

    def _find_entry(self, scope: Scope) -> AuthResult | None:
        """What the first way says that can tell who sends a request."""
        for way in self._ways:
            entry = way.authenticate(scope)
            if entry is not None:
                return entry
        return None


class IdentityMiddleware:
    """Middleware that finds out whose request it is; without `authenticator` nobody can log in."""

    def __init__(
        self, app: ASGIApp, gate: AccessControl, authenticator: Authenticator | None = None
    ) -> None:
        self._app = app
        self._gate = gate
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on with its person."""
        if scope["type"] == "websocket" and not self._gate.admits(scope):
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._gate.identify(scope)
        answer = await self._answer(scope, receive)
        if answer is None:
            await self._app(scope, receive, send)
        else:
            answer.headers.setdefault("cache-control", "no-store")
            await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response | None:
        """What is answered here; None for everything else."""
        route = find_route(scope)
        method = scope["method"]
        if route == "/logout":
            return self._log_out(scope)
        if route == "/login" and method == "POST":
            return await self._log_in(scope, receive)
        if self._gate.admits(scope):
            return _redirect_to_page(scope) if route == "/login" else None
        if route in ("/", "/login") and method in ("GET", "HEAD"):
            return make_login_response(scope, scope["query_string"].decode("latin-1"))
        if route in OPEN_ROUTES and method == "GET":
            return None
        return JSONResponse(NOT_LOGGED_IN, 401)

    async def _log_in(self, scope: Scope, receive: Receive) -> Response:
        form = await read_form(scope, receive)
        if form is None:
            return JSONResponse({"detail": "This is no name and no password."}, 413)
        if self._authenticator is None:
            return _redirect_to_page(scope)
        name = form.get("username", "")
        password = form.get("password", "")
        query = form.get("query", "")
        address = self._gate.identify(scope).address
        verdict = await self._authenticator.log_in(name, password, address)
        is_page = "text/html" in Headers(scope=scope).get("accept", "")
        if verdict.secret:
            self._authenticator.sessions.close(read_cookie(scope))
            welcome = _redirect_to_page(scope, query) if is_page else _make_success()
            return _set_cookie(welcome, scope, verdict.secret)
        status = 429 if verdict.wait_seconds else 401
        refused: Response = JSONResponse({"detail": verdict.message}, status)
        if is_page:
            refused = make_login_response(scope, query, verdict.message, name, status)
        if verdict.wait_seconds:
            refused.headers["retry-after"] = str(verdict.wait_seconds)
        return refused

    def _log_out(self, scope: Scope) -> Response:
        """End the session of the request. Other sessions of the same login go on."""
        if self._authenticator is not None:
            self._authenticator.sessions.close(read_cookie(scope))
        answer = _redirect_to_page(scope)
        answer.delete_cookie(name_cookie(scope), secure=is_secure(scope), httponly=True)
        return answer


def make_identity_middleware(
    gate: AccessControl, authenticator: Authenticator | None = None
) -> Callable[[ASGIApp], ASGIApp]:
    """The middleware, to be put around an app."""
    return lambda app: IdentityMiddleware(app, gate, authenticator)


def find_route(scope: Scope) -> str:
    """What a request asks for: its path without the one below which a proxy shows the app, and
    without a slash at its end.
    """
    path = str(scope["path"])
    root = find_root(scope)
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :]
    return path.rstrip("/") or "/"


def render_login(action: str, query: str, sentence: str = "", user: str = "") -> str:
    """The login page: plain HTML, no script.

    `action` is where its form goes, `query` the query of the address that was asked for,
    `sentence` what was wrong.
    """
    note = f'<p class="note" role="alert">{html.escape(sentence)}</p>' if sentence else ""
    return Template(read_asset("login.html")).substitute(
        style=read_asset("login.css"),
        action=html.escape(action),
        query=html.escape(clean_query(query)),
        note=note,
        user=html.escape(user),
        name_focus="" if user else " autofocus",
        password_focus=" autofocus" if user else "",
    )


def make_login_policy() -> str:
    """What the login page may do: have its own style, and send its form to where it came from."""
    css = read_asset("login.css").encode()
    digest = hashlib.sha256(css).digest()
    style = base64.b64encode(digest).decode()
    return f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'"


def clean_query(query: str) -> str:
    """A query with its names and values written anew, so that it can stand in any address."""
    if len(query) > MAX_QUERY_LENGTH:
        return ""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=100)
        return urlencode(pairs)
    except ValueError:
        return ""


def make_login_response(
    scope: Scope, query: str, sentence: str = "", user: str = "", status: int = 200
) -> Response:
    """The login page; 200 for somebody who only asks, since whoever watches over an app looks at
    that.
    """
    root = find_root(scope)
    action = f"{root}/login" if root else "login"
    page = render_login(action, query, sentence, user)
    return HTMLResponse(page, status, {"content-security-policy": make_login_policy()})


async def read_form(scope: Scope, receive: Receive) -> dict[str, str] | None:
    """The fields of a small form, as browsers and programs send it; None for what is none, or is
    too large to be one. That is read to its end and not kept, or nobody would hear the answer.
    """
    body = b""
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(part)
        if size <= MAX_FORM_BYTES:
            body += part
    if size > MAX_FORM_BYTES:
        return None
    kind, _, _ = Headers(scope=scope).get("content-type", "").partition(";")
    if kind.strip().lower() == "multipart/form-data":
        return await _read_parts(scope, body)
    try:
        text = body.decode("utf-8")
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return None
    return {name: values[-1] for name, values in fields.items()}


async def _read_parts(scope: Scope, body: bytes) -> dict[str, str] | None:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        async with Request(scope, receive).form(max_files=0, max_fields=20) as form:
            return {name: str(value) for name, value in form.items()}
    except (HTTPException, MultiPartException, ValueError):  # it is no multipart body
        return None


def _make_success() -> Response:
    """What programs wait for, as Gradio itself says it."""
    return JSONResponse({"success": True})


def _redirect_to_page(scope: Scope, query: str = "") -> Response:
    """To the page, which lies beside `/login` wherever a proxy shows it: so no name of a host,
    which anybody can invent, gets into the address.
    """
    target = "../" if str(scope["path"]).endswith("/") else "./"
    kept = clean_query(query)
    if kept:
        target += f"?{kept}"
    return RedirectResponse(target, 303)


def _set_cookie(answer: Response, scope: Scope, secret: str) -> Response:
    """Without an age, so that it goes with the browser; the server ends the session sooner."""
    answer.set_cookie(
        name_cookie(scope), secret, httponly=True, samesite="lax", secure=is_secure(scope)
    )
    return answer
