"""Job sources: they make one job at a time while a backend is idle. A sweep is one."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import Protocol

from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Job


class JobSource(Protocol):
    """Makes jobs for one person. Thread-safe; the queue stores each job before submitting it."""

    @property
    def owner(self) -> str:
        """Whose jobs they are."""
        ...

    @property
    def party(self) -> str:
        """The person or network address that turns are counted by."""
        ...

    @property
    def remaining(self) -> int:
        """Number of jobs that it would still make; 0 while it is paused."""
        ...

    def take(self, backend: Backend, warm: bool) -> Job | None:
        """Make the next job for a backend, or return None if there is none for it now. The source
        listens to its own jobs.

        `warm` is true if this source's previous job was the last one submitted to that backend, so
        that its cache still helps. Never raises.
        """
        ...

    def release_backend(self, backend: Backend) -> None:
        """Release the jobs planned for a backend that stopped responding; it may return."""
        ...

    def stop(self) -> None:
        """Stop making jobs, for good."""
        ...


class JobSourceQueue:
    """Sources by person: everybody in turn gives one job, and of one person's sources the oldest
    that has one.

    Thread-safe. Sources are asked without any lock held, so that a slow one holds up nobody else.
    """

    def __init__(self) -> None:
        self._people: OrderedDict[str, list[JobSource]] = OrderedDict()
        """Person → their sources, the person whose turn is next first."""
        self._last: dict[str, JobSource] = {}
        """URL of a backend → the source of the job that was submitted there last."""
        self._departed: set[str] = set()
        """URLs of the backends that the sources know to have stopped responding."""
        self._lock = threading.Lock()

    def add(self, source: JobSource) -> None:
        """Add a source; one that was added before keeps its place."""
        with self._lock:
            sources = self._people.setdefault(source.party, [])
            if source not in sources:
                sources.append(source)

    def remove(self, source: JobSource) -> None:
        """Remove a source, if it is there."""
        with self._lock:
            sources = self._people.get(source.party, [])
            if source in sources:
                sources.remove(source)
            if not sources:
                self._people.pop(source.party, None)

    def take(self, backend: Backend) -> Job | None:
        """A job for a backend from the first person in turn who has one; that person goes to the
        end of the round.
        """
        # A backend that asks for a job is there again.
        self._departed.discard(backend.url)
        for source in self._list():
            is_warm = self._last.get(backend.url) is source
            job = source.take(backend, is_warm)
            if job is None:
                continue
            with self._lock:
                self._last[backend.url] = source
                # The source may have been removed while it was asked.
                if source.party in self._people:
                    self._people.move_to_end(source.party)
            return job
        return None

    def mark_cold(self, backend: Backend) -> None:
        """Note that a backend's cache may no longer hold a source's results: another job was
        submitted there, or a job was lost.
        """
        with self._lock:
            self._last.pop(backend.url, None)

    def release_backend(self, backend: Backend) -> bool:
        """Tell every source once that a backend stopped responding. False if they knew."""
        with self._lock:
            is_news = backend.url not in self._departed
            self._departed.add(backend.url)
        if not is_news:
            return False
        for source in self._list():
            source.release_backend(backend)
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
        """Stop every source; returns the number of jobs that will not be made."""
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
