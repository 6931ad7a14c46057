"""Empties the trash while the app runs: what has been there for a day is deleted for good."""

from __future__ import annotations

import threading
from contextlib import suppress

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import JobStoreError
from comfygradio.jobs.job_trash import JobTrash

EVERY_SECONDS = 600.0
"""Seconds between two looks."""


class TrashEmptier:
    """Looks into the trash at the start, and every ten minutes from then on, from a thread of its
    own.
    """

    def __init__(self, trash: JobTrash, clock: Clock = SYSTEM_CLOCK) -> None:
        self._trash = trash
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="comfygradio-trash", daemon=True)

    def start(self) -> None:
        """Start looking."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking. May be called twice, and without a start."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopped.is_set():
            # The store has logged what it raises; the next look tries again.
            with suppress(JobStoreError):
                self._trash.delete_old()
            self._clock.wait_event(self._stopped, EVERY_SECONDS)
