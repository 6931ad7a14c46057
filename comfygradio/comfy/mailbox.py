"""How threads of a run hand over to each other: a mailbox that keeps only the newest of a kind, and
one worker.
"""

from __future__ import annotations

import threading
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


class Mailbox:
    """Letters for one reader from many threads; a letter with a `kind` replaces the unread one of
    that kind.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._letters: list[Letter | None] = []
        self._newest: dict[Hashable, int] = {}
        self._arrived = threading.Condition(threading.Lock())

    def put(self, content: Any, kind: Hashable = None) -> None:
        """Leave a letter; never blocks."""
        with self._arrived:
            replaced = self._replace(kind) if kind is not None else 0
            self._letters.append(Letter(content, self._clock.monotonic(), replaced))
            self._arrived.notify()

    def take(self, timeout: float) -> list[Letter]:
        """All letters in order, or none after `timeout` seconds."""
        with self._arrived:
            if not self._letters and timeout > 0:
                self._clock.wait(self._arrived, timeout)
            letters, self._letters = self._letters, []
            self._newest.clear()
        return [letter for letter in letters if letter]

    def _replace(self, kind: Hashable) -> int:
        index = self._newest.get(kind)
        self._newest[kind] = len(self._letters)
        old = None if index is None else self._letters[index]
        if index is None or old is None:
            return 0
        self._letters[index] = None
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
        while (task := self._tasks.get()) is not None:
            task()
