"""The worker's side alone: runs that nobody asks about any more, and calls that nobody
should make.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import pytest

from comfygradio.cluster.codec import unpack_outcome
from comfygradio.cluster.files import TransferFiles
from comfygradio.cluster.followed_run import FollowedRun
from comfygradio.cluster.intervals import DEFAULT_INTERVALS, Intervals
from comfygradio.cluster.service import BackendActor, BackendService
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.demo import DemoServer
from comfygradio.errors import NotFound, ServerUnreachable, UnexpectedResponse
from tests.clocks import HANG_SECONDS, ManualClock
from tests.engine.cluster import HELD_SECONDS, OPTIONS, await_that
from tests.faults.scenario import make_unique_order

ID = "11111111-1111-1111-1111-111111111111"


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    """A demo server."""
    with DemoServer(OPTIONS) as server:
        yield server


@pytest.fixture
def clock() -> ManualClock:
    """The time of the service."""
    return ManualClock()


@pytest.fixture
def service(server: DemoServer, clock: ManualClock) -> Iterator[BackendService]:
    """A service on it."""
    client = ComfyClient(server.url, name="http://gpu1:8188")
    service = BackendService(client, DEFAULT_INTERVALS, clock)
    yield service
    service.close()


def call(service: BackendService, method: str, *arguments: Any) -> Any:
    """What an app gets for a call through an actor."""
    answer = asyncio.run(BackendActor(service).call(method, *arguments))
    assert answer is not None
    return unpack_outcome(answer)


def begin(service: BackendService, seconds: float) -> None:
    """Run a picture."""
    call(service, "begin", make_unique_order(seconds).prompt, None, ID, False, {})


def test_a_run_that_nobody_asks_about_is_let_go_and_goes_on_at_its_server(
    service: BackendService, server: DemoServer, clock: ManualClock
) -> None:
    begin(service, HELD_SECONDS)
    direct = ComfyClient(server.url)
    await_that(lambda: direct.queue().running)
    service.look()
    assert service.running == 1
    (run,) = service._runs.values()
    clock.advance(DEFAULT_INTERVALS.lease)
    service.look()
    assert service.running == 1
    clock.advance(1.0)
    service.look()
    assert service.running == 0 and run.is_over
    with pytest.raises(ServerUnreachable, match="started anew"):
        call(service, "tell", ID, 0, 0)
    server.set_skip_waits()
    await_that(lambda: direct.history(ID))
    entry = direct.history(ID)
    assert entry and entry.status == "success"


def test_the_last_state_comes_with_the_end() -> None:
    may_end = threading.Event()

    def finish() -> Generator[PromptProgress, None, None]:
        yield PromptProgress(ID, "done")
        may_end.wait()

    clock = ManualClock()
    run = FollowedRun(finish(), lambda: None, Intervals(), clock)
    with ThreadPoolExecutor(1) as pool:
        news = pool.submit(run.tell, 0, 0)
        clock.await_waiters()
        assert not news.done(), "the state is told together with the end"
        may_end.set()
        told = news.result(HANG_SECONDS)
    assert told.is_over and told.state and told.state.status == "done"


def test_a_run_that_is_let_go_does_not_look_done() -> None:
    """The worker may still answer while it closes."""
    may_go_on = threading.Event()

    def follow() -> Generator[PromptProgress, None, None]:
        while True:
            may_go_on.wait()
            yield PromptProgress(ID, "running")

    run = FollowedRun(follow(), lambda: None, Intervals(), ManualClock())
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(run.end, "let go")
        await_that(lambda: run._wish)
        may_go_on.set()
        ending.result(HANG_SECONDS)
    told = run.tell(0, 0)
    assert told.is_over and "taken up again" in str(told.failure)


def test_a_question_without_news_is_answered_in_the_end() -> None:
    may_end = threading.Event()

    def wait() -> Generator[PromptProgress, None, None]:
        may_end.wait()
        yield PromptProgress(ID, "done")

    clock = ManualClock()
    run = FollowedRun(wait(), lambda: None, Intervals(ask=2.0), clock)
    with ThreadPoolExecutor(1) as pool:
        news = pool.submit(run.tell, 0, 0)
        clock.await_waiters()
        clock.advance(2.0)
        told = news.result(HANG_SECONDS)
    assert told.version == 0 and told.state is None and not told.is_over
    may_end.set()


def test_states_of_one_kind_are_told_at_most_ten_times_a_second() -> None:
    """Of several, the newest; a change of the status at once."""
    given: SimpleQueue[PromptProgress] = SimpleQueue()

    def follow() -> Generator[PromptProgress, None, None]:
        while True:
            yield given.get()

    clock = ManualClock()
    run = FollowedRun(follow(), lambda: None, Intervals(ask=2.0, period=0.1), clock)
    given.put(PromptProgress(ID, "running", progress=0.1))
    first = run.tell(0, 0)
    assert first.state and first.state.progress == 0.1
    with ThreadPoolExecutor(1) as pool:
        for progress in (0.2, 0.3):
            given.put(PromptProgress(ID, "running", progress=progress))
        await_that(lambda: run._version == 3)
        second = pool.submit(run.tell, first.version, 0)
        clock.await_waiters()
        assert not second.done(), "a tenth of a second has to pass"
        clock.advance(0.1)
        told = second.result(HANG_SECONDS)
    assert told.version == 3 and told.state and told.state.progress == 0.3
    given.put(PromptProgress(ID, "done"))
    run.end("let go")


def test_a_server_that_does_not_hear_a_cancel_is_told() -> None:
    may_end = threading.Event()

    def wait() -> Generator[PromptProgress, None, None]:
        may_end.wait()
        yield PromptProgress(ID, "done")

    clock = ManualClock()
    run = FollowedRun(wait(), lambda: None, Intervals(cancel=5.0), clock)
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(run.end, "cancel")
        clock.await_waiters()
        clock.advance(5.0)
        assert "did not answer" in str(ending.exception(HANG_SECONDS))
    may_end.set()


@pytest.mark.parametrize(
    "method", ["close", "hand_back", "__init__", "answer", "queue_prompt", "transport", ""]
)
def test_only_what_is_meant_can_be_called(method: str, service: BackendService) -> None:
    with pytest.raises(UnexpectedResponse, match="does not know what is asked"):
        call(service, method)


@pytest.mark.parametrize("ticket", ["../../etc/passwd", "/etc/passwd", "x"])
def test_only_files_of_the_shelf_are_read(ticket: str, service: BackendService) -> None:
    for method in ("read", "put"):
        with pytest.raises(NotFound):
            call(service, method, ticket, b"" if method == "put" else 0)


def test_a_shelf_keeps_what_is_put_and_drops_it() -> None:
    shelf = TransferFiles()
    ticket = shelf.put("", b"one")
    assert shelf.put(ticket, b"two") == ticket and shelf.read(ticket, 2) == b"etwo"
    shelf.drop(ticket)
    with pytest.raises(NotFound):
        shelf.read(ticket, 0)
    shelf.close()


def test_a_shelf_forgets_what_nobody_has_touched_for_long() -> None:
    clock = ManualClock()
    shelf = TransferFiles(Intervals(kept=600.0), clock)
    old = shelf.put("", b"old")
    touched = shelf.put("", b"touched")
    clock.advance(400.0)
    shelf.read(touched, 0)
    clock.advance(201.0)
    shelf.reserve()
    with pytest.raises(NotFound):
        shelf.find(old)
    assert shelf.read(touched, 0) == b"touched"
    shelf.close()


def test_errors_call_the_backend_by_its_name() -> None:
    service = BackendService(ComfyClient("http://127.0.0.1:1", name="http://gpu1:8188"))
    with pytest.raises(ServerUnreachable, match="ComfyUI at http://gpu1:8188 does not answer"):
        call(service, "queue_remaining")
    service.look()
    assert "http://gpu1:8188" in service.trouble
    service.close()
