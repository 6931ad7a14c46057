"""Servers and connections that go away, fall silent or come back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfygradio.demo import DemoOptions, DemoServer
from tests.clocks import HANG_SECONDS
from tests.faults.faulty_proxy import FaultyProxy, reset_connection
from tests.faults.http_fault import DelayedRequest, HeldExchange, fake_response
from tests.faults.scenario import (
    CUTS,
    LONG_SECONDS,
    QUICK_TIMINGS,
    Scenario,
    await_that,
    make_graph_order,
    make_unique_order,
    make_upload_graph,
    open_queue,
    open_scenario,
)
from tests.jobs.lines import count_files, free_port, is_over, is_running, wait
from tests.jobs.shelf import Shelf

pytestmark = pytest.mark.deep


def test_the_server_refuses_at_first(scenario: Scenario) -> None:
    scenario.proxy.stop_listening()
    jobs = [scenario.submit() for _ in range(3)]
    wait(jobs[0], lambda s: "does not answer" in s.reason)
    scenario.proxy.start_listening()
    scenario.check_done(*jobs)


def test_one_of_two_servers_refuses_at_first(tmp_path: Path) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    with (
        DemoServer(DemoOptions(lab_nodes=True)) as server,
        FaultyProxy(server.url) as line,
        open_queue(tmp_path / "outputs", dead, line.url) as queue,
    ):
        jobs = [queue.submit(make_unique_order()) for _ in range(4)]
        assert [wait(job, is_over).phase for job in jobs] == ["done"] * 4
        assert [line.posted[job.id] for job in jobs] == [1] * 4
    assert count_files(tmp_path / "outputs") == 4


def test_the_server_is_killed_and_restarts_empty(scenario: Scenario) -> None:
    """One job runs, one is queued on the server, one waits with us; each is posted once to each
    life of the server.
    """
    jobs = [scenario.submit(LONG_SECONDS) for _ in range(3)]
    wait(jobs[0], is_running)
    await_that(lambda: scenario.proxy.posted[jobs[1].id])
    scenario.server.kill()
    wait(jobs[0], lambda s: "does not answer" in s.reason)
    scenario.server.start()
    scenario.skip_waits()
    ends = [scenario.wait_for_end(job) for job in jobs]
    assert [end.phase for end in ends] == ["done"] * 3, ends
    assert [scenario.proxy.posted[job.id] for job in jobs] == [2, 2, 1]
    assert len(scenario.direct.history()) == 3 and count_files(scenario.outputs) == 3
    scenario.check_quiet()


def test_the_server_is_killed_twice_and_the_job_is_given_up(scenario: Scenario) -> None:
    job = scenario.submit(LONG_SECONDS)
    for lives in (1, 2):
        await_that(lambda lives=lives: scenario.proxy.posted[job.id] == lives)  # type: ignore[misc]
        wait(job, is_running)
        scenario.server.kill()
        scenario.server.start()
    end = scenario.wait_for_end(job)
    assert (
        end.phase == "failed"
        and "has lost this job" in end.error
        and scenario.proxy.posted[job.id] == 2
    )
    scenario.check_quiet()


def test_a_job_that_takes_the_server_down_is_given_up(scenario: Scenario) -> None:
    """Each time the server is away for a while, so that nobody hears of a loss."""
    job = scenario.submit(LONG_SECONDS)
    for lives in (1, 2):
        wait(job, is_running)
        assert scenario.proxy.posted[job.id] == lives
        scenario.server.kill()
        wait(job, lambda s: "does not answer" in s.reason)
        scenario.server.start()
    end = scenario.wait_for_end(job)
    assert (
        end.phase == "failed"
        and "has lost this job" in end.error
        and scenario.proxy.posted[job.id] == 2
    )
    scenario.check_quiet()


@pytest.mark.deep
@pytest.mark.parametrize("for_good", [False, True])
def test_one_of_two_servers_is_killed(for_good: bool, tmp_path: Path) -> None:
    """What it had waits for it, for a while; everything else goes on at the other one."""
    options, outputs = DemoOptions(lab_nodes=True), tmp_path / "outputs"
    with (
        DemoServer(options, port=free_port()) as first,
        DemoServer(options, port=free_port()) as second,
        FaultyProxy(first.url) as one,
        FaultyProxy(second.url) as two,
        open_queue(
            outputs, one.url, two.url, affinity_seconds=1.0 if for_good else math.inf
        ) as queue,
    ):
        jobs = [queue.submit(make_unique_order(LONG_SECONDS)) for _ in range(6)]
        await_that(lambda: len(one.posted) == 2 and len(two.posted) == 2)
        had = set(one.posted)
        first.kill()
        second.set_skip_waits()
        await_that(lambda: all(job.snapshot.is_over for job in jobs if job.id not in had))
        if not for_good:
            assert not any(job.snapshot.is_over for job in jobs if job.id in had)
            first.start()
            first.set_skip_waits()
        assert [wait(job, is_over).phase for job in jobs] == ["done"] * 6
        posts = [one.posted[job.id] + two.posted[job.id] for job in jobs]
        assert (
            posts == [2 if job.id in had else 1 for job in jobs] and queue.store.list_open() == []
        )
    assert count_files(outputs) == 6


def cut(scenario: Scenario) -> None:
    cut_and_await_return(scenario)


def cut_ten_times(scenario: Scenario) -> None:
    for _ in range(CUTS):
        cut_and_await_return(scenario)


def cut_and_await_return(scenario: Scenario) -> None:
    """Cut the sockets, and wait for the next one or for the end of all jobs.

    A call is listed before its socket is there to be cut, so it is the sockets that count.
    """

    def is_back() -> bool:
        return bool(scenario.proxy.pairs) or not scenario.queue.store.list_open()

    scenario.proxy.cut_sockets()
    await_that(is_back)


def mute(scenario: Scenario) -> None:
    """Until somebody looks for himself."""
    seen = len(scenario.proxy.calls)
    scenario.proxy.mute_sockets()
    await_that(lambda: any(call.startswith("GET /history") for call in scenario.proxy.calls[seen:]))


def truncate(scenario: Scenario) -> None:
    scenario.proxy.truncate_sockets()


def close_the_old_one_late(scenario: Scenario) -> None:
    """The server drops the new socket's id when it notices the end of the old one."""
    seen = scenario.proxy.calls.count("GET /ws")
    old = scenario.proxy.cut_clients()
    await_that(lambda: scenario.proxy.calls.count("GET /ws") > seen)
    for pair in old:
        reset_connection(pair.server)


def fall_silent(scenario: Scenario) -> None:
    """Longer than the client waits until it looks for itself."""
    scenario.proxy.pause()
    await_that(lambda: scenario.proxy.paused_requests)
    scenario.proxy.resume()


FAULTS = [cut, cut_ten_times, mute, truncate, close_the_old_one_late, fall_silent]


@pytest.mark.deep
@pytest.mark.parametrize("fault", FAULTS)
def test_the_connection_breaks_while_it_waits_on_the_server(
    fault: Callable[[Scenario], None], scenario: Scenario
) -> None:
    neighbour = scenario.post_other(LONG_SECONDS)
    jobs = [scenario.submit(0.1), scenario.submit()]
    await_that(lambda: len(scenario.proxy.pairs) == 2 and scenario.direct.queue_remaining() == 3)
    fault(scenario)
    scenario.skip_waits()
    scenario.check_done(*jobs)
    scenario.check_other(neighbour)


@pytest.mark.deep
@pytest.mark.parametrize("fault", FAULTS)
def test_the_connection_breaks_while_it_runs(
    fault: Callable[[Scenario], None], scenario: Scenario
) -> None:
    jobs = [scenario.submit(LONG_SECONDS), scenario.submit()]
    neighbour = scenario.post_other()
    wait(jobs[0], is_running)
    seen = len(scenario.proxy.calls)
    fault(scenario)
    await_that(lambda: len(scenario.proxy.calls) > seen)
    scenario.skip_waits()
    scenario.check_done(*jobs)
    scenario.check_other(neighbour)


def test_a_silence_that_outlasts_every_timeout(tmp_path: Path, scenario: Scenario) -> None:
    hasty = replace(QUICK_TIMINGS, reconnect=(0.05,))
    with open_queue(
        tmp_path / "other", scenario.proxy.url, timeout_seconds=0.3, patience=hasty
    ) as queue:
        job = queue.submit(make_unique_order(LONG_SECONDS))
        wait(job, is_running)
        scenario.proxy.pause()
        wait(job, lambda s: "does not answer" in s.reason)
        scenario.skip_waits()
        scenario.proxy.resume()
        assert wait(job, is_over).phase == "done"
    assert scenario.proxy.posted[job.id] == 1 and count_files(tmp_path / "other") == 1


@pytest.mark.deep
@pytest.mark.parametrize(
    ("call", "after"),
    [
        *((call, False) for call in ("GET /prompt", "GET /ws", "GET /history", "GET /queue")),
        *(
            (call, after)
            for call in ("POST /prompt", "GET /view", "POST /upload/image")
            for after in (False, True)
        ),
    ],
)
def test_a_silence_that_begins_with_a_question(
    call: str, after: bool, shelf: Shelf, tmp_path: Path
) -> None:
    """The server falls silent before or after it did what was asked, for longer than we wait for
    any answer.
    """
    picture = tmp_path / "mine.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    with open_scenario(tmp_path / "outputs", shelf, timeout_seconds=0.4) as scenario:
        neighbour, held = scenario.post_other(LONG_SECONDS), HeldExchange(after)
        if call in ("GET /history", "GET /queue"):
            scenario.proxy.inject("GET /ws", fake_response(404), times=1000)
        scenario.proxy.inject(call, held)
        job = scenario.queue.submit(make_graph_order(make_upload_graph(picture)))
        if call == "GET /view":
            scenario.skip_waits()
        assert held.reached.wait(HANG_SECONDS)
        scenario.skip_waits()
        scenario.check_done(job)
        held.release()
        scenario.check_other(neighbour)


def test_a_prompt_that_arrives_late(shelf: Shelf, tmp_path: Path) -> None:
    """Somewhere on its way it was held up, until we had posted it again: it is there twice and
    gives one result.
    """
    with open_scenario(tmp_path / "outputs", shelf, timeout_seconds=0.4) as scenario:
        late = DelayedRequest()
        scenario.proxy.inject("POST /prompt", late)
        blocker = scenario.post_other(LONG_SECONDS)
        job = scenario.submit()
        await_that(lambda: scenario.proxy.posted[job.id])
        late.release()
        await_that(lambda: scenario.proxy.posted[job.id] == 2)
        scenario.skip_waits()
        assert scenario.wait_for_end(job).phase == "done" and count_files(scenario.outputs) == 1
        await_that(lambda: scenario.proxy.posted[job.id] == 2)
        scenario.check_other(blocker)
        scenario.check_quiet()


MESSAGES = (
    "executed",
    "execution_success",
    "executing",
    "execution_start",
    "progress",
    "progress_state",
)


@pytest.mark.deep
@pytest.mark.parametrize(
    "options",
    [
        *({"lose_types": (name,)} for name in MESSAGES),
        {"lose_types": MESSAGES},
        {"double_types": MESSAGES},
        {"unknown_messages": True},
        {"drop_socket_after": 3},
        {"mute_socket_after": 3},
        {"no_history_delay": 0.4},
    ],
    ids=str,
)
def test_messages_are_lost_doubled_or_unknown(options: dict[str, Any], tmp_path: Path) -> None:
    with open_scenario(tmp_path / "outputs", **options) as scenario:
        neighbour = scenario.post_other(0.1)
        jobs = [scenario.submit(0.1), scenario.submit()]
        scenario.check_done(*jobs)
        scenario.check_other(neighbour)
