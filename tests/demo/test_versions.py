from __future__ import annotations

import httpx
import pytest

from comfygradio.demo.execution.options import parse_version
from tests.demo.prompt_run import node, only, post, run, text_graph, wait_for_history

from .conftest import Serve

pytestmark = pytest.mark.deep

OWN_ID = "9d6e791a-ba4a-422d-a8f7-da32d39de940"
FRAMES = {"extra_data": {"preview_method": "auto"}}


def test_versions_are_ordered() -> None:
    order = ["2024-01", "0.3.40", "0.3.64", "0.33.0"]
    assert sorted(order, key=parse_version) == order


def test_october_2025_has_no_jobs_and_no_preview_method(serve: Serve) -> None:
    server = serve(version="0.3.64")
    assert httpx.get(f"{server.url}/api/jobs").status_code == 404
    assert httpx.get(f"{server.url}/system_stats").json()["system"]["os"] == "posix"
    assert only(run(server, text_graph(), **FRAMES), "binary") == []
    answer = httpx.post(
        f"{server.url}/prompt", json={"prompt": {"1": {"class_type": "Nope", "inputs": {}}}}
    )
    assert answer.json()["error"]["type"] == "invalid_prompt"
    assert post(server, text_graph(), prompt_id="my-id") == "my-id"


def test_spring_2025_mints_its_ids_and_sends_no_progress_state(serve: Serve) -> None:
    server = serve(version="0.3.40")
    assert httpx.get(f"{server.url}/features").status_code == 404
    assert post(server, text_graph(), prompt_id=OWN_ID) != OWN_ID
    messages = run(server, text_graph(seed=2))
    assert only(messages, "progress_state") == []
    assert only(messages, "execution_success")


def test_early_2024_is_bare(serve: Serve) -> None:
    server = serve(version="2024-01")
    assert httpx.get(f"{server.url}/api/queue").status_code == 404
    assert httpx.get(f"{server.url}/models").status_code == 404
    assert "comfyui_version" not in httpx.get(f"{server.url}/system_stats").json()["system"]
    messages = run(server, text_graph())
    assert only(messages, "execution_success") == []
    assert set(only(messages, "executing")[0]) == {"node", "prompt_id"}
    refused = httpx.post(f"{server.url}/prompt", json={})
    assert (refused.status_code, refused.json()) == (400, {"error": "no prompt", "node_errors": []})


def test_early_2024_saves_its_history_without_meta(serve: Serve) -> None:
    server = serve(version="2024-01")
    prompt_id = post(server, text_graph())
    wait_for_history(server, prompt_id)
    assert set(httpx.get(f"{server.url}/history/{prompt_id}").json()[prompt_id]) == {
        "prompt",
        "outputs",
        "status",
    }


def test_october_2025_describes_video_without_dynamic_inputs(serve: Serve) -> None:
    server = serve(version="0.3.64")
    spec = httpx.get(f"{server.url}/object_info/SaveVideo").json()["SaveVideo"]
    assert spec["input"]["required"]["format"] == ["COMBO", spec["input"]["required"]["format"][1]]
    assert spec["output"] == []
    assert "SaveAudioAdvanced" not in httpx.get(f"{server.url}/object_info").json()
    graph = {
        "1": node("EmptyImage", width=16, height=16, batch_size=2, color=7),
        "2": node("CreateVideo", images=["1", 0], fps=5.0),
        "3": node("SaveVideo", video=["2", 0], filename_prefix="old", format="auto", codec="auto"),
        "4": node("EmptyAudio", duration=0.1, sample_rate=8000, channels=1),
        "5": node("SaveAudio", audio=["4", 0], filename_prefix="old"),
    }
    shown = {data["node"]: data["output"] for data in only(run(server, graph), "executed")}
    assert shown["3"]["images"][0]["filename"] == "old_00001_.mp4"
    assert shown["5"]["audio"][0]["filename"] == "old_00002_.flac"


def test_october_2025_checks_only_the_older_lists(serve: Serve) -> None:
    server = serve(version="0.3.64")
    graph = {
        "1": node("EmptyImage", width=16, height=16, batch_size=1, color=7),
        "2": node("ImageFlip", image=["1", 0], flip_method="sideways"),
        "3": node("PreviewImage", images=["2", 0]),
    }
    refused = httpx.post(f"{server.url}/prompt", json={"prompt": graph}).json()["node_errors"]["2"][
        "errors"
    ][0]
    assert refused["details"].startswith("flip_method: 'sideways' not in [")
    video = {"2": node("CreateVideo", images=["1", 0], fps=5.0), "1": graph["1"]}
    video["3"] = node(
        "SaveVideo", video=["2", 0], filename_prefix="old", format="nope", codec="auto"
    )
    assert httpx.post(f"{server.url}/prompt", json={"prompt": video}).status_code == 200
