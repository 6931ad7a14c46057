"""Login throttling: the wait doubles with each failed attempt."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock

FORGET_SECONDS = 300.0
"""One failure is forgotten for each such time that has passed since the last failure."""

MAX_TRACKED = 20_000
"""Most users tracked, and most addresses; the oldest are dropped first."""


@dataclass(frozen=True)
class Backoff:
    """The first wait, after `free_failures` failures, is a second; each further failure doubles it,
    up to `longest_seconds`.
    """

    free_failures: int
    longest_seconds: float

    def compute_wait(self, failures: int) -> float:
        """Compute the wait after this many failures, in seconds."""
        if failures < self.free_failures:
            return 0.0
        doublings = min(failures - self.free_failures, 30)
        return min(self.longest_seconds, 2.0**doublings)


ADDRESS_BACKOFF = Backoff(free_failures=10, longest_seconds=900.0)
"""Many people may come from one address, and more than one of them may mistype."""

USER_BACKOFF = Backoff(free_failures=3, longest_seconds=60.0)
"""Anybody can fail under somebody else's name: nobody should be locked out for long that way."""


@dataclass
class _Failures:
    count: int = 0
    last: float = 0.0
    until: float = 0.0
    """No attempt is allowed before this time."""


class LoginThrottle:
    """Counts failures by user and by network address. Thread-safe.

    An attempt counts as a failure as soon as it begins, so that it gains nothing to make many at
    once.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._users = _FailureCounter(USER_BACKOFF, clock)
        self._addresses = _FailureCounter(ADDRESS_BACKOFF, clock)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, user: str, address: str) -> float:
        """Count an attempt as a failure and return 0; or return the seconds to wait, and count
        nothing.

        Failures under a user's name do not hold up that user at an address where they have logged
        in before.
        """
        with self._lock:
            is_known = (user, address) in self._known
            wait = self._addresses.find_wait(address)
            if not is_known:
                wait = max(wait, self._users.find_wait(user))
            if wait > 0:
                return wait
            self._addresses.add(address)
            if not is_known:
                self._users.add(user)
            return 0.0

    def record_success(self, user: str, address: str) -> None:
        """Note that the last attempt was not a failure.

        Other failures of the address are kept: otherwise somebody with a login could guess another
        person's password for ever, and log in as themselves in between.
        """
        with self._lock:
            self._addresses.take_back(address)
            self._users.forget(user)
            self._known[user, address] = None
            self._known.move_to_end((user, address))
            while len(self._known) > MAX_TRACKED:
                self._known.popitem(last=False)


class _FailureCounter:
    """Counts failures by the name of a user or an address. Not thread-safe."""

    def __init__(self, backoff: Backoff, clock: Clock) -> None:
        self._backoff = backoff
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def find_wait(self, name: str) -> float:
        failures = self._failures.get(name)
        if failures is None:
            return 0.0
        return max(0.0, failures.until - self._clock.monotonic())

    def add(self, name: str) -> None:
        now = self._clock.monotonic()
        failures = self._failures.setdefault(name, _Failures(last=now))
        since_last = now - failures.last
        forgotten = int(since_last / FORGET_SECONDS)
        remembered = max(0, failures.count - forgotten)
        failures.count = remembered + 1
        failures.last = now
        failures.until = now + self._backoff.compute_wait(failures.count)
        self._failures.move_to_end(name)
        while len(self._failures) > MAX_TRACKED:
            self._failures.popitem(last=False)

    def take_back(self, name: str) -> None:
        """Uncount the last failure, since the attempt succeeded."""
        failures = self._failures.get(name)
        if failures is None:
            return
        failures.count -= 1
        failures.until = 0.0
        if failures.count <= 0:
            del self._failures[name]

    def forget(self, name: str) -> None:
        self._failures.pop(name, None)
