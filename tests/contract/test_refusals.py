from __future__ import annotations

from typing import Any

import pytest

from tests.contract.plain_client import Graph, PlainClient, node, plain_graph

pytestmark = pytest.mark.real

TROUBLE = "500 Internal Server Error\n\nServer got itself in trouble"
BAD_VALUES = [
    ("4", "ckpt_name", "absent.safetensors", "value_not_in_list"),
    ("3", "sampler_name", "nope", "value_not_in_list"),
    ("3", "steps", 0, "value_smaller_than_min"),
    ("3", "steps", 20000, "value_bigger_than_max"),
    ("3", "seed", -1, "value_smaller_than_min"),
    ("3", "seed", 2**64, "value_bigger_than_max"),
    ("3", "steps", "abc", "invalid_input_type"),
    ("8", "samples", ["4", 1], "return_type_mismatch"),
    ("8", "samples", ["33", 0], "exception_during_inner_validation"),
    ("8", "samples", ["3", 7], "exception_during_inner_validation"),
    ("6", "text", ["x", "y"], "exception_during_inner_validation"),
    ("8", "samples", ["3", 0, 1], "bad_linked_input"),
]
EXTRA_KEYS = {
    "value_not_in_list": {"input_name", "input_config", "received_value"},
    "value_smaller_than_min": {"input_name", "input_config", "received_value"},
    "value_bigger_than_max": {"input_name", "input_config", "received_value"},
    "bad_linked_input": {"input_name", "input_config", "received_value"},
    "invalid_input_type": {"input_name", "input_config", "received_value", "exception_message"},
    "return_type_mismatch": {"input_name", "input_config", "received_type", "linked_node"},
    "exception_during_inner_validation": {
        "input_name",
        "input_config",
        "exception_message",
        "exception_type",
        "traceback",
        "linked_node",
    },
}


def refuse(comfy: PlainClient, graph: Any, **more: Any) -> dict[str, Any]:
    answer = comfy.post(graph, **more)
    assert answer.status_code == 400, answer.text
    body: dict[str, Any] = answer.json()
    assert set(body) == {"error", "node_errors"}
    assert set(body["error"]) == {"type", "message", "details", "extra_info"}
    return body


@pytest.mark.parametrize(("node_id", "name", "value", "kind"), BAD_VALUES)
def test_a_bad_value_is_blamed_on_its_node(
    comfy: PlainClient, node_id: str, name: str, value: Any, kind: str
) -> None:
    graph = comfy.text_graph()
    graph[node_id]["inputs"][name] = value
    body = refuse(comfy, graph)
    assert body["error"]["type"] == "prompt_outputs_failed_validation"
    assert list(body["node_errors"]) == [node_id]
    blamed = body["node_errors"][node_id]
    assert (blamed["class_type"], blamed["dependent_outputs"]) == (
        graph[node_id]["class_type"],
        ["9"],
    )
    error = blamed["errors"][0]
    assert error["type"] == kind
    assert set(error["extra_info"]) == EXTRA_KEYS[kind]


def test_long_lists_are_not_told(comfy: PlainClient) -> None:
    graph = comfy.text_graph()
    graph["3"]["inputs"]["sampler_name"] = "nope"
    error = refuse(comfy, graph)["node_errors"]["3"]["errors"][0]
    assert error["details"].startswith("sampler_name: 'nope' not in (list of length ")
    assert error["extra_info"]["input_config"] is None


def test_a_missing_input_is_named(comfy: PlainClient) -> None:
    graph = comfy.text_graph()
    del graph["6"]["inputs"]["text"]
    error = refuse(comfy, graph)["node_errors"]["6"]["errors"][0]
    assert error["type"] == "required_input_missing"
    assert (error["details"], error["extra_info"]) == ("text", {"input_name": "text"})


def test_errors_of_the_output_itself_stand_in_the_details(comfy: PlainClient) -> None:
    graph = plain_graph()
    del graph["2"]["inputs"]["filename_prefix"]
    assert refuse(comfy, graph)["error"]["details"] == "Required input is missing: filename_prefix"


def test_a_missing_image_file_is_refused(comfy: PlainClient) -> None:
    graph = {"1": node("LoadImage", image="nope.png"), "2": node("PreviewImage", images=["1", 0])}
    error = refuse(comfy, graph)["node_errors"]["1"]["errors"][0]
    assert error["type"] == "custom_validation_failed"
    assert error["details"] == "image - Invalid image file: nope.png"


def test_unknown_classes_refuse_the_whole_prompt(comfy: PlainClient) -> None:
    graph = plain_graph() | {"7": node("NoSuchNode")}
    error = refuse(comfy, graph)["error"]
    assert error["type"] == ("missing_node_type" if comfy.since(0, 12) else "invalid_prompt")
    assert error["details"] == "Node ID '#7'"
    if comfy.since(0, 12):
        assert set(error["extra_info"]) == {"node_id", "class_type", "node_title"}


def test_a_cycle_is_refused(comfy: PlainClient) -> None:
    graph = {"1": node("ImageInvert", image=["2", 0]), "2": node("ImageInvert", image=["1", 0])}
    body = refuse(comfy, graph | {"3": node("SaveImage", images=["1", 0], filename_prefix="x")})
    kinds = [error["type"] for blamed in body["node_errors"].values() for error in blamed["errors"]]
    assert kinds == (["dependency_cycle"] * 2 if comfy.since(0, 20) else [])


@pytest.mark.parametrize("graph", [{}, {"1": plain_graph()["1"]}])
def test_a_prompt_without_outputs_is_refused(comfy: PlainClient, graph: Graph) -> None:
    body = refuse(comfy, graph)
    assert (body["error"]["type"], body["node_errors"]) == ("prompt_no_outputs", {})


def test_unknown_partial_targets_leave_no_outputs(comfy: PlainClient) -> None:
    body = refuse(comfy, plain_graph(), partial_execution_targets=["77"])
    assert body["error"]["type"] == "prompt_no_outputs"


def test_a_node_without_inputs_is_refused(comfy: PlainClient) -> None:
    body = refuse(comfy, plain_graph() | {"2": {"class_type": "SaveImage"}})
    assert body["error"]["details"] == "Exception when validating node: 'inputs'"
    assert body["node_errors"]["2"]["errors"][0]["type"] == "exception_during_validation"


def test_a_body_without_prompt_is_refused(comfy: PlainClient) -> None:
    answer = comfy.http.post("/prompt", json={})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "no_prompt")


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"prompt": [1, 2]}', b'{"prompt": "x"}', b'{"prompt": null}']
)
def test_bodies_that_are_no_prompt_break_the_server(comfy: PlainClient, body: bytes) -> None:
    answer = comfy.http.post("/prompt", content=body)
    assert (answer.status_code, answer.text) == (500, TROUBLE)
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_number_that_is_none_breaks_the_server(comfy: PlainClient) -> None:
    assert comfy.post(plain_graph(), number="abc").status_code == 500


@pytest.mark.parametrize(
    "prompt_id",
    ["my-id", "f460923d3da740fbbce34e70b75621c6", "9D6E791A-BA4A-422D-A8F7-DA32D39DE940"],
)
def test_prompt_ids_must_be_canonical_uuids(comfy: PlainClient, prompt_id: str) -> None:
    if comfy.since(0, 25):
        assert (
            refuse(comfy, plain_graph(), prompt_id=prompt_id)["error"]["type"]
            == "invalid_prompt_id"
        )
    else:
        assert comfy.post(plain_graph(), prompt_id=prompt_id).json()["prompt_id"] == prompt_id


def test_one_good_output_is_enough(comfy: PlainClient) -> None:
    graph = plain_graph() | {"21": node("LoadImage", image="absent.png")}
    graph["20"] = node("SaveImage", images=["21", 0], filename_prefix="x")
    answer = comfy.post(graph)
    assert answer.status_code == 200
    assert answer.json()["node_errors"]["21"]["dependent_outputs"] == ["20"]


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1"])
def test_other_origins_are_forbidden(comfy: PlainClient, origin: str) -> None:
    answer = comfy.http.get("/queue", headers={"Origin": origin})
    assert (answer.status_code, answer.content) == (403, b"")


def test_the_own_origin_is_welcome(comfy: PlainClient) -> None:
    assert comfy.http.get("/queue", headers={"Origin": comfy.url}).status_code == 200


def test_cross_site_requests_are_forbidden(comfy: PlainClient) -> None:
    answer = comfy.http.get("/queue", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == (403 if comfy.since(0, 19) else 200)


@pytest.mark.parametrize("path", ["/nope", "/api/nope", "/interrupt", "/upload/image"])
def test_get_of_an_unknown_path_is_an_empty_404(comfy: PlainClient, path: str) -> None:
    answer = comfy.http.get(path)
    assert (answer.status_code, answer.content) == (404, b"")
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("path", ["/nope", "/view", "/object_info"])
def test_post_to_an_unknown_path_is_not_allowed(comfy: PlainClient, path: str) -> None:
    answer = comfy.http.post(path)
    assert (answer.status_code, answer.text) == (405, "405: Method Not Allowed")
