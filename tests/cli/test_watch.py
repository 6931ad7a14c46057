"""`comfygradio watch`, as a process beside a demo server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from comfygradio.cli.watch import (
    Printer,
    Watcher,
    format_value,
    list_values,
    name_event,
    to_plain_data,
)
from comfygradio.clock import SYSTEM_CLOCK
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.events import Disconnected, Missed
from comfygradio.comfy.messages import (
    NodeProgress,
    PreviewFrame,
    Progress,
    ProgressState,
    UnknownMessage,
    parse_text,
)
from comfygradio.comfy.timers import PollTimings
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import ServerUnreachable
from tests.clocks import HANG_SECONDS
from tests.ports import free_port

from .shell import Answer, Shell, finish, start

Json = dict[str, Any]
Wanted = Callable[[Json], bool]


class Watching:
    """A `comfygradio watch --json` that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[Json] = []

    def until(self, wanted: Wanted) -> Json:
        """The first line that is wanted, of those that come now; the limit only tells a hang."""
        assert self.process.stdout
        limit = threading.Timer(2 * HANG_SECONDS, self.process.kill)
        limit.start()
        try:
            for text in self.process.stdout:
                line = json.loads(text)
                self.lines.append(line)
                if wanted(line):
                    return dict(line)
        finally:
            limit.cancel()
        raise AssertionError((self.lines, self.process.communicate()))

    def await_event(self, source: str, event: str, prompt_id: str | None = None) -> Json:
        return self.until(
            lambda line: (
                (line["source"], line["event"]) == (source, event)
                and line.get("prompt_id") == prompt_id
            )
        )

    def stop(self, kind: signal.Signals = signal.SIGINT) -> Answer:
        self.process.send_signal(kind)
        return finish(self.process)


@contextmanager
def watch(url: str, folder: Path) -> Iterator[Watching]:
    """A process that watches a server; killed at the end where it has not ended."""
    process = start("watch", "--json", "--server", url, cwd=folder)
    try:
        yield Watching(process)
    finally:
        process.kill()
        process.communicate()


def post(url: str, graph: Json, **more: Any) -> str:
    answer = httpx.post(f"{url}/prompt", json={"prompt": graph, **more}, timeout=HANG_SECONDS)
    return str(answer.json()["prompt_id"])


def sleep(number: int) -> Json:
    """A graph that lasts until it is stopped, unlike those of other numbers."""
    return {"1": {"class_type": "LabSleep", "inputs": {"seconds": 600.0, "value": number}}}


@pytest.mark.process
def test_everybodys_prompts_are_told_of_with_where_that_was_seen(tmp_path: Path) -> None:
    with (
        DemoServer(DemoOptions(step_seconds=0, lab_nodes=True)) as server,
        watch(server.url, tmp_path) as watching,
    ):
        greeting = watching.await_event("socket", "status")
        assert greeting["queue_remaining"] == 0 and len(greeting["sid"]) == 32
        assert [line["event"] for line in watching.lines] == ["connected", "status"]
        first = post(server.url, sleep(1), client_id="somebody")
        watching.await_event("queue", "started", first)
        second = post(server.url, sleep(2), client_id="somebody")
        assert watching.await_event("queue", "queued", second)["ahead"] == 1
        httpx.post(f"{server.url}/queue", json={"delete": [second]})
        watching.await_event("queue", "gone", second)
        httpx.post(f"{server.url}/interrupt", json={"prompt_id": first})
        stopped = watching.await_event("history", "stopped", first)
        assert stopped["text"] == "The job was stopped at LabSleep (node 1)."
        third = post(server.url, {"1": {"class_type": "LabRaise", "inputs": {"message": "no"}}})
        assert "no" in watching.await_event("history", "failed", third)["text"]
        text = {"1": {"class_type": "LabText", "inputs": {"text": "to\nall"}}}
        fourth = post(server.url, text, client_id="somebody")
        told = watching.await_event("socket", "progress_text")
        assert (told["node"], told["text"]) == ("1", "to\nall")
        watching.await_event("history", "ended", fourth)
        about = {line.get("prompt_id") for line in watching.lines if line["source"] == "socket"}
        assert not about & {first, second, fourth}
        assert server.has_client(greeting["sid"]) and greeting["sid"] != "somebody"
        assert watching.stop() == Answer(0, "", "")


@pytest.mark.process
def test_a_server_that_comes_back_is_watched_on(tmp_path: Path) -> None:
    server = DemoServer(DemoOptions(lab_nodes=True), port=free_port())
    with server, watch(server.url, tmp_path) as watching:
        watching.await_event("socket", "status")
        first = post(server.url, sleep(1))
        watching.await_event("queue", "started", first)
        server.kill()
        assert watching.await_event("socket", "disconnected")["retry_seconds"] == 1
        server.start()
        watching.await_event("socket", "connected")
        watching.await_event("queue", "gone", first)
        second = post(server.url, sleep(2))
        watching.await_event("queue", "started", second)
        assert watching.stop(signal.SIGTERM).code == 0


@pytest.mark.process
def test_it_ends_once_nobody_reads_though_nothing_happens(tmp_path: Path) -> None:
    with DemoServer(DemoOptions()) as server:
        reader, writer = os.pipe()
        process = start("watch", "--server", server.url, cwd=tmp_path, stdout=writer)
        os.close(writer)
        said = b""
        while b"feature_flags" not in said or not said.endswith(b"\n"):
            said += os.read(reader, 65536)
        os.close(reader)
        answer = finish(process, 2 * HANG_SECONDS)
        assert (answer.code, answer.err) == (1, "")
        first, second, *_ = said.decode().splitlines()
        assert first.split()[1:] == ["socket", "connected"]
        assert second.split()[1:4] == ["socket", "status", "queue_remaining=0"]


def test_a_server_that_does_not_answer_is_one_sentence(shell: Shell) -> None:
    answer = shell("watch", "--server", f"http://127.0.0.1:{free_port()}")
    assert (answer.code, answer.out, answer.err.count("\n")) == (1, "", 1)
    assert "does not answer" in answer.err


class Killer(Printer):
    """Ends the server as soon as that has told its features."""

    def __init__(self, server: DemoServer) -> None:
        super().__init__(True, SYSTEM_CLOCK)
        self._server = server
        self.events: list[str] = []

    def print(self, source: str, event: str, values: Json) -> None:
        self.events.append(event)
        if event == "feature_flags":
            self._server.kill()


def test_a_server_that_is_gone_for_good_ends_it() -> None:
    patience = PollTimings(reconnect=(0.01, 0.01))
    with DemoServer(DemoOptions()) as server, ComfyClient(server.url, patience=patience) as client:
        printer = Killer(server)
        with pytest.raises(ServerUnreachable):
            Watcher(client, printer, SYSTEM_CLOCK).run()
    assert printer.events.count("disconnected") == 3


def test_events_are_called_as_comfyui_calls_them() -> None:
    for text in ("status", "execution_cached", "progress_state", "feature_flags", "a.monitor"):
        assert name_event(parse_text(json.dumps({"type": text, "data": {}}))) == text
    assert name_event(PreviewFrame(b"", "image/png")) == "preview"
    assert name_event(UnknownMessage("")) == "unknown"
    assert [name_event(one) for one in (Disconnected(1.0), Missed(3))] == ["disconnected", "missed"]


def test_values_are_json_whatever_came() -> None:
    assert list_values(PreviewFrame(b"abc", "image/png", "3", prompt_id="p")) == {
        "prompt_id": "p",
        "bytes": 3,
        "mime": "image/png",
        "node": "3",
    }
    state = ProgressState({"3": NodeProgress(1.0, 2.0, "running", "3")}, prompt_id="p")
    assert to_plain_data(list_values(state))["nodes"]["3"]["state"] == "running"
    odd = parse_text('{"type": "a.monitor", "data": {"load": [NaN, Infinity, 1]}}')
    assert to_plain_data(list_values(odd)) == {"data": {"load": [None, None, 1]}}
    assert list_values(Progress(0.0, 0.0, None)) == {"value": 0.0, "max": 0.0}
    deep = parse_text('{"type": "a", "data": ' + "[" * 900 + "]" * 900 + "}")
    assert len(json.dumps(to_plain_data(list_values(deep)))) < 100


def test_a_printed_value_is_one_short_line() -> None:
    assert format_value("\x1b]0;title\x07a\nb\x9b31m\u202e") == "]0;title a b 31m"
    assert format_value({"a": "\x1b[31m\n"}) == '{"a": "\\u001b[31m\\n"}'
    assert len(format_value(["long" * 1000])) == 200
