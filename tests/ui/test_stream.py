"""Pacing: a page gets the next frame when it has painted the one before, and only ever the newest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from comfygradio.comfy.state import JobState, Preview
from comfygradio.comfy.workflow import Prompt
from comfygradio.jobs.job import Job, Order
from comfygradio.ui.describe import describe_job
from comfygradio.ui.stream import PROGRESS_SECONDS, Message, Watch, wait_event


def new_job() -> Job:
    """A job that nobody runs; the test changes it."""
    return Job(Order("tiny", "Tiny", Prompt({}), {"seed": 2**64 - 1}, ("seed",)))


def show_frame(job: Job, number: int) -> None:
    """Let the job have its frame `number`."""
    preview = Preview(f"frame {number}".encode(), "image/jpeg", "3")
    job.update(
        phase="running", state=JobState("id", "running", progress=number / 100, preview=preview, preview_count=number)
    )


def run(test: Callable[[Job, Watch, Callable[[], Awaitable[Message]]], Awaitable[None]]) -> None:
    """Run a test on a loop of its own, with a job, a watch and the way to its next message."""

    async def main() -> None:
        job = new_job()
        watch = Watch(job, describe_job)
        messages = watch.messages()

        async def next_message() -> Message:
            return await asyncio.wait_for(messages.__anext__(), 5)

        await test(job, watch, next_message)
        await messages.aclose()  # type: ignore[attr-defined]

    asyncio.run(main())


def test_the_next_frame_waits_for_the_acknowledgement_and_is_the_newest() -> None:
    async def test(job: Job, watch: Watch, next_message: Callable[[], Awaitable[Message]]) -> None:
        show_frame(job, 1)
        first = await next_message()
        assert first["image"].startswith("data:image/jpeg;base64,")
        waiting = asyncio.ensure_future(next_message())
        for number in range(2, 10):
            show_frame(job, number)
        await asyncio.sleep(0.1)
        assert not waiting.done()
        watch.acknowledge(first["n"])
        second = await waiting
        assert second["percent"] == 9.0 and second["image"] != first["image"]

    run(test)


def test_without_an_acknowledgement_progress_goes_on_without_frames() -> None:
    async def test(job: Job, watch: Watch, next_message: Callable[[], Awaitable[Message]]) -> None:
        show_frame(job, 1)
        await next_message()
        show_frame(job, 2)
        tick = await next_message()
        assert tick["percent"] == 2.0 and "image" not in tick

    run(test)


def test_an_acknowledgement_that_was_never_due_changes_nothing() -> None:
    async def test(job: Job, watch: Watch, next_message: Callable[[], Awaitable[Message]]) -> None:
        watch.acknowledge(10**9)
        show_frame(job, 1)
        await next_message()
        waiting = asyncio.ensure_future(next_message())
        show_frame(job, 2)
        await asyncio.sleep(0.1)
        assert not waiting.done()
        watch.acknowledge(1)
        assert "image" in await waiting

    run(test)


def test_the_last_message_says_the_end_and_holds_no_frame() -> None:
    async def test(job: Job, watch: Watch, next_message: Callable[[], Awaitable[Message]]) -> None:
        show_frame(job, 1)
        await next_message()
        job.update(phase="done", seconds=1.5)
        last = await next_message()
        assert last["phase"] == "done" and "image" not in last and last["seed"] == str(2**64 - 1)
        assert await ended(next_message)

    run(test)


def test_a_page_that_lets_go_ends_the_stream_and_not_the_job() -> None:
    async def test(job: Job, watch: Watch, next_message: Callable[[], Awaitable[Message]]) -> None:
        show_frame(job, 1)
        await next_message()
        watch.release()
        assert await ended(next_message)
        assert not job.stop_requested.is_set() and not job.snapshot.is_over

    run(test)


def test_a_frame_does_not_wait_behind_the_progress_told_before_it() -> None:
    async def test(job: Job, watch: Watch, next_message: Callable[[], Awaitable[Message]]) -> None:
        show_frame(job, 1)
        watch.acknowledge((await next_message())["n"])
        state = job.snapshot.state
        assert state is not None
        job.update(state=replace(state, progress=0.02))
        loop = asyncio.get_running_loop()
        waiting, began = asyncio.ensure_future(next_message()), loop.time()
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


async def ended(next_message: Callable[[], Awaitable[Any]]) -> bool:
    """Whether no further message comes."""
    try:
        await next_message()
    except StopAsyncIteration:
        return True
    return False
