"""Numbered inputs of one node as one list, and inputs that cannot have an effect."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.errors import ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.metadata.load import Metadata
from comfygradio.metadata.restore import restore_values
from tests.forms.draft_graph import (
    Graph,
    bind_draft,
    draft,
    find,
    info,
    list_filled_slots,
    list_slots,
    node,
    sample,
    slots,
    text_to_image,
)

FILES = ["None", "moss.safetensors", "rust.safetensors", "dusk.safetensors"]
NUMBER = ["FLOAT", {"default": 1.0, "min": -10.0, "max": 10.0, "step": 0.01}]
MODELS = {"model": ["MODEL"], "clip": ["CLIP"]}


def describe(name: str, inputs: Mapping[str, Any], makes: list[str], **more: Any) -> dict[str, Any]:
    return {"input": {"required": dict(inputs)}, "output": makes, "name": name, **more}


def rows(count: int, *patterns: tuple[str, Any]) -> dict[str, Any]:
    return {
        pattern.format(number): spec for number in range(1, count + 1) for pattern, spec in patterns
    }


SWITCHED = rows(
    3,
    ("switch_{}", [["Off", "On"]]),
    ("lora_name_{}", [FILES]),
    ("model_weight_{}", NUMBER),
    ("clip_weight_{}", NUMBER),
)
COUNTED = {
    "input_mode": [["simple", "advanced"]],
    "lora_count": ["INT", {"default": 3, "min": 0, "max": 50}],
    **rows(
        4,
        ("lora_name_{}", [FILES]),
        ("lora_wt_{}", NUMBER),
        ("model_str_{}", NUMBER),
        ("clip_str_{}", NUMBER),
    ),
}
PADDED = {**MODELS, **rows(2, ("lora_0{}", [FILES]), ("strength_0{}", NUMBER))}
MIDDLE = {
    "num_loras": ["INT", {"default": 1, "min": 1, "max": 10}],
    **rows(3, ("lora_{}_name", [FILES]), ("lora_{}_strength", NUMBER)),
}
CONTROLS = rows(
    2,
    ("switch_{}", [["Off", "On"]]),
    ("controlnet_{}", [["None", "depth.safetensors"]]),
    ("controlnet_strength_{}", NUMBER),
)
LINES = {
    "text_count": ["INT", {"default": 2, "min": 1, "max": 4}],
    **rows(4, ("text_{}", ["STRING", {"multiline": True}])),
}
WILDCARDS = {
    **{"clip": ["CLIP"], "wildcard_text": ["STRING", {"multiline": True}]},
    **{"populated_text": ["STRING", {"multiline": True}]},
    **{"mode": [["populate", "fixed", "reproduce"]]},
    **{"seed": ["INT", {"default": 0, "min": 0, "max": 2**64 - 1}]},
    "Select to add LoRA": [["Select the LoRA to add to the text", "moss"]],
    "insert": [["Select the Wildcard to add to the text", "birds"]],
}

CLASSES = {
    "SwitchedStack": describe("SwitchedStack", SWITCHED, ["LORA_STACK"]),
    "CountedStack": describe("CountedStack", COUNTED, ["LORA_STACK"]),
    "PaddedStack": describe("PaddedStack", PADDED, ["MODEL", "CLIP"]),
    "MiddleStack": describe("MiddleStack", MIDDLE, ["LORA_STACK"]),
    "ControlStack": describe("ControlStack", CONTROLS, ["CONTROL_NET_STACK"]),
    "Lines": describe("Lines", LINES, ["STRING"]),
    "Wildcards": describe("Wildcards", WILDCARDS, ["CONDITIONING"]),
    "Show": describe("Show", {"source": ["*"]}, [], output_node=True),
}

KNOWN = ObjectInfo({**info().nodes, **ObjectInfo.from_json(CLASSES).nodes})


def fill_in(described: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """An input for each that is described: its default, the first choice, or what `values` say."""
    found = {}
    for name, spec in described.items():
        options = spec[1] if len(spec) > 1 else {}
        first = spec[0][0] if isinstance(spec[0], list) else ""
        found[name] = values.get(name, options.get("default", first))
    return found


def with_node(class_type: str, **inputs: Any) -> Graph:
    """The usual workflow with node 20 of a class, whose result is shown."""
    return text_to_image(
        n20=node(class_type, "Extra", **inputs), n21=node("Show", source=["20", 0])
    )


def open_form(graph: Graph, folder: Path) -> Form:
    form = bind_draft(draft(graph, KNOWN), folder, KNOWN)
    assert form.problems == ()
    return form


def post(form: Form, loras: Any) -> dict[str, Any]:
    return dict(form.fill({"loras": loras}).graph["20"]["inputs"])


STACKS = [
    pytest.param(
        *("SwitchedStack", SWITCHED),
        {"switch_1": "On", "lora_name_1": "moss.safetensors", "model_weight_1": 0.7}
        | {"lora_name_2": "rust.safetensors", "switch_3": "On", "model_weight_3": 0.4}
        | {"lora_name_3": "dusk.safetensors"},
        [("moss.safetensors", 0.7), ("dusk.safetensors", 0.4)],
        id="switches",
    ),
    pytest.param(
        *("CountedStack", COUNTED),
        {"input_mode": "simple", "lora_count": 2, "lora_name_1": "moss.safetensors"}
        | {"lora_wt_1": 0.6, "lora_name_2": "None", "lora_name_3": "rust.safetensors"},
        [("moss.safetensors", 0.6)],
        id="count",
    ),
    pytest.param(
        *("CountedStack", COUNTED),
        {"input_mode": "advanced", "lora_count": 1, "lora_name_1": "moss.safetensors"}
        | {"lora_wt_1": 0.6, "model_str_1": 0.3},
        [("moss.safetensors", 0.3)],
        id="advanced",
    ),
    pytest.param(
        *("PaddedStack", PADDED),
        {"model": ["4", 0], "clip": ["4", 1], "lora_02": "rust.safetensors", "strength_02": 0.9},
        [("rust.safetensors", 0.9)],
        id="padded",
    ),
    pytest.param(
        *("MiddleStack", MIDDLE),
        {"num_loras": 2, "lora_1_name": "dusk.safetensors", "lora_1_strength": 0.2},
        [("dusk.safetensors", 0.2)],
        id="middle",
    ),
]


@pytest.mark.parametrize(("class_type", "described", "values", "active"), STACKS)
def test_rows_are_one_list_that_starts_with_what_acts(
    tmp_path: Path, class_type: str, described: Any, values: Any, active: Any
) -> None:
    graph = with_node(class_type, **fill_in(described, **values))
    made = draft(graph, KNOWN)
    assert find(made, "loras").entry.widget == "loras"
    others = {slot for slot in list_filled_slots(made) if slot.startswith("20.")} - {
        *slots(made)["loras"],
        "20.input_mode",
    }
    assert others == set() and "lora" not in [field.role for field in made.fields]
    form = open_form(graph, tmp_path)
    field = form.fields["loras"]
    assert [(row["name"], row["strength"]) for row in field.default] == active
    assert "None" not in [choice.label for choice in field.choices or ()]
    assert form.fill({}).graph["20"]["inputs"] == graph["20"]["inputs"]


@pytest.mark.parametrize(("class_type", "described", "values", "active"), STACKS)
def test_a_list_that_was_changed_is_read_back(
    tmp_path: Path, class_type: str, described: Any, values: Any, active: Any
) -> None:
    form = open_form(with_node(class_type, **fill_in(described, **values)), tmp_path)
    wanted = [("dusk.safetensors", 0.25), ("moss.safetensors", 1.5)]
    for chosen in ([], wanted[:1], wanted):
        graph = form.fill({"loras": [list(row) for row in chosen]}).graph
        restored = restore_values(form, Metadata("png", dict(graph))).values["loras"]
        assert [(row["name"], row["strength"]) for row in restored or []] == chosen


def test_switches_and_counts_follow(tmp_path: Path) -> None:
    form = open_form(with_node("SwitchedStack", **fill_in(SWITCHED)), tmp_path)
    posted = post(form, "rust:0.5, moss")
    assert [posted[f"switch_{n}"] for n in (1, 2, 3)] == ["On", "On", "Off"]
    assert (posted["model_weight_1"], posted["clip_weight_1"]) == (0.5, 0.5)
    counted = open_form(with_node("CountedStack", **fill_in(COUNTED)), tmp_path)
    assert [post(counted, text)["lora_count"] for text in ("", "moss", "moss, rust")] == [3, 1, 2]
    middle = open_form(with_node("MiddleStack", **fill_in(MIDDLE)), tmp_path)
    posted = post(middle, "")
    assert (posted["num_loras"], posted["lora_1_name"]) == (1, "None")


def test_more_rows_than_there_are_is_refused(tmp_path: Path) -> None:
    form = open_form(with_node("SwitchedStack", **fill_in(SWITCHED)), tmp_path)
    with pytest.raises(ValuesRefused, match="4 LoRAs are too many; at most 3 are allowed"):
        form.fill({"loras": "moss, rust, dusk, moss"})


def test_rows_that_cannot_be_left_out_are_no_list(tmp_path: Path) -> None:
    bare = rows(2, ("lora_{}", [FILES[1:]]), ("weight_{}", NUMBER))
    known = ObjectInfo(
        {**KNOWN.nodes, **ObjectInfo.from_json({"Bare": describe("Bare", bare, ["X"])}).nodes}
    )
    made = draft(with_node("Bare", **fill_in(bare)), known)
    form = bind_draft(made, tmp_path, known)
    assert form.problems == () and "loras" not in form.fields
    assert [listed for listed in slots(made).values() if "lora_" in str(listed)] == [
        ["20.lora_1"],
        ["20.lora_2"],
    ]


def test_rows_of_other_things_that_are_off_are_no_fields() -> None:
    values = {"switch_1": "On", "controlnet_1": "depth.safetensors", "controlnet_strength_2": 0.3}
    made = draft(with_node("ControlStack", **fill_in(CONTROLS, **values)), KNOWN)
    listed = {slot for one in (*made.fields, *made.left_out) for slot in list_slots(one)}
    assert "20.controlnet_1" in listed
    assert not {"20.switch_2", "20.controlnet_2", "20.controlnet_strength_2"} & listed
    assert (
        "No field for switch_2, controlnet_2, controlnet_strength_2 of Extra (node 20), "
        "without effect: row 2 is off."
    ) in made.notes


def test_numbers_inside_of_words_make_no_rows() -> None:
    inputs = {
        "enable_2x": ["BOOLEAN", {"default": False}],
        **{"blur_2": NUMBER, "blur_1": NUMBER},
    }
    known = ObjectInfo(
        {**KNOWN.nodes, **ObjectInfo.from_json({"Blurs": describe("Blurs", inputs, ["X"])}).nodes}
    )
    made = draft(with_node("Blurs", **fill_in(inputs)), known)
    assert {"20.blur_1", "20.blur_2", "20.enable_2x"} <= list_filled_slots(made)


def test_rows_beyond_the_count_are_no_fields() -> None:
    values = {f"text_{n}": f"line {n}" for n in range(1, 5)}
    made = draft(with_node("Lines", **fill_in(LINES, **values)), KNOWN)
    assert {"20.text_1", "20.text_2"} <= list_filled_slots(made)
    assert not {"20.text_3", "20.text_4"} & list_filled_slots(made)
    assert any("text_3, text_4 of Extra (node 20)" in note for note in made.notes)


@pytest.mark.parametrize(
    ("mode", "field", "idle"),
    [
        ("populate", "wildcard_text", {"populated_text"}),
        ("fixed", "populated_text", {"wildcard_text", "seed"}),
    ],
)
def test_texts_that_a_node_overwrites_are_no_fields(mode: str, field: str, idle: set[str]) -> None:
    values = {"mode": mode, "wildcard_text": "a __bird__", "populated_text": "a wren"}
    graph = text_to_image(
        n3=sample(positive=["20", 0]),
        n6=None,
        n20=node("Wildcards", "Extra", **{**fill_in(WILDCARDS, **values), "clip": ["4", 1]}),
    )
    made = draft(graph, KNOWN)
    assert slots(made)["prompt"] == [f"20.{field}"]
    listed = {slot for one in (*made.fields, *made.left_out) for slot in list_slots(one)}
    assert not {f"20.{name}" for name in (*idle, "Select to add LoRA", "insert")} & listed
    assert any("a button of ComfyUI's own page" in note for note in made.notes)
    assert any(next(iter(sorted(idle))) in note and "without effect" in note for note in made.notes)
