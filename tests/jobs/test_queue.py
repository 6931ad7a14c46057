"""The queue before ComfyUI's, on a demo server over real sockets."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.workflow import Prompt
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import JobStoreLocked, LimitReached
from comfygradio.jobs.backend import MAX_SUBMITTED
from comfygradio.jobs.job import Order
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.limits import Limits
from comfygradio.jobs.worker import WorkerPool
from tests.clocks import HANG_SECONDS
from tests.faults.skipping_clock import SkippingClock
from tests.jobs.lines import count_files, draw, free_port, is_over, is_running, open_queue, wait
from tests.jobs.shelf import Shelf


@pytest.fixture
def demo(shelf: Shelf) -> DemoServer:
    """A demo server with the test nodes and nothing to do."""
    return shelf.lend(DemoOptions(step_seconds=0.01, lab_nodes=True))


@pytest.fixture
def queue(demo: DemoServer, tmp_path: Path) -> Iterator[JobQueue]:
    """A queue with one server that saves into a temporary folder."""
    with open_queue(tmp_path / "outputs", demo) as queue:
        yield queue


def test_a_job_ends_with_its_file_saved(queue: JobQueue) -> None:
    end = wait(queue.submit(draw(0x112233)), is_over)
    assert end.phase == "done" and end.error == "" and end.seconds > 0
    (result,) = end.results
    assert (
        result.path and result.path == result.display and (result.width, result.height) == (32, 16)
    )
    assert result.path.is_relative_to(queue.outputs)
    with Image.open(result.path) as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == (0x11, 0x22, 0x33)


def test_at_most_two_prompts_are_posted_and_the_rest_waits_here(
    queue: JobQueue, demo: DemoServer
) -> None:
    jobs = [queue.submit(draw(color, 600)) for color in range(3)] + [queue.submit(draw(9))]
    wait(jobs[0], lambda s: s.state is not None and s.state.status == "running")
    assert ComfyClient(demo.url).queue_remaining() <= MAX_SUBMITTED
    assert jobs[3].snapshot.phase == "waiting" and jobs[3].snapshot.ahead == 3, [
        job.snapshot for job in jobs
    ]
    for job in jobs[:3]:
        queue.stop(job.token)
    assert [wait(job, is_over).phase for job in jobs] == ["stopped"] * 3 + ["done"]


def test_a_running_job_is_stopped_on_the_server_and_the_others_go_on(queue: JobQueue) -> None:
    stopped, other = queue.submit(draw(50, 600)), queue.submit(draw(51))
    wait(stopped, lambda s: s.state is not None and s.state.status == "running")
    queue.stop(stopped.token)
    assert wait(stopped, is_over).phase == "stopped"
    assert wait(other, is_over).phase == "done"
    assert queue.backends[0].client.queue_remaining() == 0


def test_a_waiting_job_is_stopped_at_once(queue: JobQueue) -> None:
    jobs = [queue.submit(draw(60 + n, 600)) for n in range(3)]
    queue.stop(jobs[2].token)
    assert jobs[2].snapshot.phase == "stopped"
    for job in jobs[:2]:
        queue.stop(job.token)
        assert wait(job, is_over).phase == "stopped"


def test_a_failing_node_fails_the_job_with_a_sentence(queue: JobQueue) -> None:
    graph = dict(draw(70).prompt.graph)
    graph["3"] = {"class_type": "LabRaise", "inputs": {"message": "kaputt", "value": ["1", 0]}}
    graph["2"] = {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["3", 0]}}
    end = wait(queue.submit(Order("tiny", "Tiny", Prompt(graph))), is_over)
    assert end.phase == "failed" and "kaputt" in end.error and "LabRaise" in end.error
    assert wait(queue.submit(draw(71)), is_over).phase == "done"


def test_an_outputs_folder_that_cannot_be_written_is_said(demo: DemoServer, tmp_path: Path) -> None:
    with open_queue(tmp_path / "outputs", demo, clock=SkippingClock()) as queue:
        day = queue.outputs / f"{datetime.date.today():%Y-%m-%d}"
        day.write_text("a file where the folder should be")
        end = wait(queue.submit(draw(80)), is_over)
    assert end.phase == "failed" and "could not be" in end.error and end.results[0].can_be_collected


def test_an_unknown_token_finds_nothing(queue: JobQueue) -> None:
    assert queue.find("nobody") is None
    queue.stop("nobody")


def test_everybody_gets_a_turn_and_single_pictures_go_before_sweeps(
    queue: JobQueue, demo: DemoServer
) -> None:
    """Each point lasts until it is stopped or hurried, so that none begins unseen."""
    sweep = [queue.submit(draw(n, 600), "anna", priority=1) for n in range(6)]
    posted = sweep[:MAX_SUBMITTED]
    for job in posted:
        wait(job, lambda snapshot: snapshot.phase == "running")
    single = queue.submit(draw(99), "ben")
    for job in posted:
        queue.stop(job.token)
    assert wait(single, is_over).phase == "done"
    # Those that took the places of the two and of the single picture.
    later = sweep[2 * MAX_SUBMITTED :]
    assert [job.snapshot.phase for job in later] == ["waiting"] * len(later)
    demo.set_skip_waits()
    assert [wait(job, is_over).phase for job in posted] == ["stopped"] * MAX_SUBMITTED
    assert [wait(job, is_over).phase for job in sweep[MAX_SUBMITTED:]] == ["done"] * 4


def test_a_persons_waiting_jobs_are_limited(demo: DemoServer, tmp_path: Path) -> None:
    with open_queue(tmp_path / "outputs", demo, limits=Limits(jobs_waiting=2)) as queue:
        jobs = [queue.submit(draw(n, 600), "anna") for n in range(2)]
        wait(jobs[1], lambda s: s.phase == "running")
        jobs += [queue.submit(draw(n, 600), "anna") for n in range(2)]
        with pytest.raises(LimitReached, match="You have 2 jobs waiting already"):
            queue.submit(draw(5), "anna")
        jobs.append(queue.submit(draw(6), "ben"))
        for job in jobs[:4]:
            queue.stop(job.token)
        assert wait(jobs[4], is_over).phase == "done"


def test_jobs_outlive_the_queue(demo: DemoServer, tmp_path: Path) -> None:
    """The app ends with one job running, one posted and one waiting; the next start brings them all
    to their end.
    """
    outputs = tmp_path / "outputs"
    with open_queue(outputs, demo) as queue:
        jobs = [queue.submit(draw(n, 600), "anna") for n in range(3)]
        wait(jobs[0], is_running)
    assert demo.executions["SaveImage"] >= 0
    with open_queue(outputs, demo) as again:
        found = [again.find(job.token) for job in jobs]
        demo.set_skip_waits()
        ends = [wait(job, is_over) for job in found if job]
        assert [end.phase for end in ends] == ["done"] * 3
        assert [job.id for job in found if job] == [job.id for job in jobs]
        history = ComfyClient(demo.url).history()
        assert sum(entry.prompt_id in {job.id for job in jobs} for entry in history.values()) == 3
    assert count_files(outputs) == 3


def test_a_job_that_ended_while_the_app_was_away_is_collected(
    demo: DemoServer, tmp_path: Path
) -> None:
    outputs = tmp_path / "outputs"
    with open_queue(outputs, demo) as queue:
        job = queue.submit(draw(7, 600))
        wait(job, is_running)
    demo.set_skip_waits()
    with open_queue(tmp_path / "other", demo) as other:
        wait(other.submit(draw(8)), is_over)
    with open_queue(outputs, demo) as again:
        found = again.find(job.token)
        assert found and wait(found, is_over).phase == "done"
    assert count_files(outputs) == 1


@pytest.mark.deep
def test_a_server_that_restarts_empty_gets_the_jobs_once_more(tmp_path: Path) -> None:
    server = DemoServer(DemoOptions(step_seconds=0.01, lab_nodes=True), port=free_port())
    clock = SkippingClock()
    with server, open_queue(tmp_path / "outputs", server, clock=clock) as queue:
        jobs = [queue.submit(draw(n, 600)) for n in range(3)]
        wait(jobs[0], is_running)
        server.kill()
        server.start()
        server.set_skip_waits()
        assert [wait(job, is_over).phase for job in jobs] == ["done"] * 3
    assert count_files(tmp_path / "outputs") == 3


def test_two_servers_share_the_jobs_and_one_takes_over_from_the_other(tmp_path: Path) -> None:
    options = DemoOptions(step_seconds=0.01, lab_nodes=True)
    with (
        DemoServer(options) as one,
        DemoServer(options) as two,
        open_queue(tmp_path / "o", one, two) as queue,
    ):
        jobs = [queue.submit(draw(n, 0.2)) for n in range(8)]
        ends = [wait(job, is_over) for job in jobs]
        assert [end.phase for end in ends] == ["done"] * 8
        assert min(one.executions["SaveImage"], two.executions["SaveImage"]) >= 2


@pytest.mark.deep
def test_an_idle_server_comes_before_a_second_place_at_a_busy_one(tmp_path: Path) -> None:
    options = DemoOptions(lab_nodes=True)
    with (
        DemoServer(options) as one,
        DemoServer(options) as two,
        open_queue(tmp_path / "o", one, two) as queue,
    ):
        for number in range(6):
            jobs = [queue.submit(draw(2 * number, 60))]
            wait(jobs[0], is_running)
            jobs.append(queue.submit(draw(2 * number + 1, 60)))
            wait(jobs[1], is_running)
            assert [len(queue.list_submitted(backend)) for backend in queue.backends] == [1, 1]
            for job in jobs:
                queue.stop(job.token)
                wait(job, is_over)


def test_the_second_place_is_taken_where_the_idle_server_cannot_run_it(tmp_path: Path) -> None:
    bare = DemoOptions(missing_classes=("LabSleep",), lab_nodes=True)
    full = replace(bare, missing_classes=())
    with (
        DemoServer(bare) as one,
        DemoServer(full) as two,
        open_queue(tmp_path / "o", one, two, learn=True) as queue,
    ):
        jobs = [queue.submit(draw(n, 60)) for n in range(2)]
        wait(
            jobs[1],
            lambda snapshot: snapshot.state is not None and snapshot.state.status == "queued",
        )
        assert len(queue.list_submitted(queue.backends[1])) == 2
        for job in jobs:
            queue.stop(job.token)
            wait(job, is_over)


def test_a_server_without_the_nodes_is_not_chosen(tmp_path: Path) -> None:
    bare = DemoOptions(missing_classes=("LabSleep",), lab_nodes=True)
    full = replace(bare, missing_classes=())
    with (
        DemoServer(bare) as one,
        DemoServer(full) as two,
        open_queue(tmp_path / "o", one, two, learn=True) as queue,
    ):
        assert (
            queue.backends[0].explain_rejection(draw(1, 1).prompt.graph)
            == "it has no node class LabSleep."
        )
        jobs = [queue.submit(draw(n, 0.05)) for n in range(4)]
        assert [wait(job, is_over).phase for job in jobs] == ["done"] * 4
        assert one.executions["SaveImage"] == 0


def test_a_second_app_on_the_same_outputs_is_refused(queue: JobQueue, demo: DemoServer) -> None:
    refused = pytest.raises(JobStoreLocked, match="Another comfygradio uses the outputs folder")
    with refused, open_queue(queue.outputs, demo):
        pass


def test_a_queue_is_closed_while_workers_of_a_new_backend_are_about_to_start(
    tmp_path: Path,
) -> None:
    """As when a cluster tells of it just then."""
    with DemoServer(DemoOptions()) as server, open_queue(tmp_path, server) as queue:
        pool = WorkerPool(queue.worker_context)
        fresh = pool.make_workers(queue.backends)
        queue.close()
        pool.join(HANG_SECONDS)
        for worker in fresh:
            worker.start()
        pool.join(HANG_SECONDS)
        assert not any(worker.is_alive() for worker in fresh)
