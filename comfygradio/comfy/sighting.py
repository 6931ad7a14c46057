"""Where a prompt is, asked over HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from comfygradio.comfy.answers import HistoryEntry
from comfygradio.comfy.endpoints import Endpoints
from comfygradio.errors import ServerError

MARK = "comfygradio_id"
"""Key in extra_data that holds the id we asked for, for servers that choose another one."""
OWN_IDS = (0, 3, 45)
"""Since this version a server keeps the prompt_id that it is given."""
NEWEST = 1000
"""How many prompts of the history are searched for a mark."""


@dataclass(frozen=True)
class Sighting:
    """What a look found: the finished prompt, its place in the queue, neither, or an error."""

    entry: HistoryEntry | None = None
    position: int | None = None
    """Prompts ahead of it; 0 while it runs."""
    running: bool = False
    error: ServerError | None = None
    prompt_id: str = ""
    """The id that the server gave it, "" if it was not found."""
    client_id: str = ""
    """Who hears of it while it waits or runs, "" if nobody does."""

    @property
    def absent(self) -> bool:
        """Neither queued nor in the history."""
        return not self.found and self.error is None

    @property
    def found(self) -> bool:
        """Queued, running or in the history."""
        return self.entry is not None or self.position is not None


def look_for(endpoints: Endpoints, prompt_id: str) -> Sighting:
    """History, queue, and history again, since a prompt may move between two looks.

    Errors are part of the answer.
    """
    try:
        return _look(endpoints, prompt_id)
    except ServerError as error:
        return Sighting(error=error)


def look_for_ours(endpoints: Endpoints, prompt_id: str) -> Sighting:
    """The same by the id that we asked for, whatever id the server chose.

    Errors are part of the answer.
    """
    seen = look_for(endpoints, prompt_id)
    if not seen.absent:
        return seen
    try:
        version = endpoints.server_version()
        if version is not None and version >= OWN_IDS:
            return seen
        chosen = _find_mark(endpoints, prompt_id)
        return _look(endpoints, chosen) if chosen else seen
    except ServerError as error:
        return Sighting(error=error)


def _look(endpoints: Endpoints, prompt_id: str) -> Sighting:
    entry = endpoints.history(prompt_id)
    if entry:
        return Sighting(entry, prompt_id=prompt_id)
    queue = endpoints.queue()
    for item in (*queue.running, *queue.pending):
        if item.prompt_id == prompt_id:
            return Sighting(
                position=queue.position(prompt_id),
                running=queue.is_running(prompt_id),
                prompt_id=prompt_id,
                client_id=str(item.extra_data.get("client_id") or ""),
            )
    entry = endpoints.history(prompt_id)
    return Sighting(entry, prompt_id=prompt_id if entry else "")


def _find_mark(endpoints: Endpoints, mark: str) -> str | None:
    """The server's id of the newest prompt with that mark; the queue first, since prompts go from
    there to history.
    """
    queue = endpoints.queue()
    for item in (*queue.pending, *queue.running):
        if item.extra_data.get(MARK) == mark:
            return item.prompt_id
    history = endpoints.history(max_items=NEWEST)
    for entry in reversed(history.values()):
        if entry.extra_data.get(MARK) == mark:
            return entry.prompt_id
    return None
