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
from tests.faults.proxy import Line, reset
from tests.faults.spoilers import Delay, Hold, respond
from tests.faults.world import (
    CUTS,
    LONG_SECONDS,
    QUICK,
    World,
    await_that,
    open_queue,
    open_world,
    order,
    paint,
    repaint,
)
from tests.jobs.lines import count_files, free_port, is_over, is_running, wait
from tests.jobs.shelf import Shelf

pytestmark = pytest.mark.deep


def test_the_server_refuses_at_first(world: World) -> None:
    world.line.refuse()
    jobs = [world.order() for _ in range(3)]
    wait(jobs[0], lambda s: "does not answer" in s.reason)
    world.line.answer()
    world.check_done(*jobs)


def test_one_of_two_servers_refuses_at_first(tmp_path: Path) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    with (
        DemoServer(DemoOptions(lab_nodes=True)) as server,
        Line(server.url) as line,
        open_queue(tmp_path / "outputs", dead, line.url) as queue,
    ):
        jobs = [queue.submit(paint()) for _ in range(4)]
        assert [wait(job, is_over).phase for job in jobs] == ["done"] * 4
        assert [line.posted[job.id] for job in jobs] == [1] * 4
    assert count_files(tmp_path / "outputs") == 4


def test_the_server_is_killed_and_restarts_empty(world: World) -> None:
    """One job runs, one is queued on the server, one waits with us; each is posted once to each
    life of the server.
    """
    jobs = [world.order(LONG_SECONDS) for _ in range(3)]
    wait(jobs[0], is_running)
    await_that(lambda: world.line.posted[jobs[1].id])
    world.server.kill()
    wait(jobs[0], lambda s: "does not answer" in s.reason)
    world.server.start()
    world.hurry()
    ends = [world.end(job) for job in jobs]
    assert [end.phase for end in ends] == ["done"] * 3, ends
    assert [world.line.posted[job.id] for job in jobs] == [2, 2, 1]
    assert len(world.direct.history()) == 3 and count_files(world.outputs) == 3
    world.check_quiet()


def test_the_server_is_killed_twice_and_the_job_is_given_up(world: World) -> None:
    job = world.order(LONG_SECONDS)
    for lives in (1, 2):
        await_that(lambda lives=lives: world.line.posted[job.id] == lives)  # type: ignore[misc]
        wait(job, is_running)
        world.server.kill()
        world.server.start()
    end = world.end(job)
    assert (
        end.phase == "failed"
        and "has lost this job" in end.error
        and world.line.posted[job.id] == 2
    )
    world.check_quiet()


def test_a_job_that_takes_the_server_down_is_given_up(world: World) -> None:
    """Each time the server is away for a while, so that nobody hears of a loss."""
    job = world.order(LONG_SECONDS)
    for lives in (1, 2):
        wait(job, is_running)
        assert world.line.posted[job.id] == lives
        world.server.kill()
        wait(job, lambda s: "does not answer" in s.reason)
        world.server.start()
    end = world.end(job)
    assert (
        end.phase == "failed"
        and "has lost this job" in end.error
        and world.line.posted[job.id] == 2
    )
    world.check_quiet()


@pytest.mark.deep
@pytest.mark.parametrize("for_good", [False, True])
def test_one_of_two_servers_is_killed(for_good: bool, tmp_path: Path) -> None:
    """What it had waits for it, for a while; everything else goes on at the other one."""
    options, outputs = DemoOptions(lab_nodes=True), tmp_path / "outputs"
    with (
        DemoServer(options, port=free_port()) as first,
        DemoServer(options, port=free_port()) as second,
        Line(first.url) as one,
        Line(second.url) as two,
        open_queue(
            outputs, one.url, two.url, affinity_seconds=1.0 if for_good else math.inf
        ) as queue,
    ):
        jobs = [queue.submit(paint(LONG_SECONDS)) for _ in range(6)]
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


def cut(world: World) -> None:
    cut_and_await_return(world)


def cut_ten_times(world: World) -> None:
    for _ in range(CUTS):
        cut_and_await_return(world)


def cut_and_await_return(world: World) -> None:
    """Cut the sockets, and wait for the next one or for the end of all jobs.

    A call is listed before its socket is there to be cut, so it is the sockets that count.
    """

    def is_back() -> bool:
        return bool(world.line.pairs) or not world.queue.store.list_open()

    world.line.cut_sockets()
    await_that(is_back)


def mute(world: World) -> None:
    """Until somebody looks for himself."""
    seen = len(world.line.calls)
    world.line.mute_sockets()
    await_that(lambda: any(call.startswith("GET /history") for call in world.line.calls[seen:]))


def truncate(world: World) -> None:
    world.line.truncate_sockets()


def close_the_old_one_late(world: World) -> None:
    """The server drops the new socket's id when it notices the end of the old one."""
    seen = world.line.calls.count("GET /ws")
    old = world.line.cut_clients()
    await_that(lambda: world.line.calls.count("GET /ws") > seen)
    for pair in old:
        reset(pair.server)


def fall_silent(world: World) -> None:
    """Longer than the client waits until it looks for itself."""
    world.line.hush()
    await_that(lambda: world.line.held)
    world.line.speak()


FAULTS = [cut, cut_ten_times, mute, truncate, close_the_old_one_late, fall_silent]


@pytest.mark.deep
@pytest.mark.parametrize("fault", FAULTS)
def test_the_connection_breaks_while_it_waits_on_the_server(
    fault: Callable[[World], None], world: World
) -> None:
    neighbour = world.post_neighbour(LONG_SECONDS)
    jobs = [world.order(0.1), world.order()]
    await_that(lambda: len(world.line.pairs) == 2 and world.direct.queue_remaining() == 3)
    fault(world)
    world.hurry()
    world.check_done(*jobs)
    world.check_neighbour(neighbour)


@pytest.mark.deep
@pytest.mark.parametrize("fault", FAULTS)
def test_the_connection_breaks_while_it_runs(fault: Callable[[World], None], world: World) -> None:
    jobs = [world.order(LONG_SECONDS), world.order()]
    neighbour = world.post_neighbour()
    wait(jobs[0], is_running)
    seen = len(world.line.calls)
    fault(world)
    await_that(lambda: len(world.line.calls) > seen)
    world.hurry()
    world.check_done(*jobs)
    world.check_neighbour(neighbour)


def test_a_silence_that_outlasts_every_timeout(tmp_path: Path, world: World) -> None:
    hasty = replace(QUICK, reconnect=(0.05,))
    with open_queue(
        tmp_path / "other", world.line.url, timeout_seconds=0.3, patience=hasty
    ) as queue:
        job = queue.submit(paint(LONG_SECONDS))
        wait(job, is_running)
        world.line.hush()
        wait(job, lambda s: "does not answer" in s.reason)
        world.hurry()
        world.line.speak()
        assert wait(job, is_over).phase == "done"
    assert world.line.posted[job.id] == 1 and count_files(tmp_path / "other") == 1


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
    with open_world(tmp_path / "outputs", shelf, timeout_seconds=0.4) as world:
        neighbour, held = world.post_neighbour(LONG_SECONDS), Hold(after)
        if call in ("GET /history", "GET /queue"):
            world.line.spoil("GET /ws", respond(404), times=1000)
        world.line.spoil(call, held)
        job = world.queue.submit(order(repaint(picture)))
        if call == "GET /view":
            world.hurry()
        assert held.reached.wait(HANG_SECONDS)
        world.hurry()
        world.check_done(job)
        held.release()
        world.check_neighbour(neighbour)


def test_a_prompt_that_arrives_late(shelf: Shelf, tmp_path: Path) -> None:
    """Somewhere on its way it was held up, until we had posted it again: it is there twice and
    gives one result.
    """
    with open_world(tmp_path / "outputs", shelf, timeout_seconds=0.4) as world:
        late = Delay()
        world.line.spoil("POST /prompt", late)
        blocker = world.post_neighbour(LONG_SECONDS)
        job = world.order()
        await_that(lambda: world.line.posted[job.id])
        late.release()
        await_that(lambda: world.line.posted[job.id] == 2)
        world.hurry()
        assert world.end(job).phase == "done" and count_files(world.outputs) == 1
        await_that(lambda: world.line.posted[job.id] == 2)
        world.check_neighbour(blocker)
        world.check_quiet()


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
    with open_world(tmp_path / "outputs", **options) as world:
        neighbour = world.post_neighbour(0.1)
        jobs = [world.order(0.1), world.order()]
        world.check_done(*jobs)
        world.check_neighbour(neighbour)
