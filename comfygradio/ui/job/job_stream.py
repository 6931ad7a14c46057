"""Job streams: messages about the jobs of a page, each sent after the page has painted the one
before.

Gradio queues whatever a generator yields, without limit; on a slow connection a stream without
pacing shows frames that are tens of seconds old. Here the frames in between are skipped. A page
without a stream polls instead, and gets the same messages.
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
"""A page that has not acknowledged a message for this long is taken for gone."""

Message = dict[str, Any]

Tab = tuple[str, str]
"""The session of a page, and the owner of its jobs."""


class JobStream:
    """The messages for one page, paced by its acknowledgements. `id` is secret.

    Use it on the event loop that it was made on.
    """

    def __init__(self, feed: JobFeed, outputs: Path) -> None:
        self._outputs = outputs
        self.id = secrets.token_urlsafe(18)
        self.feed = feed
        self.is_over = False
        """True after the page was told that all of its jobs are over; it listens no longer."""
        self._sent = 0
        self._painted = 0
        self._acknowledged = asyncio.Event()

    def acknowledge(self, number: int) -> None:
        """Note that the page has painted message `number`."""
        painted = min(number, self._sent)  # nobody can paint what was not sent
        self._painted = max(self._painted, painted)
        self._acknowledged.set()

    def close(self) -> None:
        """Close the stream; `messages` ends without a final message."""
        self.feed.close()
        self._acknowledged.set()

    async def messages(self) -> AsyncIterator[Message]:
        """Yield messages until all jobs are over; the last one says so and has no picture."""
        async for update, seen in follow(self.feed, self):
            self._sent += 1
            self.is_over = update.is_last
            message = compose_message(update, seen, self._outputs)
            message["stream"] = self.id
            message["number"] = self._sent
            yield message

    async def wait_until_ready(self, update: JobUpdate, seen: ShownState) -> ShownState | None:
        """Wait until the page has painted the last message; None if it is gone."""
        clock = self.feed.clock
        began = clock.monotonic()
        while self._painted < self._sent and self.feed.is_open:
            left = began + PAINT_TIMEOUT_SECONDS - clock.monotonic()
            if left <= 0:
                return None
            await wait_event(self._acknowledged, left, clock)
        return update.shown_after(seen)


def compose_message(update: JobUpdate, seen: ShownState, outputs: Path) -> Message:
    """Compose the message about the jobs of a page: the shown one in full, with its newest preview
    if the page does not show that yet, and a line about each of them.
    """
    selection = update.selection
    message = describe_job(selection.shown, update.shown, outputs)
    lines = []
    for job, snapshot in zip(selection.jobs, update.snapshots, strict=True):
        lines.append(describe_job_brief(job, snapshot, outputs))
    message["jobs"] = lines
    # What the page will show then; when it polls, it sends these back.
    shown = update.shown_after(seen)
    message["version"] = shown.version
    message["frames"] = shown.frames or 0
    message["ended"] = shown.ended
    if update.has_frame(seen):
        message["image"] = encode_frame(update.shown)
    return message


def encode_frame(snapshot: JobSnapshot) -> str:
    """Encode the newest preview as a data URI, with ComfyUI's bytes unchanged; "" if none."""
    preview = snapshot.state.preview if snapshot.state else None
    if not preview:
        return ""
    encoded = base64.b64encode(preview.data).decode()
    return f"data:{preview.mime};base64,{encoded}"


class JobStreams:
    """The streams of all open pages, by their secret and by the tab.

    Use it on the event loop that serves the pages; it outlives a page that is drawn anew.
    """

    def __init__(self, max_streams: int, outputs: Path) -> None:
        self._outputs = outputs
        self._max_streams = max_streams
        self._by_id: dict[str, JobStream] = {}
        self._by_tab: dict[Tab, JobStream] = {}

    @property
    def is_full(self) -> bool:
        """True if the next page has to poll instead."""
        return len(self._by_id) >= self._max_streams

    def find(self, id: str) -> JobStream | None:
        """Find the stream with this secret."""
        return self._by_id.get(id)

    def find_of_tab(self, tab: Tab) -> JobStream | None:
        """Find the stream that a tab listens to."""
        stream = self._by_tab.get(tab)
        if stream is None or stream.is_over:
            return None
        return stream

    @contextmanager
    def open(self, feed: JobFeed, tab: Tab) -> Iterator[JobStream]:
        """Open a stream for a tab, and close the one that it had."""
        before = self._by_tab.get(tab)
        if before is not None:
            before.close()
        stream = JobStream(feed, self._outputs)
        self._by_id[stream.id] = stream
        self._by_tab[tab] = stream
        try:
            yield stream
        finally:
            del self._by_id[stream.id]
            if self._by_tab.get(tab) is stream:
                del self._by_tab[tab]
