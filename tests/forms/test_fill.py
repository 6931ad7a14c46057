from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.errors import PresetError, ValuesRefused
from comfygradio.version import VERSION

from .preset_folder import WORKFLOW, PresetFolder, change_workflow

DESIGN = """
title: Text to image
description: Describe a picture in words.
icon: "🎨"
workflow: workflow.json
fields:
  prompt:          {slot: 6.text, label: What do you want to see?}
  negative_prompt: {slot: 7.text, advanced: true}
  size:            {slots: {width: 5.width, height: 5.height}, choices: [512x512, 768x512, 512x768]}
  checkpoint:      {slot: 4.ckpt_name}
  seed:            {slot: 3.seed}
  steps:           {slot: 3.steps, max: 60}
examples:
  - {title: Lighthouse, prompt: a lighthouse at dusk, seed: 7}
"""


def test_the_example_of_the_design(presets: PresetFolder, info: ObjectInfo) -> None:
    form = load_preset(presets.write(DESIGN, name="text_to_image")).bind(info)
    assert form.problems == ()
    prompt = form.fill({"prompt": "a fox", "size": "768x512", "seed": "18446744073709551615"})
    assert prompt.graph["6"]["inputs"]["text"] == "a fox"
    assert prompt.graph["7"]["inputs"]["text"] == "blurry"
    assert (prompt.graph["5"]["inputs"]["width"], prompt.graph["5"]["inputs"]["height"]) == (
        768,
        512,
    )
    assert prompt.graph["3"]["inputs"]["seed"] == 2**64 - 1
    assert prompt.graph["3"]["inputs"]["model"] == ["4", 0]
    assert prompt.extra_pnginfo["comfygradio"] == {
        "preset": "text_to_image",
        "values": {
            "prompt": "a fox",
            "negative_prompt": "blurry",
            "size": "768x512",
            "checkpoint": "tiny-a.safetensors",
            "seed": 2**64 - 1,
            "steps": 20,
        },
        "version": VERSION,
    }
    json.dumps([prompt.graph, prompt.extra_pnginfo], allow_nan=False)


def test_an_untouched_form_gives_the_workflow_itself(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    graph = presets.bind("steps: {slot: 3.steps}", info).fill({}).graph
    assert {key: node["inputs"] for key, node in graph.items()} == {
        k: n["inputs"] for k, n in WORKFLOW.items()
    }


def test_filling_changes_neither_form_nor_workflow(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind("text: {slot: 6.text}", info)
    form.fill({"text": "one"})
    assert form.fill({}).graph["6"]["inputs"]["text"] == "a lighthouse"


def test_the_same_checked_values_give_the_same_prompt(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    form = presets.bind("seed: {slot: 3.seed}", info)
    checked = form.check({})
    assert form.build(checked) == form.build(checked)
    assert form.check({}) != checked


def test_one_field_fills_several_slots(presets: PresetFolder, info: ObjectInfo) -> None:
    graph = presets.bind("seed: {slot: [3.seed, 12.noise_seed]}", info).fill({"seed": 5}).graph
    assert (graph["3"]["inputs"]["seed"], graph["12"]["inputs"]["noise_seed"]) == (5, 5)


def test_a_size_may_fill_several_slots_a_side(presets: PresetFolder, info: ObjectInfo) -> None:
    flow = change_workflow(
        n21={"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64}}
    )
    line = "size: {slots: {width: [5.width, 21.width], height: [5.height, 21.height]}}"
    graph = presets.bind(line, info, flow).fill({"size": "640x480"}).graph
    assert [graph[node]["inputs"]["width"] for node in ("5", "21")] == [640, 640]
    assert [graph[node]["inputs"]["height"] for node in ("5", "21")] == [480, 480]


@pytest.mark.parametrize(
    ("line", "place", "expected"),
    [
        ("{slot: 3.steps, fixed: 9}", ("3", "steps"), 9),
        ("{slot: [3.seed, 12.noise_seed], fixed: 11}", ("12", "noise_seed"), 11),
        (
            "{slot: 4.ckpt_name, fixed: tiny-b.safetensors}",
            ("4", "ckpt_name"),
            "tiny-b.safetensors",
        ),
        ("{slots: {width: 5.width, height: 5.height}, fixed: 640x480}", ("5", "height"), 480),
        ("{slot: 10.image, fixed: logo.png}", ("10", "image"), "logo.png"),
        ("{slot: 11.value, fixed: false}", ("11", "value"), False),
    ],
)
def test_fixed_values_are_set_and_never_settable(
    presets: PresetFolder, info: ObjectInfo, line: str, place: tuple[str, str], expected: Any
) -> None:
    form = presets.bind(f"f: {line}", info)
    assert form.fields == {} and form.problems == ()
    assert form.fill({}).graph[place[0]]["inputs"][place[1]] == expected
    with pytest.raises(ValuesRefused, match="f: Test has no such field; there are none"):
        form.fill({"f": 1})


def test_pictures_become_uploads(presets: PresetFolder, info: ObjectInfo) -> None:
    path = presets.folder / "my cat.png"
    Image.new("RGB", (9, 9), "red").save(path)
    prompt = presets.bind("image: {slot: 10.image}", info).fill({"image": str(path)})
    (upload,) = prompt.uploads
    assert (upload.path, upload.slots) == (path, (("10", "image"),))
    assert prompt.graph["10"]["inputs"]["image"] == upload.name
    assert prompt.extra_pnginfo["comfygradio"]["values"] == {"image": "my cat.png"}


def test_every_value_that_does_not_fit_is_named(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind(
        "steps: {slot: 3.steps, label: Steps!}\ncfg: {slot: 3.cfg}\nseed: {slot: 3.seed}", info
    )
    with pytest.raises(ValuesRefused) as caught:
        form.fill({"steps": 0, "cfg": "x", "sede": 1})
    assert caught.value.problems == {
        "sede": "Test has no such field; did you mean seed?",
        "steps": "0 is not possible; whole numbers from 1 to 10000 are allowed.",
        "cfg": "x is not possible; numbers from 0.0 to 100.0 are allowed.",
    }


@pytest.mark.parametrize("name", ["__class__", "fields", "6.text", "a\0b", ""])
def test_strange_names_from_outside_are_refused(
    presets: PresetFolder, info: ObjectInfo, name: str
) -> None:
    with pytest.raises(ValuesRefused):
        presets.bind("steps: {slot: 3.steps}", info).fill({name: 1})


def test_a_form_with_problems_stays_closed_and_says_why(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    form = presets.bind("gone: {slot: 3.nope}", info)
    with pytest.raises(
        PresetError, match=r"Test cannot be used: Field gone: node 3 \(KSampler\) has no input nope"
    ):
        form.fill({"gone": 1})


def test_outputs_go_with_the_prompt(presets: PresetFolder, info: ObjectInfo) -> None:
    path = presets.write("title: T\nworkflow: workflow.json\noutputs: [9]\n")
    assert load_preset(path).bind(info).fill({}).outputs == ("9",)


def test_a_vanished_upload_is_refused(presets: PresetFolder, info: ObjectInfo) -> None:
    with pytest.raises(ValuesRefused, match=r"the file gone\.png does not exist"):
        presets.bind("image: {slot: 10.image}", info).fill({"image": Path("gone.png")})
