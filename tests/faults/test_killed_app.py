"""The app dies by SIGKILL at each step of a job, or its disk is full; then it is started again."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import JobStoreLocked
from comfygradio.jobs.job_store import JobStore, find_job_store
from comfygradio.jobs.naming import DEFAULT_PATTERN
from tests.clocks import HANG_SECONDS
from tests.faults.faulty_proxy import FaultyProxy, forward_response, reset_connection
from tests.faults.http_fault import HeldBody, HeldExchange
from tests.faults.scenario import (
    LONG_SECONDS,
    await_that,
    make_unique_order,
    make_upload_graph,
    open_queue,
)
from tests.jobs.lines import count_files, free_port, is_over, is_running, wait
from tests.jobs.shelf import Shelf

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def server(shelf: Shelf) -> DemoServer:
    """A demo server with nothing to do."""
    return shelf.lend(DemoOptions(step_seconds=0.01, lab_nodes=True))


@pytest.fixture
def line(server: DemoServer) -> Iterator[FaultyProxy]:
    """A line before it."""
    with FaultyProxy(server.url) as line:
        yield line


@contextmanager
def run_app(
    line: FaultyProxy, outputs: Path, *graphs: Any, limit: str = "", names: str = DEFAULT_PATTERN
) -> Iterator[subprocess.Popen[str]]:
    """The app with these graphs queued; killed by SIGKILL at the end."""
    command = [
        sys.executable,
        "-m",
        "tests.faults.app",
        line.url,
        str(outputs),
        json.dumps(graphs),
        names,
    ]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [*command, *filter(None, [limit])], stdin=pipe, stdout=pipe, text=True, cwd=ROOT
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_tokens(process: subprocess.Popen[str], count: int) -> list[str]:
    """The tokens of the jobs that the app has queued."""
    assert process.stdout
    return [process.stdout.readline().strip() for _ in range(count)]


def check_ends(
    line: FaultyProxy,
    outputs: Path,
    tokens: list[str],
    files: int,
    posts: int = 1,
    names: str = DEFAULT_PATTERN,
    hurried: DemoServer | None = None,
) -> None:
    """After a new start every job is done, posted so often, and each of its files is there once.

    What a server still paints is over once it is hurried, after that start.
    """
    with open_queue(outputs, line.url, names=names) as queue:
        if hurried:
            hurried.set_skip_waits()
        for token in tokens:
            job = queue.find(token)
            assert job
            end = wait(job, is_over)
            assert end.phase == "done" and not end.error, end
            assert line.posted[job.id] == posts, line.calls
        assert queue.store.list_open() == []
    assert count_files(outputs) == files
    assert not list(outputs.rglob(".part-*"))


def draw_twice(seconds: float = 0.0) -> Any:
    """A graph with two files."""
    graph = dict(make_unique_order(seconds).prompt.graph)
    return graph | {
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "y", "images": ["1", 0]}}
    }


@pytest.mark.parametrize(
    ("call", "after"),
    [
        ("POST /prompt", False),
        ("POST /prompt", True),
        ("GET /ws", False),
        ("GET /view", False),
        ("GET /view", True),
    ],
)
def test_killed_at_a_step(call: str, after: bool, line: FaultyProxy, tmp_path: Path) -> None:
    """In the ledger but not posted; posted, the answer not heard; before anything; while
    downloading.
    """
    held = HeldExchange(after)
    line.inject(call, held)
    with run_app(line, tmp_path, make_unique_order().prompt.graph) as app:
        tokens = read_tokens(app, 1)
        assert held.reached.wait(HANG_SECONDS)
    held.release()
    check_ends(line, tmp_path, tokens, files=1)


def test_killed_while_uploading(line: FaultyProxy, tmp_path: Path) -> None:
    picture = tmp_path / "mine.bmp"
    Image.new("RGB", (8, 8), "red").save(picture)
    tokens: list[str] = []
    for after in (False, True):
        held = HeldExchange(after)
        line.inject("POST /upload/image", held)
        with run_app(line, tmp_path / "outputs", make_upload_graph(picture)) as app:
            tokens += read_tokens(app, 1)
            assert held.reached.wait(HANG_SECONDS)
        held.release()
    picture.unlink()
    check_ends(line, tmp_path / "outputs", tokens, files=2)


@pytest.mark.parametrize("pattern", [DEFAULT_PATTERN, "{preset}/{random}-{name}"])
def test_killed_with_half_a_file(pattern: str, line: FaultyProxy, tmp_path: Path) -> None:
    halved = HeldBody()
    line.inject("GET /view", halved)
    with run_app(line, tmp_path, draw_grain(), names=pattern) as app:
        tokens = read_tokens(app, 1)
        await_that(lambda: [path for path in tmp_path.rglob(".part-*") if path.stat().st_size])
    assert count_files(tmp_path) == 0
    halved.release()
    check_ends(line, tmp_path, tokens, files=1, names=pattern)


def test_killed_as_soon_as_the_file_is_there(line: FaultyProxy, tmp_path: Path) -> None:
    """Perhaps before its end is written down, perhaps after."""
    with run_app(line, tmp_path, make_unique_order().prompt.graph) as app:
        tokens = read_tokens(app, 1)
        await_that(lambda: count_files(tmp_path))
    check_ends(line, tmp_path, tokens, files=1)


@pytest.mark.parametrize("after", [False, True])
def test_killed_while_stopping(
    after: bool, line: FaultyProxy, server: DemoServer, tmp_path: Path
) -> None:
    """Where the server has heard of it, the job is stopped; else it goes on."""
    held = HeldExchange(after)
    line.inject("POST /api/jobs", held)
    with ComfyClient(server.url) as client:
        with run_app(line, tmp_path, make_unique_order(LONG_SECONDS).prompt.graph) as app:
            (token,) = read_tokens(app, 1)
            await_that(lambda: client.queue().running)
            neighbour = client.queue_prompt(make_unique_order().prompt.graph).prompt_id
            assert app.stdin
            app.stdin.write(f"{token}\n")
            app.stdin.flush()
            assert held.reached.wait(HANG_SECONDS)
        held.release()
        server.set_skip_waits()
        with open_queue(tmp_path, line.url) as queue:
            job = queue.find(token)
            assert job and wait(job, is_over).phase == ("stopped" if after else "done")
            assert line.posted[job.id] == 1 and queue.store.list_open() == []
        await_that(lambda: client.history(neighbour))
    assert count_files(tmp_path) == (0 if after else 1)


def count_started(outputs: Path) -> int:
    """How many jobs a server has taken, as the ledger of a running app says."""
    place = f"file:{find_job_store(outputs)}?mode=ro"
    with closing(sqlite3.connect(place, uri=True)) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM jobs WHERE started IS NOT NULL AND ended IS NULL"
        ).fetchone()
        return int(count)


def test_killed_together_with_the_server(tmp_path: Path) -> None:
    """Its job is posted once more, by the next start, and no third time."""
    with (
        DemoServer(DemoOptions(lab_nodes=True), port=free_port()) as server,
        FaultyProxy(server.url) as line,
    ):
        graphs: list[Any] = [make_unique_order(LONG_SECONDS).prompt.graph]
        tokens: list[str] = []
        for posts in (1, 2):
            with run_app(line, tmp_path, *graphs) as app, ComfyClient(server.url) as client:
                tokens += read_tokens(app, len(graphs))
                await_that(lambda: line.posted.total() == posts and client.queue().running)  # noqa: B023
                # Only then has the app written down that the server took it.
                await_that(lambda: count_started(tmp_path) == 1)
                server.kill()
            server.start()
            graphs = []
        with open_queue(tmp_path, line.url) as queue:
            job = queue.find(tokens[0])
            assert job
            end = wait(job, is_over)
            assert (
                end.phase == "failed"
                and "has lost this job" in end.error
                and line.posted[job.id] == 2
            )


def test_killed_and_somebody_clears_queue_and_history_meanwhile(
    line: FaultyProxy, server: DemoServer, tmp_path: Path
) -> None:
    """One job has ended and is forgotten with its file still there, one waits on the server and is
    deleted.
    """
    with ComfyClient(server.url) as client:
        with run_app(
            line, tmp_path, make_unique_order(0.1).prompt.graph, make_unique_order(0.1).prompt.graph
        ) as app:
            blocker = client.queue_prompt(make_unique_order(LONG_SECONDS).prompt.graph).prompt_id
            tokens = read_tokens(app, 2)
            await_that(lambda: len(line.posted) == 2)
        client.clear_queue()
        server.set_skip_waits()
        await_that(lambda: client.queue_remaining() == 0)
        await_that(lambda: client.history(blocker))
        client.clear_history()
    check_ends(line, tmp_path, tokens, files=2, posts=2)


def test_killed_and_its_old_socket_closes_after_the_new_one_opened(
    line: FaultyProxy, server: DemoServer, tmp_path: Path
) -> None:
    """The server then forgets the new one, which has the same id."""
    with run_app(line, tmp_path, make_unique_order(LONG_SECONDS).prompt.graph) as app:
        tokens = read_tokens(app, 1)
        await_that(lambda: line.pairs and line.posted)
        line.mute_sockets()
    old, seen = line.pairs[0], line.calls.count("GET /ws")
    with open_queue(tmp_path, line.url) as queue:
        job = queue.find(tokens[0])
        assert job
        wait(job, is_running)
        await_that(lambda: line.calls.count("GET /ws") > seen)
        reset_connection(old.server)
        server.set_skip_waits()
        assert wait(job, is_over).phase == "done"
    check_ends(line, tmp_path, tokens, files=1)


def test_killed_between_two_files(line: FaultyProxy, tmp_path: Path) -> None:
    held = HeldExchange(after=True)
    line.inject("GET /view", forward_response)
    line.inject("GET /view", held)
    with run_app(line, tmp_path, draw_twice()) as app:
        tokens = read_tokens(app, 1)
        assert held.reached.wait(HANG_SECONDS)
        assert count_files(tmp_path) == 1
    held.release()
    check_ends(line, tmp_path, tokens, files=2)


def test_killed_while_one_runs_one_is_posted_and_one_waits(
    line: FaultyProxy, server: DemoServer, tmp_path: Path
) -> None:
    with run_app(
        line, tmp_path, *[make_unique_order(LONG_SECONDS).prompt.graph for _ in range(3)]
    ) as app:
        tokens = read_tokens(app, 3)
        await_that(lambda: len(line.posted) == 2)
    check_ends(line, tmp_path, tokens, files=3, hurried=server)


def test_killed_and_everything_ends_meanwhile(
    line: FaultyProxy, server: DemoServer, tmp_path: Path
) -> None:
    with run_app(line, tmp_path, make_unique_order(LONG_SECONDS).prompt.graph) as app:
        tokens = read_tokens(app, 1)
        await_that(lambda: line.posted)
    server.set_skip_waits()
    with ComfyClient(server.url) as client:
        await_that(lambda: client.queue_remaining() == 0)
    check_ends(line, tmp_path, tokens, files=1)


def test_killed_again_and_again(line: FaultyProxy, tmp_path: Path) -> None:
    tokens: list[str] = []
    for after in (False, True):
        held = HeldExchange(after)
        line.inject("GET /view", held)
        with run_app(line, tmp_path, make_unique_order(0.05).prompt.graph) as app:
            tokens += read_tokens(app, 1)
            assert held.reached.wait(HANG_SECONDS)
        held.release()
    check_ends(line, tmp_path, tokens, files=2)


def test_killed_before_the_server_answers_at_all(line: FaultyProxy, tmp_path: Path) -> None:
    line.stop_listening()
    with run_app(line, tmp_path, make_unique_order().prompt.graph) as app:
        tokens = read_tokens(app, 1)
    line.start_listening()
    check_ends(line, tmp_path, tokens, files=1)


def test_a_second_app_is_refused_until_the_first_is_killed(
    line: FaultyProxy, tmp_path: Path
) -> None:
    with run_app(line, tmp_path, make_unique_order(0.2).prompt.graph) as app:
        tokens = read_tokens(app, 1)
        with pytest.raises(JobStoreLocked, match="Another comfygradio uses the outputs folder"):
            JobStore.open(tmp_path)
    check_ends(line, tmp_path, tokens, files=1)


def draw_grain() -> Any:
    """A picture of more than a megabyte."""
    frames = {"count": 1, "fps": 100.0, "width": 1024, "height": 1024}
    return {
        "1": {"class_type": "LabFrames", "inputs": frames},
        "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "big", "images": ["1", 0]}},
    }


@pytest.mark.parametrize(("limit", "again"), [("900000", "failed"), ("4096", "done")])
def test_the_disk_is_full(limit: str, again: str, line: FaultyProxy, tmp_path: Path) -> None:
    """Too full for the picture: the job says so, and it can be collected again. Too full for the
    ledger as well: the next start collects it.
    """
    with run_app(line, tmp_path, draw_grain(), limit=limit) as app:
        (token,) = read_tokens(app, 1)
        assert app.stdout
        _, phase, error = json.loads(app.stdout.readline())
        assert phase == "failed" and error, (phase, error)
        assert count_files(tmp_path) == 0 and not list(tmp_path.rglob(".part-*"))
    with open_queue(tmp_path, line.url) as queue:
        job = queue.find(token)
        assert job
        end = wait(job, is_over)
        assert end.phase == again and line.posted[job.id] <= 1
        assert end.phase == "done" or end.results[0].can_be_collected
