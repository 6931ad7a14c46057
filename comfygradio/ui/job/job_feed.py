"""Job feed: updates of jobs for a page (by stream or polling) or a program."""

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
"""Without any news a message is sent after so long, so that the page knows that its line is there.
"""

PREVIEW_WAIT_SECONDS = 0.2
"""News without a picture wait so long for one: ComfyUI tells the progress of a step just before its
preview.
"""

MAX_JOBS = 20
"""Most jobs that one page follows."""


@dataclass(frozen=True)
class ShownState:
    """What a page shows: the version of its jobs, how many of them are over, the count of the
    newest picture, and whose that is.

    `frames` is None for a page that wants no pictures, `token` the secret of the job that it shows.
    """

    version: int = -1
    frames: int | None = 0
    ended: int = 0
    token: str = ""


@dataclass(frozen=True)
class JobSelection:
    """The jobs that a page is about, oldest first, and the one of them that it shows."""

    jobs: tuple[Job, ...]
    shown: Job

    def add(self, jobs: Sequence[Job]) -> JobSelection:
        """The view with further jobs; the oldest ones are left out where there are too many."""
        fresh = [job for job in jobs if job not in self.jobs]
        every = (*self.jobs, *fresh)[-MAX_JOBS:]
        shown = self.shown if self.shown in every else every[0]
        return JobSelection(every, shown)

    def select(self, token: str) -> JobSelection:
        """The view of the same jobs that shows the one with this secret, if it is among them."""
        named = (job for job in self.jobs if job.token == token)
        return JobSelection(self.jobs, next(named, self.shown))


def select_jobs(jobs: Sequence[Job], token: str = "") -> JobSelection:
    """A view of these jobs that shows the one with this secret, else the oldest that is not over,
    else the newest.
    """
    latest = tuple(jobs)[-MAX_JOBS:]
    open_ones = [job for job in latest if not job.snapshot.is_over]
    first = open_ones[0] if open_ones else latest[-1]
    return JobSelection(latest, first).select(token)


@dataclass(frozen=True)
class JobUpdate:
    """Snapshots of the selected jobs, in their order."""

    view: JobSelection
    snapshots: tuple[JobSnapshot, ...]

    @property
    def shown(self) -> JobSnapshot:
        """How the job stands that the page shows."""
        place = self.view.jobs.index(self.view.shown)
        return self.snapshots[place]

    @property
    def token(self) -> str:
        """The secret of the job that the page shows."""
        return self.view.shown.token

    @property
    def version(self) -> int:
        """Grows with every change of any of the jobs, and with every further job."""
        versions = sum(snapshot.version for snapshot in self.snapshots)
        return versions + len(self.snapshots)

    @property
    def ended(self) -> int:
        """How many of the jobs are over."""
        return sum(snapshot.is_over for snapshot in self.snapshots)

    @property
    def is_last(self) -> bool:
        """Whether nothing will change any more."""
        return self.ended == len(self.snapshots)

    def has_frame(self, seen: ShownState) -> bool:
        """Whether there is a picture that the page has not seen, and wants."""
        if seen.frames is None or self.shown.is_over:
            return False
        shown = seen.frames if seen.token == self.token else 0
        return _count_frames(self.shown) not in (0, shown)

    def update_shown(self, seen: ShownState) -> ShownState:
        """The state of the page after it has painted this update."""
        frames = seen.frames
        if frames is not None:
            is_another = seen.token != self.token
            if is_another or self.has_frame(seen):
                frames = 0 if self.shown.is_over else _count_frames(self.shown)
        return ShownState(self.version, frames, self.ended, self.token)


def make_update(view: JobSelection) -> JobUpdate:
    """The current update of the selected jobs."""
    snapshots = tuple(job.snapshot for job in view.jobs)
    return JobUpdate(view, snapshots)


class JobFeed:
    """Somebody watches jobs. Lives on the event loop that made it; jobs change on any thread.

    As a context manager it listens to its jobs, which counts where `disconnect_watch` is kept.
    """

    def __init__(
        self,
        view: JobSelection,
        clock: Clock = SYSTEM_CLOCK,
        disconnect_watch: DisconnectWatch | None = None,
    ) -> None:
        self.clock = clock
        self.view = view
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

    def change(self, view: JobSelection) -> None:
        """Watch these jobs from now on; whoever waits for news gets them at once."""
        self.view = view
        self._listen()
        self._changed.set()

    def close(self) -> None:
        """Nobody watches any more; whoever waits for news gets what there is."""
        self.is_open = False
        self._changed.set()

    async def wait_for_update(self, seen: ShownState, hold_seconds: float) -> JobUpdate:
        """How the jobs stand: at once if all are over, one more is over, or there is a new picture;
        soon if anything else is new; else after a while.
        """
        asked = self.view
        began = self.clock.monotonic()
        while True:
            news = make_update(self.view)
            patience = _choose_delay(news, seen, hold_seconds)
            left = began + patience - self.clock.monotonic()
            if left <= 0 or self.view is not asked or not self.is_open:
                return news
            await wait_event(self._changed, left, self.clock)

    async def wait_for_end(self, seconds: float) -> None:
        """Wait so long, or until all jobs are over."""
        began = self.clock.monotonic()
        left = seconds
        while left > 0 and self.is_open and not make_update(self.view).is_last:
            await wait_event(self._changed, left, self.clock)
            left = began + seconds - self.clock.monotonic()

    def _listen(self) -> None:
        for job in self.view.jobs:
            if job in self._listening:
                continue
            ending = ExitStack()
            self._listening[job] = ending
            ending.callback(job.listen(self._wake))
            if self._disconnect_watch is not None:
                ending.enter_context(self._disconnect_watch.watch(job.token))

    def _wake(self) -> None:
        """From any thread."""
        call_soon(self._loop, self._changed.set)


def _choose_delay(news: JobUpdate, seen: ShownState, hold_seconds: float) -> float:
    """How long to hold this update back, in seconds."""
    is_other = news.ended != seen.ended or news.token != seen.token
    if news.is_last or is_other or news.has_frame(seen):
        return 0.0
    if news.version != seen.version:
        return min(PREVIEW_WAIT_SECONDS, hold_seconds)
    return hold_seconds


class Pacing(Protocol):
    """Backpressure: when a follower is ready for the next update."""

    async def wait_until_ready(self, news: JobUpdate, seen: ShownState) -> ShownState | None:
        """Wait until the news were taken; returns what was seen with them, None where nobody takes
        them any more.
        """
        ...  # pragma: no cover - a protocol


async def follow(
    watch: JobFeed, pace: Pacing, hold_seconds: float = KEEPALIVE_SECONDS
) -> AsyncIterator[tuple[JobUpdate, ShownState]]:
    """News of jobs until all are over, each with what was seen before; without any for so long they
    come once more. Ends as well when nobody takes them any more.
    """
    seen: ShownState | None = ShownState()
    while seen is not None:
        news = await watch.wait_for_update(seen, hold_seconds)
        if not watch.is_open:
            return
        yield news, seen
        is_complete = news.is_last and news.view is watch.view
        if is_complete:
            return
        seen = await pace.wait_until_ready(news, seen)


def _count_frames(snapshot: JobSnapshot) -> int:
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
