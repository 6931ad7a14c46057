"""Watches the folders of presets, so that the page follows their files without a restart."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from comfygradio.clock import SYSTEM_CLOCK, Clock

log = logging.getLogger(__name__)

SUFFIXES = (".yaml", ".yml", ".json", ".txt")

Signature = dict[Path, tuple[int, int]]


class PresetWatcher:
    """Calls `on_change` from a thread of its own when preset files were added, changed or removed.

    A change is reported once the files were unchanged for two scans, so that half-written
    ones are not read.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        on_change: Callable[[], None],
        every_seconds: float = 1.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._folders = folders
        self._on_change = on_change
        self._every = every_seconds
        self._clock = clock
        self._stopped = threading.Event()
        self._reported = collect_signature(folders)
        self._thread = threading.Thread(target=self._watch, name="comfygradio-presets", daemon=True)

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching. May be called twice, and from the watcher's own thread."""
        self._stopped.set()
        # A thread cannot join itself.
        is_own_thread = self._thread is threading.current_thread()
        if self._thread.is_alive() and not is_own_thread:
            self._thread.join(timeout=5)

    def _watch(self) -> None:
        before = self._reported
        while not self._clock.wait_event(self._stopped, self._every):
            try:
                now = collect_signature(self._folders)
                is_settled = now == before
                if is_settled and now != self._reported:
                    self._reported = now
                    self._on_change()
                before = now
            except Exception:  # for example, a folder vanished during the scan
                log.exception("the presets could not be read again")


def collect_signature(folders: Sequence[Path]) -> Signature:
    """Map every preset, workflow and wildcard file below the folders to its modification time in
    nanoseconds and its size in bytes.
    """
    found: Signature = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.suffix not in SUFFIXES:
                continue
            try:
                status = path.stat()
            except OSError:  # it was removed meanwhile
                continue
            found[path] = (status.st_mtime_ns, status.st_size)
    return found
