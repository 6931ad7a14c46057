"""`--verbose`: every command tells what passes between it and ComfyUI, without a secret."""

from __future__ import annotations

import io
import logging
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.log import list_secrets, start_logging, stop_logging
from comfygradio.settings import Settings, shipped_presets
from tests.clocks import HANG_SECONDS, PROCESS_SECONDS
from tests.ports import free_port

from .shell import ROOT, Shell, finish, start

TOKEN = "tok en+9d2/7&=x"
"""A token that looks different in a query, in a header and as a password."""

LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{3} (DEBUG|INFO|WARNING|ERROR) comfygradio[\w.]*: .+")


@pytest.fixture
def locked() -> Iterator[DemoServer]:
    """A demo server that wants the token."""
    with DemoServer(DemoOptions(step_seconds=0, token=TOKEN)) as server:
        yield server


def list_lines(text: str) -> list[str]:
    """The lines of the log among the others."""
    return [line for line in text.splitlines() if LINE.fullmatch(line)]


def assert_hidden(text: str) -> None:
    """The token is there in no spelling."""
    for secret in list_secrets(Settings(headers={"X": TOKEN})):
        assert secret not in text, secret


def test_a_run_tells_calls_and_messages_on_stderr(shell: Shell, demo: DemoServer) -> None:
    quiet = shell("run", "text_to_image", "seed=11", "--server", demo.url)
    assert (quiet.code, quiet.err) == (0, "")
    told = shell("run", "text_to_image", "seed=12", "--server", demo.url, "--verbose")
    assert told.code == 0 and Path(told.out.strip()).is_file()
    lines = list_lines(told.err)
    assert len(lines) == len(told.err.splitlines())
    assert any(re.search(r" POST /prompt 200 \d+ ms, \d+ bytes, ", line) for line in lines)
    assert any(" socket execution_success prompt=" in line for line in lines)
    again = shell("run", "text_to_image", "seed=13", "--server", demo.url)
    assert again.err == "" and not logging.getLogger("comfygradio").handlers


def test_it_may_stand_before_the_command_or_in_the_environment(
    shell: Shell, demo: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shell("--verbose", "check", "upscale", "--server", demo.url)
    assert before.code == 0 and list_lines(before.err)
    monkeypatch.setenv("COMFYGRADIO_LOG", "debug")
    named = shell("check", "upscale", "--server", demo.url)
    assert named.code == 0 and list_lines(named.err)
    monkeypatch.setenv("COMFYGRADIO_LOG", "off")
    assert not list_lines(shell("check", "upscale", "--server", demo.url).err)
    monkeypatch.setenv("COMFYGRADIO_LOG", "loud")
    odd = shell("check", "upscale", "--server", demo.url)
    assert (odd.code, odd.err) == (2, "COMFYGRADIO_LOG: loud is neither debug nor off.\n")


@pytest.mark.parametrize("command", ["presets", "schema", "password"])
def test_commands_that_call_nobody_take_it_too(
    shell: Shell, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("some-password\n"))
    answer = shell(command, "--verbose")
    assert answer.code == 0 and not list_lines(answer.err)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("address", "header"),
    [
        ("http://{host}?token={token}", None),
        ("http://ann:{token}@{host}", None),
        ("http://{host}", "Authorization: Bearer {plain}"),
        ("http://{host}?token={token}", "X-Other-Key: {plain}"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        ("run", "text_to_image", "--out", "made"),
        ("sweep", "text_to_image", "--axis", "cfg=5, 6", "--out", "swept"),
        ("check",),
        ("new", str(shipped_presets() / "text_to_image.json"), "--name", "mine"),
    ],
)
def test_secrets_are_masked(
    shell: Shell, locked: DemoServer, command: tuple[str, ...], address: str, header: str | None
) -> None:
    Path("presets").mkdir()
    more = ["--presets", str(shipped_presets())] if command[0] != "new" else []
    host = locked.url.removeprefix("http://")
    url = address.format(host=host, token=quote(TOKEN, safe=""))
    given = ["--header", header.format(plain=TOKEN)] if header else []
    answer = shell(*command, *more, "--server", url, *given, "--verbose")
    assert answer.code == 0, answer.err
    assert any(" GET /object_info" in line for line in list_lines(answer.err))
    assert_hidden(answer.out + answer.err)
    assert "ann" not in answer.err.replace("channel", "")


@pytest.mark.parametrize(
    ("settings", "secret"),
    [
        (Settings(server="http://h?token=geheim", verbose=True), "geheim"),
        (Settings(server="http://ann:ge%20heim@h", verbose=True), "ge heim"),
        (Settings(server="http://ann:ge%20heim@h", verbose=True), "ge%20heim"),
        (Settings(more_servers=("http://h?k=geheim",), verbose=True), "geheim"),
        (Settings(headers={"A": "Bearer geheim"}, verbose=True), "geheim"),
        (Settings(headers={"Cookie": "a=1234; b=geheim"}, verbose=True), "geheim"),
    ],
)
def test_what_others_repeat_is_masked(
    settings: Settings, secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where a line holds what a server said, and in a traceback."""
    log = logging.getLogger("comfygradio.somewhere")
    start_logging(settings)
    try:
        log.info("it says %s", secret)
        try:
            raise ValueError(secret)
        except ValueError:
            log.exception("it failed")
    finally:
        stop_logging()
    told = capsys.readouterr().err
    assert secret not in told and told.count("***") == 2 and "ValueError" in told


def test_what_looks_like_a_secret_is_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging(Settings(verbose=True))
    try:
        logging.getLogger("comfygradio.somewhere").warning("http://ann:pw@h/?key=%s", "k-1")
    finally:
        stop_logging()
    assert capsys.readouterr().err.endswith("somewhere: http://***@h/?key=***\n")


@pytest.mark.process
def test_a_terminal_keeps_its_progress_bar(tmp_path: Path, demo: DemoServer) -> None:
    leader, follower = pty.openpty()
    environ = {"TERM": "xterm-256color", "COLUMNS": "200"}
    arguments = ("run", "text_to_image", "seed=20", "--server", demo.url, "--verbose")
    process = start(*arguments, cwd=tmp_path, stderr=follower, env=environ)
    os.close(follower)
    shown = b""
    while select.select([leader], [], [], HANG_SECONDS)[0]:
        try:
            shown += os.read(leader, 65536)
        except OSError:  # how Linux says that the other end was closed
            break
    os.close(leader)
    answer = finish(process)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert answer.code == 0 and "%" in plain and "Traceback" not in plain
    assert " POST /prompt 200 " in plain and " socket execution_success " in plain


@pytest.mark.process
def test_a_worker_tells_it(tmp_path: Path, locked: DemoServer) -> None:
    pytest.importorskip("distributed")
    header = f"Authorization: Bearer {TOKEN}"
    near = ("worker", "--scheduler", f"tcp://127.0.0.1:{free_port()}", "--server", locked.url)
    process = start(*near, "--header", header, "--verbose", cwd=tmp_path)
    assert process.stdout and "node classes" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    answer = finish(process)
    assert any(" GET /object_info 200 " in line for line in list_lines(answer.err)), answer.err
    assert_hidden(answer.out + answer.err)


@pytest.mark.process
def test_the_page_tells_what_it_asks(tmp_path: Path, locked: DemoServer) -> None:
    header = f"Authorization: Bearer {TOKEN}"
    process = start(
        *("--verbose", "--server", locked.url, "--header", header, "--port", 0), cwd=tmp_path
    )
    assert process.stdout
    match = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    assert match, finish(process)
    assert httpx.get(match[0]).status_code == 200
    process.send_signal(signal.SIGINT)
    answer = finish(process)
    assert any(" GET /object_info" in line for line in list_lines(answer.err)), answer.err
    assert_hidden(answer.out + answer.err)


@pytest.mark.process
def test_a_space_tells_it_by_its_environment(tmp_path: Path, demo: DemoServer) -> None:
    script = "import app; app.app.close()"
    environ = {
        "COMFYUI_URL": demo.url,
        "COMFYGRADIO_LOG": "debug",
        "PYTHONPATH": str(ROOT),
        "PATH": "/usr/bin:/bin",
    }
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=PROCESS_SECONDS,
    )
    assert ended.returncode == 0 and any(" GET /" in line for line in list_lines(ended.stderr))
