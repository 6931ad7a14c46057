"""Sessions of people who logged in, kept on the server; the browser holds a random secret."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock

IDLE_SECONDS = 24 * 3600.0
"""A session ends when it was not used for this long; an open page uses it."""

LIFE_SECONDS = 14 * 24 * 3600.0
"""A session ends after this long in any case."""

MAX_PER_LOGIN = 1_000
"""Most sessions of one login: programs log in again and again and never log out."""


@dataclass
class LoginSession:
    """A login of one browser or program; `id` is unique and no secret."""

    id: str
    login: str
    created: float
    used: float


class LoginSessions:
    """All sessions of an app, in memory: a restart ends them. Thread-safe."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._sessions: OrderedDict[str, LoginSession] = OrderedDict()
        """By the hash of the secret, the last used ones at the end."""
        self._lock = threading.Lock()

    def open(self, login: str) -> str:
        """Begin a session; return its secret."""
        secret = secrets.token_urlsafe(32)
        key = _hash(secret)
        now = self._clock.monotonic()
        session = LoginSession(secrets.token_hex(8), login, created=now, used=now)
        with self._lock:
            self._drop_old(login, now)
            self._sessions[key] = session
        return secret

    def find(self, secret: str) -> LoginSession | None:
        """Find the session with this secret and note that it was used; None if it is over."""
        key = _hash(secret)
        now = self._clock.monotonic()
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return None
            if _is_over(session, now):
                del self._sessions[key]
                return None
            session.used = now
            self._sessions.move_to_end(key)
            return session

    def close(self, secret: str) -> None:
        """End the session with this secret, if there is one."""
        key = _hash(secret)
        with self._lock:
            self._sessions.pop(key, None)

    def _drop_old(self, login: str, now: float) -> None:
        """Drop the sessions that are over, and the least recently used ones of a login that has
        too many.
        """
        over = []
        of_login = []
        for key, session in self._sessions.items():
            if _is_over(session, now):
                over.append(key)
            elif session.login == login:
                of_login.append(key)
        # One more is about to be opened.
        excess = max(0, len(of_login) - MAX_PER_LOGIN + 1)
        for key in over + of_login[:excess]:
            del self._sessions[key]


def _is_over(session: LoginSession, now: float) -> bool:
    if now - session.used > IDLE_SECONDS:
        return True
    return now - session.created > LIFE_SECONDS


def _hash(secret: str) -> str:
    data = secret.encode("utf-8", "replace")
    return hashlib.sha256(data).hexdigest()
