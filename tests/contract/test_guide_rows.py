"""What the guide tests and debugs with curl works with `comfygradio api` and `--verbose`."""

from __future__ import annotations

import io
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comfygradio.cli.app import run_command
from comfygradio.settings import shipped_presets
from tests.contract.plain_client import PATIENCE, PlainClient, plain_graph

pytestmark = pytest.mark.real

Api = Callable[..., Any]


@pytest.fixture
def api(
    comfy: PlainClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Api:
    """One call; what it printed, decoded where it is JSON."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str, sent: str = "") -> Any:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(sent.encode())))
        assert run_command(["api", *words, "--server", comfy.url]) == 0, words
        out = capsys.readouterr().out
        return json.loads(out) if out else None

    return call


def await_entry(api: Api, prompt_id: str) -> Any:
    """What the history says of a prompt, once it does."""
    deadline = time.monotonic() + PATIENCE
    while not (history := api("GET", f"/history/{prompt_id}")):
        assert time.monotonic() < deadline, "it never ended"
    return history[prompt_id]


def test_the_rows_that_ask(api: Api) -> None:
    assert api("GET", "/system_stats")["system"]["comfyui_version"]
    assert "KSampler" in api("GET", "/object_info")
    assert list(api("GET", "/object_info/KSampler")) == ["KSampler"]
    assert set(api("GET", "/queue")) == {"queue_running", "queue_pending"}


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_row_that_queues(api: Api, tmp_path: Path, wrapped: bool) -> None:
    graph = plain_graph()
    file = tmp_path / "workflow_api.json"
    file.write_text(json.dumps({"prompt": graph} if wrapped else graph), encoding="utf-8")
    queued = api("POST", "/prompt", "--data", str(file))
    assert queued["node_errors"] == {}
    entry = await_entry(api, queued["prompt_id"])
    assert entry["prompt"][2] == graph
    assert queued["prompt_id"] in api("GET", "/history")


def test_the_rows_that_tell(api: Api) -> None:
    assert api("POST", "/interrupt") is None
    freed = {"unload_models": True, "free_memory": True}
    assert api("POST", "/free", "--data", "-", sent=json.dumps(freed)) is None


def test_a_run_tells_what_passes(
    comfy: PlainClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    seed = random.randrange(2**40)
    words = ["text_to_image", f"seed={seed}", "steps=2", "size=512x512"]
    words += [f"checkpoint={comfy.checkpoint}", "--presets", str(shipped_presets())]
    assert run_command(["run", *words, "--server", comfy.url, "--verbose"]) == 0
    told = capsys.readouterr().err
    for part in ("POST /prompt 200 ", "socket status ", "socket executing ", "socket progress "):
        assert part in told, part
