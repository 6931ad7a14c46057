from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.contract.plain_client import PlainClient, node, only, plain_graph, types_of

pytestmark = pytest.mark.real

KEYS = {
    "prompt_id",
    "node_id",
    "node_type",
    "executed",
    "exception_message",
    "exception_type",
    "traceback",
    "current_inputs",
    "current_outputs",
    "timestamp",
}


def fail(comfy: PlainClient, graph: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The error told and the history of a graph that fails while it runs."""
    prompt_id, messages = comfy.run(graph)
    assert types_of(messages, but=("progress_state", "binary"))[-2:] == [
        "execution_error",
        "executing",
    ]
    error: dict[str, Any] = only(messages, "execution_error")[0]
    assert set(error) == KEYS
    entry = comfy.entry(prompt_id)
    assert (entry["status"]["status_str"], entry["status"]["completed"]) == ("error", False)
    assert entry["status"]["messages"][-1] == ["execution_error", error]
    return error, entry


def test_saving_outside_the_output_folder_fails(comfy: PlainClient) -> None:
    graph = plain_graph()
    graph["2"]["inputs"]["filename_prefix"] = "../../evil"
    error, _ = fail(comfy, graph)
    assert (error["node_id"], error["node_type"], error["exception_type"]) == (
        "2",
        "SaveImage",
        "Exception",
    )
    assert error["executed"] == ["1"]
    assert error["exception_message"].endswith("\n")
    assert error["current_inputs"]["filename_prefix"] == ["../../evil"]
    assert set(error["current_outputs"]) == (
        {"1", "2"} if comfy.since(0, 4) else set(error["current_outputs"])
    )


def test_a_text_in_the_place_of_a_link_fails(comfy: PlainClient) -> None:
    graph = comfy.text_graph(steps=1)
    graph["8"]["inputs"]["samples"] = "hello"
    error, _ = fail(comfy, graph)
    assert (error["node_id"], error["exception_type"]) == ("8", "TypeError")


def test_outputs_made_before_the_failure_are_kept(comfy: PlainClient) -> None:
    graph = plain_graph()
    graph["5"] = node("ImageInvert", image=["2", 0] if comfy.since(0, 33) else ["1", 0])
    graph["6"] = node("SaveImage", images=["5", 0], filename_prefix="../../evil")
    error, entry = fail(comfy, graph)
    assert error["node_id"] == "6"
    if comfy.since(0, 33):
        assert list(entry["outputs"]) == ["2"]


def test_the_next_prompt_runs_after_a_failure(comfy: PlainClient) -> None:
    graph = plain_graph()
    graph["2"]["inputs"]["filename_prefix"] = f"../../{uuid.uuid4().hex}"
    fail(comfy, graph)
    _, messages = comfy.run(plain_graph())
    assert only(messages, "execution_success")
