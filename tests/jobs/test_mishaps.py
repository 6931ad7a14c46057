"""What goes wrong outside of the traffic: damaged pictures, servers that refuse us, disks that are
full, stops that come at the wrong moment. The next job gets its turn.
"""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.comfy.outputs import Output
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.naming import ResultPlace
from comfygradio.jobs.results import MAX_DISPLAY_BYTES, collect_results
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
