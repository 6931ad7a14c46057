"""A clock that a test moves by hand, in place of `comfygradio.clock.Clock`."""

from __future__ import annotations

import asyncio
import threading

from comfygradio.clock import Clock

HANG_SECONDS = 60.0
"""What has not happened by then will not happen."""

PROCESS_SECONDS = 600.0
"""The same for a process of its own. On a machine under load, Gradio alone may take a minute to
import.
"""


class ManualClock(Clock):
    """Stands still until `advance`. Whoever waits on it, waits for a notification or for that.

    `await_waiters` tells a test that the code under test has come to rest.
    """

    def __init__(self, now: float = 1_000_000.0) -> None:
        self._now = now
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, threading.Condition]] = []

    def monotonic(self) -> float:
        return self._now

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake everybody whose time has come."""
        with self._changed:
            self._now += seconds
            due = [condition for deadline, condition in self._waiting if deadline <= self._now]
            # They no longer wait, though they may not have woken yet.
            self._waiting = [entry for entry in self._waiting if entry[0] > self._now]
        for condition in due:
            with condition:
                condition.notify_all()

    def await_waiters(self, count: int = 1) -> None:
        """Return as soon as so many threads wait on this clock with a limit."""
        with self._changed:
            is_there = self._changed.wait_for(lambda: len(self._waiting) >= count, HANG_SECONDS)
        assert is_there, f"{len(self._waiting)} of {count} threads wait"

    def sleep(self, seconds: float) -> None:
        never = threading.Condition()
        deadline = self._now + seconds
        with never:
            while self._now < deadline:
                self.wait(never, deadline - self._now)

    def wait(self, condition: threading.Condition, seconds: float | None) -> bool:
        if seconds is None:
            return condition.wait()
        entry = (self._now + seconds, condition)
        with self._changed:
            self._waiting.append(entry)
            self._changed.notify_all()
        try:
            # `advance` takes the lock of the condition, so it cannot notify before this waits.
            if self._now < entry[0]:
                condition.wait()
        finally:
            with self._changed:
                if entry in self._waiting:
                    self._waiting.remove(entry)
        return self._now < entry[0]

    def wait_event(self, event: threading.Event, seconds: float | None) -> bool:
        if seconds is None:
            return event.wait()
        # The lock inside of an event is the one that `Event.set` notifies.
        condition: threading.Condition = event._cond  # type: ignore[attr-defined]
        deadline = self._now + seconds
        with condition:
            while not event.is_set() and self._now < deadline:
                self.wait(condition, deadline - self._now)
        return event.is_set()

    async def wait_async(self, event: asyncio.Event, seconds: float | None) -> bool:
        if seconds is None:
            return await event.wait()
        loop = asyncio.get_running_loop()
        waiter = asyncio.ensure_future(event.wait())
        over = threading.Event()
        # Counted from now, not from when the thread gets to run.
        timer = loop.run_in_executor(None, self._wait_until, over, self._now + seconds)
        try:
            either: set[asyncio.Future[object]] = {waiter, timer}  # type: ignore[arg-type]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
            over.set()
        return event.is_set()

    def _wait_until(self, over: threading.Event, deadline: float) -> None:
        self.wait_event(over, deadline - self._now)


class ShiftedClock(Clock):
    """Real time, with an hour that tests may put forward."""

    ahead_seconds = 0.0

    def time(self) -> float:
        return super().time() + self.ahead_seconds
