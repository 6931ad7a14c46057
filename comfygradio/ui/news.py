"""News of jobs, for whoever watches them: a page, by its stream or by asking, or a program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.jobs.job import Job, Snapshot
from comfygradio.ui.attendance import Attendance

HOLD_SECONDS = 5.0
"""Without any news a message is sent after so long, so that the page knows that its line is there.
"""

PROGRESS_SECONDS = 0.2
"""News without a picture wait so long for one: ComfyUI tells the progress of a step just before its
preview.
"""

MOST_JOBS = 20
"""Of so many jobs one page is told."""


@dataclass(frozen=True)
class Seen:
    """What a page shows: the version of its jobs, how many of them are over, the count of the
    newest picture, and whose that is.

    `frames` is None for a page that wants no pictures, `token` the secret of the job that it shows.
    """

    version: int = -1
    frames: int | None = 0
    ended: int = 0
    token: str = ""


@dataclass(frozen=True)
class View:
    """The jobs that a page is about, oldest first, and the one of them that it shows."""

    jobs: tuple[Job, ...]
    shown: Job

    def add(self, jobs: Sequence[Job]) -> View:
        """The view with further jobs; the oldest ones are left out where there are too many."""
        fresh = [job for job in jobs if job not in self.jobs]
        every = (*self.jobs, *fresh)[-MOST_JOBS:]
        shown = self.shown if self.shown in every else every[0]
        return View(every, shown)

    def show(self, token: str) -> View:
        """The view of the same jobs that shows the one with this secret, if it is among them."""
        named = (job for job in self.jobs if job.token == token)
        return View(self.jobs, next(named, self.shown))


def make_view(jobs: Sequence[Job], token: str = "") -> View:
    """A view of these jobs that shows the one with this secret, else the oldest that is not over,
    else the newest.
    """
    latest = tuple(jobs)[-MOST_JOBS:]
    open_ones = [job for job in latest if not job.snapshot.is_over]
    first = open_ones[0] if open_ones else latest[-1]
    return View(latest, first).show(token)


@dataclass(frozen=True)
class News:
    """How the jobs of a view stand at one moment, in their order."""

    view: View
    snapshots: tuple[Snapshot, ...]

    @property
    def shown(self) -> Snapshot:
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

    def has_frame(self, seen: Seen) -> bool:
        """Whether there is a picture that the page has not seen, and wants."""
        if seen.frames is None or self.shown.is_over:
            return False
        shown = seen.frames if seen.token == self.token else 0
        return _count_frames(self.shown) not in (0, shown)

    def note(self, seen: Seen) -> Seen:
        """What the page shows once it has painted these."""
        frames = seen.frames
        if frames is not None:
            is_another = seen.token != self.token
            if is_another or self.has_frame(seen):
                frames = 0 if self.shown.is_over else _count_frames(self.shown)
        return Seen(self.version, frames, self.ended, self.token)


def look(view: View) -> News:
    """How the jobs of a view stand now."""
    snapshots = tuple(job.snapshot for job in view.jobs)
    return News(view, snapshots)


class Watch:
    """Somebody watches jobs. Lives on the event loop that made it; jobs change on any thread.

    As a context manager it listens to its jobs, which counts where `attendance` is kept.
    """

    def __init__(
        self, view: View, clock: Clock = SYSTEM_CLOCK, attendance: Attendance | None = None
    ) -> None:
        self.clock = clock
        self.view = view
        self.is_open = True
        self._attendance = attendance
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._listening: dict[Job, ExitStack] = {}

    def __enter__(self) -> Watch:
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

    def change(self, view: View) -> None:
        """Watch these jobs from now on; whoever waits for news gets them at once."""
        self.view = view
        self._listen()
        self._changed.set()

    def close(self) -> None:
        """Nobody watches any more; whoever waits for news gets what there is."""
        self.is_open = False
        self._changed.set()

    async def await_news(self, seen: Seen, hold_seconds: float) -> News:
        """How the jobs stand: at once if all are over, one more is over, or there is a new picture;
        soon if anything else is new; else after a while.
        """
        asked = self.view
        began = self.clock.monotonic()
        while True:
            news = look(self.view)
            patience = _choose_patience(news, seen, hold_seconds)
            left = began + patience - self.clock.monotonic()
            if left <= 0 or self.view is not asked or not self.is_open:
                return news
            await wait_event(self._changed, left, self.clock)

    async def await_end(self, seconds: float) -> None:
        """Wait so long, or until all jobs are over."""
        began = self.clock.monotonic()
        left = seconds
        while left > 0 and self.is_open and not look(self.view).is_last:
            await wait_event(self._changed, left, self.clock)
            left = began + seconds - self.clock.monotonic()

    def _listen(self) -> None:
        for job in self.view.jobs:
            if job in self._listening:
                continue
            ending = ExitStack()
            self._listening[job] = ending
            ending.callback(job.listen(self._poke))
            if self._attendance is not None:
                ending.enter_context(self._attendance.watch(job.token))

    def _poke(self) -> None:
        """From any thread."""
        call_soon(self._loop, self._changed.set)


def _choose_patience(news: News, seen: Seen, hold_seconds: float) -> float:
    """How many seconds after the question the page is told these."""
    is_other = news.ended != seen.ended or news.token != seen.token
    if news.is_last or is_other or news.has_frame(seen):
        return 0.0
    if news.version != seen.version:
        return min(PROGRESS_SECONDS, hold_seconds)
    return hold_seconds


class Pace(Protocol):
    """When somebody who gets news of jobs may get the next ones."""

    async def await_turn(self, news: News, seen: Seen) -> Seen | None:
        """Wait until the news were taken; returns what was seen with them, None where nobody takes
        them any more.
        """
        ...  # pragma: no cover - a protocol


async def follow(
    watch: Watch, pace: Pace, hold_seconds: float = HOLD_SECONDS
) -> AsyncIterator[tuple[News, Seen]]:
    """News of jobs until all are over, each with what was seen before; without any for so long they
    come once more. Ends as well when nobody takes them any more.
    """
    seen: Seen | None = Seen()
    while seen is not None:
        news = await watch.await_news(seen, hold_seconds)
        if not watch.is_open:
            return
        yield news, seen
        is_complete = news.is_last and news.view is watch.view
        if is_complete:
            return
        seen = await pace.await_turn(news, seen)


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
