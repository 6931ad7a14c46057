"""Two processes of the whole app, `python -m comfygradio`, on one outputs folder."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from gradio_client import Client

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.job_store import find_job_store
from tests.cli.shell import finish, start
from tests.faults.faulty_proxy import FaultyProxy
from tests.faults.scenario import await_that, make_unique_order
from tests.jobs.lines import count_files

pytestmark = pytest.mark.process


def open_app(line: FaultyProxy, folder: Path) -> subprocess.Popen[str]:
    """A process of the app."""
    return start("--server", line.url, "--port", 0, "--outputs", folder / "outputs", cwd=folder)


def read_url(process: subprocess.Popen[str]) -> str:
    """Where its page is."""
    assert process.stdout
    match = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    assert match, finish(process)
    return match[0]


def read_phases(folder: Path) -> list[str]:
    """The phases of all jobs, read as any other program may."""
    with closing(
        sqlite3.connect(f"file:{find_job_store(folder / 'outputs')}?mode=ro", uri=True)
    ) as connection:
        return [phase for (phase,) in connection.execute("SELECT phase FROM jobs")]


def test_the_second_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    with (
        DemoServer(DemoOptions(step_seconds=30.0)) as server,
        FaultyProxy(server.url) as line,
        ComfyClient(server.url) as direct,
    ):
        first = open_app(line, tmp_path)
        client = Client(read_url(first), verbose=False, download_files=False)
        client.submit(prompt="x", steps=40, api_name="/text_to_image")
        await_that(lambda: line.posted and direct.queue().running)
        refused = finish(open_app(line, tmp_path))
        assert refused.code != 0 and not refused.out and refused.err.count("\n") == 1
        assert (
            "Another comfygradio uses the outputs folder" in refused.err
            and "--outputs" in refused.err
        )
        assert first.poll() is None and read_phases(tmp_path) == ["running"]
        first.kill()
        first.communicate()
        server.set_skip_waits()
        neighbour = direct.queue_prompt(make_unique_order().prompt.graph).prompt_id
        second = open_app(line, tmp_path)
        read_url(second)
        await_that(lambda: read_phases(tmp_path) == ["done"])
        second.kill()
        second.communicate()
        await_that(lambda: direct.history(neighbour))
    assert list(line.posted.values()) == [1] and count_files(tmp_path) == 1
