"""Authentication schemes: how the sender of a request is identified.

Today that is a session, which a password opens. To add another scheme (a token in a header, a name
that a proxy puts into one, the sign-in of a Space), write a class with the one method of
`AuthScheme` and pass it to `AccessControl`.
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
    """The name of a login, and an id of the session, which differs between logins of one name."""

    login: str
    session: str


class AuthScheme(Protocol):
    """Identifies the sender of a request."""

    def authenticate(self, scope: Scope) -> AuthResult | None:
        """Identify the sender of a request; None if this scheme cannot."""
        ...


class SessionScheme:
    """Identifies the sender of a request by the cookie of a session."""

    def __init__(self, sessions: LoginSessions) -> None:
        self._sessions = sessions

    def authenticate(self, scope: Scope) -> AuthResult | None:
        """Find who logged in with the session whose cookie the request carries."""
        secret = read_cookie(scope)
        if not secret:
            return None
        session = self._sessions.find(secret)
        if session is None:
            return None
        return AuthResult(session.login, session.id)


def read_cookie(scope: Scope) -> str:
    """Read the secret of a session out of a request's cookies; "" if there is none."""
    cookies = HTTPConnection(scope).cookies
    return cookies.get(name_cookie(scope), "")


def name_cookie(scope: Scope) -> str:
    """Choose the name of the session's cookie.

    All ports of a host share their cookies. So the name contains the port that the browser sees,
    and the path at which a proxy serves the app: otherwise two apps on one host would log each
    other out.
    """
    host = HTTPConnection(scope).headers.get("host", "")
    try:
        port = urlsplit(f"//{host}").port
    except ValueError:
        port = None
    name = "comfygradio"
    if port:
        name += f"-{port}"
    root = find_root(scope).strip("/").replace("/", "-")
    safe_root = "".join(filter(_may_stand_in_name, root))
    if safe_root:
        name += f"-{safe_root}"
    return name


def _may_stand_in_name(character: str) -> bool:
    return character.isalnum() or character in "-_"


def find_root(scope: Scope) -> str:
    """Find the path at which a proxy serves the app, without a trailing slash; "" if none."""
    root = str(scope.get("root_path") or "")
    path = urlsplit(root).path
    return path.rstrip("/")


def is_secure(scope: Scope) -> bool:
    """Return whether the browser connects over https.

    Every proxy is believed here: one that lies only keeps the cookie from its own people.
    """
    if scope.get("scheme") == "https":
        return True
    forwarded = HTTPConnection(scope).headers.get("x-forwarded-proto", "")
    first, _, _ = forwarded.partition(",")
    return first.strip() == "https"
