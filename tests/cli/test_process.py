from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import time
from pathlib import Path

import httpx
import pytest

from comfygradio.demo import DemoOptions, DemoServer
from tests.clocks import HANG_SECONDS

from .shell import finish, start

pytestmark = pytest.mark.process


def await_queue(url: str, running: int, seconds: float = HANG_SECONDS) -> None:
    """Wait until a server runs so many prompts."""
    deadline = time.monotonic() + seconds
    while len(httpx.get(f"{url}/queue").json()["queue_running"]) != running:
        assert time.monotonic() < deadline, f"never {running} running"


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_cancels_the_job(tmp_path: Path, kind: signal.Signals) -> None:
    with DemoServer(DemoOptions(step_seconds=30)) as server:
        process = start("run", "text_to_image", "--server", server.url, cwd=tmp_path)
        await_queue(server.url, 1)
        process.send_signal(kind)
        answer = finish(process)
        assert (answer.code, answer.out, answer.err) == (130, "", "Interrupted.\n")
        await_queue(server.url, 0)
        history = httpx.get(f"{server.url}/history").json()
        assert all(entry["status"]["status_str"] == "error" for entry in history.values())


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    process = start("presets", cwd=tmp_path, stdout=writer)
    os.close(reader)
    os.close(writer)
    answer = finish(process)
    assert (answer.code, answer.err) == (1, "")


def test_a_terminal_sees_progress_on_stderr(tmp_path: Path, demo: DemoServer) -> None:
    leader, follower = pty.openpty()
    environ = {"TERM": "xterm-256color", "COLUMNS": "100"}
    process = start(
        "run", "text_to_image", "--server", demo.url, cwd=tmp_path, stderr=follower, env=environ
    )
    os.close(follower)
    shown = b""
    while select.select([leader], [], [], HANG_SECONDS)[0]:
        try:
            shown += os.read(leader, 65536)
        except OSError:  # how Linux says that the other end was closed
            break
    os.close(leader)
    answer = finish(process)
    assert answer.code == 0 and Path(tmp_path, answer.out.strip()).is_file()
    assert b"%" in shown and b"Traceback" not in shown


def test_a_terminal_sees_what_a_node_says_under_the_bar(tmp_path: Path) -> None:
    """Hostile as it may be: no markup, no control characters, one line."""
    said = "[red]working[/] on \x1b]0;it\x07\nstill"
    inputs = {"text": said, "seconds": 600.0}
    graph = {"1": {"class_type": "LabText", "inputs": inputs, "_meta": {"title": "[/b]odd"}}}
    (tmp_path / "saying.json").write_text(json.dumps(graph), encoding="utf-8")
    (tmp_path / "saying.yaml").write_text("title: Saying\nworkflow: saying.json\n")
    leader, follower = pty.openpty()
    environ = {"TERM": "xterm-256color", "COLUMNS": "100"}
    with DemoServer(DemoOptions(lab_nodes=True)) as server:
        process = start(
            "run", "saying.yaml", "--server", server.url, cwd=tmp_path, stderr=follower, env=environ
        )
        os.close(follower)
        shown = read_until(leader, b"[red]working[/] on ]0;it still")
        process.send_signal(signal.SIGINT)
        read_until(leader, b"Interrupted.")
        assert finish(process).code == 130
    os.close(leader)
    assert "━".encode() in shown and b"[/b]odd" in shown
    assert b"\x1b]0" not in shown and b"\x07" not in shown


def read_until(leader: int, wanted: bytes) -> bytes:
    """What a terminal shows up to and with that; the limit only tells a hang."""
    shown = b""
    while wanted not in shown:
        assert select.select([leader], [], [], HANG_SECONDS)[0], shown
        shown += os.read(leader, 65536)
    return shown


def test_the_demo_command_serves_until_it_is_stopped(tmp_path: Path) -> None:
    process = start("demo", "--port", 0, "--step-seconds", 0, cwd=tmp_path)
    assert process.stdout
    match = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    assert match
    assert httpx.get(f"{match[0]}/system_stats").status_code == 200
    process.send_signal(signal.SIGINT)
    assert finish(process).code == 0


def test_a_taken_port_of_the_page_is_said(tmp_path: Path, demo: DemoServer) -> None:
    answer = finish(start("--port", demo.port, "--server", demo.url, cwd=tmp_path))
    assert answer.code in (1, 2) and "is the port taken? Try another --port." in answer.err
    assert "Traceback" not in answer.err


def test_a_taken_port_is_said(tmp_path: Path, demo: DemoServer) -> None:
    answer = finish(start("demo", "--port", demo.port, cwd=tmp_path))
    assert answer.code == 2 and answer.err.count("\n") == 1
    assert (
        f"The demo server cannot use 127.0.0.1:{demo.port}: Address already in use." in answer.err
    )


def test_without_a_command_the_page_is_served(tmp_path: Path) -> None:
    process = start("--demo", "--port", 0, "--step-seconds", 0, cwd=tmp_path)
    assert process.stdout
    line = process.stdout.readline()
    match = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert match, line or finish(process)
    assert "/text_to_image" in httpx.get(f"{match[0]}/gradio_api/info").json()["named_endpoints"]
    process.send_signal(signal.SIGINT)
    answer = finish(process)
    assert answer.code == 0 and "Traceback" not in answer.err + answer.out
