"""The authenticator: checks names and passwords and opens login sessions."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.ui.identity.login_session import LoginSessions
from comfygradio.ui.identity.login_throttle import LoginThrottle
from comfygradio.ui.identity.password_hash import MAX_NAME_LENGTH, MAX_PASSWORD_LENGTH
from comfygradio.ui.identity.users import Users

CHECK_THREADS = 2
"""So many passwords are looked at at once, on threads of their own; each takes a core."""

MAX_WAITING = 20
"""So many attempts of one address may wait for each other; of all addresses ten times as many."""

WRONG = "This name or this password is not right."
BUSY = "Too many people are logging in at the moment; try again in a minute."


@dataclass(frozen=True)
class LoginResult:
    """What came of an attempt: the secret of a session, or a sentence why not; `wait_seconds` says
    how long nothing else will come of it.
    """

    secret: str = ""
    message: str = ""
    wait_seconds: int = 0


class Authenticator:
    """Lets people in who know their password. Lives on the event loop that the app is served
    from.
    """

    def __init__(self, users: Users, sessions: LoginSessions, clock: Clock = SYSTEM_CLOCK) -> None:
        self.sessions = sessions
        self._users = users
        self._attempts = LoginThrottle(clock)
        self._checkers = ThreadPoolExecutor(CHECK_THREADS, "comfygradio-password")
        self._lines: dict[str, _AddressQueue] = {}
        self._waiting = 0

    async def log_in(self, name: str, password: str, address: str) -> LoginResult:
        """Open a session for a user of this name and password.

        One attempt of an address after the other: at once they would all be free.
        """
        name = name.strip()
        if not name or len(name) > MAX_NAME_LENGTH or len(password) > MAX_PASSWORD_LENGTH:
            return LoginResult(message=WRONG)
        is_busy = self._waiting >= 10 * MAX_WAITING
        if is_busy or self._count_waiting(address) >= MAX_WAITING:
            return LoginResult(message=BUSY, wait_seconds=60)
        async with self._stand_in_line(address):
            wait = self._attempts.begin(name, address)
            if wait > 0:
                return LoginResult(message=_describe_wait(wait), wait_seconds=math.ceil(wait))
            loop = asyncio.get_running_loop()
            is_right = await loop.run_in_executor(self._checkers, self._users.check, name, password)
            if not is_right:
                return LoginResult(message=WRONG)
            self._attempts.record_success(name, address)
            return LoginResult(secret=self.sessions.open(name))

    def _count_waiting(self, address: str) -> int:
        line = self._lines.get(address)
        return line.length if line else 0

    @asynccontextmanager
    async def _stand_in_line(self, address: str) -> AsyncIterator[None]:
        line = self._lines.setdefault(address, _AddressQueue())
        line.length += 1
        self._waiting += 1
        try:
            async with line.turn:
                yield
        finally:
            line.length -= 1
            self._waiting -= 1
            if line.length == 0:
                del self._lines[address]


class _AddressQueue:
    """Attempts of one address, one at a time."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.length = 0


def _describe_wait(seconds: float) -> str:
    whole = math.ceil(seconds)
    if whole == 1:
        time = "1 second"
    elif whole < 120:
        time = f"{whole} seconds"
    else:
        time = f"{math.ceil(whole / 60)} minutes"
    return f"Too many attempts were wrong; try again in {time}."
