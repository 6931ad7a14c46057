"""Nodes that work at comfy.org: the key goes to the server with their prompts, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.backend import Backend
from tests.comfy.gateway import Call, Gateway, Reply, forward
from tests.comfy.graphs import make_empty_graph

from .shell import Shell
from .test_printing import read_calls, take

KEY = "comfyui-3f9e1a77c0"

OLD_STYLE = {"auth_token": "AUTH_TOKEN_COMFY_ORG", "key": "API_KEY_COMFY_ORG", "id": "UNIQUE_ID"}
NEW_STYLE = {"api_key_comfy_org": ["API_KEY_COMFY_ORG"], "unique_id": ["UNIQUE_ID"]}

SENTENCE = (
    "The workflow has nodes of comfy.org that want an API key (Far Away); give one with --api-key "
    "or COMFYGRADIO_API_KEY."
)


def describe_node(hidden: Mapping[str, Any]) -> dict[str, Any]:
    """A class that makes a picture at comfy.org, or one that does it here."""
    text = ["STRING", {"default": "", "multiline": True}]
    return {
        "input": {"required": {"prompt": text}, "hidden": hidden},
        "output": ["IMAGE"],
        "output_name": ["IMAGE"],
        "name": "FarAway",
        "display_name": "Far Away",
        "output_node": False,
    }


@pytest.fixture(params=[OLD_STYLE, NEW_STYLE], ids=["old style", "new style"])
def classes(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file of /object_info with the node."""
    file = tmp_path / "classes.json"
    file.write_text(json.dumps({"FarAway": describe_node(request.param)}), encoding="utf-8")
    return file


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    """A preset with the node."""
    folder = tmp_path / "presets"
    folder.mkdir()
    saved = {"images": ["1", 0], "filename_prefix": "far"}
    graph = {
        "1": {
            "class_type": "FarAway",
            "inputs": {"prompt": "a fox"},
            "_meta": {"title": "Far Away"},
        },
        "2": {"class_type": "SaveImage", "inputs": saved},
    }
    (folder / "far.json").write_text(json.dumps(graph), encoding="utf-8")
    text = "title: Far\nworkflow: far.json\nfields:\n  prompt: {slot: 1.prompt}\n"
    (folder / "far.yaml").write_text(text, encoding="utf-8")
    return folder / "far.yaml"


@contextmanager
def listen_to(server: DemoServer) -> Iterator[Gateway]:
    """A gateway before a server that remembers what was asked."""

    def answer(call: Call) -> Reply:
        return forward(call, server.url)

    with Gateway(answer) as gateway:
        yield gateway


def list_keys(gateway: Gateway) -> list[Any]:
    """The key that came with each prompt."""
    bodies = [json.loads(call.body) for call in gateway.calls if call.method == "POST"]
    return [body.get("extra_data", {}).get("api_key_comfy_org") for body in bodies]


def assert_kept_nowhere(folder: Path) -> None:
    """No file holds the key."""
    for path in folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


@pytest.mark.deep
@pytest.mark.parametrize(
    "command",
    [
        ("run", "far", "prompt=an owl", "--out", "made"),
        ("sweep", "far", "--axis", "prompt=an owl || a cat", "--out", "swept"),
    ],
)
def test_the_key_goes_along_and_is_kept_nowhere(
    shell: Shell, tmp_path: Path, classes: Path, preset: Path, command: tuple[str, ...]
) -> None:
    options = DemoOptions(step_seconds=0, extra_classes=classes)
    with DemoServer(options) as server, listen_to(server) as gateway:
        told = shell(*command, "--server", gateway.url, "--api-key", KEY, "--verbose")
        keys = list_keys(gateway)
        shown = json.dumps([shell("api", "GET", "/history", "--server", server.url).out])
    assert told.code == 1 and keys and set(keys) == {KEY}
    assert KEY not in told.out + told.err + shown
    assert_kept_nowhere(tmp_path)


@pytest.mark.deep
def test_other_prompts_go_without_it(
    shell: Shell, tmp_path: Path, classes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFYGRADIO_API_KEY", KEY)
    options = DemoOptions(step_seconds=0, extra_classes=classes)
    with DemoServer(options) as server, listen_to(server) as gateway:
        assert shell("run", "text_to_image", "--server", gateway.url).code == 0
        assert list_keys(gateway) == [None]
    assert_kept_nowhere(tmp_path)


@pytest.mark.deep
def test_without_a_key_it_is_said_before_anything_runs(
    shell: Shell, classes: Path, preset: Path
) -> None:
    options = DemoOptions(step_seconds=0, extra_classes=classes)
    with DemoServer(options) as server, listen_to(server) as gateway:
        run = shell("run", "far", "--server", gateway.url)
        sweep = shell("sweep", "far", "--axis", "prompt=a || b", "--server", gateway.url)
        check = shell("check", "far", "--server", gateway.url)
        fine = shell("check", "far", "--server", gateway.url, "--api-key", KEY)
        assert not list_keys(gateway)
    assert (run.code, run.err) == (1, f"Far cannot be used: {SENTENCE}\n")
    assert sweep.code != 0 and SENTENCE in sweep.err
    assert (check.code, check.out) == (1, f"far: {SENTENCE}\n")
    assert (fine.code, fine.out) == (0, "far: ok\n")


def test_a_line_of_curl_has_a_variable_for_it(shell: Shell, classes: Path, preset: Path) -> None:
    with DemoServer(DemoOptions(step_seconds=0, extra_classes=classes)) as server:
        given = ("--server", server.url, "--api-key", KEY)
        printed = shell("run", "far", "prompt=it's", *given, "--print-curl")
    assert printed.code == 0 and KEY not in printed.out + printed.err
    assert printed.err.startswith("Set COMFYUI_API_KEY to the API key of comfy.org:")
    (call,) = read_calls(printed.out, COMFYUI_API_KEY="my-key")
    body = json.loads(take(call, "--data-raw"))
    assert body["extra_data"]["api_key_comfy_org"] == "my-key"
    assert body["prompt"]["1"]["inputs"]["prompt"] == "it's"


@pytest.mark.deep
@pytest.mark.parametrize("version", ["0.3.64", "0.33.0"])
def test_from_python_and_on_servers_that_show_it(tmp_path: Path, version: str) -> None:
    """A client that was told nothing of the nodes sends its key; what a server then shows of it is
    not taken over.
    """
    with (
        DemoServer(DemoOptions(step_seconds=0, version=version)) as server,
        listen_to(server) as gateway,
        ComfyClient(gateway.url, api_key=KEY) as client,
    ):
        state = list(client.run(make_empty_graph()))[-1]
        assert list_keys(gateway) == [KEY]
        state.outputs[0].save(tmp_path / "made.png")
        assert KEY not in json.dumps(client.transport.get_json("/history"))
        assert KEY not in repr(client)
        client.object_info("EmptyImage", "SaveImage")
        list(client.run(make_empty_graph()))
        assert list_keys(gateway) == [KEY, None]
    assert_kept_nowhere(tmp_path)


def test_of_several_servers_those_with_a_key_get_such_jobs(classes: Path) -> None:
    graph = {"1": {"class_type": "FarAway", "inputs": {"prompt": "a fox"}}}
    with (
        DemoServer(DemoOptions(extra_classes=classes)) as server,
        ComfyClient(server.url) as without,
        ComfyClient(server.url, api_key=KEY) as having,
    ):
        poor, rich = Backend(without), Backend(having)
        for backend in (poor, rich):
            backend.refresh(["FarAway", "SaveImage"])
    assert poor.explain_rejection(graph) == "FarAway wants an API key, which is not given there."
    assert rich.explain_rejection(graph) == ""


@pytest.mark.parametrize("version", ["0.3.64", "0.33.0"])
def test_what_a_queue_shows_is_not_read(version: str) -> None:
    """Old servers show everybody's keys in their queue."""
    graph = {"1": {"class_type": "LabSleep", "inputs": {"seconds": 600.0}}}
    options = DemoOptions(version=version, lab_nodes=True)
    with DemoServer(options) as server, ComfyClient(server.url) as client:
        queued = client.queue_prompt(graph, extra_data={"api_key_comfy_org": KEY, "mine": 1})
        shown = json.dumps(client.transport.get_json("/queue"))
        assert (KEY in shown) == (version == "0.3.64")
        queue = client.queue()
        (item,) = (*queue.running, *queue.pending)
        assert item.prompt_id == queued.prompt_id and item.extra_data["mine"] == 1
        assert KEY not in str(vars(item))
        client.cancel(queued.prompt_id)


def test_servers_of_which_one_has_a_key() -> None:
    known = {"FarAway": describe_node(NEW_STYLE)}
    unknown, without, having = (
        ObjectInfo(ObjectInfo.from_json(known).nodes, has_key=has_key)
        for has_key in (None, False, True)
    )
    assert unknown.merge(unknown).has_key is None
    assert unknown.merge(without).has_key is False
    assert without.merge(having).has_key is True
    assert having.merge(unknown).has_key is True


def test_what_nobody_knows_closes_no_form(preset: Path) -> None:
    with DemoServer(DemoOptions()) as server, ComfyClient(server.url) as client:
        data = client.transport.get_json("/object_info")
    known = ObjectInfo.from_json({**data, "FarAway": describe_node(OLD_STYLE)})
    assert not load_preset(preset).bind(known).problems


@pytest.mark.parametrize("key", ["two words", 'a"b', "ä", "a'b", "$HOME"])
def test_a_key_that_is_none_is_refused_and_not_shown(shell: Shell, key: str) -> None:
    answer = shell("run", "text_to_image", "--demo", "--api-key", key)
    expected = "--api-key: this is not an API key; it is one word, as comfy.org shows it.\n"
    assert (answer.code, answer.err) == (2, expected)
