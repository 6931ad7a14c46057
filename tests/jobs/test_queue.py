"""The queue before ComfyUI's, on a demo server over real sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.workflow import Prompt
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.job import Job, Order, Snapshot
from comfygradio.jobs.queue import POSTED, JobQueue


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A demo server with the test nodes."""
    with DemoServer(DemoOptions(step_seconds=0.01, lab_nodes=True)) as server:
        yield server


@pytest.fixture
def queue(demo: DemoServer, tmp_path: Path) -> Iterator[JobQueue]:
    """A queue that saves into a temporary folder."""
    client = ComfyClient(demo.url)
    queue = JobQueue(client, tmp_path / "outputs")
    yield queue
    queue.close()
    client.close()


def draw(color: int, seconds: float = 0.0) -> Order:
    """An order for a small picture of one colour, after a pause that can be interrupted."""
    graph: dict[str, Any] = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 32, "height": 16, "batch_size": 1, "color": color}},
        "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["1", 0]}},
    }
    if seconds:
        graph["3"] = {"class_type": "LabSleep", "inputs": {"seconds": seconds, "value": ["1", 0]}}
        graph["2"]["inputs"]["images"] = ["3", 0]
    return Order("tiny", "Tiny", Prompt(graph), {"color": color})


def wait(job: Job, until: Callable[[Snapshot], bool], seconds: float = 15.0) -> Snapshot:
    """The first snapshot that fits; listens instead of polling."""
    changed = threading.Event()
    unlisten = job.listen(changed.set)
    try:
        while not until(snapshot := job.snapshot):
            assert changed.wait(seconds), f"nothing happened any more: {snapshot}"
            changed.clear()
        return snapshot
    finally:
        unlisten()


def is_over(snapshot: Snapshot) -> bool:
    """Whether the job has ended."""
    return snapshot.is_over


def test_a_job_ends_with_its_file_saved(queue: JobQueue) -> None:
    end = wait(queue.submit(draw(0x112233)), is_over)
    assert end.phase == "done" and end.error == "" and end.seconds > 0
    (result,) = end.results
    assert result.path and result.path == result.display and (result.width, result.height) == (32, 16)
    assert result.path.is_relative_to(queue.outputs)
    with Image.open(result.path) as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == (0x11, 0x22, 0x33)


def test_at_most_two_prompts_are_posted_and_the_rest_waits_here(queue: JobQueue) -> None:
    jobs = [queue.submit(draw(color, 30)) for color in range(3)] + [queue.submit(draw(9))]
    wait(jobs[0], lambda s: s.state is not None and s.state.status == "running")
    assert len(queue.client.queue().running) + len(queue.client.queue().pending) <= POSTED
    assert jobs[3].snapshot.phase == "waiting" and jobs[3].snapshot.ahead == 3, [job.snapshot for job in jobs]
    for job in jobs[:3]:
        queue.stop(job.token)
    assert [wait(job, is_over).phase for job in jobs] == ["stopped"] * 3 + ["done"]


def test_a_running_job_is_stopped_on_the_server_and_the_others_go_on(queue: JobQueue) -> None:
    stopped, other = queue.submit(draw(50, 30)), queue.submit(draw(51))
    wait(stopped, lambda s: s.state is not None and s.state.status == "running")
    queue.stop(stopped.token)
    assert wait(stopped, is_over).phase == "stopped"
    assert wait(other, is_over).phase == "done"
    assert queue.client.queue_remaining() == 0


def test_a_waiting_job_is_stopped_at_once(queue: JobQueue) -> None:
    jobs = [queue.submit(draw(60 + n, 30)) for n in range(3)]
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


def test_a_full_disk_is_said_and_not_a_crash(demo: DemoServer, tmp_path: Path) -> None:
    blocked = tmp_path / "outputs"
    blocked.write_text("a file where the folder should be")
    with ComfyClient(demo.url) as client:
        queue = JobQueue(client, blocked)
        end = wait(queue.submit(draw(80)), is_over)
        assert end.phase == "failed" and "could not be saved" in end.error
        queue.close()


def test_an_unknown_token_finds_nothing(queue: JobQueue) -> None:
    assert queue.find("nobody") is None
    queue.stop("nobody")
