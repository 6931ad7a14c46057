"""Sources: what makes jobs one at a time, when a server has nothing else to do. A sweep is one."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import Protocol

from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Job


class JobSource(Protocol):
    """Makes jobs of one person. Thread-safe; the queue writes each job down before it is posted."""

    @property
    def owner(self) -> str:
        """Whose jobs they are."""
        ...

    @property
    def party(self) -> str:
        """Whom turns count for."""
        ...

    @property
    def remaining(self) -> int:
        """How many jobs it would still give if it were asked again and again; 0 while
        it is halted.
        """
        ...

    def take(self, lane: Backend, warm: bool) -> Job | None:
        """The next job for a backend, None if there is none for it now; whoever makes it listens to
        it.

        `warm` says that nothing else of ours was posted to that backend since this source's last
        job. Never raises.
        """
        ...

    def release_backend(self, lane: Backend) -> None:
        """A server does not answer any more; it asks again when it does."""
        ...

    def stop(self) -> None:
        """Somebody who may do so wants no more jobs of it."""
        ...


class JobSourceQueue:
    """Sources by person: everybody in turn gives one job, and of one person's sources the oldest
    that has one.

    Thread-safe. Sources are asked without any lock held, so that a slow one holds up nobody else.
    """

    def __init__(self) -> None:
        self._people: OrderedDict[str, list[JobSource]] = OrderedDict()
        self._last: dict[str, JobSource] = {}
        self._left: set[str] = set()
        self._lock = threading.Lock()

    def add(self, source: JobSource) -> None:
        """Ask a source from now on; one that is known already keeps its place."""
        with self._lock:
            sources = self._people.setdefault(source.party, [])
            if source not in sources:
                sources.append(source)

    def remove(self, source: JobSource) -> None:
        """Ask a source no more; unknown: nothing."""
        with self._lock:
            sources = self._people.get(source.party, [])
            if source in sources:
                sources.remove(source)
            if not sources:
                self._people.pop(source.party, None)

    def take(self, lane: Backend) -> Job | None:
        """A job for a backend from the first person in turn who has one; that person goes to the
        end of the round.
        """
        self._left.discard(lane.url)
        for source in self._list():
            is_warm = self._last.get(lane.url) is source
            job = source.take(lane, is_warm)
            if job is None:
                continue
            with self._lock:
                self._last[lane.url] = source
                if source.party in self._people:
                    self._people.move_to_end(source.party)
            return job
        return None

    def cool(self, lane: Backend) -> None:
        """Something else was posted to a backend, or it was lost: what a source left there in the
        cache may be gone.
        """
        with self._lock:
            self._last.pop(lane.url, None)

    def release_backend(self, lane: Backend) -> bool:
        """A server does not answer: every source is told once; True if so."""
        with self._lock:
            is_news = lane.url not in self._left
            self._left.add(lane.url)
        if not is_news:
            return False
        for source in self._list():
            source.release_backend(lane)
        return True

    def count(self) -> Counter[str]:
        """Person → how many jobs their sources would still give."""
        found: Counter[str] = Counter()
        for source in self._list():
            remaining = source.remaining
            if remaining:  # one that gives none has no entry
                found[source.owner] += remaining
        return found

    def stop(self) -> int:
        """Stop every source; returns how many jobs will not be."""
        sources = self._list()
        remaining = sum(source.remaining for source in sources)
        for source in sources:
            source.stop()
        return remaining

    def _list(self) -> list[JobSource]:
        listed: list[JobSource] = []
        with self._lock:
            for sources in self._people.values():
                listed += sources
        return listed
