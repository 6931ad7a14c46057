"""The clock: code that waits or tells the time takes a `Clock`, so that tests need not wait."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


class Clock:
    """The machine's time. Tests pass one in that they move by hand."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary moment; never goes back."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Do nothing for so long."""
        time.sleep(seconds)

    def wait(self, condition: threading.Condition, seconds: float | None) -> bool:
        """Wait for a notification, with the lock of the condition held; None: for ever.

        Returns False if none came in time.
        """
        return condition.wait(seconds)

    def wait_event(self, event: threading.Event, seconds: float | None) -> bool:
        """Wait until an event is set; None: for ever. Returns whether it is set."""
        return event.wait(seconds)

    async def wait_async(self, event: asyncio.Event, seconds: float | None) -> bool:
        """Wait until an event is set; None: for ever. Returns whether it is set.

        Not `asyncio.wait_for`: before Python 3.12 it swallows a cancellation that comes together
        with the event.
        """
        # Commands wait in threads alone, and need not load asyncio.
        import asyncio

        # asyncio.wait leaves its tasks running, both when the time is over and when its caller is
        # cancelled.
        waiter = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({waiter}, timeout=seconds)
        finally:
            waiter.cancel()
        return event.is_set()


SYSTEM_CLOCK = Clock()
"""The default of everything that takes a clock; it has no state."""
