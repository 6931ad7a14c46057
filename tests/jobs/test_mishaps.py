"""What goes wrong outside of the traffic: damaged pictures, servers that refuse us, disks that are
full, stops that come at the wrong moment. The next job gets its turn.
"""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.clock import Clock
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.outputs import Output
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Job, JobSnapshot
from comfygradio.jobs.job_event import Stopped, transition
from comfygradio.jobs.job_layout import find_no_layout
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.limits import Limits
from comfygradio.jobs.naming import DEFAULT_PATTERN, ResultPlace
from comfygradio.jobs.results import MAX_DISPLAY_BYTES, collect_results
from comfygradio.jobs.rows import make_record
from comfygradio.jobs.worker import INTERNAL_ERROR, NOT_RESPONDING, Worker, WorkerContext
from tests.clocks import HANG_SECONDS
from tests.faults import scenario
from tests.faults.faulty_proxy import FaultyProxy
from tests.faults.scenario import await_that
from tests.jobs.lines import draw, is_over, open_queue, wait


def damage_picture() -> bytes:
    """A large PNG with a hole over the head of a chunk in its middle; Pillow calls that a
    SyntaxError.
    """
    noise = Image.frombytes("RGB", (600, 600), random.Random(1).randbytes(600 * 600 * 3))
    encoded = io.BytesIO()
    noise.save(encoded, "PNG")
    data = bytearray(encoded.getvalue())
    head = data.index(b"IDAT", len(data) // 2)
    data[head - 4 : head + 8000] = bytes(8004)
    return bytes(data)


def test_a_damaged_picture_is_a_file(tmp_path: Path) -> None:
    data = damage_picture()
    assert len(data) > MAX_DISPLAY_BYTES
    state = PromptProgress("id", "done", outputs=(Output("2", "image", "x.png", data=data),))
    (result,) = collect_results(ResultPlace(tmp_path), state)
    assert result.kind == "file" and result.path is not None and result.path.read_bytes() == data


def test_a_server_that_refuses_us_gets_no_jobs_while_another_is_well(tmp_path: Path) -> None:
    options = DemoOptions(step_seconds=0, lab_nodes=True)
    with (
        DemoServer(options) as good,
        DemoServer(DemoOptions(token="ours no more", lab_nodes=True)) as bad,
    ):
        with open_queue(tmp_path, bad, good) as queue:
            jobs = [queue.submit(draw(color)) for color in range(6)]
            assert [wait(job, is_over).phase for job in jobs] == ["done"] * 6
            assert "password" in queue.backends[0].trouble or "token" in queue.backends[0].trouble
        with open_queue(tmp_path / "alone", bad) as queue:
            told = wait(queue.submit(draw(7)), is_over)
            assert told.phase == "failed" and told.error


@pytest.mark.deep
def test_a_stop_before_a_silent_server_gives_up_is_heard(tmp_path: Path) -> None:
    with DemoServer(DemoOptions(lab_nodes=True)) as server, FaultyProxy(server.url) as line:
        line.pause()
        with scenario.open_queue(tmp_path, line.url, timeout_seconds=0.5) as queue:
            job = queue.submit(draw(1))
            await_that(lambda: queue.count_running(queue.backends[0]) == 1)
            queue.stop(job.token)
            assert wait(job, is_over).phase == "stopped"
            line.resume()


def test_a_waiting_job_is_stopped_although_that_cannot_be_written_down(tmp_path: Path) -> None:
    with open_queue(tmp_path) as queue:
        job = queue.submit(draw(1))
        queue.store.close()
        queue.stop(job.token)
        assert job.snapshot.phase == "stopped"


def test_a_job_that_is_over_keeps_no_pictures_in_memory(tmp_path: Path) -> None:
    with (
        DemoServer(DemoOptions(step_seconds=0, lab_nodes=True)) as server,
        open_queue(tmp_path, server) as queue,
    ):
        told = wait(queue.submit(draw(1)), is_over)
        assert (
            told.results
            and told.state is not None
            and told.state.outputs == ()
            and told.state.preview is None
        )


def fail_once(job: Job, is_moment: Callable[[JobSnapshot], bool]) -> Callable[[], None]:
    """A listener with a fault of its own, at the first such moment."""
    failed = threading.Event()

    def listen() -> None:
        if is_moment(job.snapshot) and not failed.is_set():
            failed.set()
            raise RuntimeError("a fault of ours")

    return listen


@pytest.mark.parametrize("number", range(4))
def test_a_fault_of_ours_after_the_end_changes_no_end(number: int, tmp_path: Path) -> None:
    """Whoever listens hears of the end, in whichever order the listeners are told."""
    with (
        DemoServer(DemoOptions(step_seconds=0, lab_nodes=True)) as server,
        open_queue(tmp_path) as queue,
    ):
        job = queue.submit(draw(number))
        job.listen(fail_once(job, is_over))
        over = threading.Event()
        job.listen(lambda: over.set() if job.snapshot.is_over else None)
        with ComfyClient(server.url) as client:
            queue.update_backends([Backend(client)])
            assert over.wait(HANG_SECONDS)
            assert wait(queue.submit(draw(9)), is_over).phase == "done", "the worker lives on"
            record = queue.store.get(job.id)
            assert record is not None and (record.phase, record.error) == ("done", "")
            assert (job.snapshot.phase, job.snapshot.error) == ("done", "")
            queue.close()


def test_a_fault_of_ours_before_the_end_fails_the_job(tmp_path: Path) -> None:
    """It comes while the job is given back, since its server does not answer."""
    with DemoServer(DemoOptions(lab_nodes=True)) as server, FaultyProxy(server.url) as line:
        line.pause()
        with scenario.open_queue(tmp_path, timeout_seconds=0.5) as queue:
            job = queue.submit(draw(1))
            job.listen(fail_once(job, lambda told: told.reason == NOT_RESPONDING))
            with ComfyClient(line.url, timeout_seconds=0.5) as client:
                queue.update_backends([Backend(client, queue.clock)])
                assert wait(job, is_over).error.startswith(INTERNAL_ERROR)
                record = queue.store.get(job.id)
                assert record is not None and record.phase == job.snapshot.phase == "failed"
                line.resume()
                assert wait(queue.submit(draw(2)), is_over).phase == "done"
                queue.close()


class EndingClock(Clock):
    """Runs `on_time` once, at the next moment at which somebody asks for the time."""

    def __init__(self) -> None:
        self.on_time: Callable[[], None] | None = None

    def time(self) -> float:
        """Seconds since 1970."""
        on_time = self.on_time
        self.on_time = None
        if on_time is not None:
            on_time()
        return super().time()


def test_a_job_that_ends_while_a_fault_of_ours_is_handled_stays_ended(tmp_path: Path) -> None:
    """The worker that had the fault lives on, and takes the next job."""
    clock = EndingClock()
    jobs = [Job(draw(1), clock=clock), Job(draw(2), clock=clock)]
    waiting = iter(jobs)
    over: list[Job] = []
    with closing(JobStore.open(tmp_path)) as store, ComfyClient("http://127.0.0.1:9") as client:
        for job in jobs:
            store.add(make_record(job))

        def give_back(job: Job, reason: str) -> None:
            clock.on_time = lambda: transition(job, store, Stopped(3.0))
            raise RuntimeError("a fault of ours")

        context = WorkerContext(
            store=store,
            outputs=tmp_path,
            pattern=DEFAULT_PATTERN,
            limits=Limits(),
            clock=clock,
            is_closed=lambda: False,
            take=lambda backend: next(waiting, None),
            has_other=lambda backend: False,
            give_back=give_back,
            finish=over.append,
            find_layout=find_no_layout,
        )
        Worker(context, Backend(client, clock)).run()
        assert over == jobs
        assert [job.snapshot.phase for job in jobs] == ["stopped", "stopped"]
        assert [record.phase for record in store.list_open()] == []
