"""The reception: takes names and passwords, opens and closes sessions."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.ui.identity.attempts import Attempts
from comfygradio.ui.identity.passwords import MOST_NAME, MOST_PASSWORD
from comfygradio.ui.identity.sessions import Sessions
from comfygradio.ui.identity.users import Users

CHECKERS = 2
"""So many passwords are looked at at once, on threads of their own; each takes a core."""

MOST_WAITING = 20
"""So many attempts of one address may wait for each other; of all addresses ten times as many."""

WRONG = "This name or this password is not right."
BUSY = "Too many people are logging in at the moment; try again in a minute."


@dataclass(frozen=True)
class Verdict:
    """What came of an attempt: the secret of a session, or a sentence why not; `wait_seconds` says
    how long nothing else will come of it.
    """

    secret: str = ""
    sentence: str = ""
    wait_seconds: int = 0


class Reception:
    """Lets people in who know their password. Lives on the event loop that the app is served
    from.
    """

    def __init__(self, users: Users, sessions: Sessions, clock: Clock = SYSTEM_CLOCK) -> None:
        self.sessions = sessions
        self._users = users
        self._attempts = Attempts(clock)
        self._checkers = ThreadPoolExecutor(CHECKERS, "comfygradio-password")
        self._lines: dict[str, _Line] = {}
        self._waiting = 0

    async def log_in(self, name: str, password: str, address: str) -> Verdict:
        """Open a session for a user of this name and password.

        One attempt of an address after the other: at once they would all be free.
        """
        name = name.strip()
        if not name or len(name) > MOST_NAME or len(password) > MOST_PASSWORD:
            return Verdict(sentence=WRONG)
        is_busy = self._waiting >= 10 * MOST_WAITING
        if is_busy or self._count_waiting(address) >= MOST_WAITING:
            return Verdict(sentence=BUSY, wait_seconds=60)
        async with self._stand_in_line(address):
            wait = self._attempts.begin(name, address)
            if wait > 0:
                return Verdict(sentence=_say_wait(wait), wait_seconds=math.ceil(wait))
            loop = asyncio.get_running_loop()
            is_right = await loop.run_in_executor(self._checkers, self._users.check, name, password)
            if not is_right:
                return Verdict(sentence=WRONG)
            self._attempts.succeed(name, address)
            return Verdict(secret=self.sessions.open(name))

    def _count_waiting(self, address: str) -> int:
        line = self._lines.get(address)
        return line.length if line else 0

    @asynccontextmanager
    async def _stand_in_line(self, address: str) -> AsyncIterator[None]:
        line = self._lines.setdefault(address, _Line())
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


class _Line:
    """Attempts of one address, one at a time."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.length = 0


def _say_wait(seconds: float) -> str:
    whole = math.ceil(seconds)
    if whole == 1:
        time = "1 second"
    elif whole < 120:
        time = f"{whole} seconds"
    else:
        time = f"{math.ceil(whole / 60)} minutes"
    return f"Too many attempts were wrong; try again in {time}."
