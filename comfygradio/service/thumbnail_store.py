"""Keeps small pictures in a folder; those that were used longest ago make room for new ones."""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path

MAX_BYTES = 64_000_000
"""Most bytes that are kept; enough for about 10,000 pictures."""

KEPT_SHARE = 0.8
"""How much of the limit is left after room was made."""

SUFFIX = ".webp"


class ThumbnailStore:
    """A folder of pictures, each found by the texts that identify it. Thread-safe.

    A folder that cannot be written to keeps nothing.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._bytes: int | None = None
        """How many bytes are kept; None before the folder was looked at."""

    def get(self, *key: str) -> bytes | None:
        """Return a picture that is kept."""
        path = self._name(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        # This says when it was last used.
        with suppress(OSError):
            os.utime(path)
        return content or None

    def put(self, content: bytes, *key: str) -> None:
        """Keep a picture."""
        path = self._name(key)
        with self._lock, suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            kept = self._measure()
            written = path.with_suffix(".part")
            written.write_bytes(content)
            # Nobody reads half of a picture, also after a crash.
            written.replace(path)
            self._bytes = kept + len(content)
            if self._bytes > self._max_bytes:
                self._make_room()

    def _name(self, key: tuple[str, ...]) -> Path:
        text = "\0".join(key)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / f"{digest}{SUFFIX}"

    def _measure(self) -> int:
        if self._bytes is None:
            self._bytes = sum(size for _, size, _ in self._list())
        return self._bytes

    def _make_room(self) -> None:
        kept = sorted(self._list())
        left = sum(size for _, size, _ in kept)
        for _, size, path in kept:
            if left <= self._max_bytes * KEPT_SHARE:
                break
            path.unlink(missing_ok=True)
            left -= size
        self._bytes = left

    def _list(self) -> list[tuple[float, int, Path]]:
        """List when each picture was last used, its size, and its path."""
        found = []
        for path in self._folder.glob(f"*{SUFFIX}"):
            with suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        return found
