"""What a page gets to see of its jobs: a stream of messages, each sent once the page has painted
the one before.

Gradio queues whatever a generator yields without limit, so that on a slow line a stream that is not
paced shows frames that are tens of seconds old. Here what came in between is skipped. A page that
has no stream asks instead, and gets the same messages.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from comfygradio.jobs.job import JobSnapshot
from comfygradio.ui.job.job_feed import JobFeed, JobUpdate, ShownState, follow, wait_event
from comfygradio.ui.job.job_text import describe_job, describe_job_brief

PAINT_TIMEOUT_SECONDS = 30.0
"""A page that has not acknowledged a message for this long counts as gone."""

Message = dict[str, Any]

Tab = tuple[str, str]
"""The session of a page, and the owner of its jobs."""


class JobStream:
    """The messages for one page, paced by its acknowledgements. `id` is secret.

    Lives on the event loop that made it.
    """

    def __init__(self, watch: JobFeed, outputs: Path) -> None:
        self._outputs = outputs
        self.id = secrets.token_urlsafe(18)
        self.watch = watch
        self.is_over = False
        """Whether the page was told that all of its jobs are over: it listens no longer."""
        self._sent = 0
        self._painted = 0
        self._acknowledged = asyncio.Event()

    def acknowledge(self, number: int) -> None:
        """The page has painted message `number`."""
        painted = min(number, self._sent)  # nobody can paint what was not sent
        self._painted = max(self._painted, painted)
        self._acknowledged.set()

    def close(self) -> None:
        """Close the stream; `messages` ends without a final message."""
        self.watch.close()
        self._acknowledged.set()

    async def messages(self) -> AsyncIterator[Message]:
        """Messages until all jobs are over; the last one says so and holds no picture."""
        async for news, seen in follow(self.watch, self):
            self._sent += 1
            self.is_over = news.is_last
            message = compose_message(news, seen, self._outputs)
            yield {**message, "stream": self.id, "number": self._sent}

    async def wait_until_ready(self, news: JobUpdate, seen: ShownState) -> ShownState | None:
        """Wait until the page has painted the last message; None if it is gone."""
        clock = self.watch.clock
        began = clock.monotonic()
        while self._painted < self._sent and self.watch.is_open:
            left = began + PAINT_TIMEOUT_SECONDS - clock.monotonic()
            if left <= 0:
                return None
            await wait_event(self._acknowledged, left, clock)
        return news.update_shown(seen)


def compose_message(news: JobUpdate, seen: ShownState, outputs: Path) -> Message:
    """The message about the jobs of a page: the one that it shows in full, with its newest picture
    if the page has another one; and a line about each. Results lie in `outputs`.
    """
    jobs = news.view.jobs
    noted = news.update_shown(seen)
    message = describe_job(news.view.shown, news.shown, outputs)
    message["jobs"] = [
        describe_job_brief(job, snapshot, outputs)
        for job, snapshot in zip(jobs, news.snapshots, strict=True)
    ]
    message |= {"version": noted.version, "frames": noted.frames or 0, "ended": noted.ended}
    if news.has_frame(seen):
        message["image"] = encode_frame(news.shown)
    return message


def encode_frame(snapshot: JobSnapshot) -> str:
    """The newest preview as a data URI, ComfyUI's bytes untouched; "" when there is none."""
    preview = snapshot.state.preview if snapshot.state else None
    if not preview:
        return ""
    encoded = base64.b64encode(preview.data).decode()
    return f"data:{preview.mime};base64,{encoded}"


class JobStreams:
    """The streams of all open pages: finds that of a tab, and one by its secret.

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
