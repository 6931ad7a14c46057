"""Steps of whole numbers: what lies between them is refused with the two nearest."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.errors import ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.forms.step_grid import StepGrid, build_step_grid, intersect_grids
from comfygradio.ui.job.job_view import find_smaller_size

from .preset_folder import WORKFLOW, PresetFolder, load_object_info

SIZE = "{slots: {width: 5.width, height: 5.height}"


def bind(
    presets: PresetFolder,
    line: str,
    node: str,
    specs: dict[str, Any],
    outcome: str = "",
    **inputs: Any,
) -> Form:
    """The form of one field, with inputs of a node and what the server says about them changed."""
    workflow = copy.deepcopy(dict(WORKFLOW))
    workflow[node]["inputs"].update(inputs)
    data = copy.deepcopy(load_object_info("v0.33.0"))
    data[workflow[node]["class_type"]]["input"]["required"].update(specs)
    form = presets.bind(f"f: {line}", ObjectInfo.from_json(data), workflow)
    assert " ".join(map(str, form.problems)) == outcome
    return form


def refuse(form: Form, value: Any) -> str:
    with pytest.raises(ValuesRefused) as caught:
        form.check({"f": value})
    return caught.value.problems["f"]


GRIDS = st.builds(StepGrid, st.integers(1, 60), st.integers(-100, 100))


@given(GRIDS, st.integers(-2000, 2000))
def test_a_number_lies_between_the_two_nearest(grid: StepGrid, number: int) -> None:
    low, high = grid.floor(number), grid.ceil(number)
    assert low <= number <= high and grid.contains(low) and grid.contains(high)
    assert high - low == (0 if grid.contains(number) else grid.step)


@given(GRIDS, GRIDS)
def test_joined_grids_have_what_both_have(one: StepGrid, other: StepGrid) -> None:
    joined = intersect_grids([one, other]) or StepGrid(1, 0)
    span = range(-200, 200 + one.step * other.step)
    both = [n for n in span if one.contains(n) and other.contains(n)]
    expected = both or [n for n in span if one.contains(n)]
    assert [n for n in span if joined.contains(n)] == expected


@pytest.mark.parametrize(
    ("options", "grid"),
    [
        ({"min": 1, "step": 4, "default": 97}, StepGrid(4, 1)),
        ({"min": 5, "step": 6}, StepGrid(6, 5)),
        ({"step": 64}, StepGrid(64, 0)),
        ({"min": -8, "step": 16, "default": 24}, StepGrid(16, -8)),
        ({"min": 1, "step": 16, "default": 640}, StepGrid(16, 0)),
        ({"min": 3, "step": 10, "default": 77}, None),
        ({"min": 0, "step": 1, "default": 9}, None),
        ({"min": 0}, None),
        ({"min": 0, "step": 5, "control_after_generate": True}, None),
    ],
)
def test_steps_count_from_the_least_value(options: dict[str, Any], grid: StepGrid | None) -> None:
    assert build_step_grid(InputSpec.from_json("length", "required", ["INT", options])) == grid
    assert build_step_grid(InputSpec.from_json("length", "required", ["FLOAT", options])) is None


def test_sizes_between_the_steps_are_refused_with_the_two_nearest(presets: PresetFolder) -> None:
    form = bind(presets, f"{SIZE}}}", "5", {})
    assert form.notes == ()
    text = "goes in steps of 8; write"
    assert refuse(form, "333x512") == f"333x512 is not possible: it {text} 328x512 or 336x512."
    assert refuse(form, (333, 515)) == f"333x515 is not possible: it {text} 328x512 or 336x520."
    assert refuse(form, "16384x16383").endswith("write 16384x16376 or 16384x16384.")
    assert form.fill({"f": "336x520"}).graph["5"]["inputs"]["width"] == 336
    assert form.values_to_json(form.check({"f": "336x520"})) == {"f": "336x520"}


@pytest.mark.parametrize("value", [50, "50", 50.0])
def test_lengths_of_4n_and_1(presets: PresetFolder, value: Any) -> None:
    spec = ["INT", {"default": 33, "min": 1, "max": 256, "step": 4}]
    form = bind(presets, "{slot: 5.batch_size}", "5", {"batch_size": spec}, batch_size=81)
    assert refuse(form, value) == f"{value} is not possible: it goes in steps of 4; write 49 or 53."
    assert form.fields["f"].maximum == 253
    assert form.check({"f": 49})["f"] == 49


def test_decimal_steps_refuse_nothing(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind("f: {slot: 3.cfg}", info)
    assert form.fields["f"].step == 0.1
    assert form.check({"f": 4.123})["f"] == 4.123


def test_limits_lie_on_the_steps(presets: PresetFolder) -> None:
    field = bind(presets, f"{SIZE}, min: 100, max: 1001}}", "5", {}).fields["f"]
    assert (field.minimum, field.maximum, field.step) == (104, 1000, 8)
    bind(
        presets,
        f"{SIZE}, min: 101, max: 103}}",
        "5",
        {},
        "Field f: no value is left: it goes in steps of 8, and none lies from 101 to 103.",
    )


@pytest.mark.parametrize(("step", "taken", "notes"), [(64, 64, 0), (8, 8, 0), (20, 8, 1)])
def test_a_presets_step_has_to_suit_the_servers(
    presets: PresetFolder, step: int, taken: int, notes: int
) -> None:
    form = bind(presets, f"{SIZE}, step: {step}}}", "5", {})
    assert form.fields["f"].step == taken
    assert len(form.notes) == notes


def test_the_workflows_own_value_between_the_steps_stays(presets: PresetFolder) -> None:
    form = bind(presets, f"{SIZE}}}", "5", {}, width=333, height=90)
    assert form.fill({}).graph["5"]["inputs"]["height"] == 90
    assert form.check({"f": "333x90"})["f"] == (333, 90)
    assert form.notes == (
        "F: the workflow's own 333x90 lies between the steps and may be made another by ComfyUI: "
        "it goes in steps of 8; write 328x88 or 336x96.",
    )
    assert "write 328x512 or 336x512" in refuse(form, "333x512")


@pytest.mark.parametrize("value", [30, "30", 30.0])
def test_a_default_between_the_steps_stays(presets: PresetFolder, value: Any) -> None:
    spec = ["INT", {"default": 33, "min": 1, "max": 256, "step": 4}]
    form = bind(presets, "{slot: 5.batch_size, default: 30}", "5", {"batch_size": spec})
    assert form.check({})["f"] == form.check({"f": value})["f"] == 30
    assert "F: the default 30 lies between the steps" in form.notes[0]
    fixed = bind(presets, "{slot: 5.batch_size, fixed: 30}", "5", {"batch_size": spec})
    assert fixed.fill({}).graph["5"]["inputs"]["batch_size"] == 30
    assert "F: the fixed value 30 lies between the steps" in fixed.notes[0]


def test_outside_of_the_limits_the_nearest_on_the_steps_takes_its_place(
    presets: PresetFolder,
) -> None:
    form = bind(presets, f"{SIZE}, max: 500}}", "5", {}, width=900, height=333)
    assert form.fields["f"].default == "496x328"


def test_a_presets_own_sizes_stay_and_are_told(presets: PresetFolder) -> None:
    form = bind(presets, f"{SIZE}, choices: [512x768, 90x90]}}", "5", {})
    assert form.check({"f": "90x90"})["f"] == (90, 90)
    assert form.notes == (
        "F: 90 × 90 lies between the steps: it goes in steps of 8; write 88x88 or 96x96.",
    )


def test_sizes_that_are_worked_out_lie_on_the_steps(presets: PresetFolder) -> None:
    spec = ["INT", {"default": 141, "min": 15, "max": 4096, "step": 14}]
    form = bind(presets, f"{SIZE}}}", "5", {"width": spec, "height": spec}, width=141, height=281)
    assert form.fields["f"].size_grid == StepGrid(14, 1)
    assert find_smaller_size(form.fields, {"f": "141x281"}) == ("f", "99x197")
    small = ["INT", {"default": 3, "min": 3, "max": 4096, "step": 3}]
    form = bind(presets, f"{SIZE}}}", "5", {"width": small, "height": small}, width=300, height=300)
    assert form.fields["f"].size_grid == StepGrid(9, 0)


def test_a_field_of_several_inputs_keeps_to_all_steps(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    spec = ["INT", {"default": 24, "min": 6, "max": 64, "step": 6}]
    form = bind(
        presets, "{slot: [5.batch_size, 5.width]}", "5", {"batch_size": spec}, batch_size=24
    )
    assert form.fields["f"].grids == {"": StepGrid(24, 0)}
    assert refuse(form, 30).endswith("goes in steps of 24; write 24 or 48.")
