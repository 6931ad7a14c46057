"""Lists whose entries are objects or lists, and nodes that say themselves what they offer."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.object_info import ObjectInfo, name_entry
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.drafting.draft import draft_preset
from comfygradio.forms.form import Form
from comfygradio.jobs.backend import Backend
from comfygradio.metadata.load import Metadata
from comfygradio.metadata.restore import restore_values

from .preset_folder import PresetFolder, change_workflow, load_object_info

OBJECTS = [
    {"content": "sea.safetensors", "image": "sea.png", "type": "checkpoints"},
    {"content": "land.safetensors", "image": None, "type": "checkpoints"},
]
LISTS = [["sea.safetensors", 1.5], ["land.safetensors", 2.1]]
TITLED = [{"name": "sea.safetensors"}, {"name": "land.safetensors"}, "plain.safetensors", 7]


def read_info(entries: list[Any], form: str = "old") -> ObjectInfo:
    data = copy.deepcopy(load_object_info("v0.33.0"))
    spec = [entries] if form == "old" else ["COMBO", {"options": entries}]
    data["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"] = spec
    return ObjectInfo.from_json(data)


def bind(
    presets: PresetFolder, info: ObjectInfo, own: Any, line: str = "{slot: 4.ckpt_name}"
) -> Form:
    loader = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": own}}
    form = presets.bind(
        f"f: {line}" if line else "g: {slot: 6.text}", info, change_workflow(n4=loader)
    )
    assert form.problems == ()
    return form


def post(form: Form, **values: Any) -> Any:
    return form.fill(values).graph["4"]["inputs"]["ckpt_name"]


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("plain", "plain"),
        (3, 3),
        ({"title": "T", "content": "C"}, "C"),
        ({"content": "", "id": "i"}, "i"),
        (["a", {}], "a"),
        ([], None),
        ([[1]], None),
        ({"image": "x"}, None),
        (None, None),
    ],
)
def test_entries_have_names(entry: Any, name: Any) -> None:
    assert name_entry(entry) == name


@pytest.mark.parametrize("form", ["old", "new"])
@pytest.mark.parametrize("entries", [OBJECTS, LISTS, TITLED])
def test_a_name_is_the_choice(presets: PresetFolder, entries: list[Any], form: str) -> None:
    """A workflow that holds the name alone gets a name; so does a server that wants it."""
    bound = bind(presets, read_info(entries, form), "land.safetensors")
    choices = bound.fields["f"].choices or ()
    assert [choice.value for choice in choices][:2] == ["sea.safetensors", "land.safetensors"]
    assert bound.notes == () and bound.fields["f"].default == "land.safetensors"
    assert post(bound) == "land.safetensors"
    assert post(bound, f="sea.safetensors") == "sea.safetensors"


@pytest.mark.parametrize("form", ["old", "new"])
def test_an_object_is_posted_where_the_workflow_has_one(presets: PresetFolder, form: str) -> None:
    bound = bind(presets, read_info(OBJECTS, form), OBJECTS[1])
    assert bound.notes == () and bound.fields["f"].default == "land.safetensors"
    assert post(bound) == OBJECTS[1]
    assert post(bound, f="sea.safetensors") == OBJECTS[0]
    values = bound.fill({"f": "sea.safetensors"}).extra_pnginfo["comfygradio"]["values"]
    assert values == {"f": "sea.safetensors"}


def test_a_list_is_posted_so_that_it_is_no_link(presets: PresetFolder) -> None:
    bound = bind(presets, read_info(LISTS), {"__value__": ["sea.safetensors", 1.5]})
    assert bound.fields["f"].default == "sea.safetensors"
    assert post(bound, f="land.safetensors") == {"__value__": ["land.safetensors", 2.1]}


def test_what_changed_beside_the_name_is_taken_from_the_server(presets: PresetFolder) -> None:
    old = {"content": "land.safetensors", "image": "old.png", "type": "checkpoints"}
    bound = bind(presets, read_info(OBJECTS), old, "")
    assert post(bound) == OBJECTS[1]
    assert "land.safetensors has changed in the list" in bound.notes[0]
    moved = {"content": "sub/LAND.safetensors", "image": None, "type": "checkpoints"}
    bound = bind(presets, read_info(OBJECTS), moved, "")
    assert post(bound) == OBJECTS[1]
    assert "is called land.safetensors on this ComfyUI" in bound.notes[0]


def test_an_entry_that_is_gone_closes_the_form(presets: PresetFolder) -> None:
    gone = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": {"content": "gone.pt"}}}
    form = presets.bind("g: {slot: 6.text}", read_info(OBJECTS), change_workflow(n4=gone))
    assert "gone.pt, which this ComfyUI does not have" in str(form.problems[0])


def test_two_servers_share_their_entries() -> None:
    both = read_info(OBJECTS[:1]).merge(read_info(OBJECTS[1:]))
    spec = both.spec("CheckpointLoaderSimple", "ckpt_name")
    assert spec and [spec.from_choice_name(name) for name in spec.choices or ()] == OBJECTS


def test_a_picture_tells_the_name(presets: PresetFolder) -> None:
    form = bind(presets, read_info(OBJECTS), OBJECTS[1])
    prompt = form.fill({"f": "sea.safetensors"})
    assert restore_values(form, Metadata("png", prompt=prompt.graph)).values == {
        "f": "sea.safetensors"
    }


def test_loras_of_such_a_list(presets: PresetFolder) -> None:
    entries = [{"content": "ink.pt", "image": None}, {"content": "oil.pt", "image": None}]
    data = copy.deepcopy(load_object_info("v0.33.0"))
    data["LoraLoader"]["input"]["required"]["lora_name"] = [entries]
    loader = {
        "class_type": "LoraLoader",
        "inputs": {
            "lora_name": entries[0],
            "strength_model": 0.5,
            "strength_clip": 0.5,
            "model": ["4", 0],
            "clip": ["4", 1],
        },
    }
    line = "f: {slot: 14.lora_name, widget: loras}"
    form = presets.bind(line, ObjectInfo.from_json(data), change_workflow(n14=loader))
    assert form.fields["f"].default == [{"name": "ink.pt", "strength": 0.5}]
    graph = form.fill({"f": "oil.pt:0.25, ink.pt:1"}).graph
    used = [node["inputs"] for node in graph.values() if node["class_type"] == "LoraLoader"]
    assert [inputs["lora_name"] for inputs in used] == [entries[1], entries[0]]


COMBO: Any = {
    "input": {"required": {"choice": ["COMBO", {"multiselect": False, "options": []}]}},
    "output": ["STRING", "INT"],
    "name": "CustomCombo",
}
OWN: dict[str, Any] = {
    "choice": "noon",
    "index": 1,
    "option1": "dawn",
    "option2": "noon",
    "option3": "dusk",
    "option4": "",
}


def bind_combo(presets: PresetFolder, line: str = "{slot: 40.choice}", **inputs: Any) -> Form:
    data = {**load_object_info("v0.33.0"), "CustomCombo": COMBO}
    combo = {"class_type": "CustomCombo", "inputs": {**OWN, **inputs}}
    text = {"class_type": "CLIPTextEncode", "inputs": {"text": ["40", 0], "clip": ["4", 1]}}
    return presets.bind(
        f"f: {line}", ObjectInfo.from_json(data), change_workflow(n40=combo, n6=text)
    )


def test_a_custom_combo_offers_what_it_says_itself(presets: PresetFolder) -> None:
    form = bind_combo(presets)
    assert form.problems == () and form.notes == ()
    assert [c.value for c in form.fields["f"].choices or ()] == ["dawn", "noon", "dusk"]
    assert form.fill({}).graph["40"]["inputs"] == OWN
    assert form.fill({"f": "dusk"}).graph["40"]["inputs"] == {**OWN, "choice": "dusk", "index": 2}


def test_a_custom_combo_that_no_field_fills_is_sound(presets: PresetFolder) -> None:
    form = bind_combo(presets, "{slot: 7.text}")
    assert form.problems == ()
    wrong = bind_combo(presets, "{slot: 7.text}", choice="night")
    assert "needs choice night" in str(wrong.problems[0])


def test_options_that_others_feed_are_not_known(presets: PresetFolder) -> None:
    assert bind_combo(presets, choice="night", option2=["7", 0]).problems == ()


def test_a_servers_lane_takes_a_custom_combo(tmp_path: Path) -> None:
    classes = tmp_path / "classes.json"
    classes.write_text(json.dumps({"CustomCombo": COMBO}), encoding="utf-8")
    with (
        DemoServer(DemoOptions(extra_classes=classes)) as server,
        ComfyClient(server.url) as client,
    ):
        backend = Backend(client)
        backend.refresh(["CustomCombo"])
        assert backend.explain_rejection({"1": {"class_type": "CustomCombo", "inputs": OWN}}) == ""
        wrong = {"1": {"class_type": "CustomCombo", "inputs": {**OWN, "choice": "night"}}}
        assert backend.explain_rejection(wrong) == "it does not have night."


def test_a_draft_offers_a_custom_combo(presets: PresetFolder) -> None:
    form = bind_combo(presets)
    drafted = draft_preset(form.workflow, form.object_info)
    slots = str([field.entry.slot for field in (*drafted.fields, *drafted.left_out)])
    assert "input='choice'" in slots
