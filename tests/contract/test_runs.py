from __future__ import annotations

import io
import json
import random
import uuid

import pytest
from PIL import Image, PngImagePlugin

from tests.contract.plain_client import PlainClient, node, only, plain_graph, types_of

pytestmark = pytest.mark.real


def test_a_first_run_tells_each_node_and_step_in_order(comfy: PlainClient) -> None:
    graph = comfy.text_graph(steps=3)
    graph["6"]["inputs"]["text"] = f"a cat {random.random()}"
    _, messages = comfy.run(graph, extra_data={"preview_method": "none"})
    kinds = types_of(messages, but=("progress_state", "binary"))
    nodes = [data["node"] for data in only(messages, "executing")]
    assert kinds[:2] == ["execution_start", "execution_cached"]
    assert kinds[-3:] == ["executed", "execution_success", "executing"]
    assert nodes[-4:] == ["3", "8", "9", None]
    steps = [(data["value"], data["max"]) for data in only(messages, "progress")]
    assert steps[0] == (1, 3) and steps[-1] == (3, 3), (
        "v0.33.0 leaves out steps less than 100 ms apart"
    )
    assert steps == sorted(set(steps))
    assert set(only(messages, "execution_start")[0]) == {"prompt_id", "timestamp"}
    assert set(only(messages, "execution_cached")[0]) == {"nodes", "prompt_id", "timestamp"}
    assert set(only(messages, "executing")[0]) == {"node", "display_node", "prompt_id"}
    assert set(only(messages, "executing")[-1]) == {"node", "prompt_id"}
    assert set(only(messages, "progress")[0]) == {"value", "max", "prompt_id", "node"}
    assert set(only(messages, "executed")[0]) == {"node", "display_node", "output", "prompt_id"}


def test_progress_state_holds_all_nodes_that_have_started(comfy: PlainClient) -> None:
    _, messages = comfy.run(comfy.text_graph(steps=2))
    states = only(messages, "progress_state")
    keys = {
        "value",
        "max",
        "state",
        "node_id",
        "prompt_id",
        "display_node_id",
        "parent_node_id",
        "real_node_id",
    }
    assert all(set(entry) == keys for state in states for entry in state["nodes"].values())
    assert {entry["state"] for entry in states[-1]["nodes"].values()} == {"finished"}
    assert (states[-1]["nodes"]["3"]["value"], states[-1]["nodes"]["3"]["max"]) == (2, 2)


def test_the_same_prompt_again_only_repeats_its_outputs(comfy: PlainClient) -> None:
    graph = comfy.text_graph()
    _, first = comfy.run(graph)
    _, again = comfy.run(graph)
    assert types_of(again) == [
        "execution_start",
        "execution_cached",
        "executed",
        "execution_success",
        "executing",
    ]
    assert set(only(again, "execution_cached")[0]["nodes"]) == set(graph)
    assert only(again, "executed")[0]["output"] == only(first, "executed")[0]["output"]


def test_another_seed_runs_the_sampler_and_what_follows(comfy: PlainClient) -> None:
    comfy.run(comfy.text_graph())
    _, messages = comfy.run(comfy.text_graph())
    assert set(only(messages, "execution_cached")[0]["nodes"]) == {"4", "5", "6", "7"}
    assert [data["node"] for data in only(messages, "executing")] == ["3", "8", "9", None]


def test_the_cache_keeps_only_the_newest_prompt(comfy: PlainClient) -> None:
    graph = plain_graph()
    comfy.run(graph)
    comfy.run(plain_graph())
    _, messages = comfy.run(graph)
    assert only(messages, "execution_cached")[0]["nodes"] == []


def test_renamed_nodes_are_still_cached(comfy: PlainClient) -> None:
    graph = plain_graph()
    comfy.run(graph)
    renamed = {
        "71": graph["1"],
        "72": node("SaveImage", filename_prefix="contract", images=["71", 0]),
    }
    _, messages = comfy.run(renamed)
    assert set(only(messages, "execution_cached")[0]["nodes"]) == {"71", "72"}


def test_equal_output_nodes_run_once_and_name_one_file(comfy: PlainClient) -> None:
    graph = plain_graph()
    graph["3"] = graph["2"]
    _, messages = comfy.run(graph)
    first, second = (data["output"] for data in only(messages, "executed"))
    assert first == second
    assert len([data for data in only(messages, "executing") if data["node"] in ("2", "3")]) == 1


def test_a_batch_gives_numbered_files(comfy: PlainClient) -> None:
    _, messages = comfy.run(comfy.text_graph(batch=2))
    images = only(messages, "executed")[0]["output"]["images"]
    numbers = [int(image["filename"].split("_")[1]) for image in images]
    assert numbers[1] == numbers[0] + 1
    assert all(image["filename"].endswith("_.png") for image in images)
    assert {(image["subfolder"], image["type"]) for image in images} == {("", "output")}


def test_the_history_holds_prompt_outputs_status_and_meta(comfy: PlainClient) -> None:
    graph = plain_graph()
    prompt_id, messages = comfy.run(graph)
    entry = comfy.entry(prompt_id)
    assert set(entry) == {"prompt", "outputs", "status", "meta"}
    assert entry["prompt"][1:3] == [prompt_id, graph]
    assert entry["prompt"][4] == ["2"]
    assert entry["outputs"] == {"2": only(messages, "executed")[0]["output"]}
    assert (entry["status"]["status_str"], entry["status"]["completed"]) == ("success", True)
    kinds = [kind for kind, _ in entry["status"]["messages"]]
    assert kinds == ["execution_start", "execution_cached", "execution_success"]
    assert set(entry["meta"]["2"]) == {"node_id", "display_node", "parent_node", "real_node_id"}


def test_png_files_hold_the_prompt_and_every_extra_key(comfy: PlainClient) -> None:
    graph = plain_graph()
    extra = {"workflow": {"x": 1}, "comfygradio": {"preset": "ü"}}
    _, messages = comfy.run(graph, extra_data={"extra_pnginfo": extra})
    image = only(messages, "executed")[0]["output"]["images"][0]
    with Image.open(io.BytesIO(comfy.http.get("/view", params=image).content)) as picture:
        assert isinstance(picture, PngImagePlugin.PngImageFile)
        assert picture.size == (32, 32)
        assert {key: json.loads(value) for key, value in picture.text.items()} == {
            "prompt": graph,
            **extra,
        }


def test_prefixes_may_name_folders_and_sizes(comfy: PlainClient) -> None:
    graph = plain_graph()
    graph["2"]["inputs"]["filename_prefix"] = "contract/deep/%width%x%height%"
    _, messages = comfy.run(graph)
    image = only(messages, "executed")[0]["output"]["images"][0]
    assert image["subfolder"] == "contract/deep"
    assert image["filename"].startswith("32x32_")


def test_previews_are_temporary(comfy: PlainClient) -> None:
    graph = plain_graph()
    graph["2"] = node("PreviewImage", images=["1", 0])
    _, messages = comfy.run(graph)
    image = only(messages, "executed")[0]["output"]["images"][0]
    assert image["type"] == "temp"
    assert image["filename"].startswith("ComfyUI_temp_")
    assert comfy.http.get("/view", params=image).status_code == 200


def test_texts_are_shown_without_files(comfy: PlainClient) -> None:
    graph = {
        "1": node("PrimitiveInt", value=random.getrandbits(30)),
        "2": node("PreviewAny", source=["1", 0]),
    }
    prompt_id, messages = comfy.run(graph)
    shown = {"text": [str(graph["1"]["inputs"]["value"])]}
    assert only(messages, "executed")[0]["output"] == shown
    assert comfy.entry(prompt_id)["outputs"] == {"2": shown}


def test_an_own_prompt_id_is_kept(comfy: PlainClient) -> None:
    prompt_id = str(uuid.uuid4())
    answer = comfy.post(plain_graph(), "nobody", prompt_id=prompt_id)
    assert answer.json()["prompt_id"] == prompt_id
    assert set(answer.json()) == {"prompt_id", "number", "node_errors"}


def test_numbers_count_up_and_front_makes_them_negative(comfy: PlainClient) -> None:
    first = comfy.post(plain_graph()).json()["number"]
    assert comfy.post(plain_graph()).json()["number"] > first
    assert comfy.post(plain_graph(), front=True).json()["number"] < 0
    assert comfy.post(plain_graph(), number=-3).json()["number"] == -3.0


def test_partial_targets_run_alone(comfy: PlainClient) -> None:
    graph = plain_graph() | {"5": node("PreviewImage", images=["1", 0])}
    prompt_id, messages = comfy.run(graph, partial_execution_targets=["5"])
    assert [data["node"] for data in only(messages, "executed")] == ["5"]
    assert comfy.entry(prompt_id)["prompt"][4] == ["5"]


def test_values_are_converted_before_they_run(comfy: PlainClient) -> None:
    graph = plain_graph()
    graph["1"]["inputs"] |= {"width": "40", "height": 24.7, "unknown": 1}
    prompt_id, messages = comfy.run(graph)
    image = only(messages, "executed")[0]["output"]["images"][0]
    with Image.open(io.BytesIO(comfy.http.get("/view", params=image).content)) as picture:
        assert picture.size == (40, 24)
    assert comfy.entry(prompt_id)["prompt"][2]["1"]["inputs"]["width"] == 40


def test_latents_are_cut_to_multiples_of_eight(comfy: PlainClient) -> None:
    _, messages = comfy.run(comfy.text_graph(size=100, steps=1))
    image = only(messages, "executed")[0]["output"]["images"][0]
    with Image.open(io.BytesIO(comfy.http.get("/view", params=image).content)) as picture:
        assert picture.size == (96, 96)
