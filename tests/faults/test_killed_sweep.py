"""The app dies by SIGKILL in the middle of a sweep: no point is lost, and none is run twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from comfygradio.demo import DemoOptions, DemoServer
from tests.clocks import HANG_SECONDS
from tests.faults.faulty_proxy import FaultyProxy
from tests.faults.http_fault import HeldExchange
from tests.faults.scenario import await_that, open_queue
from tests.jobs.lines import count_files
from tests.jobs.shelf import Shelf
from tests.sweeps.running import bind, define, end, read_colors, take_up, write_preset

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent.parent
POINTS = 24


@pytest.fixture
def server(shelf: Shelf) -> DemoServer:
    """A demo server that counts what it executes, with nothing to do."""
    return shelf.lend(DemoOptions(step_seconds=0.01, lab_nodes=True))


@pytest.fixture
def line(server: DemoServer) -> Iterator[FaultyProxy]:
    """A line before it."""
    with FaultyProxy(server.url) as line:
        yield line


@contextmanager
def run_app(line: FaultyProxy, outputs: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """The app with the sweep; killed by SIGKILL at the end."""
    definition = json.dumps(define(seconds, color=f"1-{POINTS // 2}", width="16, 32"))
    command = [sys.executable, "-m", "tests.faults.sweep_app", line.url, str(outputs), definition]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_done(process: subprocess.Popen[str], done: int) -> str:
    """Wait until so many points are done: the sweep's token."""
    assert process.stdout
    while True:
        token, _, told = json.loads(process.stdout.readline())
        if told >= done:
            return str(token)


def await_next(line: FaultyProxy) -> None:
    """Wait until one more point is posted."""
    before = len(line.posted)
    await_that(lambda: len(line.posted) > before)


def check_whole(line: FaultyProxy, server: DemoServer, outputs: Path, token: str) -> None:
    """The next start brings it to its end: every point has its picture, and each was posted and
    saved once.
    """
    with open_queue(outputs, line.url) as queue:
        sweeps = take_up(queue, bind(write_preset(outputs.parent / "presets"), queue))
        sweep = sweeps.find(token)
        server.set_skip_waits()
        assert sweep and end(sweep) == "done", sweep
        assert sweep.counts.done == POINTS and queue.store.list_open() == []
        assert read_colors(sweep) == [
            (0, 0, color) for color in range(1, POINTS // 2 + 1) for _ in range(2)
        ]
        assert [cell.results[0].width for cell in sweep.cells.values()] == [16, 32] * (POINTS // 2)
    assert len(line.posted) == POINTS and set(line.posted.values()) == {1}, line.posted
    assert server.executions["SaveImage"] == POINTS
    assert count_files(outputs) == POINTS and not list(outputs.rglob(".part-*"))


def test_killed_again_and_again_in_the_middle(
    line: FaultyProxy, server: DemoServer, tmp_path: Path
) -> None:
    token, chance = "", random.Random(5)
    for done in (3, 9, 15):
        with run_app(line, tmp_path / "outputs", 0.05) as app:
            token = read_done(app, done)
            if chance.random() < 0.7:
                await_next(line)
    check_whole(line, server, tmp_path / "outputs", token)


@pytest.mark.parametrize(
    ("call", "after"),
    [("POST /prompt", False), ("POST /prompt", True), ("GET /view", False), ("GET /view", True)],
)
def test_killed_at_a_step_of_a_point(
    call: str, after: bool, line: FaultyProxy, server: DemoServer, tmp_path: Path
) -> None:
    """In the ledger but not posted; posted, the answer not heard; before and after its picture was
    downloaded.
    """
    held = HeldExchange(after)
    with run_app(line, tmp_path / "outputs", 0.02) as app:
        token = read_done(app, 2)
        line.inject(call, held)
        assert held.reached.wait(HANG_SECONDS)
    held.release()
    check_whole(line, server, tmp_path / "outputs", token)


def test_killed_and_everything_posted_ends_meanwhile(
    line: FaultyProxy, server: DemoServer, tmp_path: Path
) -> None:
    with run_app(line, tmp_path / "outputs", 0.2) as app:
        token = read_done(app, 1)
    server.set_skip_waits()
    await_that(lambda: server.executions["SaveImage"] >= len(line.posted))
    check_whole(line, server, tmp_path / "outputs", token)
