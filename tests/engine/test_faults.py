"""Four backends, and what goes wrong with them: no job is lost, none has two results, none runs
twice needlessly.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from comfygradio.demo import DemoServer
from comfygradio.jobs.job import Job
from comfygradio.jobs.job_queue import JobQueue
from tests.engine.cluster import (
    HELD_SECONDS,
    OPTIONS,
    Cluster,
    await_that,
    check_done,
    count_runs,
    open_cluster,
    open_queue,
    wait,
)
from tests.faults.scenario import make_unique_order
from tests.jobs.lines import is_over, is_running

pytestmark = pytest.mark.process

BACKENDS = 4


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of four backends, for all tests of this module."""
    with open_cluster(tmp_path_factory.mktemp("cluster"), BACKENDS) as cluster:
        yield cluster


@pytest.fixture
def cluster(machines: Cluster) -> Cluster:
    """The same, whole again whatever the test before did to it."""
    machines.repair()
    return machines


def submit_held(queue: JobQueue, count: int) -> list[Job]:
    """So many jobs, of which every backend gets one that runs until the cluster lets it end."""
    held = [queue.submit(make_unique_order(HELD_SECONDS)) for _ in range(BACKENDS)]
    return [*held, *(queue.submit(make_unique_order()) for _ in range(count - BACKENDS))]


def find_place(cluster: Cluster, job: Job) -> int:
    """On which of the backends a job is."""
    return [server.url for server in cluster.servers].index(job.backend_url)


def test_a_worker_is_killed_and_started_again(cluster: Cluster, tmp_path: Path) -> None:
    """Its ComfyUI goes on, so that nothing runs twice."""
    with open_queue(cluster.address, tmp_path / "outputs", BACKENDS) as (queue, _):
        jobs = submit_held(queue, 12)
        wait(jobs[0], is_running)
        place = find_place(cluster, jobs[0])
        cluster.kill(cluster.workers[place])
        cluster.workers[place] = cluster.start_worker(cluster.servers[place])
        cluster.release()
        check_done(queue, jobs)
        assert count_runs(cluster.servers) == 12


def test_a_worker_is_killed_for_good(cluster: Cluster, tmp_path: Path) -> None:
    """Other backends take over what it had; its two prompts may run twice, but count once."""
    with open_queue(cluster.address, tmp_path / "outputs", BACKENDS, affinity_seconds=2.0) as (
        queue,
        _,
    ):
        jobs = submit_held(queue, 12)
        wait(jobs[0], is_running)
        lost = jobs[0].backend_url
        cluster.kill(cluster.workers[find_place(cluster, jobs[0])])
        cluster.release()
        check_done(queue, jobs)
        assert jobs[0].backend_url != lost and count_runs(cluster.servers) <= 14
        assert any(backend.url == lost and backend.trouble for backend in queue.backends)


def test_a_comfyui_is_killed_and_comes_back(cluster: Cluster, tmp_path: Path) -> None:
    """Behind its living worker it is no black hole: what it had is run again, and the others lose
    nothing.
    """
    with open_queue(cluster.address, tmp_path / "outputs", BACKENDS) as (queue, _):
        jobs = submit_held(queue, 24)
        wait(jobs[0], is_running)
        server = cluster.servers[find_place(cluster, jobs[0])]
        server.kill()
        backend = next(backend for backend in queue.backends if backend.url == server.url)
        await_that(lambda: backend.trouble)
        server.start()
        cluster.release()
        check_done(queue, jobs)
        await_that(lambda: not backend.trouble)


def test_a_comfyui_that_dies_idle_is_quarantined_and_taken_back(
    cluster: Cluster, tmp_path: Path
) -> None:
    """The worker notices it, without any job having to."""
    with open_queue(cluster.address, tmp_path / "outputs", BACKENDS) as (queue, _):
        server = cluster.servers[0]
        backend = next(backend for backend in queue.backends if backend.url == server.url)
        server.kill()
        await_that(lambda: "does not answer" in backend.trouble)
        check_done(queue, [queue.submit(make_unique_order()) for _ in range(4)])
        server.start()
        await_that(lambda: not backend.trouble)


def test_the_scheduler_is_killed_and_started_again(cluster: Cluster, tmp_path: Path) -> None:
    """Meanwhile jobs say what they wait for; then the workers come back, and everything is taken up
    where it is.
    """
    with open_queue(cluster.address, tmp_path / "outputs", BACKENDS) as (queue, engine):
        jobs = submit_held(queue, 12)
        wait(jobs[0], is_running)
        assert cluster.scheduler
        cluster.kill(cluster.scheduler)
        said = (
            f"The Dask scheduler at {cluster.address} does not answer; jobs go on as soon as "
            "it is back."
        )
        await_that(lambda: engine.trouble == said)
        late = queue.submit(make_unique_order())
        # The queue hears of it on a thread of its own, maybe after it has taken this job.
        wait(late, lambda snapshot: snapshot.reason == said)
        wait(jobs[11], lambda snapshot: snapshot.reason == said)
        cluster.start_scheduler()
        cluster.release()
        check_done(queue, [*jobs, late])
        await_that(lambda: not engine.trouble and not queue.trouble)
        assert count_runs(cluster.servers) == 13


def test_the_app_is_started_again_while_the_scheduler_is_gone(
    cluster: Cluster, tmp_path: Path
) -> None:
    """The job store has everything, whoever was there when."""
    with open_queue(cluster.address, tmp_path / "outputs", BACKENDS) as (queue, _):
        tokens = [job.token for job in submit_held(queue, 8)]
        await_that(lambda: any(server.executions["EmptyImage"] for server in cluster.servers))
        assert cluster.scheduler
        cluster.kill(cluster.scheduler)
    with open_queue(cluster.address, tmp_path / "outputs", 0) as (again, engine):
        await_that(lambda: "does not answer" in engine.trouble)
        jobs = [job for job in map(again.find, tokens) if job]
        await_that(lambda: all(job.snapshot.reason == engine.trouble for job in jobs))
        cluster.start_scheduler()
        cluster.release()
        check_done(again, jobs)
        assert len(jobs) == 8 and count_runs(cluster.servers) == 8


def test_a_stop_that_the_worker_does_not_hear_is_heard_later(
    cluster: Cluster, tmp_path: Path
) -> None:
    """A job is not called stopped while its prompt may go on."""
    with open_queue(cluster.address, tmp_path / "outputs", BACKENDS) as (queue, _):
        job = queue.submit(make_unique_order(HELD_SECONDS))
        wait(job, is_running)
        place = find_place(cluster, job)
        cluster.kill(cluster.workers[place])
        queue.stop(job.token)
        cluster.workers[place] = cluster.start_worker(cluster.servers[place])
        assert wait(job, is_over).phase == "stopped"
        assert count_runs(cluster.servers) == 0


def test_a_backend_that_answers_slowly_holds_up_nobody(cluster: Cluster, tmp_path: Path) -> None:
    """Each answer of one ComfyUI takes longer than a worker is given; its jobs end, and the others'
    do not wait.
    """
    slow = replace(OPTIONS, slow_on={"/prompt": 5.0})
    with DemoServer(slow) as server, ExitStack() as stack:
        stack.callback(cluster.kill, cluster.start_worker(server))
        queue, _ = stack.enter_context(
            open_queue(cluster.address, tmp_path / "outputs", BACKENDS + 1)
        )
        jobs = [queue.submit(make_unique_order()) for _ in range(24)]
        check_done(queue, jobs)
        homes = [job.backend_url for job in jobs]
        assert count_runs([*cluster.servers, server]) == 24
        assert 1 <= homes.count(server.url) <= 4
