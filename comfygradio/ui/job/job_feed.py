"""Job feed: updates about jobs, for a page (by stream or polling) or a program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.jobs.job import Job, JobSnapshot
from comfygradio.service.disconnect_watch import DisconnectWatch

KEEPALIVE_SECONDS = 5.0
"""If nothing changes, the last update is sent again after this long, so that the page knows that
the connection is alive.
"""

PREVIEW_WAIT_SECONDS = 0.2
"""How long an update without a preview is held back: ComfyUI reports the progress of a step just
before its preview.
"""

MAX_JOBS = 20
"""Most jobs that one page follows."""


@dataclass(frozen=True)
class ShownState:
    """What a page shows: the version of its jobs, the number of the newest preview, how many jobs
    are over, and the secret of the job in view.

    `frames` is None for a page that wants no previews.
    """

    version: int = -1
    frames: int | None = 0
    ended: int = 0
    token: str = ""


@dataclass(frozen=True)
class JobSelection:
    """The jobs that a page follows, oldest first, and the one of them that it shows."""

    jobs: tuple[Job, ...]
    shown: Job

    def add(self, jobs: Sequence[Job]) -> JobSelection:
        """Add further jobs; if there are too many, the oldest are dropped."""
        fresh = [job for job in jobs if job not in self.jobs]
        all_jobs = (*self.jobs, *fresh)
        latest = all_jobs[-MAX_JOBS:]
        shown = self.shown
        if shown not in latest:
            shown = latest[0]
        return JobSelection(latest, shown)

    def select(self, token: str) -> JobSelection:
        """Show the job with this secret, if it is among the selected ones."""
        shown = self.shown
        for job in self.jobs:
            if job.token == token:
                shown = job
        return JobSelection(self.jobs, shown)


def select_jobs(jobs: Sequence[Job], token: str = "") -> JobSelection:
    """Select these jobs, and show the one with this secret, else the oldest one that is not over,
    else the newest.
    """
    latest = tuple(jobs)[-MAX_JOBS:]
    shown = latest[-1]
    for job in latest:
        if not job.snapshot.is_over:
            shown = job
            break
    selection = JobSelection(latest, shown)
    return selection.select(token)


@dataclass(frozen=True)
class JobUpdate:
    """Snapshots of the selected jobs, in the same order."""

    selection: JobSelection
    snapshots: tuple[JobSnapshot, ...]

    @property
    def shown(self) -> JobSnapshot:
        """The snapshot of the job that the page shows."""
        jobs = self.selection.jobs
        place = jobs.index(self.selection.shown)
        return self.snapshots[place]

    @property
    def token(self) -> str:
        """The secret of the job that the page shows."""
        return self.selection.shown.token

    @property
    def version(self) -> int:
        """A number that grows with every change of any of the jobs, and with every further job."""
        version = len(self.snapshots)
        for snapshot in self.snapshots:
            version += snapshot.version
        return version

    @property
    def ended(self) -> int:
        """How many of the jobs are over."""
        over = [snapshot for snapshot in self.snapshots if snapshot.is_over]
        return len(over)

    @property
    def is_last(self) -> bool:
        """True if all jobs are over, so that nothing will change any more."""
        return all(snapshot.is_over for snapshot in self.snapshots)

    def has_frame(self, seen: ShownState) -> bool:
        """Return whether there is a preview that the page wants and does not show yet."""
        if seen.frames is None or self.shown.is_over:
            return False
        newest = _count_frames(self.shown)
        if newest == 0:
            return False
        is_same_job = seen.token == self.token
        return not is_same_job or newest != seen.frames

    def shown_after(self, seen: ShownState) -> ShownState:
        """Return what the page shows after it has painted this update."""
        frames = self._count_shown_frames(seen)
        return ShownState(self.version, frames, self.ended, self.token)

    def _count_shown_frames(self, seen: ShownState) -> int | None:
        if seen.frames is None:
            return None
        is_same_job = seen.token == self.token
        if is_same_job and not self.has_frame(seen):
            return seen.frames
        if self.shown.is_over:
            return 0
        return _count_frames(self.shown)


def make_update(selection: JobSelection) -> JobUpdate:
    """Make an update with the current snapshots of the selected jobs."""
    snapshots = tuple(job.snapshot for job in selection.jobs)
    return JobUpdate(selection, snapshots)


class JobFeed:
    """Waits for updates of the selected jobs, which may change on any thread.

    Use it on the event loop that it was made on, and as a context manager: it listens to its jobs
    meanwhile, and `disconnect_watch` counts it as a page that watches them.
    """

    def __init__(
        self,
        selection: JobSelection,
        clock: Clock = SYSTEM_CLOCK,
        disconnect_watch: DisconnectWatch | None = None,
    ) -> None:
        self.clock = clock
        self.selection = selection
        self.is_open = True
        self._disconnect_watch = disconnect_watch
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._listening: dict[Job, ExitStack] = {}

    def __enter__(self) -> JobFeed:
        self._listen()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        for ending in self._listening.values():
            ending.close()

    def change(self, selection: JobSelection) -> None:
        """Follow these jobs from now on; a waiting `wait_for_update` returns at once."""
        self.selection = selection
        self._listen()
        self._changed.set()

    def close(self) -> None:
        """End the feed; a waiting `wait_for_update` returns at once."""
        self.is_open = False
        self._changed.set()

    async def wait_for_update(self, seen: ShownState, hold_seconds: float) -> JobUpdate:
        """Wait for an update of what a page has `seen`, at most `hold_seconds`.

        Returns at once if all jobs are over, one more is over, or there is a new preview; and soon
        if anything else has changed.
        """
        selection = self.selection
        began = self.clock.monotonic()
        while True:
            update = make_update(self.selection)
            delay = _choose_delay(update, seen, hold_seconds)
            left = began + delay - self.clock.monotonic()
            has_changed = self.selection is not selection
            if left <= 0 or has_changed or not self.is_open:
                return update
            await wait_event(self._changed, left, self.clock)

    async def wait_for_end(self, seconds: float) -> None:
        """Wait until all jobs are over, at most this long."""
        began = self.clock.monotonic()
        left = seconds
        while left > 0 and self.is_open:
            update = make_update(self.selection)
            if update.is_last:
                return
            await wait_event(self._changed, left, self.clock)
            left = began + seconds - self.clock.monotonic()

    def _listen(self) -> None:
        for job in self.selection.jobs:
            if job in self._listening:
                continue
            ending = ExitStack()
            self._listening[job] = ending
            unlisten = job.listen(self._wake)
            ending.callback(unlisten)
            if self._disconnect_watch is not None:
                watching = self._disconnect_watch.watch(job.token)
                ending.enter_context(watching)

    def _wake(self) -> None:
        """Wake whoever waits; may be called from any thread."""
        call_soon(self._loop, self._changed.set)


def _choose_delay(update: JobUpdate, seen: ShownState, hold_seconds: float) -> float:
    """Choose how long to hold an update back, in seconds."""
    has_more_ended = update.ended != seen.ended
    is_other_job = update.token != seen.token
    if update.is_last or has_more_ended or is_other_job or update.has_frame(seen):
        return 0.0
    if update.version != seen.version:
        return min(PREVIEW_WAIT_SECONDS, hold_seconds)
    return hold_seconds


class Pacing(Protocol):
    """Backpressure: says when a follower is ready for the next update."""

    async def wait_until_ready(self, update: JobUpdate, seen: ShownState) -> ShownState | None:
        """Wait until the follower has handled the update; return what it shows then, or None if
        it is gone.
        """
        ...  # pragma: no cover - a protocol


async def follow(
    feed: JobFeed, pacing: Pacing, hold_seconds: float = KEEPALIVE_SECONDS
) -> AsyncIterator[tuple[JobUpdate, ShownState]]:
    """Yield updates until all jobs are over, each with what the follower showed before it.

    If nothing changes for `hold_seconds`, the same update is yielded again. Ends early if the feed
    is closed or the follower is gone.
    """
    seen: ShownState | None = ShownState()
    while seen is not None:
        update = await feed.wait_for_update(seen, hold_seconds)
        if not feed.is_open:
            return
        yield update, seen
        # Further jobs may have been selected meanwhile.
        is_current = update.selection is feed.selection
        if update.is_last and is_current:
            return
        seen = await pacing.wait_until_ready(update, seen)


def _count_frames(snapshot: JobSnapshot) -> int:
    if snapshot.state is None:
        return 0
    return snapshot.state.preview_count


async def wait_event(event: asyncio.Event, seconds: float, clock: Clock = SYSTEM_CLOCK) -> None:
    """Wait until the event is set, at most this long, and clear it.

    A cancellation that comes together with the event is not swallowed (`Clock.wait_async`):
    otherwise Gradio would try for a minute to close a generator that goes on running, and hold its
    lock meanwhile.
    """
    await clock.wait_async(event, seconds)
    event.clear()


def call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Call a function on the loop's thread, from any thread; do nothing if the loop is closed."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        return
