"""Other people on the same server, and prompts that do not end well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comfygradio.demo import DemoServer
from comfygradio.jobs.job import Job
from tests.clocks import HANG_SECONDS
from tests.comfy.graphs import draw_text
from tests.faults.spoilers import Hold
from tests.faults.world import LONG_SECONDS, World, await_that, open_world, order, paint
from tests.jobs.lines import count_files, draw, is_over, is_running, wait

pytestmark = pytest.mark.deep

CHECKPOINT = "photo-xl.safetensors"


def check_failed(world: World, job: Job, message: str, posts: int = 1) -> None:
    """It failed with that sentence, was posted so often and left nothing anywhere."""
    end = world.end(job)
    assert end.phase == "failed" and message in end.error and "Traceback" not in end.error, end
    record = world.queue.store.get(job.id)
    assert record and (record.phase, record.error) == ("failed", end.error)
    assert world.line.posted[job.id] == posts
    world.check_quiet()


def test_somebody_clears_the_queue(world: World) -> None:
    """The job that waited on the server is posted once more; the one that runs is not touched."""
    running, waiting = world.order(LONG_SECONDS), world.order()
    wait(running, is_running)
    await_that(lambda: world.line.posted[waiting.id])
    world.direct.clear_queue()
    await_that(lambda: world.line.posted[waiting.id] == 2)
    world.hurry()
    assert world.end(waiting).phase == world.end(running).phase == "done"
    assert (world.line.posted[running.id], world.line.posted[waiting.id]) == (1, 2)
    assert len(world.direct.history()) == 2 and count_files(world.outputs) == 2
    world.check_quiet()


def test_somebody_clears_the_queue_again_and_again(world: World) -> None:
    neighbour = world.post_neighbour(LONG_SECONDS)
    job = world.order()
    for posts in (1, 2):
        await_that(lambda posts=posts: world.line.posted[job.id] == posts)  # type: ignore[misc]
        await_that(lambda: world.direct.queue().pending)
        world.direct.clear_queue()
    wait(job, is_over)
    world.hurry()
    check_failed(world, job, "lost this job", posts=2)
    world.check_neighbour(neighbour)


def test_somebody_interrupts(world: World) -> None:
    job, other = world.order(LONG_SECONDS), world.order()
    wait(job, is_running)
    world.direct.interrupt()
    end = world.end(job)
    assert (
        end.phase == "stopped"
        and "Somebody stopped" in end.error
        and world.line.posted[job.id] == 1
    )
    world.check_done(other)


def test_somebody_deletes_the_history(world: World) -> None:
    """While it runs, and after its end, before we fetch the result."""
    held = Hold(after=True)
    world.line.spoil("GET /view", held)
    job = world.order(LONG_SECONDS)
    wait(job, is_running)
    world.direct.clear_history()
    world.hurry()
    assert held.reached.wait(HANG_SECONDS)
    world.direct.clear_history()
    held.release()
    end = world.end(job)
    assert world.line.posted[job.id] == 1
    assert end.phase == "done" or end.results[0].can_be_collected
    world.check_quiet()


def test_stopping_ours_leaves_the_neighbours_alone(world: World) -> None:
    before, job = world.post_neighbour(LONG_SECONDS), world.order(LONG_SECONDS)
    await_that(lambda: world.line.posted[job.id])
    after = world.post_neighbour()
    world.queue.stop(job.token)
    assert world.end(job).phase == "stopped"
    world.hurry()
    world.check_neighbour(before)
    world.check_neighbour(after)
    world.check_quiet()


def test_a_prompt_is_rejected(world: World) -> None:
    neighbour = world.post_neighbour(0.1)
    graph = dict(paint().prompt.graph) | {"9": {"class_type": "NoSuchClass", "inputs": {}}}
    check_failed(world, world.queue.submit(order(graph)), "NoSuchClass", posts=0)
    world.check_neighbour(neighbour)


def test_a_node_fails_and_what_was_made_before_is_kept(world: World) -> None:
    graph = dict(draw(0xABCDEF).prompt.graph) | {
        "3": {"class_type": "LabRaise", "inputs": {"message": "kaputt", "value": ["4", 0]}},
        "4": {"class_type": "LabSleep", "inputs": {"seconds": 0.2, "value": ["1", 0]}},
        "5": {"class_type": "SaveImage", "inputs": {"filename_prefix": "y", "images": ["3", 0]}},
    }
    job = world.queue.submit(order(graph))
    check_failed(world, job, "kaputt")
    (result,) = job.snapshot.results
    assert (
        result.partial and result.path and result.path.is_file() and count_files(world.outputs) == 1
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"oom_at_step": 2}, "ran out of memory"),
        ({"fail_at_step": 2}, "failed"),
        ({"lose_outputs": True}, "fetched"),
    ],
    ids=str,
)
def test_the_server_fails_while_it_paints(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with open_world(tmp_path / "outputs", **options) as world:
        check_failed(world, world.queue.submit(order(draw_text(CHECKPOINT))), message)
        if "lose_outputs" in options:
            assert count_files(world.outputs) == 0
        else:
            neighbour = world.post_neighbour()
            world.check_done(world.order()) if not list(world.outputs.rglob("*.jpg")) else None
            world.check_neighbour(neighbour)


def test_an_output_file_is_gone_from_the_servers_folder(world: World) -> None:
    held = Hold(after=False)
    world.line.spoil("GET /view", held)
    job = world.order()
    assert held.reached.wait(HANG_SECONDS)
    delete_outputs(world.server)
    held.release()
    check_failed(world, job, "could not be fetched")
    assert job.snapshot.results[0].can_be_collected


def delete_outputs(server: DemoServer) -> None:
    """As somebody who tidies up the server's disk."""
    assert server.folder
    for path in (server.folder / "output").rglob("*.png"):
        path.unlink()
