"""Inputs that a field fills with a number worked out of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.errors import PresetError, ValuesRefused
from comfygradio.metadata.restore import restore_values
from tests.forms import metadata_form

from .preset_folder import WORKFLOW, PresetFolder, change_workflow

HALF = "steps: {slot: [3.steps, {slot: 5.batch_size, of: steps * 0.2}], max: 60}"


def test_the_other_input_moves_along(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind(HALF, info)
    assert form.problems == () and form.fields["steps"].default == 20
    graph = form.fill({"steps": 13}).graph
    assert (graph["3"]["inputs"]["steps"], graph["5"]["inputs"]["batch_size"]) == (13, 3)


def test_long_addresses_and_fixed_values_work_too(presets: PresetFolder, info: ObjectInfo) -> None:
    slot = "{slot: {class: EmptyLatentImage, input: width}, of: value // 8 * 8}"
    form = presets.bind(f"f: {{slot: [3.steps, {slot}], fixed: 37}}", info)
    graph = form.fill({}).graph
    assert (graph["3"]["inputs"]["steps"], graph["5"]["inputs"]["width"]) == (37, 32)


def test_a_number_that_the_other_input_does_not_take_is_refused(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    form = presets.bind("f: {slot: [3.steps, {slot: 3.cfg, of: value * 3}]}", info)
    assert form.fill({"f": 30}).graph["3"]["inputs"]["cfg"] == 90
    with pytest.raises(ValuesRefused, match="40 is not possible: cfg would become 120"):
        form.fill({"f": 40})


def test_seeds_go_round_at_their_ends(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind(
        "f: {slot: [3.seed, {slot: 12.noise_seed, of: value + 5}]}",
        info,
        change_workflow(n10=None, n11=None),
    )
    last = 2**64 - 1
    drawn = [
        form.fill({"f": seed}).graph["12"]["inputs"]["noise_seed"] for seed in (0, last - 5, last)
    ]
    assert drawn == [5, last, 4]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{slot: [3.steps, {slot: 6.text, of: value}]}", "input text takes none"),
        ("{slot: [6.text, {slot: 3.steps, of: value}]}", "input text takes none"),
        ("{slot: [3.sampler_name, {slot: 3.steps, of: value}]}", "sampler_name takes none"),
        ("{slot: [3.steps, {slot: 3.latent_image, of: value}]}", "fed by node 5"),
        ("{slot: [3.steps, {slot: 99.steps, of: value}]}", "the workflow has no node 99"),
        ("{slot: [3.steps, {slot: 3.cfg, of: value * 6}]}", "what it starts with does not fit: 20"),
        ("{slot: [3.steps, {slot: 3.cfg, of: 1 / (value - 20)}]}", "1 / (value - 20) divides by"),
    ],
)
def test_what_is_no_number_is_told(
    presets: PresetFolder, info: ObjectInfo, line: str, expected: str
) -> None:
    assert expected in presets.problem(line, info)


def test_a_slot_belongs_to_one_line(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind(f"{HALF}\npictures: {{slot: 5.batch_size}}", info)
    assert [str(problem) for problem in form.problems] == [
        "Field pictures: slot 5.batch_size is filled by steps as well; remove one of both."
    ]


@pytest.mark.parametrize(
    ("slot", "expected"),
    [
        ("[3.steps, {slot: 3.cfg, of: steps ** 2}]", "steps ** 2 is not a formula; write plain"),
        ("[3.steps, {slot: 3.cfg, of: 3}]", "write plain arithmetic as a text"),
        ("[3.steps, {slot: 3.cfg}]", "fields.steps.slot needs the key of."),
        ("[3.steps, {of: steps}]", "fields.steps.slot needs the key slot."),
        ("[3.steps, {slot: 3.cfg, of: value, oof: 1}]", "unknown key oof; did you mean of?"),
        ("[3.steps, {slot: 3.cfg, of: steps * cfg}]", "uses cfg; it can use value, or steps"),
        ("{slot: 3.cfg, of: value}", "needs a slot for the value itself, beside those worked out"),
    ],
)
def test_mistakes_are_told_when_the_file_is_read(
    presets: PresetFolder, slot: str, expected: str
) -> None:
    path = presets.write(f"title: T\nworkflow: workflow.json\nfields:\n  steps: {{slot: {slot}}}\n")
    with pytest.raises(PresetError) as caught:
        load_preset(path)
    assert expected in str(caught.value) and "test.yaml:4: " in str(caught.value)


def test_a_picture_with_other_numbers_is_told(tmp_path: Path) -> None:
    form = metadata_form.make_form(tmp_path, "f: {slot: [3.steps, {slot: 3.cfg, of: value / 4}]}")
    same = metadata_form.make_changed_metadata(
        metadata_form.WORKFLOW, **{"3.steps": 30, "3.cfg": 7.5}
    )
    (row,) = restore_values(form, same).fields
    assert (row.value, row.note) == (30, "")
    (row,) = restore_values(
        form, metadata_form.make_changed_metadata(same.prompt or {}, **{"3.cfg": 9})
    ).fields
    assert (row.value, row.note) == (
        30,
        "the picture used 9 for cfg; this form works out 7.5.",
    )


def test_an_empty_text_leaves_its_input_to_the_line_that_fills_it_too(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    lines = "all: {slot: [6.text, 7.text]}\nother: {slot: 7.text, optional: true, default: ''}"
    form = presets.bind(lines, info)
    assert form.problems == ()

    def fill(**values: str) -> list[str]:
        graph = form.fill(values).graph
        return [graph[node]["inputs"]["text"] for node in ("6", "7")]

    assert fill(all="a heron") == ["a heron", "a heron"]
    assert fill(all="a heron", other="mist") == ["a heron", "mist"]
    alone = presets.bind("other: {slot: 7.text, optional: true}", info)
    assert alone.fill({"other": ""}).graph["7"]["inputs"]["text"] == ""
    assert WORKFLOW["7"]["inputs"]["text"] == "blurry"
