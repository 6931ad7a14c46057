"""How long things take on a demo server; a test may change that while the server runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

POLL_SECONDS = 0.05
"""How often a waiting node checks whether the speed has changed."""

Wait = Callable[[threading.Event, float], bool]
"""Waits until the event is set, at most for so many seconds."""


class NodeTiming:
    """Lets time pass for nodes: real time, or that of the `wait` that a test passes in."""

    def __init__(self, step_seconds: float, wait: Wait | None = None) -> None:
        self.step_seconds = step_seconds
        """How long a step of a sampler takes."""
        self.skips_waits = False
        """Whether nothing takes time any more."""
        self._wait = wait

    def wait(self, seconds: float, flag: threading.Event) -> None:
        """Wait for so long, at most until the flag is set or waits are skipped."""
        self._wait_for(lambda: seconds, flag)

    def wait_step(self, flag: threading.Event) -> None:
        """Wait for as long as a step takes, likewise."""
        self._wait_for(lambda: self.step_seconds, flag)

    def _wait_for(self, length: Callable[[], float], flag: threading.Event) -> None:
        if self._wait is not None:
            self._wait(flag, length())
            return
        began = time.monotonic()
        while not self.skips_waits and not flag.is_set():
            # The length is asked for anew each time, since it may change meanwhile.
            left = began + length() - time.monotonic()
            if left <= 0:
                return
            flag.wait(min(left, POLL_SECONDS))
