"""The worker's side alone: runs that nobody asks about any more, and calls that nobody
should make.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from comfygradio.cluster.runs import LEASE_SECONDS, FollowedRun
from comfygradio.cluster.service import LaneService
from comfygradio.cluster.shelf import Shelf
from comfygradio.cluster.wire import Ask, Call, pack, unpack_outcome
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.state import JobState
from comfygradio.demo import DemoServer
from comfygradio.errors import NotFound, ServerUnreachable, UnexpectedAnswer
from tests.engine.cluster import OPTIONS
from tests.faults.world import await_that, paint

ID = "11111111-1111-1111-1111-111111111111"


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    """A demo server."""
    with DemoServer(OPTIONS) as server:
        yield server


@pytest.fixture
def service(server: DemoServer) -> Iterator[LaneService]:
    """A service on it."""
    service = LaneService(ComfyClient(server.url, name="http://gpu1:8188"))
    yield service
    service.close()


def call(service: LaneService, method: str, *arguments: Any) -> Any:
    """What an app gets for a call."""
    return unpack_outcome(service.answer(pack(Call(method, arguments))))


def ask(seconds: float) -> Ask:
    """A picture."""
    return Ask(dict(paint(seconds).prompt.graph), (), {}, (), None, ID, False, {})


def test_a_run_that_nobody_asks_about_is_let_go_and_goes_on_at_its_server(
    service: LaneService, server: DemoServer
) -> None:
    call(service, "begin", ask(1.0))
    direct = ComfyClient(server.url)
    await_that(lambda: direct.queue().running)
    service.look()
    assert service.running == 1
    (run,) = service._runs.values()
    run.asked_at = time.monotonic() - LEASE_SECONDS - 1
    service.look()
    assert service.running == 0 and run.is_over
    with pytest.raises(ServerUnreachable, match="started anew"):
        call(service, "tell", ID, 0, 0)
    await_that(lambda: direct.history(ID))
    entry = direct.history(ID)
    assert entry and entry.status == "success"


def test_the_last_state_comes_with_the_end() -> None:
    may_end = threading.Event()

    def finish() -> Generator[JobState, None, None]:
        yield JobState(ID, "done")
        may_end.wait()

    run = FollowedRun(finish(), lambda: None)
    threading.Timer(0.3, may_end.set).start()
    news = run.tell(0, 0, seconds=30)
    assert news.is_over and news.state and news.state.status == "done"


@pytest.mark.parametrize(
    "method", ["close", "hand_back", "__init__", "answer", "queue_prompt", "transport", ""]
)
def test_only_what_is_meant_can_be_called(method: str, service: LaneService) -> None:
    with pytest.raises(UnexpectedAnswer, match="does not know what is asked"):
        call(service, method)


@pytest.mark.parametrize("ticket", ["../../etc/passwd", "/etc/passwd", "x"])
def test_only_files_of_the_shelf_are_read(ticket: str, service: LaneService) -> None:
    for method in ("read", "put"):
        with pytest.raises(NotFound):
            call(service, method, ticket, b"" if method == "put" else 0)


def test_a_shelf_keeps_what_is_put_and_drops_it() -> None:
    shelf = Shelf()
    ticket = shelf.put("", b"one")
    assert shelf.put(ticket, b"two") == ticket and shelf.read(ticket, 2) == b"etwo"
    shelf.drop(ticket)
    with pytest.raises(NotFound):
        shelf.read(ticket, 0)
    shelf.close()


def test_errors_call_the_lane_by_its_name() -> None:
    service = LaneService(ComfyClient("http://127.0.0.1:1", name="http://gpu1:8188"))
    with pytest.raises(ServerUnreachable, match="ComfyUI at http://gpu1:8188 does not answer"):
        call(service, "queue_remaining")
    service.look()
    assert "http://gpu1:8188" in service.trouble
    service.close()
