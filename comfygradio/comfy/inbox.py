"""A coalescing inbox and a task thread, through which the threads of a run communicate.

A preview gives way to a newer one in five places, so that a slow reader holds up nobody:

- in this inbox, between the thread that reads a socket and the run or the listener (`events`),
- in the tracker, which holds the newest one and counts all of them,
- in the streams of pages (`ui.job.job_feed`), which skip what a page was too slow for,
- in the answers to programs (`ui.form.endpoint`), which are paced,
- in the runs of cluster workers (`cluster.followed_run`), which hold the newest state.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from queue import SimpleQueue
from typing import Any, NamedTuple

from comfygradio.clock import Clock


class InboxItem(NamedTuple):
    """One queued item: its content, when it arrived, and how many older items of its key it
    replaced.
    """

    content: Any
    at: float
    replaced: int = 0
    size: int = 0


class Inbox:
    """A queue from many threads to one reader. An item with a `key` replaces the unread one of
    that key.

    It holds at most `capacity` (the sum of the items' sizes) and drops the oldest items beyond
    that. None means that it holds any number.
    """

    def __init__(self, clock: Clock, capacity: int | None = None) -> None:
        self._clock = clock
        self._capacity = capacity
        self._items: OrderedDict[int, InboxItem] = OrderedDict()
        """Items by their number, which counts up."""
        self._count = 0
        self._weight = 0
        self._dropped = 0
        self._newest: dict[Hashable, int] = {}
        self._arrived = threading.Condition(threading.Lock())

    def put(self, content: Any, key: Hashable = None, size: int = 0) -> None:
        """Add an item. Never blocks."""
        with self._arrived:
            replaced = 0
            if key is not None:
                replaced = self._replace(key)
            item = InboxItem(content, self._clock.monotonic(), replaced, size)
            self._items[self._count] = item
            self._count += 1
            self._weight += size
            # This may drop the new item too, if it is larger than the capacity by itself.
            while self._capacity is not None and self._weight > self._capacity:
                _, oldest = self._items.popitem(last=False)
                self._weight -= oldest.size
                self._dropped += 1
            self._arrived.notify()

    def take(self, timeout: float | None) -> list[InboxItem]:
        """Take all items in order. Returns none after `timeout` seconds; None waits forever."""
        with self._arrived:
            if not self._items and (timeout is None or timeout > 0):
                # A wait may end early without an item; callers
                # take that for a timeout and look again.
                self._clock.wait(self._arrived, timeout)
            items = list(self._items.values())
            self._items.clear()
            self._newest.clear()
            self._weight = 0
        return items

    def take_dropped_count(self) -> int:
        """Return how many items were dropped since the last call."""
        with self._arrived:
            dropped = self._dropped
            self._dropped = 0
        return dropped

    def _replace(self, key: Hashable) -> int:
        number = self._newest.get(key)
        self._newest[key] = self._count
        if number is None:
            return 0
        # It is not there any more if it was dropped.
        old = self._items.pop(number, None)
        if old is None:
            return 0
        self._weight -= old.size
        return old.replaced + 1


class TaskThread:
    """A daemon thread that runs tasks one after the other. It starts with its first task."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, task: Callable[[], None]) -> None:
        """Append a task. It has to handle its own errors."""
        self._tasks.put(task)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread after the waiting tasks, without waiting for it."""
        if self._thread is not None:
            self._tasks.put(None)

    def _work(self) -> None:
        while True:
            task = self._tasks.get()
            if task is None:
                return
            task()
