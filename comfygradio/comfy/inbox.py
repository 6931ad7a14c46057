"""A coalescing inbox and a task thread, through which the threads of a run communicate."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from comfygradio.clock import Clock


@dataclass(frozen=True)
class InboxItem:
    """One queued item: its content, and how many older items of its kind it replaced."""

    content: Any
    at: float
    replaced: int = 0
    size: int = 0


class Inbox:
    """Items for one reader from many threads; an item with a `kind` replaces the unread one of
    that kind.

    It holds items of `capacity` in all, and drops the oldest ones beyond that; None: any number.
    """

    def __init__(self, clock: Clock, capacity: int | None = None) -> None:
        self._clock = clock
        self._capacity = capacity
        self._letters: OrderedDict[int, InboxItem] = OrderedDict()
        """Items by their number, which counts up."""
        self._count = 0
        self._weight = 0
        self._dropped = 0
        self._newest: dict[Hashable, int] = {}
        self._arrived = threading.Condition(threading.Lock())

    def put(self, content: Any, kind: Hashable = None, size: int = 0) -> None:
        """Add an item; never blocks."""
        with self._arrived:
            replaced = self._replace(kind) if kind is not None else 0
            letter = InboxItem(content, self._clock.monotonic(), replaced, size)
            self._letters[self._count] = letter
            self._count += 1
            self._weight += size
            while self._capacity is not None and self._weight > self._capacity:
                _, oldest = self._letters.popitem(last=False)
                self._weight -= oldest.size
                self._dropped += 1
            self._arrived.notify()

    def take(self, timeout: float | None) -> list[InboxItem]:
        """All items in order, or none after `timeout` seconds; None: wait for ever."""
        with self._arrived:
            if not self._letters and (timeout is None or timeout > 0):
                self._clock.wait(self._arrived, timeout)
            letters = list(self._letters.values())
            self._letters.clear()
            self._newest.clear()
            self._weight = 0
        return letters

    def take_dropped_count(self) -> int:
        """How many items were dropped since this was asked last."""
        with self._arrived:
            dropped = self._dropped
            self._dropped = 0
        return dropped

    def _replace(self, kind: Hashable) -> int:
        number = self._newest.get(kind)
        self._newest[kind] = self._count
        if number is None:
            return 0
        # It is not there any more if it was dropped.
        old = self._letters.pop(number, None)
        if old is None:
            return 0
        self._weight -= old.size
        return old.replaced + 1


class TaskThread:
    """A daemon thread, started with its first task, that runs tasks one after the other."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, task: Callable[[], None]) -> None:
        """Put a task at the end; it has to handle its own errors."""
        self._tasks.put(task)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread after the tasks that wait; does not wait for it."""
        if self._thread is not None:
            self._tasks.put(None)

    def _work(self) -> None:
        while True:
            task = self._tasks.get()
            if task is None:
                return
            task()
