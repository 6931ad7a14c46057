"""Whose history a page may see: secrets that pages get when they enter, since their later calls carry no identity."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from typing import Any

PAGES = 20_000
"""Pages remembered at most; one that was forgotten enters again."""

IDLE_SECONDS = 12 * 3600.0
"""A secret that was not used for so long is forgotten."""


class Visitors:
    """Access tokens of open history pages, in memory. Thread-safe."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, owner: str) -> str:
        """A new secret for a page of this person."""
        access = secrets.token_urlsafe(24)
        with self._lock:
            self._owners[access] = (owner, time.monotonic())
            while len(self._owners) > PAGES:
                self._owners.popitem(last=False)
        return access

    def find(self, access: Any) -> str | None:
        """Whose page has this secret, or None."""
        now = time.monotonic()
        with self._lock:
            owner, used = self._owners.pop(access, ("", 0.0)) if isinstance(access, str) else ("", 0.0)
            if not owner or now - used > IDLE_SECONDS:
                return None
            self._owners[access] = (owner, now)
            return owner
