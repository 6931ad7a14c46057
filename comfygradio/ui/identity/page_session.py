"""Page sessions: the secret that a page gets when it is opened, which says whose jobs its later
calls may see; these carry no other identity.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import ComfyGradioError
from comfygradio.ui.identity.owner import find_owner
from comfygradio.ui.identity.person import find_person

MAX_PAGES = 20_000
"""Most pages tracked; one that was dropped gets a new secret."""

IDLE_SECONDS = 12 * 3600.0
"""A secret is dropped when it was not used for this long."""

Json = dict[str, Any]


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


def make_enter_function(
    page_sessions: PageSessions,
) -> Callable[[gr.Request, gr.EventData], Json]:
    """What a page calls when it is entered: it gets the secret of its later calls."""

    def enter(request: gr.Request, event: gr.EventData) -> Json:
        owner = find_owner(request, getattr(event, "person", None))
        session = find_person(request).session
        return {"access": page_sessions.open(owner, session)}

    return enter


def make_page_function(
    method: Callable[[str, Mapping[str, Any]], Json],
    page_sessions: PageSessions,
    name: str = "",
) -> Callable[..., Any]:
    """Make a function for a page's script, which calls it with [secret, {…}]; `method` gets the
    owner that the secret stands for.

    The script calls it by `name`, or by that of the method if that is "".
    """

    def answer(owner: str, asked: Mapping[str, Any], party: str) -> Json:
        return method(owner, asked)

    return make_submitting_function(answer, page_sessions, name or method.__name__)


def make_submitting_function(
    method: Callable[[str, Mapping[str, Any], str], Json], page_sessions: PageSessions, name: str
) -> Callable[..., Any]:
    """Make a page function that starts work: its method also gets the party that limits and turns
    count for.
    """

    def call(data: Any, request: gr.Request) -> Json:
        person = find_person(request)
        if not isinstance(data, list) or len(data) != 2:
            return {"left": True}
        access, asked = data
        owner = page_sessions.find_owner(access, person.session)
        if owner is None:
            return {"left": True}
        if not isinstance(asked, Mapping):
            asked = {}
        try:
            return method(owner, asked, person.party)
        except ComfyGradioError as error:
            return {"error": str(error)}

    call.__name__ = name
    return call
