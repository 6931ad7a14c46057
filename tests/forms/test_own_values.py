"""The workflow's own values: they stay, or it is said what takes their place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.errors import ValuesRefused
from comfygradio.forms.form import Form

from .preset_folder import WORKFLOW, PresetFolder, load_object_info

LONG = "data:image/png;base64," + "iVBORw0KGgo" * 10_000


def bind(presets: PresetFolder, line: str, node: str, spec: Any = None, **inputs: Any) -> Form:
    """The form of one field, with inputs of a node changed, and `spec` for each of them."""
    workflow = copy.deepcopy(dict(WORKFLOW))
    workflow[node]["inputs"].update(inputs)
    data = copy.deepcopy(load_object_info("v0.33.0"))
    for name in inputs if spec is not None else ():
        data[workflow[node]["class_type"]]["input"]["required"][name] = spec
    form = presets.bind(f"f: {line}", ObjectInfo.from_json(data), workflow)
    assert form.problems == ()
    return form


def post(form: Form, node: str, name: str, **values: Any) -> Any:
    return form.fill(values).graph[node]["inputs"][name]


def test_a_text_longer_than_people_may_write_stays(presets: PresetFolder) -> None:
    form = bind(presets, "{slot: 6.text}", "6", text=LONG)
    assert post(form, "6", "text") == LONG
    assert form.notes == (
        "F: the workflow's own text has 110,022 characters, more than people may write; it stays "
        "until somebody changes it.",
    )
    shown = form.fields["f"].default
    assert shown == "[the workflow's own text of 110,022 characters]"
    assert post(form, "6", "text", f=shown) == LONG
    assert post(form, "6", "text", f=LONG) == LONG
    assert post(form, "6", "text", f="a cat") == "a cat"
    assert form.fill({}).extra_pnginfo["comfygradio"]["values"] == {"f": shown}
    with pytest.raises(ValuesRefused, match="too long"):
        form.check({"f": LONG + "!"})
    with pytest.raises(ValuesRefused, match="text of another workflow"):
        form.check({"f": "[the workflow's own text of 7,000,000 characters]"})


def test_a_long_text_goes_through_a_template_whole(presets: PresetFolder) -> None:
    form = bind(presets, "{slot: 6.text, template: 'see {value}.'}", "6", text=f"see {LONG}.")
    assert post(form, "6", "text") == f"see {LONG}."


@pytest.mark.parametrize(
    ("line", "own", "posted"),
    [
        ("{slot: 3.steps, max: 12}", 50, 12),
        ("{slot: 3.steps, min: 40, max: 60}", 3, 40),
        ("{slot: 3.steps, max: 12.5, widget: slider}", 13, 12),
        ("{slot: 3.cfg, max: 4.5}", 9.25, 4.5),
        ("{slot: 3.denoise, min: 0.5}", 0.1, 0.5),
    ],
)
def test_outside_of_the_authors_limits_the_nearest_takes_its_place(
    presets: PresetFolder, line: str, own: float, posted: float
) -> None:
    name = line.split(".")[1].split(",")[0]
    form = bind(presets, line, "3", **{name: own})
    assert post(form, "3", name) == posted
    assert form.notes == (
        f"F: the workflow's own {own} is outside of what is allowed here; the form starts with "
        f"{posted} instead.",
    )


@pytest.mark.parametrize(
    ("name", "own", "posted", "said"),
    [
        ("steps", 31.9, 31, "31.9 is 31 for ComfyUI"),
        ("steps", "17", 17, ""),
        ("cfg", "6.5", 6.5, ""),
        ("cfg", 3, 3, ""),
    ],
)
def test_numbers_are_read_as_comfyui_reads_them(
    presets: PresetFolder, name: str, own: Any, posted: Any, said: str
) -> None:
    form = bind(presets, f"{{slot: 3.{name}}}", "3", **{name: own})
    assert post(form, "3", name) == posted
    assert len(form.notes) == bool(said) and all(said in note for note in form.notes)


def test_a_side_of_a_size_is_read_as_comfyui_reads_it(presets: PresetFolder) -> None:
    form = bind(presets, "{slots: {width: 5.width, height: 5.height}}", "5", height=320.5)
    assert (post(form, "5", "width"), post(form, "5", "height")) == (512, 320)
    assert form.notes == ("F: the workflow's own 320.5 is 320 for ComfyUI, and here.",)


def test_a_word_for_off_is_on_for_comfyui(presets: PresetFolder) -> None:
    form = bind(presets, "{slot: 11.value}", "11", value="false")
    assert post(form, "11", "value") is True
    assert form.notes == ("F: the workflow's own false is True for ComfyUI, and here.",)


def test_a_switch_in_a_text_is_a_text(presets: PresetFolder) -> None:
    form = bind(presets, "{slot: 6.text}", "6", text=True)
    assert post(form, "6", "text") == "True"


@pytest.mark.parametrize("own", ["tomato", "hsl(9, 50%, 50%)", "#11223380", ""])
def test_a_color_that_the_form_cannot_write_stays(presets: PresetFolder, own: str) -> None:
    form = bind(presets, "{slot: 6.text, widget: color}", "6", text=own)
    assert post(form, "6", "text") == own
    assert form.notes == (
        f"F: the workflow's own {own} cannot be written here; it stays until somebody changes it.",
    )
    assert post(form, "6", "text", f="#ABC") == "#aabbcc"


@pytest.mark.parametrize(
    ("typed", "posted"),
    [
        ("000080", "#000080"),
        ("123456", "#123456"),
        ("ff0080", "#ff0080"),
        ("128", "#000080"),
        (128, "#000080"),
    ],
)
def test_six_digits_are_a_color_as_six_letters_are(
    presets: PresetFolder, typed: Any, posted: str
) -> None:
    form = bind(presets, "{slot: 6.text, widget: color}", "6", text="#ffffff")
    assert post(form, "6", "text", f=typed) == posted


@pytest.mark.parametrize(("typed", "posted"), [("000080", 0x80), ("123456", 123456), ("128", 128)])
def test_where_a_number_is_wanted_six_digits_are_one_unless_a_zero_leads(
    presets: PresetFolder, typed: str, posted: int
) -> None:
    spec = ["INT", {"default": 0, "min": 0, "max": 0xFFFFFF}]
    form = bind(presets, "{slot: 5.width, widget: color}", "5", spec, width=0)
    assert post(form, "5", "width", f=typed) == posted


def test_a_side_that_the_node_works_out_itself_stays(presets: PresetFolder) -> None:
    spec = ["INT", {"default": 512, "min": 0, "max": 8192}]
    line = "{slots: {width: 5.width, height: 5.height}}"
    form = bind(presets, line, "5", spec, width=0, height=640)
    assert (post(form, "5", "width"), post(form, "5", "height")) == (0, 640)
    assert post(form, "5", "width", f="0x640") == 0
    assert "0x640 cannot be written here" in form.notes[0]
    with pytest.raises(ValuesRefused, match="the width 0 is not possible"):
        form.check({"f": "0x512"})


def test_a_size_outside_of_the_authors_limits_comes_as_near_as_it_can(
    presets: PresetFolder,
) -> None:
    form = bind(
        presets,
        "{slots: {width: 5.width, height: 5.height}, max: 1024}",
        "5",
        width=2048,
        height=640,
    )
    assert (post(form, "5", "width"), post(form, "5", "height")) == (1024, 640)
    assert "own 2048x640 is outside of what is allowed here" in form.notes[0]


@pytest.mark.parametrize(
    ("line", "node", "name", "own", "posted"),
    [
        ("{slot: 3.scheduler, choices: [simple, karras]}", "3", "scheduler", "beta", "simple"),
        ("{slot: 3.steps, choices: [8, 30]}", "3", "steps", 11, 8),
        ("{slots: {width: 5.width, height: 5.height}, choices: [64x768]}", "5", "width", 320, 64),
    ],
)
def test_a_value_that_is_not_in_the_authors_list_is_noted(
    presets: PresetFolder, line: str, node: str, name: str, own: Any, posted: Any
) -> None:
    form = bind(presets, line, node, **{name: own})
    assert post(form, node, name) == posted
    assert len(form.notes) == 1 and "not among the preset's choices" in form.notes[0]


def test_the_workflows_usual_values_need_no_note(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    lines = "a: {slot: 6.text}\nb: {slot: 3.steps}\nc: {slot: 3.cfg}\nd: {slot: 3.scheduler}"
    assert presets.bind(lines, new_info).notes == ()
