"""Answers that go wrong: every fault on every route that a job uses."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.comfy.workflow import Prompt, Upload
from comfygradio.errors import ServerError
from comfygradio.jobs.job import Order
from comfygradio.jobs.naming import choose_place
from comfygradio.jobs.results import collect_again
from tests.faults.proxy import Spoiler
from tests.faults.spoilers import PAGE, cut_body, lose_answer, lose_request, respond, respond_late, send_slowly
from tests.faults.world import World, paint
from tests.jobs.lines import count_files

NOWHERE = respond(404)

FAULTS: dict[str, Spoiler] = {
    "500": respond(500),
    "502": respond(502),
    "html": PAGE,
    "slow": send_slowly,
    "cut": cut_body,
    "request lost": lose_request,
    "answer lost": lose_answer,
    "502 late": respond_late(502),
}

REFUSED = ("500", "html")
"""Answers after which nobody may try again: they mean that the request itself was not understood."""


@pytest.mark.parametrize("fault", FAULTS)
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


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("route", ["GET /queue", "GET /history"])
def test_asking_how_it_stands(route: str, fault: str, world: World) -> None:
    """Without a WebSocket, so that everything hangs on these answers."""
    neighbour = world.post_neighbour(0.1)
    world.line.spoil("GET /ws", NOWHERE, times=1000)
    world.line.spoil(route, FAULTS[fault], times=2)
    world.check_done(world.order(0.1))
    world.check_neighbour(neighbour)


@pytest.mark.parametrize("fault", FAULTS)
def test_fetching_the_result(fault: str, world: World) -> None:
    """A fault that passes is not even noticed."""
    world.line.spoil("GET /view", FAULTS[fault], times=2)
    world.check_done(world.order())


@pytest.mark.parametrize("fault", ["500", "html", "cut"])
def test_a_result_that_cannot_be_fetched_is_fetched_later(fault: str, world: World) -> None:
    world.line.spoil("GET /view", FAULTS[fault], times=1000)
    job = world.order()
    end = world.end(job)
    assert end.phase == "failed" and "could not be fetched" in end.error and end.results[0].can_be_collected
    assert count_files(world.outputs) == 0 and world.line.posted[job.id] == 1
    world.line.mend()
    place = choose_place(world.outputs, "tiny")
    (again,) = collect_again(end.results, world.queue.lanes[0].client, place)
    assert again.path and not again.problem and count_files(world.outputs) == 1
    world.check_quiet()


@pytest.mark.parametrize("fault", FAULTS)
def test_uploading(fault: str, world: World, tmp_path: Path) -> None:
    picture = tmp_path / "mine.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "?"}},
        "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["1", 0]}},
    }
    prompt = Prompt(graph, (Upload(picture, "mine.png", (("1", "image"),)),))
    world.line.spoil("POST /upload/image", FAULTS[fault])
    job = world.queue.submit(Order("tiny", "Tiny", prompt))
    end = world.end(job)
    if fault in (*REFUSED, "cut"):
        assert end.phase in ("failed", "done") and (end.error or end.results)
    if end.phase == "done" or fault not in (*REFUSED, "cut"):
        world.check_done(job)
    else:
        assert world.line.posted[job.id] == 0 and count_files(world.outputs) == 0
        world.check_quiet()


@pytest.mark.parametrize("fault", FAULTS)
def test_learning_what_the_server_has(fault: str, world: World) -> None:
    world.line.spoil("GET /object_info", FAULTS[fault], times=2)
    with suppress(ServerError):
        world.queue.lanes[0].learn(["EmptyImage", "SaveImage"])
    world.check_done(world.order())


def test_generate_pressed_twice(world: World) -> None:
    order = paint(0.1)
    one, two = world.queue.submit(order), world.queue.submit(order)
    assert one.id != two.id
    world.check_done(one, two)
