"""Results from a server that drips, sends for ever or falls silent: they have a deadline, a least
rate and a largest size, and a stop is seen whatever comes.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from comfygradio.clock import Clock
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.limited_download import DownloadLimits, LimitedDownload
from comfygradio.comfy.outputs import Output
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.errors import DownloadStopped, ResultTooLarge, ServerError, ServerUnreachable
from comfygradio.jobs.limits import Limits
from comfygradio.jobs.naming import ResultPlace
from comfygradio.jobs.results import BRIEF_SECONDS, collect_results, make_download
from tests.faults.faulty_proxy import Exchange
from tests.faults.scenario import open_scenario

pytestmark = pytest.mark.deep

SECONDS = 60

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 100000000000\r\n\r\n"


class LateClock(Clock):
    """The time is moved by hand; everything that waits waits for real."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@contextmanager
def serve(send: Callable[[socket.socket, threading.Event], None]) -> Iterator[tuple[str, Ended]]:
    """A server that answers every request by `send`; its address, and whether it was left."""
    left, ended = threading.Event(), Ended()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(HEAD)
            send(connection, left)
        ended.add()

    def listen() -> None:
        while not left.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", ended
        left.set()


class Ended:
    """Counts the connections that are over."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def add(self) -> None:
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait(self) -> None:
        """Until one is over."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._count, SECONDS)


def drip(connection: socket.socket, left: threading.Event) -> None:
    """A byte now and then, for ever."""
    while not left.wait(0.02):
        connection.sendall(b"x")


def be_silent(connection: socket.socket, left: threading.Event) -> None:
    left.wait(SECONDS)


def flood(connection: socket.socket, left: threading.Event) -> None:
    """As much as is taken, for ever."""
    while not left.is_set():
        connection.sendall(b"x" * 65_536)


def fetch(url: str, path: Path, delivery: LimitedDownload) -> None:
    with ComfyClient(url, timeout_seconds=5) as client:
        client.download(path, "result.png", delivery=delivery)


@pytest.mark.parametrize("send", [drip, be_silent])
def test_a_stop_is_seen_whatever_comes(
    send: Callable[[socket.socket, threading.Event], None], tmp_path: Path
) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with serve(send) as (url, ended):
        with pytest.raises(DownloadStopped):
            fetch(url, tmp_path / "a.png", LimitedDownload(is_stopped=stop.is_set))
        assert not list(tmp_path.iterdir())
        if send is drip:
            ended.wait()  # the connection is let go of as well


@pytest.mark.parametrize("send", [drip, be_silent])
@pytest.mark.parametrize(
    "terms", [DownloadLimits(deadline_seconds=500, min_rate=0), DownloadLimits(grace_seconds=500)]
)
def test_what_comes_too_slowly_is_given_up(
    send: Callable[[socket.socket, threading.Event], None], terms: DownloadLimits, tmp_path: Path
) -> None:
    clock = LateClock()

    def let_time_pass() -> bool:
        clock.now += 200
        return False

    with serve(send) as (url, _), pytest.raises(ServerUnreachable, match="far too slowly"):
        fetch(url, tmp_path / "a.png", LimitedDownload(terms, let_time_pass, clock))
    assert clock.now > 500 and not list(tmp_path.iterdir())


def test_what_is_too_large_is_given_up_and_leaves_nothing(tmp_path: Path) -> None:
    with serve(flood) as (url, ended):
        with pytest.raises(ResultTooLarge, match=r"larger than 3 MB.*--max-result-mb"):
            fetch(url, tmp_path / "a.png", LimitedDownload(DownloadLimits(max_mb=3)))
        ended.wait()
    assert not list(tmp_path.iterdir())


def test_an_honest_file_arrives_whole() -> None:
    pieces = [bytes([number]) * 1000 for number in range(200)]
    assert list(LimitedDownload().limit("a.png", iter(pieces))) == pieces
    assert list(LimitedDownload().limit("a.png", iter([]))) == []


def test_an_error_of_the_server_stays_what_it_was() -> None:
    def break_off() -> Iterator[bytes]:
        yield b"x"
        raise ServerError("It broke.")

    found = LimitedDownload().limit("a.png", break_off())
    assert next(found) == b"x"
    with pytest.raises(ServerError, match=r"It broke\."):
        next(found)


def test_whoever_stops_reading_stops_the_pump() -> None:
    closed = threading.Event()

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.set()

    found = LimitedDownload().limit("a.png", endless())
    assert next(found) == b"x"
    found.close()  # type: ignore[attr-defined]
    assert closed.wait(SECONDS)


def test_of_a_stopped_job_no_further_file_is_asked_for(tmp_path: Path) -> None:
    stop = threading.Event()
    asked: list[socket.socket] = []

    def drip_once(connection: socket.socket, left: threading.Event) -> None:
        asked.append(connection)
        stop.set()
        drip(connection, left)

    with serve(drip_once) as (url, _), ComfyClient(url) as client:
        outputs = tuple(
            Output("1", "image", f"{number}.png", source=client) for number in range(50)
        )
        state = PromptProgress("id", "done", outputs=outputs)
        found = collect_results(
            ResultPlace(tmp_path), state, delivery=make_download(Limits(), stop.is_set)
        )
    assert len(asked) == 1
    assert len(found) == 50 and all("the job was stopped" in one.problem for one in found)
    assert all(one.can_be_collected for one in found)


def test_what_is_too_large_is_not_asked_for_again(tmp_path: Path) -> None:
    with serve(flood) as (url, _), ComfyClient(url) as client:
        outputs = (Output("1", "image", "a.png", source=client),)
        state = PromptProgress("id", "done", outputs=outputs)
        (found,) = collect_results(
            ResultPlace(tmp_path), state, delivery=make_download(Limits(result_mb=1))
        )
    assert "larger than 1 MB" in found.problem and not found.can_be_collected


def test_a_job_that_was_stopped_before_waits_a_minute_for_each_file() -> None:
    assert make_download(Limits(), is_brief=True).limits.deadline_seconds == BRIEF_SECONDS == 60
    assert make_download(Limits(result_mb=7)).limits.max_mb == 7


class Dripping:
    """A line on which results come a byte at a time, for ever, until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.left = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        self.begun.release()
        exchange.client.sendall(HEAD)
        with suppress(OSError):
            drip(exchange.client, self.left)


def test_dripping_results_hold_no_place_once_their_jobs_are_stopped(tmp_path: Path) -> None:
    """Both places of a server are taken by results that never end; Stop frees them."""
    dripping = Dripping()
    with open_scenario(tmp_path / "outputs") as scenario:
        scenario.proxy.inject("GET /view", dripping, times=2)
        jobs = [scenario.submit() for _ in range(2)]
        for _ in jobs:
            assert dripping.begun.acquire(timeout=SECONDS)
        waiting = scenario.submit()
        for job in jobs:
            scenario.queue.stop(job.token)
            end = scenario.wait_for_end(job, SECONDS)
            assert (end.phase, end.error) == ("stopped", "")
            assert "the job was stopped" in end.results[0].problem
        assert scenario.wait_for_end(waiting, SECONDS).phase == "done"
        assert not list(scenario.outputs.rglob(".part-*"))
        dripping.left.set()


def test_a_result_that_is_too_large_ends_its_job_with_a_sentence(tmp_path: Path) -> None:
    with open_scenario(tmp_path / "outputs", result_mb=0.5) as scenario:
        scenario.proxy.inject("GET /view", send_much, times=5)
        end = scenario.wait_for_end(scenario.submit(), SECONDS)
        assert end.phase == "failed" and "larger than 0.5 MB" in end.error
        assert not end.results[0].can_be_collected
        scenario.proxy.clear_faults()
        scenario.wait_for_end(scenario.submit(), SECONDS)
        assert not list(scenario.outputs.rglob(".part-*"))


def send_much(exchange: Exchange) -> None:
    """As much as is taken, up to a gigabyte."""
    exchange.client.sendall(HEAD)
    with suppress(OSError):
        for _ in range(16_000):
            exchange.client.sendall(b"x" * 65_536)
