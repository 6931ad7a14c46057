"""Monitor all prompts on a server, whoever posted them, by polling its queue and history.

ComfyUI reports the progress of a prompt only to the client that posted it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from comfygradio.comfy.endpoints import Endpoints
from comfygradio.comfy.http_responses import HistoryEntry, Queue
from comfygradio.comfy.tracker import PromptTracker
from comfygradio.errors import JobInterrupted

RECENT = 20
"""Number of the newest history entries that each poll reads."""

Kind = Literal["queued", "started", "ended", "failed", "stopped", "gone"]


@dataclass(frozen=True)
class PromptChange:
    """A change of one prompt, and where it was seen.

    `ahead` counts the prompts before a queued one; `text` says why a prompt failed or was stopped.
    A prompt that is gone was removed from the queue, or its server was restarted.
    """

    kind: Kind
    prompt_id: str
    source: Literal["queue", "history"]
    ahead: int | None = None
    text: str = ""


class PromptMonitor:
    """Compares each poll of queue and history with the polls before.

    What is in the history at the first poll is not reported.
    """

    def __init__(self) -> None:
        self._is_first = True
        self._running: set[str] = set()
        self._pending: set[str] = set()
        self._over: set[str] = set()
        """Prompts whose end was reported, or came before the first poll."""
        self._missed: set[str] = set()
        """Prompts that the last poll found nowhere."""

    def list_missing(self, queue: Queue, recent: Mapping[str, HistoryEntry]) -> list[str]:
        """List the known prompts that are in neither of the two, so that each has to be looked up
        in the history.
        """
        known = self._running | self._pending
        here = _list_ids(queue) | recent.keys()
        return sorted(known - here)

    def update(self, queue: Queue, recent: Mapping[str, HistoryEntry]) -> list[PromptChange]:
        """List the changes since the last poll. `recent` is fetched after `queue`, the oldest entry
        first.
        """
        changes = list(self._take_ends(recent))
        changes += self._take_queue(queue)
        changes += self._take_gone(queue)
        self._is_first = False
        return changes

    def _take_ends(self, recent: Mapping[str, HistoryEntry]) -> Iterator[PromptChange]:
        for prompt_id in self._find_new(recent):
            self._over.add(prompt_id)
            self._running.discard(prompt_id)
            self._pending.discard(prompt_id)
            yield describe_end(recent[prompt_id])

    def _find_new(self, recent: Mapping[str, HistoryEntry]) -> list[str]:
        """Find the prompts that ended since the last poll: known ones, and those after the newest
        known end.
        """
        if self._is_first:
            self._over.update(recent)
            return []
        known = self._running | self._pending
        after: list[str] = []
        for prompt_id in recent:
            if prompt_id in self._over:
                # Older entries also appear because somebody deleted newer ones. Before a known end,
                # only those that were seen in the queue are news.
                after = [one for one in after if one in known]
            else:
                after.append(prompt_id)
        return after

    def _take_queue(self, queue: Queue) -> Iterator[PromptChange]:
        for item in queue.running:
            # The queue was fetched first: what it calls running may be over by now.
            if item.prompt_id not in self._running and item.prompt_id not in self._over:
                self._pending.discard(item.prompt_id)
                self._running.add(item.prompt_id)
                yield PromptChange("started", item.prompt_id, "queue")
        for item in queue.pending:
            known = self._running | self._pending | self._over
            if item.prompt_id not in known:
                self._pending.add(item.prompt_id)
                ahead = queue.position(item.prompt_id)
                yield PromptChange("queued", item.prompt_id, "queue", ahead)

    def _take_gone(self, queue: Queue) -> Iterator[PromptChange]:
        """Report prompts that two polls in a row did not find."""
        missing = (self._running | self._pending) - _list_ids(queue)
        # One poll is no proof: a history may be written a moment after the prompt left the queue.
        for prompt_id in sorted(missing & self._missed):
            self._running.discard(prompt_id)
            self._pending.discard(prompt_id)
            yield PromptChange("gone", prompt_id, "queue")
        self._missed = missing


def poll_prompts(endpoints: Endpoints, monitor: PromptMonitor) -> list[PromptChange]:
    """Poll queue and history once, and list the changes. Raises ServerError."""
    queue = endpoints.queue()
    recent = endpoints.history(max_items=RECENT)
    for prompt_id in monitor.list_missing(queue, recent):
        entry = endpoints.history(prompt_id)
        if entry is not None:
            recent[prompt_id] = entry
    return monitor.update(queue, recent)


def describe_end(entry: HistoryEntry) -> PromptChange:
    """Describe how a prompt ended, by its history."""
    tracker = PromptTracker(entry.graph, entry.prompt_id)
    tracker.apply_history(entry)
    failure = tracker.failure
    if failure is None:
        return PromptChange("ended", entry.prompt_id, "history")
    kind: Kind = "stopped" if isinstance(failure, JobInterrupted) else "failed"
    return PromptChange(kind, entry.prompt_id, "history", text=str(failure))


def _list_ids(queue: Queue) -> set[str]:
    items = (*queue.running, *queue.pending)
    return {item.prompt_id for item in items}
