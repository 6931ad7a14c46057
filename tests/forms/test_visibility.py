"""Fields that are shown only while others have certain values."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.errors import ValuesRefused

from .preset_folder import PresetFolder, change_workflow

CHAIN = (
    "a: {slot: 11.value}\n"
    "b: {slot: 3.sampler_name, choices: [euler, ddim], show_if: {a: true}}\n"
    "c: {slot: 3.steps, show_if: {b: [ddim]}, default: 9}\n"
    "d: {slot: 3.cfg, show_if: {c: [9, 10], a: true}, default: 2}"
)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({}, "abd"),
        ({"b": "ddim"}, "abcd"),
        ({"b": "ddim", "c": 10}, "abcd"),
        ({"b": "ddim", "c": 11}, "abc"),
        ({"a": False, "b": "ddim", "c": 9}, "a"),
        ({"a": "off"}, "a"),
        ({"b": "nonsense"}, "abd"),
        ({"b": "ddim", "c": "nonsense"}, "abcd"),
    ],
)
def test_chains(
    presets: PresetFolder, info: ObjectInfo, values: dict[str, Any], shown: str
) -> None:
    form = presets.bind(CHAIN, info)
    assert form.problems == ()
    assert (
        "".join(name for name, is_shown in form.find_visible(values).items() if is_shown) == shown
    )


def test_hidden_fields_count_as_their_default(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind(CHAIN, info)
    assert form.check({"a": False, "b": "ddim", "c": 50, "d": 50}) == {
        "a": False,
        "b": "euler",
        "c": 9,
        "d": 2,
    }
    assert form.check({"b": "ddim", "c": 50, "d": 50})["d"] == 2
    assert form.check({"b": "ddim", "c": 10, "d": 50})["d"] == 50


def test_a_hidden_field_may_hold_anything(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind(CHAIN, info)
    assert form.check({"a": False, "b": [], "c": "x", "d": None})["c"] == 9
    with pytest.raises(ValuesRefused) as caught:
        form.check({"a": True, "b": [], "c": "x", "d": "x"})
    assert set(caught.value.problems) == {"b", "d"}


@pytest.mark.parametrize(
    ("line", "wanted", "value", "other"),
    [
        ("{slot: 3.steps}", "[5, 6]", 6, 7),
        ("{slot: 3.cfg}", "7.5", 7.5, 7),
        ("{slot: 6.text}", "fox", "fox", "cat"),
        ("{slot: 6.text, optional: true, bypass: 10}", "''", "", "cat"),
        ("{slot: 3.steps, optional: true}", "''", None, 7),
        ("{slot: 3.steps, choices: {Few: 5, Many: 50}}", "Many", 50, "Few"),
        ("{choices: {A: {3.cfg: 1}, B: {3.cfg: 2}}}", "B", "B", "A"),
        ("{slots: {width: 5.width, height: 5.height}}", "64 x 64", "64x64", "64x80"),
        ("{bypass: 10}", "false", False, True),
        ("{slot: 3.seed}", "18446744073709551615", 2**64 - 1, 5),
    ],
)
def test_every_kind_of_field_can_be_looked_at(
    presets: PresetFolder, info: ObjectInfo, line: str, wanted: str, value: Any, other: Any
) -> None:
    form = presets.bind(f"f: {line}\ng: {{slot: 3.denoise, show_if: {{f: {wanted}}}}}", info)
    assert form.problems == ()
    assert form.find_visible({"f": value})["g"] and not form.find_visible({"f": other})["g"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "f: {slot: 3.steps, show_if: {g: 1}}",
            "show_if: there is no field g to look at; there are f.",
        ),
        (
            "f: {slot: 3.steps, show_if: {g: 1}}\ng: {slot: 3.cfg, fixed: 1}",
            "show_if: there is no field g to look at",
        ),
        (
            "f: {slot: 3.steps, show_if: {g: x}}\ng: {slot: 10.image}",
            "show_if: there is no field g to look at",
        ),
        (
            "f: {slot: 3.steps, show_if: {g: x}}\ng: {slot: 3.cfg}",
            "show_if: g is never 'x': x is not possible; numbers",
        ),
        (
            "f: {slot: 3.steps, show_if: {g: 500}}\ng: {slot: 3.cfg}",
            "show_if: g is never 500: 500 is not possible",
        ),
        ("f: {slot: 3.steps, show_if: {f: 5}}", "show_if goes round in a circle: f → f."),
        (
            "f: {slot: 3.steps, show_if: {g: 1}}\ng: {slot: 3.cfg, show_if: {f: 5}}",
            "in a circle: f → g → f.",
        ),
    ],
)
def test_conditions_that_make_no_sense(
    presets: PresetFolder, info: ObjectInfo, lines: str, expected: str
) -> None:
    (problem,) = presets.bind(lines, info).problems
    assert expected in str(problem) and problem.kind == "preset"


def test_true_is_not_one(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind("f: {slot: 3.steps}\ng: {slot: 3.cfg, show_if: {f: 1}}", info)
    assert form.find_visible({"f": 1})["g"] and not form.find_visible({"f": True})["g"]


def test_a_hidden_picture_is_neither_asked_for_nor_uploaded(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    picture = presets.folder / "a.png"
    Image.new("RGB", (9, 9)).save(picture)
    lines = "use: {slot: 11.value}\nimage: {slot: 10.image, show_if: {use: true}}"
    form = presets.bind(lines, info)
    prompt = form.fill({"use": False, "image": picture})
    assert prompt.uploads == () and prompt.graph["10"]["inputs"]["image"] == "example.png"
    assert prompt.extra_pnginfo["comfygradio"]["values"] == {"use": False, "image": None}
    assert len(form.fill({"use": True, "image": picture}).uploads) == 1
    with pytest.raises(ValuesRefused, match="image: please add a picture"):
        form.fill({"use": True})


def test_a_hidden_optional_field_bypasses_its_nodes(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    lora = {
        "class_type": "LoraLoader",
        "inputs": {
            **{"model": ["4", 0], "clip": ["4", 1], "lora_name": "tiny-lora.safetensors"},
            **{"strength_model": 1.0, "strength_clip": 1.0},
        },
    }
    flow = change_workflow(n20=lora)
    flow["3"]["inputs"]["model"] = ["20", 0]
    lines = (
        "use: {slot: 11.value}\nf: {slot: 20.strength_model, optional: true, bypass: 20, "
        "show_if: {use: true}}"
    )
    form = presets.bind(lines, info, flow)
    assert form.fill({"use": True}).graph["3"]["inputs"]["model"] == ["20", 0]
    assert form.fill({"use": False, "f": 1}).graph["3"]["inputs"]["model"] == ["4", 0]


def test_values_of_hidden_fields_come_back_the_same(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    form = presets.bind(CHAIN, info)
    checked = form.check({"a": False})
    assert form.check(form.values_to_json(checked)) == checked
