"""The queue of prompts and the history of those that ran, both in memory only."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

HISTORY_LIMIT = 10000


SENSITIVE = ("auth_token_comfy_org", "api_key_comfy_org")
"""What no history shows, and newer servers (v0.3.68) no queue."""


def hide_keys(extra_data: dict[str, Any]) -> dict[str, Any]:
    """The extra data of a prompt without its keys of comfy.org."""
    shown = dict(extra_data)
    for name in SENSITIVE:
        shown.pop(name, None)
    return shown


@dataclass(frozen=True)
class QueuedPrompt:
    """One accepted prompt: priority, id, graph, extra data and the ids of the outputs to run."""

    number: float
    prompt_id: str
    prompt: dict[str, Any]
    extra_data: dict[str, Any]
    outputs: list[str]

    @property
    def client_id(self) -> str | None:
        client: str | None = self.extra_data.get("client_id")
        return client

    def to_json(self) -> list[Any]:
        """As /queue and /history list it."""
        return [
            self.number,
            self.prompt_id,
            self.prompt,
            self.extra_data,
            self.outputs,
        ]


@dataclass
class HistoryEntry:
    """What is left of a run; `visible_at` is the monotonic time from which /history shows it."""

    item: QueuedPrompt
    outputs: dict[str, Any]
    status_str: str
    messages: list[tuple[str, dict[str, Any]]]
    meta: dict[str, Any] | None
    visible_at: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As /history shows it."""
        status = {
            "status_str": self.status_str,
            "completed": self.status_str == "success",
            "messages": [list(message) for message in self.messages],
        }
        shown_data = hide_keys(self.item.extra_data)
        item = replace(self.item, extra_data=shown_data)
        entry = {"prompt": item.to_json(), "outputs": self.outputs, "status": status}
        if self.meta is not None:
            entry["meta"] = self.meta
        return entry


@dataclass
class PromptQueue:
    """A heap of pending prompts, the running one and the history; safe for several threads.

    `changed` is called, with the lock held, whenever the number of waiting or running prompts may
    differ.
    """

    changed: Callable[[], None]
    _heap: list[tuple[float, str, int, QueuedPrompt]] = field(default_factory=list)
    _history: dict[str, HistoryEntry] = field(default_factory=dict)
    _running: QueuedPrompt | None = None
    _condition: threading.Condition = field(default_factory=threading.Condition)
    _closed: bool = False
    _order: itertools.count[int] = field(default_factory=itertools.count)

    def put(self, item: QueuedPrompt) -> None:
        with self._condition:
            # The running number decides before the prompts themselves, which cannot be compared.
            entry = (item.number, item.prompt_id, next(self._order), item)
            heapq.heappush(self._heap, entry)
            self.changed()
            self._condition.notify()

    def take(self) -> QueuedPrompt | None:
        """Waits for the next prompt and marks it as running; None once the queue is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._heap or self._closed)
            if self._closed:
                return None
            *_, self._running = heapq.heappop(self._heap)
            self.changed()
            return self._running

    def finish(self, entry: HistoryEntry) -> None:
        """Moves the running prompt into the history."""
        with self._condition:
            # An id that ran before goes to the end, as the newest.
            self._history.pop(entry.item.prompt_id, None)
            self._history[entry.item.prompt_id] = entry
            if len(self._history) > HISTORY_LIMIT:
                oldest = next(iter(self._history))
                self._history.pop(oldest)
            self._running = None
            self.changed()

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def remaining(self) -> int:
        """Pending prompts plus the running one."""
        with self._condition:
            pending = len(self._heap)
            if self._running is None:
                return pending
            return pending + 1

    def running(self) -> QueuedPrompt | None:
        with self._condition:
            return self._running

    def pending(self) -> list[QueuedPrompt]:
        """Pending prompts in heap order, which is not the order they will run in."""
        with self._condition:
            return [item for *_, item in self._heap]

    def remove(self, prompt_id: str) -> bool:
        """Deletes one pending prompt; False if none has that id."""
        with self._condition:
            for index, entry in enumerate(self._heap):
                _, entry_id, _, _ = entry
                if entry_id == prompt_id:
                    self._heap.pop(index)
                    heapq.heapify(self._heap)
                    self.changed()
                    return True
            return False

    def clear(self) -> None:
        """Deletes all pending prompts."""
        with self._condition:
            self._heap.clear()
            self.changed()

    def if_running(self, prompt_id: str, action: Callable[[], None]) -> bool:
        """Does `action` if that prompt runs just now, with no gap between look and action."""
        with self._condition:
            if self._running is None or self._running.prompt_id != prompt_id:
                return False
            action()
            return True

    def history(self, max_items: int | None = None, offset: int = -1) -> dict[str, HistoryEntry]:
        """Oldest first; without an offset `max_items` gives the newest, with one it counts from the
        oldest.
        """
        shown: list[tuple[str, HistoryEntry]] = []
        with self._condition:
            now = time.monotonic()
            for prompt_id, entry in self._history.items():
                if entry.visible_at <= now:
                    shown.append((prompt_id, entry))
        if max_items is None:
            start = max(offset, 0)
            return dict(shown[start:])
        start = offset
        if offset < 0:
            start = max(len(shown) - max_items, 0)
        end = start + max_items
        return dict(shown[start:end])

    def entry(self, prompt_id: str) -> HistoryEntry | None:
        return self.history().get(prompt_id)

    def forget(self, prompt_id: str) -> None:
        with self._condition:
            self._history.pop(prompt_id, None)

    def forget_all(self) -> None:
        with self._condition:
            self._history.clear()
