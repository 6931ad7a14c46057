from __future__ import annotations

import httpx

from comfygradio.demo.options import parse_version

from .conftest import Serve
from .watching import only, post, run, text_graph, wait_for_history

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
    answer = httpx.post(f"{server.url}/prompt", json={"prompt": {"1": {"class_type": "Nope", "inputs": {}}}})
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
    assert set(httpx.get(f"{server.url}/history/{prompt_id}").json()[prompt_id]) == {"prompt", "outputs", "status"}
