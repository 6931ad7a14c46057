"""What a page gets to see of a job: it asks, and is answered as soon as there is something that it
has not seen.

One request a message keeps the newest-frame property on a slow line: the page asks again when it
has painted what it got, and what came in between is skipped. Whatever is pushed (a generator's
values, server-sent events) would wait in line for tens of seconds. It also costs the app less than
half of what a message through Gradio's queue does.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.jobs.job import Job, Snapshot
from comfygradio.ui.describe import describe_job

HOLD_SECONDS = 5.0
"""Without any news a request is answered after so long."""

PROGRESS_SECONDS = 0.2
"""News without a picture wait so long for one: ComfyUI tells the progress of a step just before its
preview.
"""

Message = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """What a page shows: the version of the job's state, and the count of its newest picture.

    `frames` is None for a page that wants no pictures.
    """

    version: int = -1
    frames: int | None = 0


async def await_news(
    job: Job, seen: Seen, hold_seconds: float, clock: Clock = SYSTEM_CLOCK
) -> Snapshot:
    """The job's state: at once if it is over or has a new picture, soon if anything else is new,
    else after a while.
    """
    loop, poke = asyncio.get_running_loop(), asyncio.Event()
    unlisten = job.listen(lambda: call_soon(loop, poke.set))
    began = clock.monotonic()
    try:
        while not has_frame(snapshot := job.snapshot, seen) and not snapshot.is_over:
            is_news = snapshot.version != seen.version
            patience = min(PROGRESS_SECONDS, hold_seconds) if is_news else hold_seconds
            left = began + patience - clock.monotonic()
            if left <= 0:
                break
            await wait_event(poke, left, clock)
        return snapshot
    finally:
        unlisten()


def compose(job: Job, snapshot: Snapshot, seen: Seen, outputs: Path) -> Message:
    """The message about a state, with the newest picture if the page has another one; the last
    message has none.
    """
    message = describe_job(job, snapshot, outputs)
    has_picture = has_frame(snapshot, seen) and not snapshot.is_over
    frames = _count_frames(snapshot) if has_picture else seen.frames or 0
    message |= {"version": snapshot.version, "frames": frames}
    return {**message, "image": encode_frame(snapshot)} if has_picture else message


def has_frame(snapshot: Snapshot, seen: Seen) -> bool:
    """Whether there is a picture that the page has not seen, and wants."""
    count = _count_frames(snapshot)
    return seen.frames is not None and count > 0 and count != seen.frames


def encode_frame(snapshot: Snapshot) -> str:
    """The newest preview as a data URI, ComfyUI's bytes untouched; "" when there is none."""
    preview = snapshot.state.preview if snapshot.state else None
    return (
        f"data:{preview.mime};base64,{base64.b64encode(preview.data).decode()}" if preview else ""
    )


def _count_frames(snapshot: Snapshot) -> int:
    return snapshot.state.preview_count if snapshot.state else 0


async def wait_event(event: asyncio.Event, seconds: float, clock: Clock = SYSTEM_CLOCK) -> None:
    """Wait until the event is set, at most so long, and clear it.

    A cancellation that comes together with the event is not swallowed (`Clock.wait_async`): Gradio
    would then try for a minute to close a generator that goes on running, with its lock held.
    """
    await clock.wait_async(event, seconds)
    event.clear()


def call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Call on the loop's thread, from any thread; nothing happens when the loop is closed."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        return
