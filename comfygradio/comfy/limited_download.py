"""Downloads with limits, against servers that send too much, too slowly or without end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import DownloadStopped, ResultTooLarge, ServerUnreachable
from comfygradio.units import MEGABYTE

MAX_RESULT_MB = 4000.0
"""Maximum size of one file in megabytes, unless configured otherwise."""

CHECK_SECONDS = 0.25
"""Seconds between two checks of the limits while nothing arrives."""

READ_AHEAD = 4
"""Maximum number of chunks that are read before they are needed."""


@dataclass(frozen=True)
class DownloadLimits:
    """The limits of one download: megabytes, seconds in all, and the minimum average bytes per
    second once the first `grace_seconds` are over.
    """

    max_mb: float = MAX_RESULT_MB
    deadline_seconds: float = 3600.0
    min_rate: float = 10_000.0
    grace_seconds: float = 60.0


def never() -> bool:
    """Never stop."""
    return False


@dataclass(frozen=True)
class LimitedDownload:
    """Yields the chunks of a file until a limit is exceeded or `is_stopped` returns True."""

    limits: DownloadLimits = DownloadLimits()
    is_stopped: Callable[[], bool] = never
    clock: Clock = SYSTEM_CLOCK

    def limit(self, name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks, read on another thread so that a silent server can be abandoned at
        once.

        `name` is what errors call the file. Raises DownloadStopped, ResultTooLarge,
        ServerUnreachable if the server is too slow, and whatever reading a chunk raises.
        """
        pump = _Pump(pieces)
        began = self.clock.monotonic()
        had = 0
        try:
            while True:
                seconds = self.clock.monotonic() - began
                self._check(name, had, seconds)
                piece = pump.take()
                if piece is None:
                    return
                # An empty chunk only says that nothing came in
                # a while, so that the limits are checked again.
                if piece:
                    had += len(piece)
                    seconds = self.clock.monotonic() - began
                    self._check(name, had, seconds)
                    yield piece
        finally:
            pump.leave()

    def _check(self, name: str, had: int, seconds: float) -> None:
        if self.is_stopped():
            raise DownloadStopped(f"{name} was not fetched, since the job was stopped.")
        if had > self.limits.max_mb * MEGABYTE:
            raise ResultTooLarge(
                f"{name} is larger than {self.limits.max_mb:g} MB, which is the most that is "
                "fetched (--max-result-mb)."
            )
        # This is negative during the grace period, so that nothing is due.
        due = self.limits.min_rate * (seconds - self.limits.grace_seconds)
        if seconds > self.limits.deadline_seconds or had < due:
            raise ServerUnreachable(f"ComfyUI sends {name} far too slowly.")


class _Pump:
    """Reads an iterator on its own thread."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._read: queue.Queue[bytes | BaseException | None] = queue.Queue(READ_AHEAD)
        self._is_left = threading.Event()
        thread = threading.Thread(target=self._run, name="comfygradio-delivery", daemon=True)
        thread.start()

    def take(self) -> bytes | None:
        """Return the next chunk, b"" if there is none yet, or None at the end. Raises what reading
        raised.
        """
        try:
            found = self._read.get(timeout=CHECK_SECONDS)
        except queue.Empty:
            return b""
        if isinstance(found, BaseException):
            raise found
        return found

    def leave(self) -> None:
        """Stop reading. A read in progress ends with its own timeout."""
        self._is_left.set()

    def _run(self) -> None:
        end: BaseException | None = None
        try:
            for piece in self._pieces:
                if not self._put(piece):
                    return
        except BaseException as error:  # whoever takes the pieces must get it
            end = error
        finally:
            # A generator that is left unfinished holds its connection until it is closed.
            close = getattr(self._pieces, "close", None)
            if close is not None:
                # What reading raised matters more than an error of closing.
                with suppress(Exception):
                    close()
        self._put(end)

    def _put(self, piece: bytes | BaseException | None) -> bool:
        """Put a chunk into the queue. Returns False once nobody is waiting for it."""
        while not self._is_left.is_set():
            with suppress(queue.Full):
                self._read.put(piece, timeout=CHECK_SECONDS)
                return True
        return False
