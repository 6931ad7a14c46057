"""A job says how long it has run, so that a page can tell what would be lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from comfygradio.demo import DemoOptions, DemoServer
from tests.clocks import ShiftedClock
from tests.jobs.lines import draw, is_over, open_queue, wait


@pytest.mark.deep
def test_a_running_job_says_for_how_long(tmp_path: Path) -> None:
    clock = ShiftedClock()
    with (
        DemoServer(DemoOptions(lab_nodes=True)) as server,
        open_queue(tmp_path, server, clock=clock) as queue,
    ):
        job, later = (queue.submit(draw(color, seconds=30)) for color in (1, 2))
        wait(job, lambda snapshot: job.running_since is not None)
        clock.ahead_seconds = 80.0
        assert wait(job, lambda snapshot: snapshot.seconds > 60).phase == "running"
        assert later.snapshot.seconds == 0.0, "it waits"
        for one in (later, job):
            queue.stop(one.token)
            wait(one, is_over)
