"""Locate a prompt over HTTP: in the history, in the queue, or in neither."""

from __future__ import annotations

from typing import NamedTuple

from comfygradio.comfy.endpoints import Endpoints
from comfygradio.comfy.http_responses import HistoryEntry
from comfygradio.errors import ServerError

ID_KEY = "comfygradio_id"
"""Key in extra_data that holds the id we asked for, for servers that choose another one."""
KEEPS_PROMPT_IDS_SINCE = (0, 3, 45)
"""Servers keep the prompt_id that they are given since this version."""
MAX_HISTORY = 1000
"""Number of history entries searched for our id."""


class PromptLocation(NamedTuple):
    """Where the server has a prompt: in its history, in its queue, nowhere, or unknown
    (`error`).
    """

    entry: HistoryEntry | None = None
    position: int | None = None
    """Number of prompts before it; 0 while it runs."""
    running: bool = False
    error: ServerError | None = None
    prompt_id: str = ""
    """The id that the server gave it; "" if it was not found."""
    client_id: str = ""
    """The client_id that receives its messages while it waits or runs; "" if there is none."""

    @property
    def absent(self) -> bool:
        """Whether it is neither in the queue nor in the history."""
        if self.error is not None:
            return False
        return not self.found

    @property
    def found(self) -> bool:
        """Whether it is queued, running or in the history."""
        return self.entry is not None or self.position is not None


def locate_by_id(endpoints: Endpoints, prompt_id: str) -> PromptLocation:
    """Look into the history, the queue, and the history again, since a prompt may move in between.

    Errors are returned, not raised.
    """
    try:
        return _locate(endpoints, prompt_id)
    except ServerError as error:
        return PromptLocation(error=error)


def locate_prompt(endpoints: Endpoints, prompt_id: str) -> PromptLocation:
    """Locate a prompt by the id we asked for, even if the server chose another one.

    Errors are returned, not raised.
    """
    location = locate_by_id(endpoints, prompt_id)
    if not location.absent:
        return location
    try:
        # An old server has the prompt under an id of its own; then its mark tells which one it is.
        version = endpoints.server_version()
        if version is not None and version >= KEEPS_PROMPT_IDS_SINCE:
            return location
        chosen = _find_marked_prompt(endpoints, prompt_id)
        if not chosen:
            return location
        return _locate(endpoints, chosen)
    except ServerError as error:
        return PromptLocation(error=error)


def _locate(endpoints: Endpoints, prompt_id: str) -> PromptLocation:
    entry = endpoints.history(prompt_id)
    if entry is not None:
        return PromptLocation(entry, prompt_id=prompt_id)
    queue = endpoints.queue()
    for item in (*queue.running, *queue.pending):
        if item.prompt_id == prompt_id:
            return PromptLocation(
                position=queue.position(prompt_id),
                running=queue.is_running(prompt_id),
                prompt_id=prompt_id,
                client_id=str(item.extra_data.get("client_id") or ""),
            )
    # It may have moved on between the first two requests.
    entry = endpoints.history(prompt_id)
    if entry is None:
        return PromptLocation()
    return PromptLocation(entry, prompt_id=prompt_id)


def _find_marked_prompt(endpoints: Endpoints, mark: str) -> str | None:
    """Find the server's id of the newest prompt with that mark."""
    # The queue comes first, since prompts move from there to the history.
    queue = endpoints.queue()
    for item in (*queue.pending, *queue.running):
        if item.extra_data.get(ID_KEY) == mark:
            return item.prompt_id
    history = endpoints.history(max_items=MAX_HISTORY)
    # The history lists the oldest entry first.
    for entry in reversed(history.values()):
        if entry.extra_data.get(ID_KEY) == mark:
            return entry.prompt_id
    return None
