"""Where the nodes of a demo server wait in place of sleeping."""

from __future__ import annotations

import math
import threading

from tests.clocks import ManualClock

LONG_SECONDS = 1e6
"""Longer than any node sleeps."""


class Gate:
    """Open at first, so that sampler steps, sleeping nodes and start gaps take no time.

    `hold` and `release` do nothing to a real ComfyUI, so that a test may run there too.
    """

    def __init__(self) -> None:
        self._clock = ManualClock(math.inf)
        self._free = 0

    def hold(self, after: int = 0) -> None:
        """From now on every wait lasts, except one that lasts already and the next `after` ones."""
        held = self._clock
        self._free = after
        self._clock = ManualClock()
        held.advance(math.inf)

    def release(self) -> None:
        """Let everything go on."""
        self._clock.advance(math.inf)

    def await_held(self) -> None:
        """Return as soon as a node waits here."""
        self._clock.await_waiters()

    def step(self) -> None:
        """Let one wait end, as soon as it has begun."""
        self.await_held()
        self._clock.advance(LONG_SECONDS)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """For `DemoServer(wait=...)`, which waits for one thing at a time."""
        if self._free > 0:
            self._free -= 1
            return event.is_set()
        return self._clock.wait_event(event, seconds)
