"""How threads of a run hand over to each other: a mailbox that keeps only the newest of a kind, and
one worker.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from comfygradio.clock import Clock


@dataclass(frozen=True)
class Letter:
    """Something for the run: `content`, and how many older letters of its kind it replaced."""

    content: Any
    at: float
    replaced: int = 0
    weight: int = 0


class Mailbox:
    """Letters for one reader from many threads; a letter with a `kind` replaces the unread one of
    that kind.

    It holds letters of `capacity` in all, and drops the oldest ones beyond that; None: any number.
    """

    def __init__(self, clock: Clock, capacity: int | None = None) -> None:
        self._clock = clock
        self._capacity = capacity
        self._letters: OrderedDict[int, Letter] = OrderedDict()
        """Letters by their number, which counts up."""
        self._count = 0
        self._weight = 0
        self._dropped = 0
        self._newest: dict[Hashable, int] = {}
        self._arrived = threading.Condition(threading.Lock())

    def put(self, content: Any, kind: Hashable = None, weight: int = 0) -> None:
        """Leave a letter; never blocks."""
        with self._arrived:
            replaced = self._replace(kind) if kind is not None else 0
            letter = Letter(content, self._clock.monotonic(), replaced, weight)
            self._letters[self._count] = letter
            self._count += 1
            self._weight += weight
            while self._capacity is not None and self._weight > self._capacity:
                _, oldest = self._letters.popitem(last=False)
                self._weight -= oldest.weight
                self._dropped += 1
            self._arrived.notify()

    def take(self, timeout: float | None) -> list[Letter]:
        """All letters in order, or none after `timeout` seconds; None: wait for ever."""
        with self._arrived:
            if not self._letters and (timeout is None or timeout > 0):
                self._clock.wait(self._arrived, timeout)
            letters = list(self._letters.values())
            self._letters.clear()
            self._newest.clear()
            self._weight = 0
        return letters

    def count_dropped(self) -> int:
        """How many letters were dropped since this was asked last."""
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
        self._weight -= old.weight
        return old.replaced + 1


class Worker:
    """One daemon thread, begun with its first task, that does one task after the other."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def do(self, task: Callable[[], None]) -> None:
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
