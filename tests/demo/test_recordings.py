from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from comfygradio.demo import DemoOptions, DemoServer
from tests.demo.prompt_run import connect, watch

DATA = Path(__file__).parent.parent / "data" / "recordings"
CHECKPOINTS = ("sub folder/tiny ü-c.safetensors", "tiny-a.safetensors", "tiny-b.safetensors")
OPTIONS = DemoOptions(
    step_seconds=0,
    preview_method="latent2rgb",
    checkpoints=CHECKPOINTS,
    loras=("tiny-lora-2.safetensors", "tiny-lora.safetensors"),
    upscale_models=("tiny-esrgan-x2.pth", "tiny-esrgan-x4.pth"),
    embeddings=("tinyemb",),
)
FREE_KEYS = ("/api/jobs", "/view_metadata")


def read(name: str) -> list[dict[str, Any]]:
    """The lines of a recording, each a JSON object."""
    text = (DATA / name).read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    """A demo server with the models of the recorded one."""
    with DemoServer(OPTIONS, folder=tmp_path_factory.mktemp("twin")) as server:
        yield server


def shape(value: Any) -> Any:
    """JSON with its values replaced by their kinds; numbers are one kind, lists keep one item."""
    if isinstance(value, dict):
        return {key: shape(child) for key, child in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def sketch(message: dict[str, Any]) -> tuple[str, Any]:
    """A message without what may differ: node ids, order of nodes, sizes of lists."""
    kind = message["type"]
    data = message["data"]
    if kind == "binary":
        return kind, data if isinstance(data, dict) else layout(data)
    if kind == "execution_cached":
        return kind, (sorted(data), sorted(data["nodes"]))
    if kind == "progress_state":
        entries: list[tuple[Any, ...]] = []
        for entry in data["nodes"].values():
            entries.append((entry["state"], entry["value"], entry["max"], *sorted(entry)))
        return kind, sorted(entries)
    return kind, shape(data)


def layout(frame: bytes) -> dict[str, Any]:
    """A preview without its pixels."""
    event, number = struct.unpack(">II", frame[:8])
    format = {1: "JPEG", 2: "PNG"}[number]
    with Image.open(io.BytesIO(frame[8:])) as picture:
        facts = [picture.format, list(picture.size), picture.mode]
    return {"event": event, "format": format, "image": facts}


@pytest.mark.deep
def test_runs_send_the_recorded_messages_in_their_order(twin: DemoServer) -> None:
    for recorded in read("runs.jsonl"):
        socket = connect(twin, recorded["request"]["client_id"])
        answer = httpx.post(f"{twin.url}/prompt", json=recorded["request"]).json()
        messages = watch(socket, answer["prompt_id"])
        socket.close()
        assert shape(answer) == shape(recorded["answer"])
        assert [sketch(m) for m in messages] == [sketch(m) for m in recorded["messages"]], recorded[
            "scenario"
        ]
        if recorded["history"]:
            entry = httpx.get(f"{twin.url}/history/{answer['prompt_id']}").json()[
                answer["prompt_id"]
            ]
            assert shape(entry) == shape(recorded["history"])


@pytest.mark.deep
@pytest.mark.parametrize(
    "recorded", read("refusals.jsonl"), ids=lambda r: r["note"].replace(" ", "-")
)
def test_refusals_are_the_recorded_ones(twin: DemoServer, recorded: dict[str, Any]) -> None:
    answer = httpx.post(f"{twin.url}/prompt", content=recorded["request"].encode())
    assert answer.status_code == recorded["status"]
    assert answer.headers.get("content-type") == recorded["content_type"]
    if not isinstance(recorded["response"], dict):
        assert answer.text == recorded["response"]
    elif recorded["status"] == 400:
        assert clean(answer.json()) == clean(recorded["response"])
    else:
        assert shape(clean(answer.json())) == shape(clean(recorded["response"]))


def clean(body: dict[str, Any]) -> dict[str, Any]:
    """Node errors sorted by node, without tracebacks and tooltips."""
    for blamed in body["node_errors"].values():
        for error in blamed["errors"]:
            error["extra_info"].pop("traceback", None)
            config = error["extra_info"].get("input_config") or []
            error["extra_info"]["input_config"] = [c for c in config if c != {"tooltip": ""}]
        blamed["errors"].sort(key=lambda error: (error["type"], error["details"]))
    for blamed in body["node_errors"].values():
        members = blamed["errors"][0]["extra_info"].get("cycle_nodes")
        if members:
            members.sort()
    return body


@pytest.mark.deep
@pytest.mark.parametrize("recorded", read("routes.jsonl"), ids=lambda r: r["path"])
def test_routes_answer_in_the_recorded_shapes(twin: DemoServer, recorded: dict[str, Any]) -> None:
    answer = httpx.get(twin.url + recorded["path"])
    assert answer.status_code == recorded["status"]
    assert answer.headers.get("content-type") == recorded["content_type"]
    if isinstance(recorded["response"], dict) and not recorded["path"].startswith(FREE_KEYS):
        assert set(answer.json()) == set(recorded["response"])
    if "models/" in recorded["path"] and recorded["status"] == 200 and recorded["response"]:
        assert answer.json() == recorded["response"]


def test_stats_have_the_recorded_keys(twin: DemoServer) -> None:
    recorded = next(r["response"] for r in read("routes.jsonl") if r["path"] == "/system_stats")
    stats = httpx.get(f"{twin.url}/system_stats").json()
    assert set(stats["system"]) == set(recorded["system"])
    assert set(stats["devices"][0]) == set(recorded["devices"][0])


def test_the_sampler_is_described_as_recorded(twin: DemoServer) -> None:
    recorded = next(
        r["response"] for r in read("routes.jsonl") if r["path"] == "/object_info/KSampler"
    )
    assert httpx.get(f"{twin.url}/object_info/KSampler").json() == recorded
