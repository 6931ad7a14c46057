"""The streams of all pages that are open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from comfygradio.ui.job.job_feed import JobFeed
from comfygradio.ui.job.job_stream import JobStream

Tab = tuple[str, str]
"""The session of a page, and the owner of its jobs."""


class JobStreams:
    """Finds the stream of a tab, and a stream by its secret.

    Lives on the event loop that serves the pages, and outlives a page that is drawn anew.
    """

    def __init__(self, most: int, outputs: Path) -> None:
        self._outputs = outputs
        self._most = most
        self._by_id: dict[str, JobStream] = {}
        self._by_tab: dict[Tab, JobStream] = {}

    @property
    def is_full(self) -> bool:
        """Whether the next page has to poll instead."""
        return len(self._by_id) >= self._most

    def find(self, id: str) -> JobStream | None:
        """The stream with this secret."""
        return self._by_id.get(id)

    def find_of_tab(self, tab: Tab) -> JobStream | None:
        """The stream that a tab has and listens to."""
        stream = self._by_tab.get(tab)
        if stream is None or stream.is_over:
            return None
        return stream

    @contextmanager
    def open(self, watch: JobFeed, tab: Tab) -> Iterator[JobStream]:
        """A stream for a tab, in the place of the one that it had."""
        before = self._by_tab.get(tab)
        if before is not None:
            before.close()
        stream = JobStream(watch, self._outputs)
        self._by_id[stream.id] = stream
        self._by_tab[tab] = stream
        try:
            yield stream
        finally:
            del self._by_id[stream.id]
            if self._by_tab.get(tab) is stream:
                del self._by_tab[tab]
