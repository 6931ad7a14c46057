"""Sessions of people who logged in, kept on the server; the browser has a random secret."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock

IDLE_SECONDS = 24 * 3600.0
"""A session that was not used for so long is over; a page that is open uses it."""

LIFE_SECONDS = 14 * 24 * 3600.0
"""After so long a session is over in any case."""

MAX_PER_LOGIN = 1_000
"""Sessions that one login has at most: programs log in again and again and never log out."""


@dataclass
class LoginSession:
    """A login of one browser or program; `id` is no secret, and is no other session's."""

    id: str
    login: str
    created: float
    used: float


class LoginSessions:
    """All sessions of an app, in memory: a restart ends them. Thread-safe."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._sessions: OrderedDict[str, LoginSession] = OrderedDict()
        """By the hash of the secret, those used last at the end."""
        self._lock = threading.Lock()

    def open(self, login: str) -> str:
        """Begin a session; returns its secret."""
        secret = secrets.token_urlsafe(32)
        key = _hash(secret)
        now = self._clock.monotonic()
        session = LoginSession(secrets.token_hex(8), login, created=now, used=now)
        with self._lock:
            self._drop_old(login, now)
            self._sessions[key] = session
        return secret

    def find(self, secret: str) -> LoginSession | None:
        """The session with this secret, which is then used; None for none, or one that is over."""
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
        """End a session; unknown: nothing."""
        with self._lock:
            self._sessions.pop(_hash(secret), None)

    def _drop_old(self, login: str, now: float) -> None:
        """Forget what is over, and of too many of one login those used longest ago."""
        over = [key for key, session in self._sessions.items() if _is_over(session, now)]
        for key in over:
            del self._sessions[key]
        mine = [key for key, session in self._sessions.items() if session.login == login]
        # One more is about to be opened.
        too_many = max(0, len(mine) - MAX_PER_LOGIN + 1)
        for key in mine[:too_many]:
            del self._sessions[key]


def _is_over(session: LoginSession, now: float) -> bool:
    if now - session.used > IDLE_SECONDS:
        return True
    return now - session.created > LIFE_SECONDS


def _hash(secret: str) -> str:
    data = secret.encode("utf-8", "replace")
    return hashlib.sha256(data).hexdigest()
