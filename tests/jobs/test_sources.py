"""Sources: jobs that are made when a server has nothing else to do, on a demo server over real
sockets.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.backend import MAX_SUBMITTED, Backend
from comfygradio.jobs.job import Job
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_source import JobSourceQueue
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.limits import Limits
from comfygradio.jobs.rows import JobRecord
from tests.faults.scenario import await_that
from tests.jobs.lines import draw, free_port, is_over, is_running, open_queue, wait


class Painter:
    """A source with so many small pictures; `given` are its jobs and how warm their
    servers were.
    """

    def __init__(self, owner: str, count: int = 0, seconds: float = 0.0, first: int = 0) -> None:
        self.owner = self.party = owner
        self.orders = deque(draw(first + number, seconds) for number in range(count))
        self.given: list[Job] = []
        self.warm: list[bool] = []
        self.left: list[str] = []
        self.pinned_nodes: dict[str, object] = {}
        self._lock = threading.Lock()

    @property
    def remaining(self) -> int:
        """What is left."""
        return len(self.orders)

    def take(self, backend: Backend, warm: bool) -> Job | None:
        """The next picture."""
        with self._lock:
            if not self.orders:
                return None
            job = Job(self.orders[0], self.owner, 1)
            job.pinned_nodes = self.pinned_nodes
            self.given.append(job)
            self.warm.append(warm)
            self.orders.popleft()
            return job

    def release_backend(self, backend: Backend) -> None:
        """Remembers who left."""
        self.left.append(backend.url)

    def stop(self) -> None:
        """No more."""
        with self._lock:
            self.orders.clear()


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A demo server with the test nodes."""
    with DemoServer(DemoOptions(step_seconds=0.01, lab_nodes=True)) as server:
        yield server


@pytest.fixture
def queue(demo: DemoServer, tmp_path: Path) -> Iterator[JobQueue]:
    """A queue with one server."""
    with open_queue(tmp_path / "outputs", demo) as queue:
        yield queue


def end_all(*painters: Painter) -> list[str]:
    """How all jobs that were given end; more may be given meanwhile."""
    await_that(lambda: not any(painter.orders for painter in painters))
    return [wait(job, is_over).phase for painter in painters for job in painter.given]


@pytest.fixture
def backends() -> list[Backend]:
    """Backends that nobody is asked about."""
    return [Backend(ComfyClient(f"http://127.0.0.1:{port}")) for port in (1, 2)]


class LookingStore(JobStore):
    """Looks for every job as soon as its row is there, as another thread might."""

    look: Callable[[str], Job | None]
    found: list[Job | None]

    def add(self, *records: JobRecord) -> None:
        """Write down, then look."""
        super().add(*records)
        self.found += [self.look(record.token) for record in records]


def test_a_job_is_found_itself_as_soon_as_it_is_written_down(
    demo: DemoServer, tmp_path: Path
) -> None:
    store = LookingStore.open(tmp_path / "outputs")
    assert isinstance(store, LookingStore)
    store.found = []
    with ComfyClient(demo.url) as client:
        queue = JobQueue([Backend(client)], store, tmp_path / "outputs")
        store.look = queue.find
        painter = Painter("anna", 1)
        with closing(store), closing(queue):
            given = queue.submit(draw(9))
            queue.attach(painter)
            assert end_all(painter) == ["done"] and wait(given, is_over).phase == "done"
            assert store.found == [given, *painter.given]


def test_people_take_turns_and_one_persons_sources_follow_each_other(
    backends: list[Backend],
) -> None:
    line = JobSourceQueue()
    sources = [Painter("anna", 3), Painter("anna", 2), Painter("ben", 2), Painter("cleo", 1)]
    for source in sources:
        line.add(source)
    line.add(sources[0])
    assert line.count() == {"anna": 5, "ben": 2, "cleo": 1}
    owners = []
    while job := line.take(backends[0]):
        owners.append(job.owner)
    assert owners == ["anna", "ben", "cleo", "anna", "ben", "anna", "anna", "anna"]
    assert [len(source.given) for source in sources] == [3, 2, 2, 1] and line.count() == {}


def test_a_source_is_told_whether_anything_else_was_on_its_server(backends: list[Backend]) -> None:
    line, source, other = JobSourceQueue(), Painter("anna", 8), Painter("ben", 1)
    line.add(source)
    line.take(backends[0])
    line.take(backends[0])
    line.take(backends[1])
    line.take(backends[1])
    line.mark_cold(backends[0])
    line.take(backends[0])
    line.take(backends[1])
    line.add(other)
    assert [job.owner for _ in range(3) if (job := line.take(backends[1]))] == [
        "anna",
        "ben",
        "anna",
    ]
    assert source.warm == [False, True, False, True, False, True, True, False] and other.warm == [
        False
    ]


def test_a_source_that_was_removed_is_asked_no_more(backends: list[Backend]) -> None:
    line, source = JobSourceQueue(), Painter("anna", 3)
    line.add(source)
    assert line.take(backends[0])
    line.remove(source)
    line.remove(source)
    assert line.take(backends[0]) is None and line.stop() == 0
    line.add(source)
    assert line.stop() == 2 and line.take(backends[0]) is None


def test_jobs_of_a_source_are_in_the_store_and_run(queue: JobQueue) -> None:
    painter = Painter("anna", 5)
    queue.attach(painter)
    queue.start()
    assert end_all(painter) == ["done"] * 5
    for job in painter.given:
        record = queue.store.get(job.id)
        assert record and (record.phase, record.priority, record.owner) == ("done", 1, "anna")
        assert queue.find(job.token) is job
    assert painter.warm == [False] + [True] * 4


@pytest.mark.deep
def test_at_most_two_are_posted_and_a_single_picture_comes_next(queue: JobQueue) -> None:
    painter = Painter("anna", 12, 0.1)
    queue.attach(painter)
    queue.start()
    await_that(lambda: len(painter.given) >= MAX_SUBMITTED)
    given = list(painter.given)
    assert sum(not is_over(job.snapshot) for job in given) <= MAX_SUBMITTED
    single = queue.submit(draw(99), "ben")
    told = [len(painter.given)]
    single.listen(lambda: told.append(len(painter.given)))
    wait(single, is_over)
    assert told[1] <= told[0] + 2 and painter.orders
    assert end_all(painter) == ["done"] * 12
    assert painter.warm.count(False) == 2, "at the start, and after the single picture"


@pytest.mark.deep
def test_points_do_not_count_as_waiting_jobs(demo: DemoServer, tmp_path: Path) -> None:
    with open_queue(tmp_path / "outputs", demo, limits=Limits(jobs_waiting=1)) as queue:
        painter = Painter("anna", 6, 0.1)
        queue.attach(painter)
        await_that(lambda: len(painter.given) == 2)
        single = queue.submit(draw(7, 0.1), "anna")
        assert queue.count_waiting()["anna"] >= 4
        assert wait(single, is_over).phase == "done" and queue.stop_waiting() <= 4
        assert set(end_all(painter)) == {"done"} and queue.count_waiting() == {}


def test_carried_nodes_are_posted_and_nowhere_else(queue: JobQueue, demo: DemoServer) -> None:
    node = {
        "class_type": "EmptyImage",
        "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 5},
    }
    painter = Painter("anna", 1)
    painter.pinned_nodes = {"comfygradio-carried-1": node}
    queue.attach(painter)
    queue.start()
    (phase,) = end_all(painter)
    (job,) = painter.given
    record = queue.store.get(job.id)
    entry = ComfyClient(demo.url).transport.get_json(f"/history/{job.id}")[job.id]
    assert phase == "done" and record and set(record.order.prompt.graph) == {"1", "2"}
    assert set(entry["prompt"][2]) == {"1", "2", "comfygradio-carried-1"}


def test_a_job_that_cannot_be_written_down_fails_alone(queue: JobQueue) -> None:
    painter = Painter("anna", 3)
    with queue.store.write() as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON orders WHEN new.data LIKE '%\"color\": 1%' "
            "BEGIN SELECT RAISE(ABORT, 'no space'); END"
        )
    queue.attach(painter)
    queue.start()
    assert end_all(painter) == ["done", "failed", "done"]
    assert (
        "no space" in painter.given[1].snapshot.error
        and queue.store.get(painter.given[1].id) is None
    )


def test_a_server_that_is_down_gets_none(demo: DemoServer, tmp_path: Path) -> None:
    gone = DemoServer(DemoOptions(lab_nodes=True), port=free_port())
    gone.start()
    with open_queue(tmp_path / "outputs", demo, gone) as queue:
        gone.stop()
        painter = Painter("anna", 10, 0.02)
        queue.attach(painter)
        assert end_all(painter) == ["done"] * 10
        assert {job.backend_url for job in painter.given} == {demo.url} and painter.left == [
            gone.url
        ]


@pytest.mark.deep
def test_jobs_of_a_source_outlive_the_queue(demo: DemoServer, tmp_path: Path) -> None:
    painter = Painter("anna", 3, 1.0, first=300)
    with open_queue(tmp_path / "outputs", demo) as queue:
        queue.attach(painter)
        await_that(lambda: painter.given)
        wait(painter.given[0], is_running)
    tokens = [job.token for job in painter.given]
    with open_queue(tmp_path / "outputs", demo) as again:
        for token in tokens:
            job = again.find(token)
            assert job and wait(job, is_over).phase == "done"
        assert len(tokens) <= MAX_SUBMITTED + 1 and again.store.list_open() == []


def test_an_order_of_a_source_that_is_stopped_before_it_is_posted(
    queue: JobQueue, demo: DemoServer
) -> None:
    class Hasty(Painter):
        def take(self, backend: Backend, warm: bool) -> Job | None:
            job = super().take(backend, warm)
            if job:
                job.stop()
            return job

    painter = Hasty("anna", 2)
    queue.attach(painter)
    queue.start()
    assert end_all(painter) == ["stopped", "stopped"]
    assert all(ComfyClient(demo.url).history(job.id) is None for job in painter.given)
