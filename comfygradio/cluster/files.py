"""Files on their way through a worker, in a temporary folder that ends with it."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.cluster.codec import CHUNK_BYTES
from comfygradio.cluster.intervals import DEFAULT_INTERVALS, Intervals
from comfygradio.errors import NotFound


class TransferFiles:
    """Files by tickets, which nobody can guess. Thread-safe."""

    def __init__(
        self, intervals: Intervals = DEFAULT_INTERVALS, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._intervals = intervals
        self._clock = clock
        self._folder = TemporaryDirectory(prefix="comfygradio-worker-", ignore_cleanup_errors=True)
        self._used: dict[str, float] = {}
        self._lock = threading.Lock()

    def reserve(self) -> str:
        """A ticket for a file that will be."""
        self._sweep()
        ticket = uuid.uuid4().hex
        self._used[ticket] = self._clock.monotonic()
        return ticket

    def find(self, ticket: str) -> Path:
        """Where a file is or will be. Raises NotFound for an unknown ticket."""
        if ticket not in self._used:
            raise NotFound("The worker has this file no more; the job is started anew.")
        self._used[ticket] = self._clock.monotonic()
        return Path(self._folder.name) / ticket

    def put(self, ticket: str, data: bytes) -> str:
        """Add bytes to the end of a file; without a ticket a new one begins. Returns the ticket."""
        ticket = ticket or self.reserve()
        with self.find(ticket).open("ab") as file:
            file.write(data)
        return ticket

    def read(self, ticket: str, offset: int) -> bytes:
        """A piece of a file."""
        with self.find(ticket).open("rb") as file:
            file.seek(offset)
            return file.read(CHUNK_BYTES)

    def drop(self, ticket: str) -> None:
        """Delete a file; unknown: nothing."""
        if self._used.pop(ticket, None) is None:
            return
        path = Path(self._folder.name) / ticket
        path.unlink(missing_ok=True)

    def close(self) -> None:
        """Delete all of them."""
        self._folder.cleanup()

    def _sweep(self) -> None:
        oldest = self._clock.monotonic() - self._intervals.kept
        with self._lock:
            old = [ticket for ticket, used in list(self._used.items()) if used < oldest]
        for ticket in old:
            self.drop(ticket)
