"""What waits or asks for the time, with a clock that is moved by hand."""

from __future__ import annotations

from pathlib import Path

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions
from comfygradio.errors import ServerUnreachable
from comfygradio.jobs.backend import RETRY_SECONDS, Backend
from comfygradio.jobs.job import Job, SubmissionRecord
from comfygradio.jobs.kept_input import drop_input
from comfygradio.jobs.placement import Affinity
from tests.clocks import ManualClock
from tests.faults.faulty_proxy import FaultyProxy
from tests.jobs.lines import draw, is_over, open_queue, wait
from tests.jobs.shelf import Shelf


def test_a_job_is_left_to_its_home_for_a_while() -> None:
    clock = ManualClock()
    homes = Affinity(60.0, False, clock)
    home, other = (Backend(ComfyClient(f"http://127.0.0.1:{port}"), clock) for port in (1, 2))
    job = Job(draw(1), clock=clock)
    job.submission = SubmissionRecord(home.url, may_exist=True)
    homes.hold(job)
    clock.advance(59.0)
    assert homes.must_wait(job, other, (home, other)) and not homes.must_wait(
        job, home, (home, other)
    )
    clock.advance(1.0)
    assert not homes.must_wait(job, other, (home, other))


def test_a_server_in_trouble_is_asked_once_a_second(shelf: Shelf) -> None:
    clock = ManualClock()
    server = shelf.lend(DemoOptions(step_seconds=0.01, lab_nodes=True))
    with FaultyProxy(server.url) as line, ComfyClient(line.url) as client:
        backend = Backend(client, clock)
        backend.fail(ServerUnreachable("It is away."))
        clock.advance(RETRY_SECONDS / 2)
        assert not backend.revive() and line.calls == []
        clock.advance(RETRY_SECONDS / 2)
        assert backend.revive() and line.calls == ["GET /prompt"] and backend.trouble == ""


def test_a_queue_asks_a_server_in_trouble_again(shelf: Shelf, tmp_path: Path) -> None:
    clock = ManualClock()
    server = shelf.lend(DemoOptions(step_seconds=0.01, lab_nodes=True))
    with open_queue(tmp_path, server, clock=clock) as queue:
        queue.backends[0].fail(ServerUnreachable("It is away."))
        job = queue.submit(draw(1))
        clock.await_waiters()
        assert job.snapshot.phase == "waiting"
        clock.advance(RETRY_SECONDS)
        assert wait(job, is_over).phase == "done"


def test_a_kept_file_is_left_alone_for_ten_minutes(tmp_path: Path) -> None:
    kept = tmp_path / "a.png"
    kept.write_bytes(b"x")
    clock = ManualClock(kept.stat().st_mtime + 599)
    assert not drop_input(kept, clock=clock) and kept.exists()
    clock.advance(1)
    assert drop_input(kept, clock=clock) and not kept.exists()
