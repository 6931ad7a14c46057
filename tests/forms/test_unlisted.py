"""Inputs of which a server says nothing: their nodes take any name, and objects with several values
in one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comfygradio.binding.field_binding import BoundField, bind_field
from comfygradio.binding.preset import load_preset
from comfygradio.comfy.nested_input import (
    find_containing_input,
    has_input,
    list_members,
    read_input,
    write_input,
)
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.form import Form
from comfygradio.forms.preset_file import FieldEntry
from comfygradio.forms.problem import BindError
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
)
from tests.forms.draft_graph import text_to_image as write_usual

FILES = ["moss.safetensors", "folder/rust.safetensors", "dusk.safetensors"]
MODELS = {"model": ["MODEL"], "clip": ["CLIP"]}
STRENGTH = ["FLOAT", {"default": 1.0, "min": -100.0, "max": 100.0, "step": 0.01}]
CLASSES = {
    "Power Lora Loader (rgthree)": {
        "input": {"required": {}, "optional": MODELS},
        "output": ["MODEL", "CLIP"],
    },
    "Power Primitive (rgthree)": {"input": {"required": {}, "optional": {}}, "output": ["*"]},
    "LoraLoader": {
        "input": {
            "required": {
                **MODELS,
                **{"lora_name": [FILES], "strength_model": STRENGTH, "strength_clip": STRENGTH},
            }
        },
        "output": ["MODEL", "CLIP"],
    },
}
KNOWN = ObjectInfo({**info().nodes, **ObjectInfo.from_json(CLASSES).nodes})

MOSS = {"on": True, "lora": "moss.safetensors", "strength": 1}
RUST = {"on": False, "lora": "folder/rust.safetensors", "strength": 0.4, "strengthTwo": None}
DUSK = {"on": True, "lora": "dusk.safetensors", "strength": 0.6, "strengthTwo": 0.2}
PAGE = {"PowerLoraLoaderHeaderWidget": {"type": "PowerLoraLoaderHeaderWidget"}, "➕ Add Lora": ""}


def write(class_type: str = "Power Lora Loader (rgthree)", **rows: Any) -> Graph:
    """The usual workflow, whose model goes through node 10."""
    links = {"model": ["4", 0], "clip": ["4", 1]}
    return write_usual(
        n3=sample(model=["10", 0]),
        n10=node(class_type, **{**PAGE, **rows, **links}),
    )


def open_form(graph: Graph, folder: Path) -> Form:
    form = bind_draft(draft(graph, KNOWN), folder, KNOWN)
    assert form.problems == ()
    return form


def bind(graph: Graph, slot: str, **line: Any) -> BoundField:
    file = FieldEntry.model_validate({"slot": slot, **line})
    return bind_field("f", file, Workflow.from_json(graph), KNOWN)


def post(form: Form, loras: Any) -> dict[str, Any]:
    inputs = form.fill({"loras": loras}).graph["10"]["inputs"]
    return {name: value for name, value in inputs.items() if name.startswith("l")}


def test_the_rows_of_a_power_lora_loader_are_one_list(tmp_path: Path) -> None:
    graph = write(lora_1=MOSS, lora_2=RUST, lora_3=DUSK)
    made = draft(graph, KNOWN)
    assert list_slots(find(made, "loras")) == ["10.lora_1.lora", "10.lora_2.lora", "10.lora_3.lora"]
    form = open_form(graph, tmp_path)
    field = form.fields["loras"]
    assert field.default == [
        {"name": "moss.safetensors", "strength": 1.0},
        {"name": "dusk.safetensors", "strength": 0.6},
    ]
    assert [choice.value for choice in field.choices or ()] == FILES
    assert form.fill({}).graph["10"]["inputs"] == graph["10"]["inputs"]


def test_rows_are_filled_turned_off_and_added(tmp_path: Path) -> None:
    form = open_form(write(lora_1=MOSS, lora_2=RUST), tmp_path)
    assert post(form, "") == {"lora_1": {**MOSS, "on": False}, "lora_2": RUST}
    assert post(form, "dusk:0.3") == {
        "lora_1": {"on": True, "lora": "dusk.safetensors", "strength": 0.3},
        "lora_2": RUST,
    }
    assert post(form, "moss, rust:0.4, dusk:-2") == {
        "lora_1": MOSS,
        "lora_2": {**RUST, "on": True},
        "lora_3": {"on": True, "lora": "dusk.safetensors", "strength": -2.0, "strengthTwo": None},
    }
    assert form.workflow.nodes["10"].inputs["lora_1"] == MOSS


@pytest.mark.parametrize(
    "row",
    [MOSS, DUSK, {"name": "moss.safetensors", "strength": 0.5}],
    ids=["one strength", "two", "no switch"],
)
@pytest.mark.parametrize("first", ["lora_1", "lora_01", "Lora 4"])
def test_one_row_is_a_list_that_is_read_back(tmp_path: Path, first: str, row: Any) -> None:
    form = open_form(write(**{first: row}), tmp_path)
    wanted = [("dusk.safetensors", 0.25), ("moss.safetensors", 1.5), ("dusk.safetensors", 1.0)]
    for chosen in (wanted[:1], wanted):
        graph = form.fill({"loras": [list(one) for one in chosen]}).graph
        assert len(graph["10"]["inputs"]) == len(PAGE) + 2 + len(chosen)
        restored = restore_values(form, Metadata("png", dict(graph))).values["loras"]
        assert [(one["name"], one["strength"]) for one in restored or []] == chosen


def test_rows_without_a_switch_are_taken_out(tmp_path: Path) -> None:
    row = {"name": "moss.safetensors", "strength": 0.5}
    assert post(open_form(write(lora_1=row), tmp_path), "") == {}


def test_rows_inside_of_another_object_are_left_alone(tmp_path: Path) -> None:
    graph = write(loras={"lora_1": MOSS})
    made = draft(graph, KNOWN)
    assert "loras" not in [field.name for field in made.fields]
    assert "10.loras.lora_1.lora" in {slot for one in made.left_out for slot in list_slots(one)}


def test_other_objects_of_the_same_number_are_not_touched(tmp_path: Path) -> None:
    other = {"on": True, "strength": 3}
    form = open_form(write(lora_1=MOSS, look_1=other, lora_3=["4", 0]), tmp_path)
    assert post(form, "rust, dusk") == {
        "lora_1": {**MOSS, "lora": "folder/rust.safetensors"},
        "look_1": other,
        "lora_3": ["4", 0],
        "lora_2": {**MOSS, "lora": "dusk.safetensors"},
    }


@pytest.mark.parametrize("slot", ["10.lora_2.lora", "10.lora_1"])
def test_one_address_stands_for_all_rows(slot: str) -> None:
    bound = bind(write(lora_1=MOSS, lora_2=DUSK), slot, widget="loras").field
    assert len(bound.default) == 2 and bound.lora_stack is not None


def test_plain_rows_that_are_not_listed_are_one_list_too(tmp_path: Path) -> None:
    rows: dict[str, Any] = {"lora_name_1": "moss.safetensors", "weight_1": 0.5, "use_1": True}
    more: dict[str, Any] = {"lora_name_2": "dusk.safetensors", "weight_2": 1.0, "use_2": False}
    form = open_form(write(**rows, **more), tmp_path)
    assert form.fields["loras"].default == [{"name": "moss.safetensors", "strength": 0.5}]
    posted = form.fill({"loras": "rust:2"}).graph["10"]["inputs"]
    assert (posted["lora_name_1"], posted["weight_1"]) == ("folder/rust.safetensors", 2.0)
    assert (posted["use_1"], posted["use_2"]) == (True, False)
    assert "LoraLoader" in load_preset(tmp_path / "drafted.yaml").class_types


def test_a_server_is_asked_for_the_files_of_such_rows(tmp_path: Path) -> None:
    bind_draft(draft(write(lora_1=MOSS), KNOWN), tmp_path, KNOWN)
    assert "LoraLoader" in load_preset(tmp_path / "drafted.yaml").class_types


@pytest.mark.parametrize(
    ("slot", "widget", "value"),
    [
        ("10.lora_1.strength", "number", 1),
        ("10.lora_1.on", "checkbox", True),
        ("10.lora_1.lora", "dropdown", "moss.safetensors"),
        ("10.deep.one.two", "text", "a"),
        ("10.note", "text", "hello"),
        ("10.seed", "seed", None),
    ],
)
def test_each_value_can_be_addressed(slot: str, widget: str, value: Any) -> None:
    graph = write(lora_1=MOSS, deep={"one": {"two": "a"}}, note="hello", seed=5)
    field = bind(graph, slot).field
    assert (field.widget, field.default) == (widget, value)


def test_a_member_is_filled_and_read_back(tmp_path: Path) -> None:
    bind_draft(draft(write(lora_1=MOSS), KNOWN), tmp_path, KNOWN)
    path = tmp_path / "drafted.yaml"
    path.write_text(
        "title: T\nworkflow: graph.json\nfields:\n  s: {slot: 10.lora_1.strength, max: 2}\n"
        "  active: {slot: 10.lora_1.on}\n"
        "  look:\n    choices: {Weak: {10.lora_1.lora: dusk.safetensors}}\n"
    )
    form = load_preset(path).bind(KNOWN)
    assert form.problems == ()
    graph = form.fill({"s": 0.25, "active": False}).graph
    assert graph["10"]["inputs"]["lora_1"] == {
        "on": False,
        "lora": "dusk.safetensors",
        "strength": 0.25,
    }
    restored = restore_values(form, Metadata("png", dict(graph))).values
    assert (restored["s"], restored["active"]) == (0.25, False)


def test_what_is_not_there_and_whole_objects_are_refused() -> None:
    graph = write(lora_1=MOSS)
    with pytest.raises(BindError, match=r"has no input lora_1\.weight"):
        bind(graph, "10.lora_1.weight")
    with pytest.raises(BindError, match=r"holds several values; use one of 10\.lora_1\.on, 10"):
        bind(graph, "10.lora_1")
    with pytest.raises(BindError, match="has no input lora_9"):
        bind(graph, "10.lora_9.strength")


def test_it_is_told_what_may_be_without_effect() -> None:
    assert bind(write(note="hello"), "10.note").notes == (
        "F: the server does not list note of Power Lora Loader (rgthree); it has an effect only if "
        "that node takes inputs of any name.",
    )
    assert bind(write(lora_1=MOSS), "10.lora_1.on").notes == ()


def test_the_draft_says_what_it_left_out() -> None:
    made = draft(write("Power Primitive (rgthree)", type="INT", value=12, more={"depth": 3}), KNOWN)
    listed = {slot for one in made.left_out for slot in list_slots(one)}
    assert {"10.type", "10.value", "10.more.depth"} <= listed
    assert not {
        slot for slot in (*listed, *list_filled_slots(made)) if "Widget" in slot or "➕" in slot
    }
    assert (
        "The server does not list type, value, more.depth of Power Primitive (rgthree) (node 10); "
        "such inputs stay as they are, and may be fields."
    ) in made.notes


def test_members_of_inputs() -> None:
    inputs: dict[str, Any] = {"a.b": 1, "a": {"b": 2, "c.d": {"e": 3}}, "l": {"__value__": [1]}}
    assert (read_input(inputs, "a.b"), read_input(inputs, "a.c.d.e")) == (1, 3)
    assert not has_input(inputs, "l.__value__") and not has_input(inputs, "a.c.d.f")
    assert dict(list_members(inputs)) == {"a.b": 2, "a.c.d.e": 3}
    assert find_containing_input(inputs, "a.c.d.e") == "a"
    assert find_containing_input(inputs, "a.b") == ""
    write_input(inputs, "a.c.d.e", 4)
    write_input(inputs, "new.one", 5)
    assert inputs["a"] == {"b": 2, "c.d": {"e": 4}} and inputs["new.one"] == 5
