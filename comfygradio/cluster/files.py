"""Files that a worker passes on, in a temporary folder that is deleted with it."""

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
    """Files by tickets: random names that nobody can guess. Thread-safe."""

    def __init__(
        self, intervals: Intervals = DEFAULT_INTERVALS, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._intervals = intervals
        self._clock = clock
        self._folder = TemporaryDirectory(prefix="comfygradio-worker-", ignore_cleanup_errors=True)
        self._used: dict[str, float] = {}
        """Ticket → when it was used last."""
        self._lock = threading.Lock()

    def reserve(self) -> str:
        """Make a ticket for a file that is still to be written."""
        # There is no timer for this; every new file is an occasion.
        self._drop_unused()
        ticket = uuid.uuid4().hex
        self._used[ticket] = self._clock.monotonic()
        return ticket

    def find(self, ticket: str) -> Path:
        """The path of a file, written or not. Raises NotFound for an unknown ticket."""
        if ticket not in self._used:
            raise NotFound("The worker has this file no more; the job is started anew.")
        self._used[ticket] = self._clock.monotonic()
        return self._locate(ticket)

    def put(self, ticket: str, data: bytes) -> str:
        """Append bytes to a file, to a new one if the ticket is "". Returns the ticket."""
        if not ticket:
            ticket = self.reserve()
        path = self.find(ticket)
        with path.open("ab") as file:
            file.write(data)
        return ticket

    def read(self, ticket: str, offset: int) -> bytes:
        """Read at most `CHUNK_BYTES` of a file."""
        path = self.find(ticket)
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(CHUNK_BYTES)

    def drop(self, ticket: str) -> None:
        """Delete a file; unknown: nothing."""
        # Of several threads, only the one that gets the entry deletes the file.
        used = self._used.pop(ticket, None)
        if used is not None:
            path = self._locate(ticket)
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Delete all files."""
        self._folder.cleanup()

    def _locate(self, ticket: str) -> Path:
        return Path(self._folder.name) / ticket

    def _drop_unused(self) -> None:
        """Delete the files that nobody has used for a long time."""
        oldest = self._clock.monotonic() - self._intervals.kept
        with self._lock:
            used_at = list(self._used.items())
        for ticket, used in used_at:
            if used < oldest:
                self.drop(ticket)
