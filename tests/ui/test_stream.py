"""Pacing: a page gets the newest frame when it has painted the one before and asks, and waits where
nothing is new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from comfygradio.comfy.state import JobState, Preview
from comfygradio.comfy.workflow import Prompt
from comfygradio.jobs.job import Job, Order
from comfygradio.ui.stream import (
    HOLD_SECONDS,
    PROGRESS_SECONDS,
    Message,
    Seen,
    await_news,
    compose,
    wait_event,
)
from tests.clocks import HANG_SECONDS, ManualClock


def new_job() -> Job:
    """A job that nobody runs; the test changes it."""
    return Job(Order("tiny", "Tiny", Prompt({}), {"seed": 2**64 - 1}, ("seed",)))


def show_frame(job: Job, number: int) -> None:
    """Let the job have its frame `number`."""
    preview = Preview(f"frame {number}".encode(), "image/jpeg", "3")
    job.update(
        phase="running",
        state=JobState(
            "id", "running", progress=number / 100, preview=preview, preview_count=number
        ),
    )


Ask = Callable[..., Awaitable[Message]]
"""What a page has seen, and for how long it may be held."""


def run(test: Callable[[Job, Ask, ManualClock], Awaitable[None]]) -> None:
    """Run a test on a loop of its own, with a job, the way to ask how it is, and a clock."""

    async def main() -> None:
        job, clock = new_job(), ManualClock()

        async def ask(seen: Seen, hold_seconds: float = HOLD_SECONDS) -> Message:
            news = await_news(job, seen, hold_seconds, clock)
            return compose(job, await asyncio.wait_for(news, HANG_SECONDS), seen, Path())

        await test(job, ask, clock)

    asyncio.run(main())


async def rest() -> None:
    """Let what was begun go on until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


def read_seen(message: Message) -> Seen:
    """What a page has seen that shows this message."""
    return Seen(message["version"], message["frames"])


def test_the_next_frame_is_the_newest_when_the_page_asks_for_it() -> None:
    async def test(job: Job, ask: Ask, clock: ManualClock) -> None:
        show_frame(job, 1)
        first = await ask(Seen())
        assert first["image"].startswith("data:image/jpeg;base64,")
        for number in range(2, 10):
            show_frame(job, number)
        second = await ask(read_seen(first))
        assert (
            second["percent"] == 9.0 and second["image"] != first["image"] and second["frames"] == 9
        )

    run(test)


def test_a_page_that_has_seen_everything_waits_for_news() -> None:
    async def test(job: Job, ask: Ask, clock: ManualClock) -> None:
        show_frame(job, 1)
        seen = read_seen(await ask(Seen()))
        waiting = asyncio.ensure_future(ask(seen))
        await asyncio.to_thread(clock.await_waiters)
        assert not waiting.done()
        show_frame(job, 2)
        assert (await waiting)["frames"] == 2
        waiting = asyncio.ensure_future(ask(Seen(job.snapshot.version, 2)))
        await rest()
        clock.advance(HOLD_SECONDS)
        quiet = await waiting
        assert "image" not in quiet and quiet["frames"] == 2

    run(test)


def test_a_page_that_wants_no_frames_gets_none() -> None:
    async def test(job: Job, ask: Ask, clock: ManualClock) -> None:
        show_frame(job, 1)
        told = await ask(Seen(frames=None), 0)
        assert "image" not in told and told["percent"] == 1.0 and told["frames"] == 0
        assert "image" in await ask(read_seen(told), 0)

    run(test)


def test_the_last_message_says_the_end_at_once_and_holds_no_frame() -> None:
    async def test(job: Job, ask: Ask, clock: ManualClock) -> None:
        show_frame(job, 1)
        waiting = asyncio.ensure_future(ask(Seen(job.snapshot.version, 1)))
        await asyncio.sleep(0)
        job.update(phase="done", seconds=1.5)
        last = await waiting
        assert last["phase"] == "done" and "image" not in last and last["seed"] == str(2**64 - 1)
        assert (await ask(Seen()))["phase"] == "done"

    run(test)


def test_nobody_listens_once_a_page_is_answered() -> None:
    async def test(job: Job, ask: Ask, clock: ManualClock) -> None:
        waiting = asyncio.ensure_future(ask(Seen(job.snapshot.version, 0)))
        await asyncio.to_thread(clock.await_waiters)
        assert job.is_watched
        waiting.cancel()
        await asyncio.wait({waiting})
        assert not job.is_watched

    run(test)


def test_a_frame_does_not_wait_behind_the_progress_told_before_it() -> None:
    async def test(job: Job, ask: Ask, clock: ManualClock) -> None:
        show_frame(job, 1)
        seen = read_seen(await ask(Seen()))
        state = job.snapshot.state
        assert state is not None
        job.update(state=replace(state, progress=0.02))
        waiting = asyncio.ensure_future(ask(seen))
        await asyncio.to_thread(clock.await_waiters)
        assert not waiting.done()
        show_frame(job, 2)
        assert "image" in await waiting, "it comes though no time passes"

    run(test)


def test_progress_without_a_frame_is_told_soon() -> None:
    async def test(job: Job, ask: Ask, clock: ManualClock) -> None:
        show_frame(job, 1)
        seen = read_seen(await ask(Seen()))
        state = job.snapshot.state
        assert state is not None
        job.update(state=replace(state, progress=0.02))
        waiting = asyncio.ensure_future(ask(seen))
        await asyncio.to_thread(clock.await_waiters)
        clock.advance(PROGRESS_SECONDS)
        told = await waiting
        assert "image" not in told and told["percent"] == 2.0

    run(test)


def test_a_cancellation_that_comes_together_with_news_is_not_swallowed() -> None:
    async def main() -> None:
        event = asyncio.Event()
        waiting = asyncio.ensure_future(wait_event(event, HANG_SECONDS))
        await rest()
        event.set()
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting}, timeout=HANG_SECONDS)
        assert waiting.cancelled()

    asyncio.run(main())
