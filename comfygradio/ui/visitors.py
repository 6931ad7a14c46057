"""Whose history a page may see: secrets that pages get when they enter, since their later calls
carry no identity.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import ComfyGradioError

PAGES = 20_000
"""Pages remembered at most; one that was forgotten enters again."""

IDLE_SECONDS = 12 * 3600.0
"""A secret that was not used for so long is forgotten."""


class Visitors:
    """Access tokens of open history pages, in memory. Thread-safe."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._owners: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, owner: str) -> str:
        """A new secret for a page of this person."""
        access = secrets.token_urlsafe(24)
        with self._lock:
            self._owners[access] = (owner, self._clock.monotonic())
            while len(self._owners) > PAGES:
                self._owners.popitem(last=False)
        return access

    def find(self, access: Any) -> str | None:
        """Whose page has this secret, or None."""
        now = self._clock.monotonic()
        with self._lock:
            owner, used = (
                self._owners.pop(access, ("", 0.0)) if isinstance(access, str) else ("", 0.0)
            )
            if not owner or now - used > IDLE_SECONDS:
                return None
            self._owners[access] = (owner, now)
            return owner


def publish(
    method: Callable[[str, Mapping[str, Any]], dict[str, Any]], visitors: Visitors
) -> Callable[[Any], Any]:
    """A function for a page's script: it is called with [secret, {…}] and answers for the secret's
    person.
    """

    def call(data: Any) -> dict[str, Any]:
        access, asked = data if isinstance(data, list) and len(data) == 2 else (None, None)
        owner = visitors.find(access)
        if owner is None:
            return {"left": True}
        try:
            return method(owner, asked if isinstance(asked, Mapping) else {})
        except ComfyGradioError as error:
            return {"error": str(error)}

    call.__name__ = method.__name__
    return call
