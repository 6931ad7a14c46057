"""Other people on the same server, and prompts that do not end well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comfygradio.demo import DemoServer
from comfygradio.jobs.job import Job
from tests.clocks import HANG_SECONDS
from tests.comfy.graphs import make_text_to_image_graph
from tests.faults.http_fault import HeldExchange
from tests.faults.scenario import (
    LONG_SECONDS,
    Scenario,
    await_that,
    make_graph_order,
    make_unique_order,
    open_scenario,
)
from tests.jobs.lines import count_files, draw, is_over, is_running, wait

pytestmark = pytest.mark.deep

CHECKPOINT = "photo-xl.safetensors"


def check_failed(scenario: Scenario, job: Job, message: str, posts: int = 1) -> None:
    """It failed with that sentence, was posted so often and left nothing anywhere."""
    end = scenario.wait_for_end(job)
    assert end.phase == "failed" and message in end.error and "Traceback" not in end.error, end
    record = scenario.queue.store.get(job.id)
    assert record and (record.phase, record.error) == ("failed", end.error)
    assert scenario.proxy.posted[job.id] == posts
    scenario.check_quiet()


def test_somebody_clears_the_queue(scenario: Scenario) -> None:
    """The job that waited on the server is posted once more; the one that runs is not touched."""
    running, waiting = scenario.submit(LONG_SECONDS), scenario.submit()
    wait(running, is_running)
    await_that(lambda: scenario.proxy.posted[waiting.id])
    scenario.direct.clear_queue()
    await_that(lambda: scenario.proxy.posted[waiting.id] == 2)
    scenario.skip_waits()
    assert scenario.wait_for_end(waiting).phase == scenario.wait_for_end(running).phase == "done"
    assert (scenario.proxy.posted[running.id], scenario.proxy.posted[waiting.id]) == (1, 2)
    assert len(scenario.direct.history()) == 2 and count_files(scenario.outputs) == 2
    scenario.check_quiet()


def test_somebody_clears_the_queue_again_and_again(scenario: Scenario) -> None:
    neighbour = scenario.post_other(LONG_SECONDS)
    # Until it runs it would be cleared in place of ours.
    await_that(lambda: scenario.direct.queue().running)
    job = scenario.submit()
    for posts in (1, 2):
        await_that(lambda posts=posts: scenario.proxy.posted[job.id] == posts)  # type: ignore[misc]
        await_that(lambda: scenario.direct.queue().pending)
        scenario.direct.clear_queue()
    wait(job, is_over)
    scenario.skip_waits()
    check_failed(scenario, job, "lost this job", posts=2)
    scenario.check_other(neighbour)


def test_somebody_interrupts(scenario: Scenario) -> None:
    job, other = scenario.submit(LONG_SECONDS), scenario.submit()
    wait(job, is_running)
    scenario.direct.interrupt()
    end = scenario.wait_for_end(job)
    assert (
        end.phase == "stopped"
        and "Somebody stopped" in end.error
        and scenario.proxy.posted[job.id] == 1
    )
    scenario.check_done(other)


def test_somebody_deletes_the_history(scenario: Scenario) -> None:
    """While it runs, and after its end, before we fetch the result."""
    held = HeldExchange(after=True)
    scenario.proxy.inject("GET /view", held)
    job = scenario.submit(LONG_SECONDS)
    wait(job, is_running)
    scenario.direct.clear_history()
    scenario.skip_waits()
    assert held.reached.wait(HANG_SECONDS)
    scenario.direct.clear_history()
    held.release()
    end = scenario.wait_for_end(job)
    assert scenario.proxy.posted[job.id] == 1
    assert end.phase == "done" or end.results[0].can_be_collected
    scenario.check_quiet()


def test_stopping_ours_leaves_the_neighbours_alone(scenario: Scenario) -> None:
    before, job = scenario.post_other(LONG_SECONDS), scenario.submit(LONG_SECONDS)
    await_that(lambda: scenario.proxy.posted[job.id])
    after = scenario.post_other()
    scenario.queue.stop(job.token)
    assert scenario.wait_for_end(job).phase == "stopped"
    scenario.skip_waits()
    scenario.check_other(before)
    scenario.check_other(after)
    scenario.check_quiet()


def test_a_prompt_is_rejected(scenario: Scenario) -> None:
    neighbour = scenario.post_other(0.1)
    graph = dict(make_unique_order().prompt.graph) | {
        "9": {"class_type": "NoSuchClass", "inputs": {}}
    }
    check_failed(scenario, scenario.queue.submit(make_graph_order(graph)), "NoSuchClass", posts=0)
    scenario.check_other(neighbour)


def test_a_node_fails_and_what_was_made_before_is_kept(scenario: Scenario) -> None:
    graph = dict(draw(0xABCDEF).prompt.graph) | {
        "3": {"class_type": "LabRaise", "inputs": {"message": "kaputt", "value": ["4", 0]}},
        "4": {"class_type": "LabSleep", "inputs": {"seconds": 0.2, "value": ["1", 0]}},
        "5": {"class_type": "SaveImage", "inputs": {"filename_prefix": "y", "images": ["3", 0]}},
    }
    job = scenario.queue.submit(make_graph_order(graph))
    check_failed(scenario, job, "kaputt")
    (result,) = job.snapshot.results
    assert (
        result.partial
        and result.path
        and result.path.is_file()
        and count_files(scenario.outputs) == 1
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
    with open_scenario(tmp_path / "outputs", **options) as scenario:
        check_failed(
            scenario,
            scenario.queue.submit(make_graph_order(make_text_to_image_graph(CHECKPOINT))),
            message,
        )
        if "lose_outputs" in options:
            assert count_files(scenario.outputs) == 0
        else:
            neighbour = scenario.post_other()
            scenario.check_done(scenario.submit()) if not list(
                scenario.outputs.rglob("*.jpg")
            ) else None
            scenario.check_other(neighbour)


def test_an_output_file_is_gone_from_the_servers_folder(scenario: Scenario) -> None:
    held = HeldExchange(after=False)
    scenario.proxy.inject("GET /view", held)
    job = scenario.submit()
    assert held.reached.wait(HANG_SECONDS)
    delete_outputs(scenario.server)
    held.release()
    check_failed(scenario, job, "could not be fetched")
    assert job.snapshot.results[0].can_be_collected


def delete_outputs(server: DemoServer) -> None:
    """As somebody who tidies up the server's disk."""
    assert server.folder
    for path in (server.folder / "output").rglob("*.png"):
        path.unlink()
