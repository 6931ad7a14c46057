"""Whose history a page may see: secrets that pages get when they enter, since their later calls
carry no identity.
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
"""Pages remembered at most; one that was forgotten enters again."""

IDLE_SECONDS = 12 * 3600.0
"""A secret that was not used for so long is forgotten."""

Json = dict[str, Any]


@dataclass
class _PageSession:
    """An open page: whose it is, the session that it was opened in, and when it was used."""

    owner: str
    session: str
    used: float


class PageSessions:
    """Access tokens of open history pages, in memory. Thread-safe.

    A token is of use in the session alone in which its page was opened ("" where nobody logs in):
    whoever logs out takes along what their pages may see and download.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._visits: OrderedDict[str, _PageSession] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, owner: str, session: str = "") -> str:
        """A new secret for a page of this person."""
        access = secrets.token_urlsafe(24)
        with self._lock:
            self._visits[access] = _PageSession(owner, session, self._clock.monotonic())
            while len(self._visits) > MAX_PAGES:
                self._visits.popitem(last=False)
        return access

    def find_owner(self, access: Any, session: str = "") -> str | None:
        """Whose page has this secret and was opened in this session, or None."""
        if not isinstance(access, str):
            return None
        now = self._clock.monotonic()
        with self._lock:
            visit = self._visits.get(access)
            if visit is None or visit.session != session:
                return None
            if now - visit.used > IDLE_SECONDS:
                del self._visits[access]
                return None
            visit.used = now
            self._visits.move_to_end(access)
            return visit.owner


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
    method: Callable[[str, Mapping[str, Any]], Json], page_sessions: PageSessions
) -> Callable[..., Any]:
    """A function for a page's script: it is called with [secret, {…}] and answers for the secret's
    person.
    """

    def answer(owner: str, asked: Mapping[str, Any], party: str) -> Json:
        return method(owner, asked)

    return make_submitting_function(answer, page_sessions, method.__name__)


def make_submitting_function(
    method: Callable[[str, Mapping[str, Any], str], Json], page_sessions: PageSessions, name: str
) -> Callable[..., Any]:
    """The same for what starts work: the method is told besides whom limits and turns count for."""

    def call(data: Any, request: gr.Request) -> Json:
        person = find_person(request)
        if not isinstance(data, list) or len(data) != 2:
            return {"left": True}
        access, asked = data
        owner = page_sessions.find_owner(access, person.session)
        if owner is None:
            return {"left": True}
        wishes = asked if isinstance(asked, Mapping) else {}
        try:
            return method(owner, wishes, person.party)
        except ComfyGradioError as error:
            return {"error": str(error)}

    call.__name__ = name
    return call
