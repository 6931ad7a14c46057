"""The middleware that identifies people: it puts the person into the scope of every request,
refuses those who have to log in first, and answers `/login` and `/logout`.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Callable, Sequence
from functools import partial
from string import Template
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.settings import DEFAULT_TITLE
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
"""Most bytes of the body of a login; a name and a password are never longer."""

MAX_QUERY_LENGTH = 2_900
"""Most characters of an address's query that are kept through a login."""

OPEN_ROUTES = (
    "/gradio_api/startup-events",
    "/gradio_api/app_id",
    "/manifest.json",
    "/favicon.ico",
)
"""Routes answered without a login: the one that Gradio itself calls before it reports that it has
started (called again, it does nothing), the one by which open pages notice that the app was
restarted, to reload themselves, and what browsers show of a page in a list.
"""

OPEN_ICONS = "/comfygradio/icon-"
"""How the routes of the page's icons begin, which need no login either."""

NOT_LOGGED_IN: dict[str, Any] = {"detail": {"error": "Not authenticated", "auth_message": None}}
"""The body of a 401, in Gradio's own words."""


class AccessControl:
    """Identifies the sender of a request, and decides whether they may use the app.

    The first of the `schemes` that recognises the sender counts. Without schemes everybody may use
    the app. The `X-Forwarded-For` header is believed if it comes from one of the `proxies`.
    """

    def __init__(self, schemes: Sequence[AuthScheme] = (), proxies: Sequence[Network] = ()) -> None:
        self._schemes = tuple(schemes)
        self._proxies = tuple(proxies)

    def identify(self, scope: Scope) -> Person:
        """Identify the sender of a request; the answer is kept in its scope."""
        known = scope.get(KEY)
        if isinstance(known, Person):
            return known
        headers = HTTPConnection(scope).headers
        client = scope.get("client")
        peer = str(client[0]) if client else ""
        result = self._authenticate(scope)
        person = Person(
            login=result.login if result else "",
            session=result.session if result else "",
            address=find_address(peer, headers, self._proxies),
            is_local=is_local(peer, headers),
        )
        put_person(scope, person)
        return person

    def admits(self, scope: Scope) -> bool:
        """Return whether the sender of a request may use the app: they are logged in, or nobody
        has to be.
        """
        if not self._schemes:
            return True
        person = self.identify(scope)
        return bool(person.login)

    def find_quota_key(self, scope: Scope) -> str:
        """Return the party that the limits of a request count for."""
        person = self.identify(scope)
        return person.party

    def _authenticate(self, scope: Scope) -> AuthResult | None:
        """Ask one scheme after the other who sends a request."""
        for scheme in self._schemes:
            result = scheme.authenticate(scope)
            if result is not None:
                return result
        return None


class IdentityMiddleware:
    """Identifies the person behind each request; without `authenticator` nobody can log in.
    `title` is that of the page.
    """

    def __init__(
        self,
        app: ASGIApp,
        access_control: AccessControl,
        authenticator: Authenticator | None = None,
        title: str = DEFAULT_TITLE,
    ) -> None:
        self._app = app
        self._title = title
        self._access_control = access_control
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on with its person."""
        if scope["type"] == "websocket" and not self._access_control.admits(scope):
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._access_control.identify(scope)
        answer = await self._answer(scope, receive)
        if answer is None:
            await self._app(scope, receive, send)
        else:
            answer.headers.setdefault("cache-control", "no-store")
            await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response | None:
        """Answer what is about logging in or out, or needs a login; return None for all else."""
        route = find_route(scope)
        method = scope["method"]
        if route == "/logout":
            # An address that another website names must not end anything.
            return self._log_out(scope) if method == "POST" else _redirect_to_page(scope)
        if route == "/login" and method == "POST":
            return await self._log_in(scope, receive)
        if self._access_control.admits(scope):
            return _redirect_to_page(scope) if route == "/login" else None
        if route in ("/", "/login") and method in ("GET", "HEAD"):
            query = scope["query_string"].decode("latin-1")
            return make_login_response(scope, query, title=self._title)
        is_open = route in OPEN_ROUTES or route.startswith(OPEN_ICONS)
        if is_open and method == "GET":
            return None
        return JSONResponse(NOT_LOGGED_IN, 401)

    async def _log_in(self, scope: Scope, receive: Receive) -> Response:
        form = await read_form(scope, receive)
        if form is None:
            return JSONResponse({"detail": "This is not a name and a password."}, 413)
        if self._authenticator is None:
            return _redirect_to_page(scope)
        name = form.get("username", "")
        password = form.get("password", "")
        query = form.get("query", "")
        person = self._access_control.identify(scope)
        result = await self._authenticator.log_in(name, password, person.address)
        # A browser gets pages, a program JSON.
        is_browser = "text/html" in Headers(scope=scope).get("accept", "")
        if result.secret:
            self._authenticator.sessions.close(read_cookie(scope))
            welcome = _redirect_to_page(scope, query) if is_browser else _make_success()
            return _set_cookie(welcome, scope, result.secret)
        status = 429 if result.wait_seconds else 401
        refused: Response = JSONResponse({"detail": result.message}, status)
        if is_browser:
            refused = make_login_response(
                scope, query, result.message, name, status, title=self._title
            )
        if result.wait_seconds:
            refused.headers["retry-after"] = str(result.wait_seconds)
        return refused

    def _log_out(self, scope: Scope) -> Response:
        """End the session of the request; other sessions of the same login go on."""
        if self._authenticator is not None:
            secret = read_cookie(scope)
            self._authenticator.sessions.close(secret)
        answer = _redirect_to_page(scope)
        answer.delete_cookie(name_cookie(scope), secure=is_secure(scope), httponly=True)
        return answer


def make_identity_middleware(
    access_control: AccessControl,
    authenticator: Authenticator | None = None,
    title: str = DEFAULT_TITLE,
) -> Callable[[ASGIApp], ASGIApp]:
    """Make a function that puts the middleware around an app."""
    return partial(
        IdentityMiddleware,
        access_control=access_control,
        authenticator=authenticator,
        title=title,
    )


def find_route(scope: Scope) -> str:
    """Find the path that a request asks for, without the root path of a proxy and without a
    trailing slash.
    """
    path = str(scope["path"])
    root = find_root(scope)
    if root:
        is_below_root = path == root or path.startswith(f"{root}/")
        if is_below_root:
            path = path[len(root) :]
    return path.rstrip("/") or "/"


def render_login(
    action: str, query: str, sentence: str = "", user: str = "", title: str = DEFAULT_TITLE
) -> str:
    """Render the login page: plain HTML, no script.

    The form is sent to `action`; `query` is that of the address that was asked for, and `sentence`
    says what was wrong with the last attempt.
    """
    note = f'<p class="note" role="alert">{html.escape(sentence)}</p>' if sentence else ""
    return Template(read_asset("login.html")).substitute(
        style=read_asset("login.css"),
        title=html.escape(title),
        action=html.escape(action),
        query=html.escape(clean_query(query)),
        note=note,
        user=html.escape(user),
        name_focus="" if user else " autofocus",
        password_focus=" autofocus" if user else "",
    )


def make_login_policy() -> str:
    """Make the Content-Security-Policy of the login page: its own style, and a form to this app."""
    css = read_asset("login.css").encode()
    digest = hashlib.sha256(css).digest()
    style = base64.b64encode(digest).decode()
    return f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'"


def clean_query(query: str) -> str:
    """Encode a query anew, so that it is safe in any address; "" if it cannot be parsed."""
    if len(query) > MAX_QUERY_LENGTH:
        return ""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=100)
        return urlencode(pairs)
    except ValueError:
        return ""


def make_login_response(
    scope: Scope,
    query: str,
    sentence: str = "",
    user: str = "",
    status: int = 200,
    title: str = DEFAULT_TITLE,
) -> Response:
    """Make the answer with the login page.

    The status is 200 by default, since health checks of an app look at that.
    """
    root = find_root(scope)
    action = f"{root}/login" if root else "login"
    page = render_login(action, query, sentence, user, title)
    headers = {"content-security-policy": make_login_policy()}
    return HTMLResponse(page, status, headers)


async def read_form(scope: Scope, receive: Receive) -> dict[str, str] | None:
    """Read the fields of a small form; None if the body is not a form, or too large for one.

    A body that is too large is still read to its end, and dropped: the sender looks at the answer
    only then.
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
    except (HTTPException, MultiPartException, ValueError):  # it is not a multipart body
        return None


def _make_success() -> Response:
    """Make the answer that programs expect, in Gradio's own words."""
    return JSONResponse({"success": True})


def _redirect_to_page(scope: Scope, query: str = "") -> Response:
    """Redirect to the page by a relative address: the host in a request may be invented."""
    target = "../" if str(scope["path"]).endswith("/") else "./"
    kept = clean_query(query)
    if kept:
        target += f"?{kept}"
    return RedirectResponse(target, 303)


def _set_cookie(answer: Response, scope: Scope, secret: str) -> Response:
    """Set the cookie of a session. It has no age, so the browser drops it when it is closed."""
    answer.set_cookie(
        name_cookie(scope), secret, httponly=True, samesite="lax", secure=is_secure(scope)
    )
    return answer
