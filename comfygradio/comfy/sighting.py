"""Where a prompt is, asked over HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from comfygradio.comfy.answers import HistoryEntry
from comfygradio.comfy.endpoints import Endpoints
from comfygradio.errors import ServerError


@dataclass(frozen=True)
class Sighting:
    """What a look found: the finished prompt, its place in the queue, neither, or an error."""

    entry: HistoryEntry | None = None
    position: int | None = None
    running: bool = False
    error: ServerError | None = None

    @property
    def absent(self) -> bool:
        """Neither queued nor in the history."""
        return self.entry is None and self.position is None and self.error is None


def look_for(endpoints: Endpoints, prompt_id: str) -> Sighting:
    """History, queue, and history again, since a prompt may move between two looks. Errors are part of the answer."""
    try:
        entry = endpoints.history(prompt_id)
        if entry:
            return Sighting(entry)
        queue = endpoints.queue()
        position = queue.position(prompt_id)
        if position is not None:
            return Sighting(position=position, running=queue.is_running(prompt_id))
        return Sighting(endpoints.history(prompt_id))
    except ServerError as error:
        return Sighting(error=error)
