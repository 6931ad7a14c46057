"""Disconnect watch: stops a job once no page has watched it for a while."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from comfygradio.clock import SYSTEM_CLOCK, Clock

AWAY_SECONDS = 30.0
"""Grace period after the last page disconnected."""

HIDDEN_SECONDS = 90.0
"""Grace period for a background tab: browsers run its script only once a minute."""


class DisconnectWatch:
    """Calls `stop_job` with a job's token a while after the last page stopped watching the job.

    Ignores jobs that no page ever watched. Not thread-safe: use it on the event loop that serves
    the pages.
    """

    def __init__(
        self,
        stop_job: Callable[[str], None],
        away_seconds: float = AWAY_SECONDS,
        hidden_seconds: float = HIDDEN_SECONDS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._stop_job = stop_job
        self._away = away_seconds
        self._hidden = hidden_seconds
        self._watching: Counter[str] = Counter()
        self._clock = clock
        self._waits: dict[str, asyncio.Task[None]] = {}

    @contextmanager
    def watch(self, token: str) -> Iterator[None]:
        """Count a page as watching the job while the context is open."""
        self._watching[token] += 1
        self._forget(token)
        try:
            yield
        finally:
            self._watching[token] -= 1
            if self._watching[token] <= 0:
                del self._watching[token]
                self._wait(token, self._away)

    def touch(self, token: str, hidden: bool) -> None:
        """Note one poll by a page that has no stream."""
        if token in self._watching:
            return
        seconds = self._hidden if hidden else self._away
        self._wait(token, seconds)

    def _wait(self, token: str, seconds: float) -> None:
        self._forget(token)
        task = asyncio.ensure_future(self._stop_after(token, seconds))
        self._waits[token] = task

    async def _stop_after(self, token: str, seconds: float) -> None:
        # Waiting for this is a sleep by the clock, which tests move by hand.
        never_set = asyncio.Event()
        await self._clock.wait_async(never_set, seconds)
        del self._waits[token]
        self._stop_job(token)

    def _forget(self, token: str) -> None:
        waiting = self._waits.pop(token, None)
        if waiting is not None:
            waiting.cancel()
