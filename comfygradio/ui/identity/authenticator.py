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
"""How many passwords are checked at the same time; each check keeps one core busy."""

MAX_WAITING = 20
"""How many attempts from one address may wait; from all addresses together, ten times as many."""

WRONG = "This name or this password is not right."
BUSY = "Too many people are logging in at the moment; try again in a minute."


@dataclass(frozen=True)
class LoginResult:
    """The outcome of an attempt: the secret of a session, or a message that says why it failed.

    Further attempts are refused for `wait_seconds`.
    """

    secret: str = ""
    message: str = ""
    wait_seconds: int = 0


class Authenticator:
    """Logs in people who know their password. Not thread-safe: use it on the app's event loop."""

    def __init__(self, users: Users, sessions: LoginSessions, clock: Clock = SYSTEM_CLOCK) -> None:
        self.sessions = sessions
        self._users = users
        self._attempts = LoginThrottle(clock)
        self._checkers = ThreadPoolExecutor(CHECK_THREADS, "comfygradio-password")
        self._queues: dict[str, _AddressQueue] = {}
        self._waiting = 0

    async def log_in(self, name: str, password: str, address: str) -> LoginResult:
        """Open a session for the user with this name and password.

        The attempts of one address are checked one after the other: checked at the same time, all
        of them would be made before the first could count as a failure.
        """
        name = name.strip()
        if not name or len(name) > MAX_NAME_LENGTH or len(password) > MAX_PASSWORD_LENGTH:
            return LoginResult(message=WRONG)
        is_busy = self._waiting >= 10 * MAX_WAITING
        if is_busy or self._count_waiting(address) >= MAX_WAITING:
            return LoginResult(message=BUSY, wait_seconds=60)
        async with self._hold_turn(address):
            wait = self._attempts.begin(name, address)
            if wait > 0:
                message = _describe_wait(wait)
                return LoginResult(message=message, wait_seconds=math.ceil(wait))
            if not await self._check(name, password):
                return LoginResult(message=WRONG)
            self._attempts.record_success(name, address)
            secret = self.sessions.open(name)
            return LoginResult(secret=secret)

    async def _check(self, name: str, password: str) -> bool:
        """Check a password on a thread, since hashing takes long."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._checkers, self._users.check, name, password)

    def _count_waiting(self, address: str) -> int:
        queue = self._queues.get(address)
        return queue.length if queue else 0

    @asynccontextmanager
    async def _hold_turn(self, address: str) -> AsyncIterator[None]:
        """Wait for the turn of an attempt from this address, and hold it while the context is
        open.
        """
        queue = self._queues.setdefault(address, _AddressQueue())
        queue.length += 1
        self._waiting += 1
        try:
            async with queue.turn:
                yield
        finally:
            queue.length -= 1
            self._waiting -= 1
            if queue.length == 0:
                del self._queues[address]


class _AddressQueue:
    """The attempts from one address; whoever holds the lock `turn` is checked."""

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
