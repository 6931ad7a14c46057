"""What a page gets to see of a job: messages paced by the page's own acknowledgements.

Gradio queues whatever a generator yields without limit, so on a slow line an unpaced stream of frames arrives tens of
seconds late. Here the next frame is sent when the page has painted the one before; in between only the newest is kept.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from comfygradio.jobs.job import Job, Snapshot

TICK_SECONDS = 1.0
"""Without an acknowledgement for so long, progress is sent without a picture."""

LOST_SECONDS = 10.0
"""Without an acknowledgement for so long, it is taken as lost and a picture is sent all the same."""

GONE_SECONDS = 30.0
"""Without an acknowledgement for so long, the page is gone."""

PACE_SECONDS = 0.01
"""Least time before a message with a frame."""

PROGRESS_SECONDS = 0.2
"""Least time before a message without one: ComfyUI tells the progress of a step just before its preview."""

Message = dict[str, Any]


class Watch:
    """One page watching one job. Lives on the event loop that made it; `id` is secret."""

    def __init__(self, job: Job, describe: Callable[[Job, Snapshot], Message]) -> None:
        self.id = secrets.token_urlsafe(12)
        self.job = job
        self._describe = describe
        self._sent = 0
        self._acknowledged = 0
        self._acknowledged_at = time.monotonic()
        self._frames = self._frame_number = 0
        self._framed_at = 0.0
        self._released = False
        self._poke = asyncio.Event()

    def acknowledge(self, number: int) -> None:
        """The page has painted message `number`."""
        self._acknowledged = max(self._acknowledged, min(number, self._sent))
        self._acknowledged_at = time.monotonic()
        self._poke.set()

    def release(self) -> None:
        """The page lets go of its stream: `messages` ends without a last word."""
        self._released = True
        self._poke.set()

    async def messages(self) -> AsyncIterator[Message]:
        """Messages until the job is over (the last one says so and holds no frame), or the page lets go."""
        loop = asyncio.get_running_loop()
        unlisten = self.job.listen(lambda: call_soon(loop, self._poke.set))
        seen, sent_at = -1, 0.0
        try:
            while not self._released and not self._is_gone():
                snapshot, now = self.job.snapshot, time.monotonic()
                if snapshot.is_over:
                    yield self._number(self._describe(self.job, snapshot))
                    return
                due = sent_at + self._choose_pause(snapshot, seen, now) - now
                if due <= 0:
                    seen, sent_at = snapshot.version, now
                    yield self._compose(snapshot, now)
                else:
                    await wait_event(self._poke, due)
        finally:
            unlisten()

    def _compose(self, snapshot: Snapshot, now: float) -> Message:
        message = self._number(self._describe(self.job, snapshot))
        if self._may_frame(snapshot, now):
            message["image"] = encode_frame(snapshot)
            self._frames, self._frame_number, self._framed_at = _count_frames(snapshot), self._sent, now
        return message

    def _may_frame(self, snapshot: Snapshot, now: float) -> bool:
        painted = self._acknowledged >= self._frame_number or now - self._framed_at > LOST_SECONDS
        return painted and _count_frames(snapshot) != self._frames

    def _choose_pause(self, snapshot: Snapshot, seen: int, now: float) -> float:
        if self._may_frame(snapshot, now):
            return PACE_SECONDS
        is_news = snapshot.version != seen and self._acknowledged == self._sent
        return PROGRESS_SECONDS if is_news else TICK_SECONDS

    def _is_gone(self) -> bool:
        return time.monotonic() - self._acknowledged_at > GONE_SECONDS

    def _number(self, message: Message) -> Message:
        self._sent += 1
        return {**message, "watch": self.id, "n": self._sent}


def encode_frame(snapshot: Snapshot) -> str:
    """The newest preview as a data URI, ComfyUI's bytes untouched; "" when there is none."""
    preview = snapshot.state.preview if snapshot.state else None
    return f"data:{preview.mime};base64,{base64.b64encode(preview.data).decode()}" if preview else ""


def _count_frames(snapshot: Snapshot) -> int:
    return snapshot.state.preview_count if snapshot.state else 0


async def wait_event(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, at most so long, and clear it.

    Not `asyncio.wait_for`: before Python 3.12 it swallows a cancellation that comes together with the event. Gradio
    would then try for a minute to close a generator that goes on running, with its lock held.
    """
    waiter = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiter}, timeout=seconds)
    finally:
        waiter.cancel()
    event.clear()


def call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Call on the loop's thread, from any thread; nothing happens when the loop is closed."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        return
