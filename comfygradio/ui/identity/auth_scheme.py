"""Authentication schemes: how the sender of a request is identified.

Today that is a session, which a password opens. A token in a header, the name that a proxy puts
into one, or the sign-in of a Space are further ways: each is a class with the one method of
`AuthScheme`, and a place in the list that the access control is made with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import Scope

from comfygradio.ui.identity.login_session import LoginSessions


@dataclass(frozen=True)
class AuthResult:
    """Who came in: the name of the login, and what tells this login from others of that name."""

    login: str
    session: str


class AuthScheme(Protocol):
    """One way in."""

    def authenticate(self, scope: Scope) -> AuthResult | None:
        """Who sends a request, None where this way does not tell."""
        ...


class SessionScheme:
    """By the cookie of a session."""

    def __init__(self, sessions: LoginSessions) -> None:
        self._sessions = sessions

    def authenticate(self, scope: Scope) -> AuthResult | None:
        """Who logged in with the session whose cookie the request carries."""
        secret = read_cookie(scope)
        session = self._sessions.find(secret) if secret else None
        if session is None:
            return None
        return AuthResult(session.login, session.id)


def read_cookie(scope: Scope) -> str:
    """The secret of the session that a request names, "" for none."""
    cookies = HTTPConnection(scope).cookies
    return cookies.get(name_cookie(scope), "")


def name_cookie(scope: Scope) -> str:
    """The name of the session's cookie.

    Cookies are shared by all ports of a host: so the name holds the port that the browser sees, and
    the path where a proxy shows the app, lest two apps of one host log each other out.
    """
    host = HTTPConnection(scope).headers.get("host", "")
    try:
        port = urlsplit(f"//{host}").port
    except ValueError:
        port = None
    place = find_root(scope).strip("/").replace("/", "-")
    safe = "".join(character for character in place if character.isalnum() or character in "-_")
    name = "comfygradio"
    if port:
        name += f"-{port}"
    if safe:
        name += f"-{safe}"
    return name


def find_root(scope: Scope) -> str:
    """The path below which a proxy shows the app, without a slash at its end; "" for none."""
    root = str(scope.get("root_path") or "")
    return urlsplit(root).path.rstrip("/")


def is_secure(scope: Scope) -> bool:
    """Whether the browser asks over https.

    A proxy's word is taken whoever it is: who lies about it keeps the cookie from nobody else.
    """
    if scope.get("scheme") == "https":
        return True
    forwarded = HTTPConnection(scope).headers.get("x-forwarded-proto", "")
    first, _, _ = forwarded.partition(",")
    return first.strip() == "https"
