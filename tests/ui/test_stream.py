"""Pacing: a page gets the newest frame when it has painted the one before and asks, and waits where
nothing is new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from comfygradio.comfy.state import JobState, Preview
from comfygradio.comfy.workflow import Prompt
from comfygradio.jobs.job import Job, Order
from comfygradio.ui.stream import PROGRESS_SECONDS, Message, Seen, await_news, compose, wait_event


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


Ask = Callable[[Seen, float], Awaitable[Message]]


def run(test: Callable[[Job, Ask], Awaitable[None]]) -> None:
    """Run a test on a loop of its own, with a job and the way to ask how it is."""

    async def main() -> None:
        job = new_job()

        async def ask(seen: Seen, hold_seconds: float) -> Message:
            return compose(
                job, await asyncio.wait_for(await_news(job, seen, hold_seconds), 5), seen
            )

        await test(job, ask)

    asyncio.run(main())


def read_seen(message: Message) -> Seen:
    """What a page has seen that shows this message."""
    return Seen(message["version"], message["frames"])


def test_the_next_frame_is_the_newest_when_the_page_asks_for_it() -> None:
    async def test(job: Job, ask: Ask) -> None:
        show_frame(job, 1)
        first = await ask(Seen(), 5)
        assert first["image"].startswith("data:image/jpeg;base64,")
        for number in range(2, 10):
            show_frame(job, number)
        second = await ask(read_seen(first), 5)
        assert (
            second["percent"] == 9.0 and second["image"] != first["image"] and second["frames"] == 9
        )

    run(test)


def test_a_page_that_has_seen_everything_waits_for_news() -> None:
    async def test(job: Job, ask: Ask) -> None:
        show_frame(job, 1)
        seen = read_seen(await ask(Seen(), 5))
        waiting = asyncio.ensure_future(ask(seen, 5))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        show_frame(job, 2)
        assert (await waiting)["frames"] == 2
        quiet = await ask(Seen(job.snapshot.version, 2), 0.05)
        assert "image" not in quiet and quiet["frames"] == 2

    run(test)


def test_a_page_that_wants_no_frames_gets_none() -> None:
    async def test(job: Job, ask: Ask) -> None:
        show_frame(job, 1)
        told = await ask(Seen(frames=None), 0)
        assert "image" not in told and told["percent"] == 1.0 and told["frames"] == 0
        assert "image" in await ask(read_seen(told), 0)

    run(test)


def test_the_last_message_says_the_end_at_once_and_holds_no_frame() -> None:
    async def test(job: Job, ask: Ask) -> None:
        show_frame(job, 1)
        waiting = asyncio.ensure_future(ask(Seen(job.snapshot.version, 1), 5))
        await asyncio.sleep(0)
        job.update(phase="done", seconds=1.5)
        last = await waiting
        assert last["phase"] == "done" and "image" not in last and last["seed"] == str(2**64 - 1)
        assert (await ask(Seen(), 5))["phase"] == "done"

    run(test)


def test_nobody_listens_once_a_page_is_answered() -> None:
    async def test(job: Job, ask: Ask) -> None:
        waiting = asyncio.ensure_future(ask(Seen(job.snapshot.version, 0), 5))
        await asyncio.sleep(0.01)
        assert job.is_watched
        waiting.cancel()
        await asyncio.wait({waiting})
        assert not job.is_watched

    run(test)


def test_a_frame_does_not_wait_behind_the_progress_told_before_it() -> None:
    async def test(job: Job, ask: Ask) -> None:
        show_frame(job, 1)
        seen = read_seen(await ask(Seen(), 5))
        state = job.snapshot.state
        assert state is not None
        job.update(state=replace(state, progress=0.02))
        loop = asyncio.get_running_loop()
        waiting, began = asyncio.ensure_future(ask(seen, 5)), loop.time()
        await asyncio.sleep(0.02)
        assert not waiting.done()
        show_frame(job, 2)
        assert "image" in await waiting and loop.time() - began < PROGRESS_SECONDS

    run(test)


def test_a_cancellation_that_comes_together_with_news_is_not_swallowed() -> None:
    async def main() -> None:
        event = asyncio.Event()
        waiting = asyncio.ensure_future(wait_event(event, 5))
        await asyncio.sleep(0.01)
        event.set()
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting}, timeout=5)
        assert waiting.cancelled()

    asyncio.run(main())
