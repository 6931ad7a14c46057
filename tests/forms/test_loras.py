"""LoRA lists: what is taken for a row, and the chain of loaders that the rows become."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.value import Choice, InvalidValue, Lora
from comfygradio.forms.slots import Slot
from comfygradio.forms.value_check import check_value

from .corpus import corpus_info, corpus_json
from .preset_folder import PresetFolder, change_workflow

FIELD = Field(
    name="loras",
    widget="loras",
    label="LoRAs",
    slots={"": (Slot("20", "lora_name"),)},
    choices=tuple(
        Choice(label, value)
        for label, value in [
            ("Ink", "ink.safetensors"),
            ("b/grain.pt", "b/grain.pt"),
            ("x/grain.pt", "x/grain.pt"),
        ]
    ),
    minimum=-2,
    maximum=2,
    optional=True,
)
FIRST, SECOND, THIRD = (
    "SDXL/pixel-art-xl.safetensors",
    "add_detail.safetensors",
    "flux/film_grain_v3.safetensors",
)


def load(name: str, source: str, *, clip: bool = True, strength: float = 1.0) -> dict[str, Any]:
    inputs: dict[str, Any] = {"model": [source, 0], "lora_name": name, "strength_model": strength}
    if not clip:
        return {"class_type": "LoraLoaderModelOnly", "inputs": inputs}
    return {
        "class_type": "LoraLoader",
        "inputs": {**inputs, "clip": [source, 1], "strength_clip": strength},
    }


def build_flow(**loaders: Any) -> dict[str, Any]:
    """The test workflow with these loaders between the checkpoint and its users."""
    flow = change_workflow(
        n4={"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": CHECKPOINT}}, **loaders
    )
    for name in ("n12", "n13", "n10"):
        flow.pop(name.removeprefix("n"), None)
    if loaders:
        last = [*loaders][-1].removeprefix("n")
        flow["3"]["inputs"]["model"] = [last, 0]
        flow["6"]["inputs"]["clip"] = flow["7"]["inputs"]["clip"] = [last, 1]
    return flow


INFO = corpus_info()
CHECKPOINT = next(iter(INFO.nodes["CheckpointLoaderSimple"].inputs["ckpt_name"].choices or ()))
ALONE = build_flow(n20=load(FIRST, "4", strength=0.8))
PAIR = build_flow(n20=load(FIRST, "4"), n21=load(SECOND, "20", strength=0.5))


def walk(graph: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Name and strength of the loaders from the sampler up to the checkpoint, the first to act
    first.
    """
    found, node = [], graph["3"]["inputs"]["model"][0]
    while node != "4":
        inputs = graph[node]["inputs"]
        assert {inputs[name] for name in inputs if name.startswith("strength")} == {
            inputs["strength_model"]
        }
        if "clip" in inputs:
            assert inputs["clip"] == [inputs["model"][0], 1]
        found.append((inputs["lora_name"], inputs["strength_model"]))
        node = inputs["model"][0]
    return found[::-1]


def fill(form: Form, *rows: tuple[str, float]) -> Mapping[str, Any]:
    return form.fill({"f": [{"name": name, "strength": strength} for name, strength in rows]}).graph


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ([], None),
        ([{}], None),
        ([None, "", ["", None], {"name": ""}], None),
        ("ink.safetensors", (("ink.safetensors", 1.0),)),
        ("ink.safetensors:0.5, b/grain.pt:-1", (("ink.safetensors", 0.5), ("b/grain.pt", -1.0))),
        ("ink:0.5", (("ink.safetensors", 0.5),)),
        ("INK", (("ink.safetensors", 1.0),)),
        ("Ink:2", (("ink.safetensors", 2.0),)),
        ("<lora:ink:0.5> <lora:b/grain.pt:1>", (("ink.safetensors", 0.5), ("b/grain.pt", 1.0))),
        (["ink.safetensors", "b/grain.pt:0"], (("ink.safetensors", 1.0), ("b/grain.pt", 0.0))),
        ([["ink.safetensors", "0.25"]], (("ink.safetensors", 0.25),)),
        ([("ink.safetensors", None)], (("ink.safetensors", 1.0),)),
        ([{"name": "ink.safetensors", "strength": ""}], (("ink.safetensors", 1.0),)),
        ([Lora("ink.safetensors", 0.5)], (("ink.safetensors", 0.5),)),
    ],
)
def test_rows_that_are_taken(value: Any, expected: Any) -> None:
    checked = check_value(FIELD, value)
    assert checked == (expected if expected is None else tuple(Lora(*row) for row in expected))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("gone", "gone is not in the list; allowed: Ink, b/grain.pt, x/grain.pt."),
        ("grain", "grain is not in the list"),
        ("ink:3", "the strength 3 is not possible; numbers from -2 to 2 are allowed."),
        ("ink:much", "the strength much is not possible"),
        ([["ink.safetensors", float("nan")]], "the strength nan is not possible"),
        ([["ink.safetensors", True]], "the strength True is not possible"),
        ([["ink.safetensors", 10**5000]], "the strength this huge number is not possible"),
        ([["ink.safetensors", [1]]], "the strength [1] is not possible"),
        ([[{"a": 1}, 1]], "{'a': 1} is not in the list"),
        ([7], "7 is no LoRA; a name and a strength are expected."),
        ([["a", 1, 2]], "is no LoRA"),
        (7, "a list of LoRAs is expected, for example film-grain:0.8, soft-light."),
        ({"name": "ink.safetensors"}, "a list of LoRAs is expected"),
        (["ink.safetensors"] * 21, "21 LoRAs are too many; at most 20 are allowed."),
    ],
)
def test_rows_that_are_refused(value: Any, expected: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_value(FIELD, value)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [(FIRST, 1.0)],
        [(SECOND, -0.5)],
        [(FIRST, 0.1), (SECOND, 2.0), (THIRD, 0.3)],
        [(FIRST, 1.0)] * 4,
    ],
)
@pytest.mark.parametrize(
    ("line", "flow"),
    [
        ("{slot: 20.lora_name, widget: loras}", ALONE),
        ("{slot: [20.lora_name, 21.lora_name], widget: loras}", PAIR),
        ("{slots: {model: 3.model, clip: [6.clip, 7.clip]}}", build_flow()),
    ],
)
def test_rows_become_a_chain(
    presets: PresetFolder, line: str, flow: Any, rows: list[tuple[str, float]]
) -> None:
    form = presets.bind(f"f: {line}", INFO, flow)
    assert form.problems == ()
    graph = fill(form, *rows)
    assert walk(graph) == rows
    end = graph["3"]["inputs"]["model"][0]
    assert graph["6"]["inputs"]["clip"] == graph["7"]["inputs"]["clip"] == [end, 1]
    assert fill(form, *rows) == graph
    fewer = {node for node in flow if flow[node]["class_type"] == "LoraLoader"} - {*graph}
    assert len(graph) - (len(flow) - len(fewer)) == max(
        0, len(rows) - (len(flow) - len(build_flow()))
    )


def test_a_chain_for_the_model_alone(presets: PresetFolder) -> None:
    form = presets.bind("f: {slots: {model: 3.model}}", INFO, build_flow())
    graph = fill(form, (FIRST, 0.5), (SECOND, 0.25))
    assert walk(graph) == [(FIRST, 0.5), (SECOND, 0.25)]
    assert {graph[node]["class_type"] for node in graph if "lora" in node} == {
        "LoraLoaderModelOnly"
    }
    assert graph["6"]["inputs"]["clip"] == ["4", 1]


def test_loaders_for_the_model_alone_are_copied(presets: PresetFolder) -> None:
    flow = build_flow()
    flow["20"] = load(FIRST, "4", clip=False)
    flow["3"]["inputs"]["model"] = ["20", 0]
    graph = fill(
        presets.bind("f: {slot: 20.lora_name, widget: loras}", INFO, flow),
        (FIRST, 0.5),
        (SECOND, 0.25),
    )
    assert walk(graph) == [(FIRST, 0.5), (SECOND, 0.25)] and graph["6"]["inputs"]["clip"] == [
        "4",
        1,
    ]


def test_the_list_starts_with_the_workflows_own_loaders(presets: PresetFolder) -> None:
    form = presets.bind("f: {slot: [20.lora_name, 21.lora_name], widget: loras}", INFO, PAIR)
    assert form.fields["f"].default == [
        {"name": FIRST, "strength": 1.0},
        {"name": SECOND, "strength": 0.5},
    ]
    assert walk(form.fill({}).graph) == [(FIRST, 1.0), (SECOND, 0.5)]
    assert presets.field("{slots: {model: 3.model}}", INFO, build_flow()).default == []


def test_what_the_list_cannot_start_with_is_said(presets: PresetFolder) -> None:
    flow = copy.deepcopy(PAIR)
    flow["20"]["inputs"]["lora_name"] = "gone.safetensors"
    flow["21"]["inputs"]["strength_model"] = 9.5
    form = presets.bind(
        "f: {slot: [20.lora_name, 21.lora_name], widget: loras, max: 2}", INFO, flow
    )
    assert form.problems == () and form.fields["f"].default == []
    assert [note.partition(" is ")[0] for note in form.notes] == [
        "F: the list starts without gone.safetensors of the workflow: gone.safetensors",
        "F: the list starts without add_detail.safetensors of the workflow: the strength 9.5",
    ]


@pytest.mark.parametrize(
    ("keys", "default"),
    [
        (
            "default: [{name: add_detail.safetensors, strength: 0.5}]",
            [{"name": SECOND, "strength": 0.5}],
        ),
        ("default: [{name: x/ADD_DETAIL.safetensors}]", [{"name": SECOND, "strength": 1.0}]),
        ("default: [pixel-art-xl]", [{"name": FIRST, "strength": 1.0}]),
        (
            "default: 'add_detail:0.5, pixel-art-xl'",
            [{"name": SECOND, "strength": 0.5}, {"name": FIRST, "strength": 1}],
        ),
        ("default: []", None),
    ],
)
def test_the_presets_own_rows(presets: PresetFolder, keys: str, default: Any) -> None:
    form = presets.bind(f"f: {{slot: 20.lora_name, widget: loras, {keys}}}", INFO, ALONE)
    assert form.problems == () and form.fields["f"].default == default
    assert any("ADD_DETAIL.safetensors is called add_detail" in note for note in form.notes) == (
        "ADD_" in keys
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "{slot: 20.lora_name, widget: loras, default: [gone]}",
            "the default does not fit: gone is not in the list",
        ),
        (
            "{slot: 20.strength_model, widget: loras}",
            "needs a list of files, and strength_model is of type FLOAT",
        ),
        (
            "{slots: {model: 3.steps}}",
            "the model slot of a LoRA list is an input that another node feeds",
        ),
        (
            "{slots: {model: [3.model, 6.clip]}}",
            "have to be fed by the same output of the same node",
        ),
        (
            "{slots: {model: 3.positive}}",
            "the model slot of a LoRA list takes a MODEL; 3.positive takes a CONDITIONING.",
        ),
        ("{slots: {model: 3.model}, choices: 'sd15/*'}", "choices fits sd15/*."),
    ],
)
def test_lists_that_have_no_place(presets: PresetFolder, line: str, expected: str) -> None:
    assert expected in presets.problem(line, INFO, ALONE)


def test_a_server_without_the_loader_is_a_problem(presets: PresetFolder) -> None:
    data = corpus_json()
    del data["LoraLoaderModelOnly"]
    text = presets.problem("{slots: {model: 3.model}}", ObjectInfo.from_json(data), build_flow())
    assert (
        text
        == "Field f: this ComfyUI has no node class LoraLoaderModelOnly, which a LoRA list adds."
    )


def test_the_server_is_asked_about_the_loaders(presets: PresetFolder) -> None:
    assert (
        "LoraLoader"
        in presets.load("f: {slots: {model: 3.model, clip: 6.clip}}", build_flow()).class_types
    )
    assert (
        "LoraLoaderModelOnly"
        in presets.load("f: {slots: {model: 3.model}}", build_flow()).class_types
    )


def test_lists_filter_and_label_the_files(presets: PresetFolder) -> None:
    form = presets.bind("f: {slots: {model: 3.model}, choices: 'SDXL/*'}", INFO, build_flow())
    assert {str(choice.value).partition("/")[0] for choice in form.fields["f"].choices or ()} == {
        "SDXL"
    }
    form = presets.bind(
        "f: {slots: {model: 3.model}, choices: {Detail: add_detail.safetensors}}",
        INFO,
        build_flow(),
    )
    assert walk(form.fill({"f": "Detail:0.5"}).graph) == [(SECOND, 0.5)]


def test_two_lists_follow_one_another(presets: PresetFolder) -> None:
    lines = "f: {slots: {model: 3.model}}\ng: {slots: {model: 3.model, clip: [6.clip, 7.clip]}}"
    form = presets.bind(lines, INFO, build_flow())
    graph = form.fill({"f": f"{FIRST}:0.5", "g": f"{SECOND}:0.25"}).graph
    found, node = [], "3"
    while "model" in graph[node]["inputs"]:
        node = graph[node]["inputs"]["model"][0]
        found.append(graph[node]["inputs"].get("lora_name"))
    assert found == [SECOND, FIRST, None] and graph["7"]["inputs"]["clip"][0] == "g-lora-1"


def test_a_list_and_a_switch_for_the_same_loader(presets: PresetFolder) -> None:
    form = presets.bind(
        "f: {slot: 20.lora_name, widget: loras}\ng: {bypass: [20, f-lora-1]}", INFO, ALONE
    )
    assert "the workflow has no node f-lora-1" in str(form.problems)
    form = presets.bind(
        "f: {slot: 20.lora_name, widget: loras, show_if: {g: true}}\ng: {widget: checkbox, "
        "bypass: 20}",
        INFO,
        ALONE,
    )
    assert form.problems == ()
    assert walk(form.fill({"g": False, "f": f"{FIRST}, {SECOND}"}).graph) == []
    assert walk(form.fill({"g": True, "f": f"{FIRST}, {SECOND}"}).graph) == [
        (FIRST, 1.0),
        (SECOND, 1.0),
    ]


def test_errors_of_added_loaders_belong_to_the_list(presets: PresetFolder) -> None:
    form = presets.bind("f: {slots: {model: 3.model}}\ng: {slot: 3.steps}", INFO, build_flow())
    found = form.find_field("f-lora-2", "lora_name")
    assert found is not None and found.name == "f"
    assert form.find_field("3", "steps") == form.fields["g"] and form.find_field("3", "cfg") is None
