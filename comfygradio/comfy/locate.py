"""Locate a prompt over HTTP: in the history, in the queue, or in neither."""

from __future__ import annotations

from dataclasses import dataclass

from comfygradio.comfy.endpoints import Endpoints
from comfygradio.comfy.http_responses import HistoryEntry
from comfygradio.errors import ServerError

ID_KEY = "comfygradio_id"
"""Key in extra_data that holds the id we asked for, for servers that choose another one."""
CLIENT_IDS_SINCE = (0, 3, 45)
"""Since this version a server keeps the prompt_id that it is given."""
MAX_HISTORY = 1000
"""Number of history entries searched for our id."""


@dataclass(frozen=True)
class PromptLocation:
    """Where the server has a prompt: in its history, in its queue, nowhere, or unknown (error)."""

    entry: HistoryEntry | None = None
    position: int | None = None
    """Prompts ahead of it; 0 while it runs."""
    running: bool = False
    error: ServerError | None = None
    prompt_id: str = ""
    """The id that the server gave it, "" if it was not found."""
    client_id: str = ""
    """The client_id that receives its messages while it waits or runs; "" if there is none."""

    @property
    def absent(self) -> bool:
        """Neither queued nor in the history."""
        return not self.found and self.error is None

    @property
    def found(self) -> bool:
        """Queued, running or in the history."""
        return self.entry is not None or self.position is not None


def locate_by_id(endpoints: Endpoints, prompt_id: str) -> PromptLocation:
    """History, queue, and history again, since a prompt may move between two looks.

    Errors are part of the answer.
    """
    try:
        return _look(endpoints, prompt_id)
    except ServerError as error:
        return PromptLocation(error=error)


def locate_prompt(endpoints: Endpoints, prompt_id: str) -> PromptLocation:
    """Like `locate_by_id`, for the id we asked for, even if the server chose another one.

    Errors are part of the answer.
    """
    seen = locate_by_id(endpoints, prompt_id)
    if not seen.absent:
        return seen
    try:
        version = endpoints.server_version()
        if version is not None and version >= CLIENT_IDS_SINCE:
            return seen
        chosen = _find_mark(endpoints, prompt_id)
        return _look(endpoints, chosen) if chosen else seen
    except ServerError as error:
        return PromptLocation(error=error)


def _look(endpoints: Endpoints, prompt_id: str) -> PromptLocation:
    entry = endpoints.history(prompt_id)
    if entry:
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
    entry = endpoints.history(prompt_id)
    return PromptLocation(entry, prompt_id=prompt_id if entry else "")


def _find_mark(endpoints: Endpoints, mark: str) -> str | None:
    """The server's id of the newest prompt with that mark; the queue first, since prompts go from
    there to history.
    """
    queue = endpoints.queue()
    for item in (*queue.pending, *queue.running):
        if item.extra_data.get(ID_KEY) == mark:
            return item.prompt_id
    history = endpoints.history(max_items=MAX_HISTORY)
    for entry in reversed(history.values()):
        if entry.extra_data.get(ID_KEY) == mark:
            return entry.prompt_id
    return None
