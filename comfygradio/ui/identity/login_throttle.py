"""Login throttling: the wait doubles with each failed attempt."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock

FORGET_SECONDS = 300.0
"""So long after the last failure one failure is forgotten, and another one each time after that."""

MAX_TRACKED = 20_000
"""Users and addresses that are remembered at most, of each kind; the oldest go first."""


@dataclass(frozen=True)
class Backoff:
    """After `free_failures` failures the first wait is a second; each further failure doubles it,
    up to `longest_seconds`.
    """

    free_failures: int
    longest_seconds: float

    def compute_wait(self, failures: int) -> float:
        """How long to wait after so many failures, in seconds."""
        if failures < self.free_failures:
            return 0.0
        doublings = min(failures - self.free_failures, 30)
        return min(self.longest_seconds, 2.0**doublings)


ADDRESS_BACKOFF = Backoff(free_failures=10, longest_seconds=900.0)
"""Many people may come from one address, and more than one of them may mistype."""

USER_BACKOFF = Backoff(free_failures=3, longest_seconds=60.0)
"""Anybody can fail under somebody else's name: nobody shall be locked out for long that way."""


@dataclass
class _Failures:
    count: int = 0
    last: float = 0.0
    until: float = 0.0
    """Before this moment nothing is tried."""


class LoginThrottle:
    """Counts failures by user and by network address. Thread-safe.

    An attempt counts as a failure as soon as it begins, so that many at once help nobody.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._users = _FailureCounter(USER_BACKOFF, clock)
        self._addresses = _FailureCounter(ADDRESS_BACKOFF, clock)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, user: str, address: str) -> float:
        """0 where the attempt may be made; else how many seconds to wait, and nothing is counted.

        Where a user has logged in before from this address, others' failures under that name do
        not count.
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
        """The attempt that was begun last was no failure.

        Other failures of the address stay: with a login of one's own one could else try another
        one's for ever.
        """
        with self._lock:
            self._addresses.take_back(address)
            self._users.forget(user)
            self._known[user, address] = None
            self._known.move_to_end((user, address))
            while len(self._known) > MAX_TRACKED:
                self._known.popitem(last=False)


class _FailureCounter:
    """Failures by name. Not thread-safe."""

    def __init__(self, patience: Backoff, clock: Clock) -> None:
        self._patience = patience
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
        forgotten = int((now - failures.last) / FORGET_SECONDS)
        failures.count = max(0, failures.count - forgotten) + 1
        failures.last = now
        failures.until = now + self._patience.compute_wait(failures.count)
        self._failures.move_to_end(name)
        while len(self._failures) > MAX_TRACKED:
            self._failures.popitem(last=False)

    def take_back(self, name: str) -> None:
        """Undo the last failure; the attempt succeeded."""
        failures = self._failures.get(name)
        if failures is None:
            return
        failures.count -= 1
        failures.until = 0.0
        if failures.count <= 0:
            del self._failures[name]

    def forget(self, name: str) -> None:
        self._failures.pop(name, None)
