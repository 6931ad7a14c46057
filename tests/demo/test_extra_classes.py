from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from comfygradio.demo import DemoOptions, DemoServer
from tests.demo.prompt_run import node, only, run, text_graph

from .conftest import Serve

STRANGE: dict[str, Any] = {
    "input": {
        "required": {
            "text": ["STRING", {"multiline": True}],
            "mode": ["COMBO", {"options": ["@loras", 2, True]}],
            "old": [["a", "b"]],
            "number": ["INT,FLOAT", {"min": 0, "max": 9}],
        },
        "optional": {
            "tags": ["COMBO", {"options": ["x", "y"], "multiselect": True}],
            "file": [["only.wav"], {"audio_upload": True}],
        },
        "hidden": {"prompt": "PROMPT"},
    },
    "output": ["IMAGE"],
    "name": "Strange",
    "display_name": None,
    "search_aliases": None,
    "output_node": False,
}
BARE: dict[str, Any] = {
    "input": {"required": None},
    "output": None,
    "name": "Bare",
    "output_node": True,
}
GOOD = {"text": "t", "mode": "@loras", "old": "a", "number": 2.5}
WRONG: list[tuple[str, Any, str, str]] = [
    ("mode", "2", "value_not_in_list", "mode: '2' not in ['@loras', 2, True]"),
    ("old", "c", "value_not_in_list", "old: 'c' not in ['a', 'b']"),
    ("number", 10, "value_bigger_than_max", "number"),
    (
        "number",
        ["9", 0],
        "return_type_mismatch",
        "number, received_type(IMAGE) mismatch input_type(INT,FLOAT)",
    ),
    ("tags", {"__value__": ["x", "z", 3]}, "value_not_in_list", "tags: 'z', 3 not in ['x', 'y']"),
    ("tags", "z", "value_not_in_list", "tags: 'z' not in ['x', 'y']"),
    ("file", "only.wav", "custom_validation_failed", "file - Invalid audio file: only.wav"),
]


@pytest.fixture
def learned(serve: Serve, tmp_path: Path) -> DemoServer:
    """A server that has learned two classes, and an own one told differently."""
    file = tmp_path / "classes.json"
    own = {"KSampler": {**STRANGE, "name": "KSampler"}}
    file.write_text(json.dumps({"Strange": STRANGE, "Bare": BARE, **own}), encoding="utf-8")
    return serve(extra_classes=file)


def strange_graph(**changes: Any) -> dict[str, Any]:
    return {
        "1": node("Strange", **{**GOOD, **changes}),
        "2": node("PreviewImage", images=["1", 0]),
        "9": node("EmptyImage", width=8, height=8, batch_size=1, color=0),
    }


def test_classes_are_listed_to_the_letter_and_own_ones_stay(learned: DemoServer) -> None:
    listed = httpx.get(f"{learned.url}/object_info").json()
    assert (listed["Strange"], listed["Bare"]) == (STRANGE, BARE)
    assert httpx.get(f"{learned.url}/object_info/Strange").json() == {"Strange": STRANGE}
    assert "sampler_name" in listed["KSampler"]["input"]["required"]


@pytest.mark.parametrize(("name", "value", "kind", "details"), WRONG)
def test_wrong_values_are_refused(
    learned: DemoServer, name: str, value: Any, kind: str, details: str
) -> None:
    answer = httpx.post(f"{learned.url}/prompt", json={"prompt": strange_graph(**{name: value})})
    assert answer.status_code == 400
    error = answer.json()["node_errors"]["1"]["errors"][0]
    assert (error["type"], error["details"]) == (kind, details)


@pytest.mark.parametrize(
    "changes", [{}, {"mode": 2}, {"tags": {"__value__": ["x", "y"]}}, {"tags": {"__value__": []}}]
)
def test_good_values_pass_and_the_run_ends_in_an_error(
    learned: DemoServer, changes: dict[str, Any]
) -> None:
    messages = run(learned, strange_graph(**changes))
    error = only(messages, "execution_error")[0]
    assert (error["node_id"], error["node_type"]) == ("1", "Strange")
    assert error["exception_message"] == "the demo server can only check this node, not run it\n"
    assert only(messages, "execution_success") == []
    assert messages[-1]["data"]["node"] is None


def test_a_class_without_inputs_and_outputs_is_an_output_node(learned: DemoServer) -> None:
    assert only(run(learned, {"1": node("Bare")}), "execution_error")[0]["node_id"] == "1"


def test_a_list_that_two_outputs_share_is_judged_once(learned: DemoServer) -> None:
    """Unwrapped in place by the first output, it would look like a bad link to the second."""
    graph = strange_graph(tags={"__value__": ["x", "y"]})
    graph["3"] = node("PreviewImage", images=["1", 0])
    answer = httpx.post(f"{learned.url}/prompt", json={"prompt": graph})
    assert (answer.status_code, answer.json()["node_errors"]) == (200, {})


def test_missing_classes_are_not_learned_again(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "classes.json").write_text(
        json.dumps({"Strange": STRANGE, "KSampler": STRANGE}), encoding="utf-8"
    )
    server = serve(
        extra_classes=str(tmp_path / "classes.json"), missing_classes=("Strange", "KSampler")
    )
    assert not {"Strange", "KSampler"} & set(httpx.get(f"{server.url}/object_info").json())


@pytest.mark.parametrize("text", ["[1]", '{"A": 3}', "{"])
def test_a_file_that_is_no_class_list_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "classes.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError):
        DemoServer(DemoOptions(extra_classes=tmp_path / "classes.json"), folder=tmp_path).start()


def test_long_lists_stay_quick(serve: Serve) -> None:
    names = tuple(f"folder {number % 50}/model-{number:05}.safetensors" for number in range(20_000))
    server = serve(checkpoints=names)
    graph = text_graph()
    graph["4"]["inputs"]["ckpt_name"] = names[-1]
    with httpx.Client(base_url=server.url) as http:
        spent, listed = quickest(lambda: http.get("/object_info/CheckpointLoaderSimple"))
        assert spent < 1
        assert (
            len(listed.json()["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0])
            == 20_000
        )
        spent, queued = quickest(lambda: http.post("/prompt", json={"prompt": graph}))
        assert (spent < 1, queued.status_code) == (True, 200)


def quickest(ask: Callable[[], httpx.Response]) -> tuple[float, httpx.Response]:
    """Seconds of the best of many tries, since others use this machine too, and the last answer."""
    times: list[float] = []
    while not times or (min(times) >= 1 and len(times) < 50):
        start = time.perf_counter()
        answer = ask()
        times.append(time.perf_counter() - start)
    return min(times), answer
