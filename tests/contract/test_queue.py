from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.plain_client import Listener, PlainClient, only, plain_graph, types_of

pytestmark = pytest.mark.real

LONG = 400


@pytest.fixture
def busy(comfy: PlainClient) -> Iterator[tuple[Listener, str]]:
    """A socket and the prompt it watches, in the middle of its steps; interrupted at the end."""
    with comfy.listen() as listener:
        prompt_id = comfy.queue(comfy.text_graph(steps=LONG), listener.client_id)
        listener.until(lambda m: m["type"] == "progress" and m["data"]["prompt_id"] == prompt_id)
        yield listener, prompt_id
        comfy.http.post("/interrupt", json={"prompt_id": prompt_id})


def ids(items: list[Any]) -> list[str]:
    return [item[1] for item in items]


def test_an_interrupt_ends_the_prompt_it_names(
    comfy: PlainClient, busy: tuple[Listener, str]
) -> None:
    listener, prompt_id = busy
    answer = comfy.http.post("/interrupt", json={"prompt_id": prompt_id})
    assert (answer.status_code, answer.content) == (200, b"")
    messages = listener.until_end(prompt_id)
    assert types_of(messages, but=("progress_state", "progress", "binary"))[-2:] == [
        "execution_interrupted",
        "executing",
    ]
    told = only(messages, "execution_interrupted")[0]
    assert set(told) == {"prompt_id", "node_id", "node_type", "executed", "timestamp"}
    assert (told["node_id"], told["node_type"]) == ("3", "KSampler")
    status = comfy.entry(prompt_id)["status"]
    assert (status["status_str"], status["completed"]) == ("error", False)
    assert status["messages"][-1][0] == "execution_interrupted"


def test_an_interrupt_of_another_prompt_changes_nothing(
    comfy: PlainClient, busy: tuple[Listener, str]
) -> None:
    listener, prompt_id = busy
    assert comfy.http.post("/interrupt", json={"prompt_id": "other"}).status_code == 200
    messages = listener.until(lambda m: m["type"] == "progress")
    assert messages[-1]["data"]["prompt_id"] == prompt_id


@pytest.mark.parametrize("body", [b"", b"{}", b"zzz"])
def test_an_interrupt_without_a_name_stops_what_runs(
    comfy: PlainClient, busy: tuple[Listener, str], body: bytes
) -> None:
    listener, prompt_id = busy
    assert comfy.http.post("/interrupt", content=body).status_code == 200
    assert only(listener.until_end(prompt_id), "execution_interrupted")


def test_the_queue_tells_what_runs_and_waits(
    comfy: PlainClient, busy: tuple[Listener, str]
) -> None:
    listener, running = busy
    graph = plain_graph()
    waiting = comfy.queue(graph, listener.client_id)
    queue = comfy.http.get("/queue").json()
    assert running in ids(queue["queue_running"])
    item = next(item for item in queue["queue_pending"] if item[1] == waiting)
    assert item[2] == graph
    assert item[3]["client_id"] == listener.client_id
    assert item[4] == ["2"]
    assert comfy.http.get("/prompt").json()["exec_info"]["queue_remaining"] >= 2
    comfy.http.post("/queue", json={"delete": [waiting]})


def test_a_deleted_prompt_never_runs(comfy: PlainClient, busy: tuple[Listener, str]) -> None:
    listener, running = busy
    waiting = comfy.queue(plain_graph(), listener.client_id)
    answer = comfy.http.post("/queue", json={"delete": [waiting, "unknown", running]})
    assert (answer.status_code, answer.content) == (200, b"")
    queue = comfy.http.get("/queue").json()
    assert waiting not in ids(queue["queue_pending"])
    assert running in ids(queue["queue_running"])
    assert comfy.http.get(f"/history/{waiting}").json() == {}


def test_the_front_overtakes(comfy: PlainClient, busy: tuple[Listener, str]) -> None:
    listener, running = busy
    late = comfy.queue(plain_graph(), listener.client_id)
    early = comfy.queue(plain_graph(), listener.client_id, front=True)
    comfy.http.post("/interrupt", json={"prompt_id": running})
    listener.until_end(running)
    found = listener.until(lambda m: m["type"] == "execution_success")
    assert found[-1]["data"]["prompt_id"] == early
    listener.until_end(late)


def test_a_queue_post_needs_json(comfy: PlainClient) -> None:
    assert comfy.http.post("/queue").status_code == 500


def test_history_can_be_deleted(comfy: PlainClient) -> None:
    prompt_id, _ = comfy.run(plain_graph())
    assert comfy.http.post("/history", json={"delete": [prompt_id]}).status_code == 200
    assert comfy.http.get(f"/history/{prompt_id}").json() == {}


def test_history_can_be_limited(comfy: PlainClient) -> None:
    prompt_id, _ = comfy.run(plain_graph())
    assert list(comfy.http.get("/history", params={"max_items": 1}).json()) == [prompt_id]
    every = list(comfy.http.get("/history").json())
    oldest = comfy.http.get("/history", params={"max_items": 1, "offset": 0}).json()
    assert list(oldest) == every[:1]


def test_jobs_exist_below_api_only(comfy: PlainClient) -> None:
    assert comfy.http.get("/jobs").status_code == 404
    assert comfy.http.get("/api/jobs").status_code == (200 if comfy.since(0, 6) else 404)


def test_a_finished_job_is_told(comfy: PlainClient) -> None:
    if not comfy.since(0, 26):
        pytest.skip("no jobs API in this version")
    graph = plain_graph()
    prompt_id, messages = comfy.run(graph)
    job = comfy.http.get(f"/api/jobs/{prompt_id}").json()
    image = only(messages, "executed")[0]["output"]["images"][0]
    assert (job["id"], job["status"], job["outputs_count"]) == (prompt_id, "completed", 1)
    assert job["preview_output"] == {**image, "nodeId": "2", "mediaType": "images"}
    assert job["outputs"] == {"2": {"images": [image]}}
    assert job["workflow"]["prompt"] == graph
    listed = comfy.http.get("/api/jobs", params={"limit": 1, "status": "completed"}).json()
    assert set(listed["pagination"]) == {"offset", "limit", "total", "has_more"}
    assert listed["jobs"][0].items() <= job.items()


def test_a_running_job_can_be_cancelled_once(
    comfy: PlainClient, busy: tuple[Listener, str]
) -> None:
    if not comfy.since(0, 26):
        pytest.skip("no jobs API in this version")
    listener, prompt_id = busy
    assert comfy.http.get(f"/api/jobs/{prompt_id}").json()["status"] == "in_progress"
    assert comfy.http.post(f"/api/jobs/{prompt_id}/cancel").json() == {"cancelled": True}
    listener.until_end(prompt_id)
    assert comfy.http.get(f"/api/jobs/{prompt_id}").json()["status"] == "cancelled"
    assert comfy.http.post(f"/api/jobs/{prompt_id}/cancel").json() == {"cancelled": False}


def test_waiting_jobs_can_be_cancelled_together(
    comfy: PlainClient, busy: tuple[Listener, str]
) -> None:
    if not comfy.since(0, 26):
        pytest.skip("no jobs API in this version")
    listener, running = busy
    waiting = comfy.queue(plain_graph(), listener.client_id)
    answer = comfy.http.post("/api/jobs/cancel", json={"job_ids": [waiting, running]})
    assert answer.json() == {"cancelled": True}
    listener.until_end(running)
    assert comfy.http.get(f"/history/{waiting}").json() == {}


def test_bad_questions_about_jobs(comfy: PlainClient) -> None:
    if not comfy.since(0, 26):
        pytest.skip("no jobs API in this version")
    unknown = comfy.http.get(f"/api/jobs/{uuid.uuid4()}")
    assert (unknown.status_code, unknown.json()) == (404, {"error": "Job not found"})
    assert comfy.http.post(f"/api/jobs/{uuid.uuid4()}/cancel").json() == {"cancelled": False}
    for asked in (
        {"status": "nope"},
        {"limit": "x"},
        {"limit": "0"},
        {"sort_by": "x"},
        {"sort_order": "x"},
    ):
        answer = comfy.http.get("/api/jobs", params=asked)
        assert (answer.status_code, list(answer.json())) == (400, ["error"])
    bad = comfy.http.post("/api/jobs/cancel", json={"job_ids": ["x"]})
    assert (bad.status_code, bad.json()["invalid_ids"]) == (400, ["x"])
