"""A clock for queues that ask a faulty server again and again."""

from __future__ import annotations

import threading
import time

from comfygradio.clock import Clock

TICK_SECONDS = 0.02
"""What a pause really takes; long enough for others to get the processor."""


class SkippingClock(Clock):
    """The machine's time, but a pause of any length is over after a tick.

    A notification that comes before ends a wait as it does elsewhere. `time` is the machine's, so
    that the ledger holds what really happened when.
    """

    def __init__(self) -> None:
        self._skipped = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, TICK_SECONDS))
        self._skip(seconds)

    def wait(self, condition: threading.Condition, seconds: float | None) -> bool:
        if seconds is None:
            return condition.wait()
        is_notified = condition.wait(min(seconds, TICK_SECONDS))
        if not is_notified:
            self._skip(seconds)
        return is_notified

    def wait_event(self, event: threading.Event, seconds: float | None) -> bool:
        if seconds is None:
            return event.wait()
        is_set = event.wait(min(seconds, TICK_SECONDS))
        if not is_set:
            self._skip(seconds)
        return is_set

    def _skip(self, seconds: float) -> None:
        with self._lock:
            self._skipped += max(seconds - TICK_SECONDS, 0.0)
