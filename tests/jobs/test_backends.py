"""Backends that come and go while the queue runs, and which of them a job goes to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Order
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.placement import find_models
from tests.clocks import HANG_SECONDS
from tests.faults.scenario import await_that
from tests.jobs.lines import draw, is_over, is_running, open_queue, wait

CLASSES = ("EmptyImage", "SaveImage", "LabSleep")


@pytest.fixture
def servers() -> Iterator[tuple[DemoServer, DemoServer]]:
    """Two demo servers."""
    options = DemoOptions(step_seconds=0.01, lab_nodes=True)
    with DemoServer(options) as one, DemoServer(options) as two:
        yield one, two


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    """A queue without any backend."""
    with open_queue(tmp_path / "outputs") as queue:
        yield queue


def make_backend(server: DemoServer) -> Backend:
    """A backend that has yet to tell what it has."""
    backend = Backend(ComfyClient(server.url))
    backend.expect(CLASSES)
    return backend


def use_model(order: Order, name: str) -> Order:
    """The same order, with the name of a model in its graph."""
    graph: dict[str, Any] = {**order.prompt.graph}
    graph["2"] = {**graph["2"], "inputs": {**graph["2"]["inputs"], "filename_prefix": name}}
    return replace(order, prompt=replace(order.prompt, graph=graph))


def test_a_job_waits_for_the_first_backend_and_says_why(
    queue: JobQueue, servers: tuple[DemoServer, DemoServer]
) -> None:
    early = queue.submit(draw(1))
    queue.update_backends([], "Nobody is there yet.")
    late = queue.submit(draw(2))
    assert early.snapshot.reason == late.snapshot.reason == "Nobody is there yet."
    queue.update_backends([make_backend(servers[0])])
    assert [wait(job, is_over).phase for job in (early, late)] == ["done", "done"]
    assert queue.backends[0].capabilities_version == 1


def test_the_reason_ends_with_the_trouble(queue: JobQueue) -> None:
    queue.update_backends([], "Nobody is there yet.")
    job = queue.submit(draw(1))
    queue.update_backends([])
    assert job.snapshot.reason == ""


def test_a_new_backend_takes_jobs_that_wait_for_a_busy_one(
    queue: JobQueue, servers: tuple[DemoServer, DemoServer]
) -> None:
    first, second = map(make_backend, servers)
    queue.update_backends([first])
    jobs = [queue.submit(draw(n, 60)) for n in range(2)]
    wait(jobs[0], is_running)
    wait(jobs[1], lambda snapshot: snapshot.state is not None)
    third = queue.submit(draw(3))
    queue.update_backends([first, second])
    assert wait(third, is_over).phase == "done" and third.backend_url == servers[1].url
    for job in jobs:
        queue.stop(job.token)
        wait(job, is_over)


def test_a_backend_that_is_gone_gets_nothing_more(
    queue: JobQueue, servers: tuple[DemoServer, DemoServer]
) -> None:
    first, second = map(make_backend, servers)
    queue.update_backends([first, second])
    assert wait(queue.submit(draw(1)), is_over).phase == "done"
    queue.update_backends([second])
    jobs = [queue.submit(draw(10 + n)) for n in range(6)]
    assert [wait(job, is_over).phase for job in jobs] == ["done"] * 6
    assert {job.backend_url for job in jobs} == {servers[1].url}


class HeldClient(ComfyClient):
    """A client whose first answer is late: it comes when `release` is set."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked = threading.Event()
        self.release = threading.Event()

    def queue_remaining(self) -> int:
        """As always, but late."""
        self.asked.set()
        assert self.release.wait(HANG_SECONDS)
        return super().queue_remaining()


def test_a_backend_that_went_while_it_was_asked_gets_nothing(
    queue: JobQueue, servers: tuple[DemoServer, DemoServer]
) -> None:
    client = HeldClient(servers[0].url)
    backend = Backend(client)
    backend.expect(CLASSES)
    queue.update_backends([backend])
    assert client.asked.wait(HANG_SECONDS)
    workers = [one for one in threading.enumerate() if one.name == f"comfygradio-{backend.url}"]
    queue.update_backends([])
    job = queue.submit(draw(1))
    client.release.set()
    for worker in workers:
        worker.join(HANG_SECONDS)
        assert not worker.is_alive()
    assert job.snapshot.phase == "waiting" and job.backend_url == ""


def test_a_backend_that_comes_back_is_another_one_and_is_used(
    queue: JobQueue, servers: tuple[DemoServer, DemoServer]
) -> None:
    queue.update_backends([make_backend(servers[0])])
    assert wait(queue.submit(draw(1)), is_over).phase == "done"
    queue.update_backends([])
    waiting = queue.submit(draw(2))
    queue.update_backends([make_backend(servers[0])])
    assert wait(waiting, is_over).phase == "done"


def test_of_two_idle_backends_the_one_with_the_model_is_chosen(
    queue: JobQueue, servers: tuple[DemoServer, DemoServer]
) -> None:
    queue.update_backends([make_backend(server) for server in servers])
    await_that(lambda: not any(backend.trouble for backend in queue.backends))
    homes: dict[str, set[str]] = {"a.safetensors": set(), "b.ckpt": set()}
    blocked = queue.submit(use_model(draw(1, 60), "a.safetensors"))
    wait(blocked, is_running)
    other = queue.submit(use_model(draw(2), "b.ckpt"))
    wait(other, is_over)
    assert blocked.backend_url != other.backend_url
    queue.stop(blocked.token)
    wait(blocked, is_over)
    for number in range(6):
        for model, found in homes.items():
            job = queue.submit(use_model(draw(number + 10), model))
            wait(job, is_over)
            found.add(job.backend_url)
    assert homes == {"a.safetensors": {blocked.backend_url}, "b.ckpt": {other.backend_url}}


def test_nothing_waits_for_a_busy_backend_that_has_the_model(
    queue: JobQueue, servers: tuple[DemoServer, DemoServer]
) -> None:
    queue.update_backends([make_backend(server) for server in servers])
    await_that(lambda: not any(backend.trouble for backend in queue.backends))
    first = queue.submit(use_model(draw(1, 60), "a.safetensors"))
    wait(first, is_running)
    second = queue.submit(use_model(draw(2), "a.safetensors"))
    assert wait(second, is_over).phase == "done" and second.backend_url != first.backend_url
    queue.stop(first.token)
    wait(first, is_over)


def test_models_are_files_with_the_suffix_of_one() -> None:
    graph = {
        "1": {"inputs": {"a": "x/y.SafeTensors", "b": "a.png", "c": 3, "d": ["1", 0]}},
        "2": {"inputs": {}},
    }
    assert find_models(graph) == {"x/y.SafeTensors"}
