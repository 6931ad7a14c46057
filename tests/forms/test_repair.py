"""Repairs that a form makes to a stored workflow by itself, and its notes on them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from comfygradio.binding.repair import repair_workflow
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.errors import WorkflowError
from comfygradio.forms.form import Form

from .preset_folder import RESIZE, WORKFLOW, PresetFolder, change_workflow, load_object_info

LONG = "{slot: {node: '%s', class: %s, title: %s, input: text}}"


def change_info(class_type: str, required: dict[str, Any]) -> ObjectInfo:
    """The new server's classes with inputs of one class added or changed."""
    data = copy.deepcopy(load_object_info("v0.33.0"))
    data[class_type]["input"]["required"].update(required)
    return ObjectInfo.from_json(data)


def renumber(names: dict[str, str]) -> dict[str, Any]:
    """The test workflow with other ids, links and order included."""
    moved = {}
    for key, node in WORKFLOW.items():
        inputs = {
            name: [names.get(value[0], value[0]), value[1]] if isinstance(value, list) else value
            for name, value in node["inputs"].items()
        }
        moved[names.get(key, key)] = {**node, "inputs": inputs}
    return dict(sorted(moved.items()))


def repair(flow: Any, info: ObjectInfo) -> tuple[Workflow, tuple[str, ...]]:
    return repair_workflow(Workflow.from_json(flow), info)


@pytest.mark.parametrize(
    ("names", "node", "note"),
    [
        ({}, "6", None),
        (
            {"6": "7", "7": "6"},
            "7",
            "node 6 is node 7 (Positive) in this workflow; it was found by its title and class.",
        ),
        (
            {"6": "3", "3": "6"},
            "3",
            "node 6 is node 3 (Positive) in this workflow; it was found by its title and class.",
        ),
        (
            {"6": "106"},
            "106",
            "node 6 is node 106 (Positive) in this workflow; it was found by its title and class.",
        ),
        (
            {"6": "57:8"},
            "57:8",
            "node 6 is node 57:8 (Positive) in this workflow; it was found by its title and class.",
        ),
    ],
)
def test_slots_are_found_again_after_renumbering(
    presets: PresetFolder, info: ObjectInfo, names: dict[str, str], node: str, note: str | None
) -> None:
    form = presets.bind(f"f: {LONG % ('6', 'CLIPTextEncode', 'Positive')}", info, renumber(names))
    assert form.problems == ()
    assert [slot.node_id for slot in form.fields["f"].all_slots] == [node]
    assert form.notes == (() if note is None else (f"F: {note}",))
    assert form.fill({"f": "a fox"}).graph[node]["inputs"]["text"] == "a fox"


def test_a_node_that_lost_its_title_is_found_by_its_class(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    form = presets.bind("f: {slot: {node: '99', class: KSampler, title: Gone, input: steps}}", info)
    assert form.problems == () and "it was found by its class." in form.notes[0]


def test_two_nodes_that_might_be_meant_are_a_problem(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    text = presets.problem(LONG % ("99", "CLIPTextEncode", "Gone"), info)
    assert (
        "no node fits the slot (node 99, class CLIPTextEncode, title Gone); the workflow has 4 ("
        in text
    )


def test_nodes_without_titles_are_told_apart_by_their_ids(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    bare = {key: {**node, "_meta": {}} for key, node in WORKFLOW.items()}
    form = presets.bind("f: {slot: {node: '7', class: CLIPTextEncode, input: text}}", info, bare)
    assert form.notes == () and form.fields["f"].default == "blurry"


def test_gained_inputs_get_the_servers_default() -> None:
    info = change_info(
        "KSampler",
        {
            "sharpness": ["FLOAT", {"default": 2.5}],
            "order": [["first", "second"], {}],
            "flag": ["BOOLEAN", {"default": False}],
            "tags": ["COMBO", {"options": ["a", "b"], "multiselect": True, "default": ["b"]}],
        },
    )
    repaired, notes = repair(WORKFLOW, info)
    inputs = repaired.nodes["3"].inputs
    assert (inputs["sharpness"], inputs["order"], inputs["flag"]) == (2.5, "first", False)
    assert inputs["tags"] == {"__value__": ["b"]}
    assert (
        notes[0]
        == "KSampler has a new input sharpness on this ComfyUI; it gets the server's default, 2.5."
    )
    assert len(notes) == 4 and repair(WORKFLOW, info)[0] == repaired


def test_gained_inputs_of_a_dynamic_combo() -> None:
    inner = {
        "key": "on",
        "inputs": {"required": {"much": ["INT", {"default": 3}], "how": [["x", "y"]]}},
    }
    mode = {
        "options": [
            {
                "key": "deep",
                "inputs": {"required": {"in": ["COMFY_DYNAMICCOMBO_V3", {"options": [inner]}]}},
            }
        ]
    }
    repaired, notes = repair(
        WORKFLOW, change_info("KSampler", {"mode": ["COMFY_DYNAMICCOMBO_V3", mode]})
    )
    inputs = repaired.nodes["3"].inputs
    assert [inputs[name] for name in ("mode", "mode.in", "mode.in.much", "mode.in.how")] == [
        "deep",
        "on",
        3,
        "x",
    ]
    assert len(notes) == 4


def test_a_choice_of_a_dynamic_combo_that_lacks_its_inputs(new_info: ObjectInfo) -> None:
    resize = {
        "class_type": RESIZE["class_type"],
        "inputs": {"input": ["8", 0], "resize_type": "scale by multiplier"},
    }
    flow = change_workflow(
        n20=resize, n21={"class_type": "PreviewImage", "inputs": {"images": ["20", 0]}}
    )
    repaired, notes = repair(flow, new_info)
    assert repaired.nodes["20"].inputs["resize_type.multiplier"] == 1.0
    assert any("has a new input resize_type.multiplier" in note for note in notes)


@pytest.mark.parametrize(
    "spec",
    [
        ["STRING", {}],
        ["INT", {"default": 50, "max": 9}],
        ["IMAGE", {}],
        ["STRING", {"default": "x", "forceInput": True}],
        [[], {}],
        [["a.png"], {"image_upload": True}],
    ],
)
def test_what_nothing_can_fill_is_a_problem(presets: PresetFolder, spec: list[Any]) -> None:
    info = change_info("KSampler", {"extra": spec})
    assert repair(WORKFLOW, info)[1] == ()
    text = presets.problem("{slot: 3.steps}", info)
    assert text.startswith(
        ("KSampler lacks a value for extra", f"KSampler needs a {spec[0]} for extra")
    )
    kinds = [problem.kind for problem in presets.bind("f: {slot: 3.steps}", info).problems]
    assert kinds == ["missing_input"]


def test_a_field_may_fill_a_gained_input(presets: PresetFolder) -> None:
    info = change_info("KSampler", {"extra": ["STRING", {}]})
    form = presets.bind("f: {slot: 3.extra}", info)
    assert form.problems == () and form.fill({"f": "x"}).graph["3"]["inputs"]["extra"] == "x"
    form = presets.bind("f: {slot: 3.extra, fixed: x}", info)
    assert form.problems == () and form.fill({}).graph["3"]["inputs"]["extra"] == "x"


@pytest.mark.parametrize(
    ("listed", "own", "found"),
    [
        (["sdxl/a.safetensors", "b.safetensors"], "sdxl\\a.safetensors", "sdxl/a.safetensors"),
        (["sdxl\\a.safetensors"], "sdxl/a.safetensors", "sdxl\\a.safetensors"),
        (["SDXL/A.safetensors"], "sdxl/a.safetensors", "SDXL/A.safetensors"),
        (["models/sdxl/a.safetensors"], "a.safetensors", "models/sdxl/a.safetensors"),
        (["a.safetensors"], "old\\A.safetensors", "a.safetensors"),
        (["x/a.safetensors", "y/a.safetensors"], "a.safetensors", None),
        (["x/a.safetensors", "y/a.safetensors"], "y\\a.safetensors", "y/a.safetensors"),
        (["A.safetensors", "a.safetensors"], "b/a.safetensors", None),
        (["a.ckpt"], "a.safetensors", None),
    ],
)
def test_names_are_spelled_as_the_server_does(
    presets: PresetFolder, listed: list[str], own: str, found: str | None
) -> None:
    info = change_info("CheckpointLoaderSimple", {"ckpt_name": [listed, {}]})
    flow = change_workflow(
        n4={"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": own}}
    )
    repaired, notes = repair(flow, info)
    assert repaired.nodes["4"].inputs["ckpt_name"] == (own if found is None else found)
    assert notes == (
        ()
        if found is None
        else (f"CheckpointLoaderSimple: {own} is called {found} on this ComfyUI.",)
    )
    form = presets.bind("f: {slot: 4.ckpt_name}", info, flow)
    assert form.problems == () and form.fields["f"].default == (found or listed[0])
    assert len(form.notes) == 1


def test_names_in_a_multiselect_are_spelled_too() -> None:
    info = change_info(
        "KSampler", {"tags": ["COMBO", {"options": ["A/x.pt", "b"], "multiselect": True}]}
    )
    flow = change_workflow()
    flow["3"]["inputs"]["tags"] = {"__value__": ["x.pt", "b", 7]}
    repaired, notes = repair(flow, info)
    assert (
        repaired.nodes["3"].inputs["tags"] == {"__value__": ["A/x.pt", "b", 7]} and len(notes) == 1
    )


def test_fractions_are_no_folders() -> None:
    info = change_info("KSampler", {"ratio": [["1/4", "1/2"], {}]})
    flow = change_workflow()
    flow["3"]["inputs"]["ratio"] = "3/4"
    assert repair(flow, info)[0].nodes["3"].inputs["ratio"] == "3/4"


def test_what_the_server_wrote_into_a_picture_is_left_out(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    flow = change_workflow()
    flow["4"] |= {"is_changed": ["abc"], "_loop_body": ["3"], "_loop_end": "9"}
    form = presets.bind("f: {slot: 3.steps}", info, flow)
    assert form.notes == (
        "Node 4 carried is_changed, _loop_body, _loop_end from an earlier run; that was left out.",
    )
    assert set(form.fill({}).graph["4"]) == {"class_type", "inputs", "_meta"}


def test_only_what_the_outputs_need_is_repaired() -> None:
    info = change_info("LoadImage", {"extra": ["INT", {"default": 1}]})
    assert repair(WORKFLOW, info)[1] == ()


def test_repairing_a_repaired_workflow_changes_nothing(info: ObjectInfo) -> None:
    flow = change_workflow(
        n4={"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "x/TINY-A.safetensors"}}
    )
    repaired, notes = repair(flow, info)
    assert notes and repair_workflow(repaired, info) == (repaired, ())


def test_a_form_says_what_was_repaired(presets: PresetFolder, info: ObjectInfo) -> None:
    flow = change_workflow(
        n4={"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "x/TINY-A.safetensors"}}
    )
    form: Form = presets.bind("f: {slot: 3.steps}", info, flow)
    assert form.notes == (
        "CheckpointLoaderSimple: x/TINY-A.safetensors is called tiny-a.safetensors on this "
        "ComfyUI.",
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([4, 0], ["4", 0]),
        (["4", 0.0], ["4", 0]),
        ({"__value__": [4, 0]}, {"__value__": [4, 0]}),
        ([1, 2, 3], [1, 2, 3]),
        (["4", True], ["4", True]),
        ("\ud83d", "?"),
        ({"a\udc00": ["\ud800"]}, {"a?": ["?"]}),
    ],
)
def test_odd_json_is_tidied(value: Any, expected: Any) -> None:
    assert (
        Workflow.from_json({"1": {"class_type": "A", "inputs": {"x": value}}})
        .nodes["1"]
        .inputs["x"]
        == expected
    )


def test_nesting_without_end_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(WorkflowError, match="This workflow is nested too deeply, in node 1"):
        Workflow.from_json({"1": {"class_type": "A", "inputs": {"x": deep}}})


def make_latent(batch_size: Any) -> dict[str, Any]:
    """Node 5 with another number of pictures."""
    inputs = {**WORKFLOW["5"]["inputs"], "batch_size": batch_size}
    return {**WORKFLOW["5"], "inputs": inputs}


@pytest.mark.parametrize(
    ("listed", "stored", "taken", "note"),
    [
        ([5, 10, 15], "10", 10, "is the text 10 in the workflow; this ComfyUI lists the number 10"),
        ([0.5, 1.0], " 0.50 ", 0.5, "is the text 0.50 in the workflow"),
        ([2**63, 2**63 + 1], str(2**63 + 1), 2**63 + 1, f"lists the number {2**63 + 1}"),
        (["5", "10"], 10, "10", "is the number 10 in the workflow; this ComfyUI lists the text 10"),
        (["0.5", "1"], 1.0, "1", "lists the text 1, which is taken."),
        ([5, 10], 10, 10, ""),
        (["5", "10"], "10", "10", ""),
    ],
)
def test_a_number_that_is_stored_as_a_text_is_the_number_of_the_list(
    presets: PresetFolder, listed: list[Any], stored: Any, taken: Any, note: str
) -> None:
    """ComfyUI would refuse it; what is posted is what its list has."""
    info = change_info("EmptyLatentImage", {"batch_size": [listed, {}]})
    flow = change_workflow(n5=make_latent(stored))
    form = presets.bind("f: {slot: 5.batch_size}", info, flow)
    value = form.fill({}).graph["5"]["inputs"]["batch_size"]
    assert (value, type(value)) == (taken, type(taken)) and not form.problems
    assert len(form.notes) == bool(note)
    assert not note or note in form.notes[0]


@pytest.mark.parametrize("stored", ["11", "ten", "1e1", "", True, "10 "])
def test_what_is_not_that_number_is_not_taken(presets: PresetFolder, stored: Any) -> None:
    info = change_info("EmptyLatentImage", {"batch_size": [[5, 10.0, 10, "x"], {}]})
    flow = change_workflow(n5=make_latent(stored))
    repaired, notes = repair(flow, info)
    value = repaired.nodes["5"].inputs["batch_size"]
    assert (value, type(value), notes) == (stored, type(stored), ())
