"""Page sessions: the secret that a page gets when it is opened, which says whose jobs its later
calls may see; these carry no other identity.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import JobStoreError

MAX_PAGES = 20_000
"""Most pages tracked; one that was dropped gets a new secret."""

IDLE_SECONDS = 12 * 3600.0
"""A secret is dropped when it was not used for this long."""

EXPIRED = "This page has expired; reload it and try again."


@dataclass
class _PageSession:
    """An open page: its owner, the login session it was opened in, and when it was last used."""

    owner: str
    session: str
    used: float


class PageSessions:
    """The secrets of open pages, in memory. Thread-safe.

    A secret is valid only in the login session in which its page was opened ("" if nobody logs
    in): after a logout, open pages see and download nothing any more.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._pages: OrderedDict[str, _PageSession] = OrderedDict()
        """By secret, the last used ones at the end."""
        self._lock = threading.Lock()

    def open(self, owner: str, session: str = "") -> str:
        """Make a new secret for a page of this owner."""
        access = secrets.token_urlsafe(24)
        with self._lock:
            self._pages[access] = _PageSession(owner, session, self._clock.monotonic())
            while len(self._pages) > MAX_PAGES:
                self._pages.popitem(last=False)
        return access

    def find_owner(self, access: Any, session: str = "") -> str | None:
        """Find the owner of the page with this secret; None if it was opened in another login
        session, or is not known.
        """
        if not isinstance(access, str):
            return None
        now = self._clock.monotonic()
        with self._lock:
            page = self._pages.get(access)
            if page is None or page.session != session:
                return None
            if now - page.used > IDLE_SECONDS:
                del self._pages[access]
                return None
            page.used = now
            self._pages.move_to_end(access)
            return page.owner

    def require_owner(self, access: Any, session: str = "") -> str:
        """Find the owner of the page with this secret. Raises JobStoreError if there is none."""
        owner = self.find_owner(access, session)
        if owner is None:
            raise JobStoreError(EXPIRED)
        return owner
