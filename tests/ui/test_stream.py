"""Pacing: a page gets the newest frame after it has painted the one before, and waits if nothing is
new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from comfygradio.comfy.prompt_progress import Preview, PromptProgress
from comfygradio.comfy.workflow import Prompt
from comfygradio.jobs.job import Job, Order
from comfygradio.ui.form.endpoint import REPORT_SECONDS, ProgramPacing
from comfygradio.ui.job.job_feed import (
    KEEPALIVE_SECONDS,
    MAX_JOBS,
    PREVIEW_WAIT_SECONDS,
    JobFeed,
    ShownState,
    select_jobs,
    wait_event,
)
from comfygradio.ui.job.job_stream import (
    PAINT_TIMEOUT_SECONDS,
    JobStream,
    JobStreams,
    Message,
    compose_message,
)
from comfygradio.ui.job.job_view import read_tokens
from tests.clocks import HANG_SECONDS, ManualClock


def new_job() -> Job:
    """Make a job that nobody runs; the test changes it."""
    return Job(Order("tiny", "Tiny", Prompt({}), {"seed": 2**64 - 1}, ("seed",)))


def show_frame(job: Job, number: int) -> None:
    """Give the job its frame `number`."""
    preview = Preview(f"frame {number}".encode(), "image/jpeg", "3")
    job.update(
        phase="running",
        state=PromptProgress(
            "id", "running", progress=number / 100, preview=preview, preview_count=number
        ),
    )


Ask = Callable[..., Awaitable[Message]]
"""What a page has seen, and for how long it may be held."""


def run(test: Callable[[Job, Ask, ManualClock], Awaitable[None]]) -> None:
    """Run a test on its own event loop, with a job, a function that waits for news, and a clock."""

    async def main() -> None:
        job, clock = new_job(), ManualClock()

        async def ask(seen: ShownState, hold_seconds: float = KEEPALIVE_SECONDS) -> Message:
            seen = replace(seen, token=job.token)
            with JobFeed(select_jobs([job]), clock) as feed:
                news = feed.wait_for_update(seen, hold_seconds)
                return compose_message(await asyncio.wait_for(news, HANG_SECONDS), seen, Path())

        await test(job, ask, clock)

    asyncio.run(main())


async def rest() -> None:
    """Let all tasks run until they wait."""
    for _ in range(5):
        await asyncio.sleep(0)


def read_seen(message: Message) -> ShownState:
    """Return the state of a page that shows this message."""
    return ShownState(message["version"], message["frames"], message["ended"])


def test_the_next_frame_is_the_newest_when_the_page_asks_for_it() -> None:
    async def test(job: Job, ask: Ask, clock: ManualClock) -> None:
        show_frame(job, 1)
        first = await ask(ShownState())
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
        seen = read_seen(await ask(ShownState()))
        waiting = asyncio.ensure_future(ask(seen))
        await asyncio.to_thread(clock.await_waiters)
        assert not waiting.done()
        show_frame(job, 2)
        assert (await waiting)["frames"] == 2
        waiting = asyncio.ensure_future(ask(read_seen(await ask(ShownState(frames=2), 0))))
        await rest()
        clock.advance(KEEPALIVE_SECONDS)
        quiet = await waiting
        assert "image" not in quiet and quiet["frames"] == 2

    run(test)


def test_a_page_that_wants_no_frames_gets_none() -> None:
    async def test(job: Job, ask: Ask, clock: ManualClock) -> None:
        show_frame(job, 1)
        told = await ask(ShownState(frames=None), 0)
        assert "image" not in told and told["percent"] == 1.0 and told["frames"] == 0
        assert "image" in await ask(read_seen(told), 0)

    run(test)


def test_the_last_message_says_the_end_at_once_and_holds_no_frame() -> None:
    async def test(job: Job, ask: Ask, clock: ManualClock) -> None:
        show_frame(job, 1)
        waiting = asyncio.ensure_future(ask(read_seen(await ask(ShownState(frames=1), 0))))
        await asyncio.sleep(0)
        job.update(phase="done", seconds=1.5)
        last = await waiting
        assert last["phase"] == "done" and "image" not in last and last["seed"] == str(2**64 - 1)
        assert (await ask(ShownState()))["phase"] == "done"

    run(test)


def test_nobody_listens_once_a_page_is_answered() -> None:
    async def test(job: Job, ask: Ask, clock: ManualClock) -> None:
        waiting = asyncio.ensure_future(ask(read_seen(await ask(ShownState(), 0))))
        await asyncio.to_thread(clock.await_waiters)
        assert job.is_watched
        waiting.cancel()
        await asyncio.wait({waiting})
        assert not job.is_watched

    run(test)


def test_a_frame_does_not_wait_behind_the_progress_told_before_it() -> None:
    async def test(job: Job, ask: Ask, clock: ManualClock) -> None:
        show_frame(job, 1)
        seen = read_seen(await ask(ShownState()))
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
        seen = read_seen(await ask(ShownState()))
        state = job.snapshot.state
        assert state is not None
        job.update(state=replace(state, progress=0.02))
        waiting = asyncio.ensure_future(ask(seen))
        await asyncio.to_thread(clock.await_waiters)
        clock.advance(PREVIEW_WAIT_SECONDS)
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


class Tab:
    """A page with a stream; it behaves like the script."""

    def __init__(self, jobs: list[Job], clock: ManualClock) -> None:
        self._feed = JobFeed(select_jobs(jobs), clock)
        self._feed.__enter__()
        self.stream = JobStream(self._feed, Path())
        self._messages = self.stream.messages()
        self._waiting: asyncio.Future[Message] | None = None

    async def read(self) -> Message:
        """Return the next message; it is not painted yet."""
        return await asyncio.wait_for(anext(self._messages), HANG_SECONDS)

    async def is_told(self) -> bool:
        """Return whether a message has come by now; `read_told` returns it."""
        if self._waiting is None:
            self._waiting = asyncio.ensure_future(anext(self._messages))
        await rest()
        return self._waiting.done()

    async def read_told(self) -> Message:
        """Return the message that `is_told` began to wait for."""
        assert self._waiting is not None
        waiting, self._waiting = self._waiting, None
        return await asyncio.wait_for(waiting, HANG_SECONDS)

    def paint(self, message: Message) -> None:
        """Acknowledge a message as painted."""
        self.stream.acknowledge(message["number"])

    async def read_to_end(self) -> list[Message]:
        """Return all further messages; each is painted at once."""
        messages = []
        async for message in self._messages:
            messages.append(message)
            self.paint(message)
        return messages

    def close(self) -> None:
        """Close the stream and the feed."""
        self._feed.__exit__(None, None, None)


def open_tab(test: Callable[[list[Job], Tab, ManualClock], Awaitable[None]], count: int) -> None:
    """Run a test with a page that has a stream about this many jobs."""

    async def main() -> None:
        jobs, clock = [new_job() for _ in range(count)], ManualClock()
        tab = Tab(jobs, clock)
        await test(jobs, tab, clock)
        tab.close()
        assert not any(job.is_watched for job in jobs)

    asyncio.run(main())


def test_a_stream_sends_the_newest_frame_once_the_one_before_is_painted() -> None:
    async def test(jobs: list[Job], tab: Tab, clock: ManualClock) -> None:
        show_frame(jobs[0], 1)
        first = await tab.read()
        for number in range(2, 10):
            show_frame(jobs[0], number)
            assert not await tab.is_told()
        tab.paint(first)
        second = await tab.read_told()
        assert (first["frames"], second["frames"]) == (1, 9)
        assert second["image"] != first["image"]

    open_tab(test, 1)


def test_a_stream_without_news_says_something_now_and_then() -> None:
    async def test(jobs: list[Job], tab: Tab, clock: ManualClock) -> None:
        tab.paint(await tab.read())
        assert not await tab.is_told()
        clock.advance(KEEPALIVE_SECONDS)
        assert (await tab.read_told())["number"] == 2

    open_tab(test, 1)


def test_a_stream_ends_with_its_last_job_and_has_no_frame_then() -> None:
    async def test(jobs: list[Job], tab: Tab, clock: ManualClock) -> None:
        show_frame(jobs[0], 1)
        tab.paint(await tab.read())
        jobs[0].update(phase="done")
        told = await tab.read()
        assert [one["phase"] for one in told["jobs"]] == ["done", "waiting"]
        tab.paint(told)
        jobs[1].update(phase="stopped")
        last = (await tab.read_to_end())[-1]
        assert [one["phase"] for one in last["jobs"]] == ["done", "stopped"]
        assert "image" not in last

    open_tab(test, 2)


def test_a_job_that_is_added_is_told_by_the_stream_that_there_is() -> None:
    async def test(jobs: list[Job], tab: Tab, clock: ManualClock) -> None:
        tab.paint(await tab.read())
        assert not await tab.is_told()
        further = new_job()
        feed = tab.stream.feed
        feed.change(feed.selection.add([further]))
        told = await tab.read_told()
        assert [one["token"] for one in told["jobs"]] == [jobs[0].token, further.token]
        assert told["token"] == jobs[0].token
        tab.paint(told)
        jobs[0].update(phase="done")
        tab.paint(await tab.read())
        further.update(phase="done")
        assert (await tab.read())["jobs"][1]["phase"] == "done"

    open_tab(test, 1)


def test_a_tab_that_was_told_the_end_has_no_stream_for_further_jobs() -> None:
    async def test() -> None:
        name = ("session", "somebody")
        streams = JobStreams(2, Path())
        job = new_job()
        with JobFeed(select_jobs([job])) as feed, streams.open(feed, name) as stream:
            assert streams.find_of_tab(name) is stream
            job.update(phase="done")
            last = await anext(stream.messages())
            assert last["jobs"][0]["phase"] == "done"
            assert streams.find_of_tab(name) is None

    asyncio.run(test())


def test_another_job_of_the_page_is_shown_at_once_with_its_newest_frame() -> None:
    async def test(jobs: list[Job], tab: Tab, clock: ManualClock) -> None:
        for job in jobs:
            show_frame(job, 1)
        tab.paint(await tab.read())
        assert not await tab.is_told()
        feed = tab.stream.feed
        feed.change(feed.selection.select(jobs[1].token))
        told = await tab.read_told()
        assert told["token"] == jobs[1].token and told["frames"] == 1 and told["image"]
        feed.change(feed.selection.select("nobody's"))
        assert feed.selection.shown is jobs[1]

    open_tab(test, 2)


def test_a_stream_ends_when_the_page_paints_nothing_any_more() -> None:
    async def test(jobs: list[Job], tab: Tab, clock: ManualClock) -> None:
        await tab.read()
        ending = asyncio.ensure_future(tab.read_to_end())
        await asyncio.to_thread(clock.await_waiters)
        clock.advance(PAINT_TIMEOUT_SECONDS)
        assert await asyncio.wait_for(ending, HANG_SECONDS) == []

    open_tab(test, 1)


def test_a_stream_that_the_page_lets_go_of_ends_without_a_word() -> None:
    async def test(jobs: list[Job], tab: Tab, clock: ManualClock) -> None:
        tab.paint(await tab.read())
        ending = asyncio.ensure_future(tab.read_to_end())
        await rest()
        tab.stream.close()
        assert await asyncio.wait_for(ending, HANG_SECONDS) == []

    open_tab(test, 1)


def test_a_page_says_no_more_than_it_was_sent() -> None:
    async def test(jobs: list[Job], tab: Tab, clock: ManualClock) -> None:
        tab.stream.acknowledge(100)
        first = await tab.read()
        show_frame(jobs[0], 1)
        assert not await tab.is_told()
        tab.paint(first)
        second = await tab.read_told()
        show_frame(jobs[0], 2)
        tab.paint(first)
        assert not await tab.is_told()
        tab.paint(second)
        assert (await tab.read_told())["frames"] == 2

    open_tab(test, 1)


def test_a_page_is_told_of_its_newest_jobs_only() -> None:
    jobs = [new_job() for _ in range(MAX_JOBS + 2)]
    view = select_jobs(jobs)
    assert view.jobs == tuple(jobs[2:]) and view.shown is jobs[2]
    further = view.add([new_job()])
    assert len(further.jobs) == MAX_JOBS and further.shown is jobs[3]


def test_a_page_that_shows_one_of_its_many_jobs_comes_back_to_all_of_them() -> None:
    tokens = [new_job().token for _ in range(MAX_JOBS)]
    assert read_tokens(tokens, tokens[7]) == tokens
    assert read_tokens(tokens, "") == tokens
    assert read_tokens(tokens, "another") == [*tokens[1:], "another"]


def test_what_a_browser_sends_instead_of_secrets_is_left_alone() -> None:
    assert read_tokens(["a", 1, None, ["b"], "", "a", "c" * 65, "d"], "e") == ["a", "d", "e"]
    for sent in (None, "a", {"a": "b"}):
        assert read_tokens(sent, "e") == ["e"]
    assert len(read_tokens([str(number) for number in range(100)], "")) == MAX_JOBS


def test_the_oldest_job_that_is_not_over_is_shown_first() -> None:
    jobs = [new_job() for _ in range(3)]
    jobs[0].update(phase="done")
    assert select_jobs(jobs).shown is jobs[1]
    assert select_jobs(jobs, jobs[2].token).shown is jobs[2]
    for job in jobs:
        job.update(phase="done")
    assert select_jobs(jobs).shown is jobs[2]


def test_a_program_gets_a_preview_at_most_twice_a_second() -> None:
    async def main() -> None:
        job, clock = new_job(), ManualClock()
        with JobFeed(select_jobs([job]), clock) as feed:
            pacing = ProgramPacing(feed)

            async def take(seen: ShownState) -> ShownState:
                """Give the program an update; return what it wants to see next."""
                news = await feed.wait_for_update(seen, 0.0)
                turn = asyncio.ensure_future(pacing.wait_until_ready(news, seen))
                await asyncio.to_thread(clock.await_waiters)
                clock.advance(REPORT_SECONDS)
                return await asyncio.wait_for(turn, HANG_SECONDS) or ShownState()

            show_frame(job, 1)
            soon = await take(ShownState())
            assert soon.frames is None, "a quarter of a second after a preview"
            show_frame(job, 2)
            later = await take(soon)
            assert later.frames == 1, "half a second after it; the second one is not seen yet"

    asyncio.run(main())
