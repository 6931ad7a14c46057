"""Jobs on a cluster: what comes back, what reaches the running prompt, and backends that join and
leave.
"""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfygradio.cluster.address import parse_cluster
from comfygradio.cluster.codec import CHUNK_BYTES
from comfygradio.cluster.registry import DaskBackends
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.workflow import Prompt, WrittenLayout
from comfygradio.demo import DemoServer
from comfygradio.errors import NotFound, PromptRejected, ServerUnreachable
from comfygradio.jobs.job import Order
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.settings import Settings
from tests.clocks import HANG_SECONDS
from tests.engine.cluster import (
    HELD_SECONDS,
    Cluster,
    await_that,
    check_done,
    interrupt,
    open_cluster,
    open_queue,
    wait,
)
from tests.faults.scenario import make_graph_order, make_unique_order, make_upload_graph
from tests.jobs.lines import draw, is_over, is_running

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of one backend, for all tests of this module."""
    with open_cluster(tmp_path_factory.mktemp("cluster"), 1) as cluster:
        yield cluster


@pytest.fixture
def cluster(machines: Cluster) -> Cluster:
    """The same, whose jobs are held again."""
    machines.hold()
    return machines


@pytest.fixture
def world(cluster: Cluster, tmp_path: Path) -> Iterator[tuple[JobQueue, DaskBackends]]:
    """A queue and its engine on that cluster."""
    with open_queue(cluster.address, tmp_path / "outputs") as world:
        yield world


@pytest.fixture
def queue(world: tuple[JobQueue, DaskBackends]) -> JobQueue:
    """The queue alone."""
    return world[0]


@pytest.fixture
def server(cluster: Cluster) -> DemoServer:
    """The backend's ComfyUI."""
    return cluster.servers[0]


def test_jobs_end_with_their_files(queue: JobQueue) -> None:
    jobs = [queue.submit(make_unique_order()) for _ in range(6)]
    check_done(queue, jobs)
    assert {job.backend_url for job in jobs} == {queue.backends[0].url}


def test_files_are_brought_to_the_server(queue: JobQueue, tmp_path: Path) -> None:
    picture = tmp_path / "grain.png"
    Image.effect_noise((1100, 1100), 90).save(picture)
    assert picture.stat().st_size > CHUNK_BYTES
    job = queue.submit(make_graph_order(make_upload_graph(picture)))
    check_done(queue, [job])
    with Image.open(job.snapshot.results[0].path or "") as made, Image.open(picture) as sent:
        assert made.convert("L").tobytes() == sent.tobytes()


def test_large_results_come_whole(queue: JobQueue, server: DemoServer) -> None:
    frames = {"count": 1, "fps": 100.0, "width": 1536, "height": 1024}
    graph: dict[str, Any] = {
        "1": {"class_type": "LabFrames", "inputs": frames},
        "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "big", "images": ["1", 0]}},
    }
    job = queue.submit(Order("tiny", "Tiny", Prompt(graph)))
    check_done(queue, [job])
    path = job.snapshot.results[0].path
    entry = ComfyClient(server.url).history(job.id)
    assert path and entry and path.stat().st_size > CHUNK_BYTES
    assert (
        hashlib.sha256(path.read_bytes()).digest()
        == hashlib.sha256(entry.outputs[0].read()).digest()
    )


def test_a_stop_reaches_the_running_prompt(queue: JobQueue, server: DemoServer) -> None:
    jobs = [queue.submit(draw(n, HELD_SECONDS)) for n in range(2)]
    wait(jobs[0], is_running)
    for job in jobs:
        queue.stop(job.token)
    assert [wait(job, is_over).phase for job in jobs] == ["stopped", "stopped"]
    await_that(lambda: ComfyClient(server.url).queue_remaining() == 0)


def test_a_failure_tells_what_it_tells_here(queue: JobQueue) -> None:
    graph = dict(draw(70).prompt.graph)
    graph["3"] = {"class_type": "LabRaise", "inputs": {"message": "kaputt", "value": ["1", 0]}}
    graph["2"] = {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["3", 0]}}
    end = wait(queue.submit(Order("tiny", "Tiny", Prompt(graph))), is_over)
    assert end.phase == "failed" and "kaputt" in end.error and "LabRaise" in end.error


def test_a_refusal_names_the_nodes(queue: JobQueue) -> None:
    graph = {"1": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}}
    with pytest.raises(PromptRejected) as caught:
        list(queue.backends[0].client.run(Prompt(graph)))
    assert caught.value.node_errors[0].node_id == "1" and "images is missing" in str(caught.value)


@dataclass
class CountedLayout:
    """A layout that counts how often it was written."""

    digest: str = "counted"
    writes: int = 0

    def write(self, graph: Mapping[str, Any]) -> WrittenLayout | None:
        self.writes += 1
        return None


def test_a_layout_is_not_written_for_a_prompt_that_the_server_has(queue: JobQueue) -> None:
    """What is written is told, and it may be told of the layout that the prompt was posted with."""
    layout = CountedLayout()
    prompt = replace(make_unique_order().prompt, layout=layout)
    client = queue.backends[0].client
    for posted, may_exist, writes in (("a", False, 1), ("a", True, 1), ("b", True, 2)):
        prompt_id = posted * 8 + "-1111-1111-1111-111111111111"
        states = list(client.run(prompt, prompt_id=prompt_id, may_exist=may_exist))
        assert (states[-1].status, layout.writes) == ("done", writes)


def test_what_is_not_there_is_not_found(queue: JobQueue) -> None:
    with pytest.raises(NotFound):
        queue.backends[0].client.view("no.png")


def test_previews_come_newest_only_at_most_ten_a_second(queue: JobQueue) -> None:
    frames = {"count": 120, "fps": 100.0, "width": 256, "height": 256}
    graph: dict[str, Any] = {
        "1": {"class_type": "LabFrames", "inputs": frames},
        "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "p", "images": ["1", 0]}},
    }
    began, counts, same = time.monotonic(), list[int](), 0
    for state in queue.backends[0].client.run(Prompt(graph)):
        if state.preview:
            same += bool(counts) and counts[-1] == state.preview_count
            counts.append(state.preview_count)
    seconds = time.monotonic() - began
    shown = sorted(set(counts))
    assert counts == sorted(counts) and 2 <= len(shown) <= seconds * 10 + 3, (shown, seconds)
    assert shown[-1] > len(shown), "older previews were left out"


def test_two_apps_share_the_backend(cluster: Cluster, queue: JobQueue, tmp_path: Path) -> None:
    with open_queue(cluster.address, tmp_path / "other") as (other, _):
        mine = [queue.submit(make_unique_order(0.05)) for _ in range(4)]
        theirs = [other.submit(make_unique_order(0.05)) for _ in range(4)]
        check_done(queue, mine)
        check_done(other, theirs)


def test_an_app_that_closes_leaves_its_jobs_there_and_finds_them_again(
    cluster: Cluster, server: DemoServer, tmp_path: Path
) -> None:
    before = server.executions["SaveImage"]
    with open_queue(cluster.address, tmp_path / "outputs") as (queue, _):
        jobs = [queue.submit(make_unique_order(HELD_SECONDS)) for _ in range(3)]
        wait(jobs[0], is_running)
    with open_queue(cluster.address, tmp_path / "outputs") as (again, _):
        found = [job for job in map(again.find, [job.token for job in jobs]) if job]
        cluster.release()
        check_done(again, found)
        assert len(found) == 3 and server.executions["SaveImage"] == before + 3


def test_whichever_backend_answers_general_questions(world: tuple[JobQueue, DaskBackends]) -> None:
    _, engine = world
    assert engine.client.object_info("KSampler").nodes.keys() == {"KSampler"}
    assert "devices" in engine.client.system_stats() and engine.client.embeddings() is not None
    assert not engine.trouble


def test_pictures_of_models_come_through_the_cluster(world: tuple[JobQueue, DaskBackends]) -> None:
    _, engine = world
    files = engine.client.model_files("checkpoints")
    shown = next(file for file in files if file.name == "photo-xl.safetensors")
    assert engine.client.model_preview("checkpoints", shown.path_index, shown.name)
    with pytest.raises(NotFound):
        engine.client.model_files("no such folder")


def test_a_closed_engine_answers_nothing_and_keeps_nobody_waiting(
    cluster: Cluster, tmp_path: Path
) -> None:
    with open_queue(cluster.address, tmp_path / "outputs") as (queue, engine):
        ended = threading.Event()
        caught: list[BaseException] = []

        def follow() -> None:
            try:
                list(
                    queue.backends[0].client.run(
                        make_unique_order(HELD_SECONDS).prompt,
                        prompt_id="11111111-1111-1111-1111-111111111111",
                    )
                )
            except ServerUnreachable as error:
                caught.append(error)
            ended.set()

        threading.Thread(target=follow, daemon=True).start()
        direct = ComfyClient(cluster.servers[0].url)
        await_that(lambda: direct.queue().running)
        engine.close()
        assert ended.wait(HANG_SECONDS) and caught
        direct.interrupt()
        with pytest.raises(ServerUnreachable):
            queue.backends[0].client.queue_remaining()


def test_a_backend_joins_and_leaves_and_gives_its_jobs_back(
    cluster: Cluster, tmp_path: Path
) -> None:
    """A worker that is stopped by Ctrl-C hands its running job to the backend that stays; nothing
    is left behind.
    """
    with (
        DemoServer(cluster.servers[0].options) as second,
        open_queue(cluster.address, tmp_path / "outputs") as (queue, _),
    ):
        worker = cluster.start_worker(second)
        await_that(
            lambda: (
                len(queue.backends) == 2 and not any(backend.trouble for backend in queue.backends)
            )
        )
        jobs = [queue.submit(make_unique_order(HELD_SECONDS)) for _ in range(2)]
        for job in jobs:
            wait(job, is_running)
        assert {job.backend_url for job in jobs} == {backend.url for backend in queue.backends}
        said = interrupt(worker)
        assert "is a backend of" in said
        await_that(lambda: [backend.url for backend in queue.backends] == [cluster.servers[0].url])
        cluster.release()
        check_done(queue, jobs)
        assert (
            ComfyClient(second.url).queue_remaining() == 0 and second.executions["SaveImage"] == 0
        )


def answer_like_a_web_server(listener: socket.socket) -> None:
    """Distributed takes the first eight bytes for the length of what comes."""
    with suppress(OSError):
        while True:
            opened, _ = listener.accept()
            opened.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_what_is_no_scheduler_is_said_and_looked_at_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer_like_a_web_server, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        engine = DaskBackends(parse_cluster(f"tcp://127.0.0.1:{port}", Settings(), "--engine"))
        try:
            await_that(lambda: "does not answer" in engine.trouble)
        finally:
            engine.close()


def test_whoever_watches_late_hears_of_the_backends_that_are_there(cluster: Cluster) -> None:
    engine = DaskBackends(parse_cluster(cluster.address, Settings(), "--engine"))
    try:
        await_that(lambda: engine.backends)
        heard = threading.Event()
        engine.watch(heard.set)
        assert heard.wait(HANG_SECONDS)
    finally:
        engine.close()
