"""Answers that go wrong: every fault on every route that a job uses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from PIL import Image

from comfygradio.errors import ServerError
from comfygradio.jobs.naming import choose_result_place
from comfygradio.jobs.results import collect_again
from tests.faults.proxy import Spoiler
from tests.faults.spoilers import (
    OTHER,
    PAGE,
    cut_body,
    lose_answer,
    lose_request,
    respond,
    respond_late,
    send_slowly,
    shake_half,
    shake_late,
    shake_wrongly,
)
from tests.faults.world import LONG_SECONDS, World, await_that, open_world, order, paint, repaint
from tests.jobs.lines import count_files, is_running, wait
from tests.jobs.shelf import Shelf

pytestmark = pytest.mark.deep

NOWHERE = respond(404)
ODD_KEYS = (
    "prompt_id",
    "exec_info",
    "queue_running",
    "queue_pending",
    "outputs",
    "name",
    "system",
    "devices",
)
"""What our answers have; "odd" are answers that have it all, and nothing in it."""

FAULTS: dict[str, Spoiler] = {
    "500": respond(500),
    "502": respond(502),
    "html": PAGE,
    "other": OTHER,
    "odd": respond(200, json.dumps(dict.fromkeys(ODD_KEYS)).encode(), "application/json"),
    "empty": respond(200, b""),
    "slow": send_slowly,
    "cut": cut_body,
    "request lost": lose_request,
    "answer lost": lose_answer,
    "500 late": respond_late(respond(500)),
    "502 late": respond_late(respond(502)),
    "html late": respond_late(PAGE),
    "other late": respond_late(OTHER),
}

BYTES = ("other", "other late", "odd", "empty")
"""Where any bytes may be the answer, these are."""

REFUSED = ("500", "html", "other", "odd", "empty")
"""Answers after which nobody may try again: they mean that the request itself was not understood.
"""


QUICK_FAULTS = ("502", "404", "answer lost")


def sample(names: Iterable[str]) -> list[str | ParameterSet]:
    """All of them; the quick loop tries only a few."""
    return [
        name if name in QUICK_FAULTS else pytest.param(name, marks=pytest.mark.deep)
        for name in names
    ]


@pytest.mark.parametrize("fault", sample(FAULTS))
def test_posting(fault: str, world: World) -> None:
    neighbour = world.post_neighbour(0.1)
    world.line.spoil("POST /prompt", FAULTS[fault])
    job = world.order()
    if fault in REFUSED:
        end = world.end(job)
        assert end.phase == "failed" and end.error and world.line.posted[job.id] == 0
        assert count_files(world.outputs) == 0
        world.check_quiet()
    else:
        world.check_done(job)
    world.check_neighbour(neighbour)


@pytest.mark.parametrize("fault", sample(FAULTS))
@pytest.mark.parametrize("route", ["GET /queue", "GET /history"])
def test_asking_how_it_stands(route: str, fault: str, world: World) -> None:
    """Without a WebSocket, so that everything hangs on these answers."""
    neighbour = world.post_neighbour(0.1)
    world.line.spoil("GET /ws", NOWHERE, times=1000)
    world.line.spoil(route, FAULTS[fault], times=2)
    world.check_done(world.order(0.1))
    world.check_neighbour(neighbour)


@pytest.mark.parametrize("fault", sample(FAULTS))
def test_asking_whether_the_server_is_there(fault: str, world: World) -> None:
    """Before anything is posted, and again after it seemed to be away."""
    neighbour = world.post_neighbour(0.1)
    world.line.spoil("GET /prompt", FAULTS[fault], times=3)
    world.check_done(world.order(), world.order())
    world.check_neighbour(neighbour)


@pytest.mark.parametrize("fault", sample(FAULTS))
def test_looking_at_the_server_while_it_works(fault: str, world: World) -> None:
    """As the page of the operator does."""
    job = world.order(0.1)
    for route in ("GET /prompt", "GET /system_stats"):
        world.line.spoil(route, FAULTS[fault])
        status = world.queue.backends[0].fetch_status(running=1)
        assert status.is_up or status.trouble
    world.line.mend()
    world.check_done(job)


@pytest.mark.parametrize("fault", ["html", "html late"])
def test_the_first_looks_meet_a_web_page(fault: str, world: World) -> None:
    """Then our client goes on under /api, where the same server is."""
    for route in ("GET /prompt", "GET /system_stats"):
        world.line.spoil(route, FAULTS[fault])
    world.check_done(world.order())
    assert "POST /api/prompt" in world.line.calls


SHAKES: dict[str, Spoiler] = {
    "500": respond(500),
    "502": respond(502),
    "404": NOWHERE,
    "html": PAGE,
    "lost": lose_request,
    "half": shake_half,
    "wrong": shake_wrongly,
    "late": shake_late,
}


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("fault", sample(SHAKES))
def test_opening_the_websocket(fault: str, times: int, world: World) -> None:
    neighbour = world.post_neighbour(0.1)
    world.line.spoil("GET /ws", SHAKES[fault], times=times)
    world.check_done(world.order(0.1), world.order())
    world.check_neighbour(neighbour)


OLDER = [("0.3.64", "POST /queue"), ("0.3.64", "POST /interrupt"), ("2024-01", "POST /interrupt")]
OLDER += [("2024-01", "GET /queue"), ("2024-01", "GET /system_stats")]
CANCELS = [("0.33.0", "POST /api/jobs", fault) for fault in (*FAULTS, "404")]
CANCELS += [
    (*way, fault) for way in OLDER for fault in ("500", "502", "html", "slow", "cut", "answer lost")
]


@pytest.mark.deep
@pytest.mark.parametrize(("version", "route", "fault"), CANCELS)
def test_stopping(version: str, route: str, fault: str, shelf: Shelf, tmp_path: Path) -> None:
    """The job is stopped at once, and its prompt does not stay on the server."""
    with open_world(tmp_path / "outputs", shelf, version=version) as world:
        job, other = world.order(LONG_SECONDS), world.order()
        wait(job, is_running)
        await_that(lambda: world.direct.queue_remaining() == 2)
        neighbour = world.post_neighbour()
        world.line.spoil(route, NOWHERE if fault == "404" else FAULTS[fault])
        world.queue.stop(job.token)
        assert world.end(job).phase == "stopped"
        world.check_neighbour(neighbour)
        assert world.end(other).phase == "done" and count_files(world.outputs) == 1
        world.check_quiet()


@pytest.mark.deep
@pytest.mark.parametrize("version", ["0.33.0", "0.3.64", "0.3.40", "2024-01"])
def test_stopping_while_nobody_answers(version: str, shelf: Shelf, tmp_path: Path) -> None:
    """The prompt goes on at the server, so it is stopped there once that answers again."""
    with open_world(tmp_path / "outputs", shelf, version=version) as world:
        job = world.order(LONG_SECONDS)
        wait(job, is_running)
        neighbour = world.post_neighbour()
        world.line.refuse()
        wait(job, lambda s: "does not answer" in s.reason)
        world.queue.stop(job.token)
        world.line.answer()
        assert world.end(job).phase == "stopped"
        world.check_neighbour(neighbour)
        assert world.line.posted.total() == 1 and count_files(world.outputs) == 0
        world.check_quiet()


@pytest.mark.parametrize("fault", sample(name for name in FAULTS if name not in BYTES))
def test_fetching_the_result(fault: str, world: World) -> None:
    """A fault that passes is not even noticed."""
    world.line.spoil("GET /view", FAULTS[fault], times=2)
    world.check_done(world.order())


@pytest.mark.parametrize("fault", ["500", "html", "cut"])
def test_a_result_that_cannot_be_fetched_is_fetched_later(fault: str, world: World) -> None:
    world.line.spoil("GET /view", FAULTS[fault], times=1000)
    job = world.order()
    end = world.end(job)
    assert (
        end.phase == "failed"
        and "could not be fetched" in end.error
        and end.results[0].can_be_collected
    )
    assert count_files(world.outputs) == 0 and world.line.posted[job.id] == 1
    world.line.mend()
    place = choose_result_place(world.outputs, "tiny")
    (again,) = collect_again(end.results, world.queue.backends[0].client, place)
    assert again.path and not again.problem and count_files(world.outputs) == 1
    world.check_quiet()


@pytest.mark.parametrize("fault", sample(FAULTS))
def test_uploading(fault: str, world: World, tmp_path: Path) -> None:
    picture = tmp_path / "mine.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    world.line.spoil("POST /upload/image", FAULTS[fault])
    job = world.queue.submit(order(repaint(picture)))
    end = world.end(job)
    if fault in (*REFUSED, "500 late", "html late", "other late"):
        assert end.phase == "failed" and end.error
        assert world.line.posted[job.id] == 0 and count_files(world.outputs) == 0
        world.check_quiet()
    else:
        world.check_done(job)


@pytest.mark.parametrize("fault", sample(FAULTS))
def test_learning_what_the_server_has(fault: str, world: World) -> None:
    world.line.spoil("GET /object_info", FAULTS[fault], times=2)
    with suppress(ServerError):
        world.queue.backends[0].refresh(["EmptyImage", "SaveImage"])
    world.check_done(world.order())


def test_a_server_gets_what_it_lacked(world: World) -> None:
    """The job waits and says why, until the server is asked again."""
    backend, given = world.queue.backends[0], world.server.options
    world.server.kill()
    world.server.options = replace(given, missing_classes=("EmptyImage",))
    world.server.start()
    backend.refresh(["EmptyImage", "SaveImage"])
    job = world.order()
    wait(job, lambda s: "it has no node class EmptyImage" in s.reason)
    world.server.kill()
    world.server.options = given
    world.server.start()
    backend.refresh(["EmptyImage", "SaveImage"])
    world.check_done(job)


def test_generate_pressed_twice(world: World) -> None:
    wish = paint(0.1)
    one, two = world.queue.submit(wish), world.queue.submit(wish)
    assert one.id != two.id
    world.check_done(one, two)
