"""How large files on the web are. Each is asked for on a thread of its own, and rarely."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import ExternalError
from comfygradio.net.external_client import ExternalClient, FetchLimits

SIZE_LIMITS = FetchLimits(size=0, seconds=5.0, redirects=5)
"""A HEAD request has no body."""

SIZE_THREADS = 4
"""How many files are asked for at the same time."""

KNOWN_SECONDS = 86_400.0
"""How long a size is kept: files of models hardly ever change."""

UNKNOWN_SECONDS = 600.0
"""How long a server that did not tell the size is not asked again."""

MAX_KEPT = 1000
"""Most addresses that are kept."""


@dataclass(frozen=True)
class _Kept:
    """What was found out about an address, and until when that counts."""

    size: int | None
    until: float


class FileSizes:
    """Asks for the sizes of files by HEAD requests, and keeps at most `max_kept`. Thread-safe."""

    def __init__(
        self,
        client: ExternalClient | None = None,
        clock: Clock = SYSTEM_CLOCK,
        max_kept: int = MAX_KEPT,
    ) -> None:
        self._client = client or ExternalClient(limits=SIZE_LIMITS)
        self._clock = clock
        self._max_kept = max_kept
        self._threads = ThreadPoolExecutor(SIZE_THREADS, "comfygradio-size")
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._pending: dict[str, Future[int | None]] = {}

    def get(self, url: str) -> int | None:
        """Return the size of a file if it is known already."""
        with self._lock:
            kept = self._find(url)
        return None if kept is None else kept.size

    def request(self, url: str) -> Future[int | None]:
        """Ask for the size of a file, unless that is known or asked for already. The future never
        raises: it has None if the size cannot be found out.
        """
        with self._lock:
            kept = self._find(url)
            if kept is not None:
                known: Future[int | None] = Future()
                known.set_result(kept.size)
                return known
            if url not in self._pending:
                self._pending[url] = self._threads.submit(self._measure, url)
            return self._pending[url]

    def close(self) -> None:
        """Ask for nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _find(self, url: str) -> _Kept | None:
        kept = self._kept.get(url)
        if kept is None or kept.until < self._clock.monotonic():
            return None
        return kept

    def _measure(self, url: str) -> int | None:
        size = None
        try:
            # A loop of its own, so that no other one waits for a slow server.
            size = asyncio.run(self._client.measure(url))
        except ExternalError:
            pass
        finally:
            self._keep(url, size)
        return size

    def _keep(self, url: str, size: int | None) -> None:
        seconds = UNKNOWN_SECONDS if size is None else KNOWN_SECONDS
        with self._lock:
            self._kept[url] = _Kept(size, self._clock.monotonic() + seconds)
            self._kept.move_to_end(url)
            while len(self._kept) > self._max_kept:
                self._kept.popitem(last=False)
            self._pending.pop(url, None)


def describe_size(size: int) -> str:
    """Write a number of bytes in the unit in which it has one to three digits before the point."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
