"""Presets that extend another one (`extends: NAME`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from comfygradio.binding.preset import Preset, load_preset, load_presets
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.errors import PresetError

from .preset_folder import PresetFolder

BASE = """\
title: Base
description: Describe a picture.
icon: "🎨"
group: Pictures
order: 3
workflow: workflow.json
fields:
  prompt: {slot: 6.text, label: What do you want to see?}
  steps: {slot: 3.steps, min: 4, max: 60, default: 20}
  cfg: {slot: 3.cfg}
examples:
  - {title: Lighthouse, prompt: a lighthouse, steps: 12}
sweep: {steps: "10, 20", cfg: "4, 8"}
models:
  - {name: a.safetensors, folder: checkpoints, url: "https://example.org/a.safetensors"}
outputs: ["9"]
"""


def load(presets: PresetFolder, own: str, base: str = BASE) -> Preset:
    presets.write(base, name="base")
    return load_preset(presets.write(own, name="own"))


def refuse(presets: PresetFolder, own: str, base: str = BASE) -> str:
    """The error text for the preset own, with the folder cut off."""
    with pytest.raises(PresetError) as caught:
        load(presets, own, base)
    return str(caught.value).replace(f"{presets.folder}/", "")


def test_what_is_not_said_is_taken_over(presets: PresetFolder) -> None:
    preset = load(presets, "title: Own\nextends: base\n")
    base = load_preset(presets.folder / "base.yaml")
    assert preset.title == "Own"
    assert preset.file.order is None
    assert preset.file.extends == "base"
    taken_over = {"description", "icon", "group", "workflow", "fields", "examples", "sweep"}
    for key in taken_over | {"models", "outputs"}:
        assert getattr(preset.file, key) == getattr(base.file, key), key


def test_fields_are_joined_key_by_key(presets: PresetFolder, new_info: ObjectInfo) -> None:
    own = "title: Own\nextends: base\nfields:\n  seed: {slot: 3.seed}\n  steps: {max: 30}\n"
    form = load(presets, own).bind(new_info)
    assert form.problems == ()
    assert list(form.fields) == ["prompt", "steps", "cfg", "seed"]
    steps = form.file.fields["steps"]
    assert (steps.min, steps.max, steps.default, steps.slot) == (4, 30, 20, "3.steps")
    assert form.fields["prompt"].label == "What do you want to see?"


def test_null_takes_away(presets: PresetFolder) -> None:
    own = "title: Own\nextends: base\nfields:\n  steps: null\n  cfg:\n  prompt: {label: ~}\n"
    file = load(presets, own).file
    assert list(file.fields) == ["prompt"]
    assert file.fields["prompt"].label is None
    # Examples and axes that were taken over would else name fields that do not exist.
    assert [sorted(example) for example in file.examples] == [["prompt", "title"]]
    assert file.sweep == {}


@pytest.mark.parametrize(
    ("base", "own", "kept"),
    [
        ("slot: 5.width", "slots: {width: 5.width, height: 5.height}", {"slots"}),
        ("slots: {width: 5.width, height: 5.height}", "slot: 5.width", {"slot"}),
        ("slot: 3.steps, default: 20, optional: true", "fixed: 8", {"slot", "fixed"}),
        ("slot: 6.text, dynamic: true", "fixed: x", {"slot", "fixed"}),
        ("slot: 3.steps, fixed: 8", "default: 6", {"slot", "default"}),
        ("choices: {Photo: {3.cfg: 6}}", "slot: 3.cfg", {"slot"}),
        ("slot: 3.cfg", "choices: {Photo: {3.cfg: 6}}", {"choices"}),
    ],
)
def test_a_key_replaces_those_that_exclude_it(
    presets: PresetFolder, base: str, own: str, kept: set[str]
) -> None:
    head = "title: Base\nworkflow: workflow.json\nfields:\n"
    file = load(
        presets,
        f"title: Own\nextends: base\nfields:\n  f: {{{own}}}\n",
        f"{head}  f: {{{base}}}\n",
    ).file
    assert file.fields["f"].model_fields_set == kept


def test_another_workflow_has_other_models_and_outputs(presets: PresetFolder) -> None:
    file = load(presets, "title: Own\nextends: base\nworkflow: workflow.json\n").file
    assert (file.models, file.outputs) == ([], [])
    assert list(file.fields) == ["prompt", "steps", "cfg"]


def test_a_preset_extends_one_that_extends_another(presets: PresetFolder) -> None:
    presets.write("title: Middle\nextends: base\nfields: {cfg: {max: 9}}\n", name="middle")
    file = load(presets, "title: Own\nextends: middle\nfields: {cfg: {min: 2}}\n").file
    assert (file.fields["cfg"].slot, file.fields["cfg"].min, file.fields["cfg"].max) == (
        "3.cfg",
        2,
        9,
    )


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (
            "title: Own\nextends: own",
            "own.yaml:2: extends: own extends own, in a circle; remove one of these.",
        ),
        (
            "title: Own\nextends: bas",
            "own.yaml:2: extends: there is no preset bas in this folder; did you mean base?",
        ),
        (
            "title: Own\nextends: base.yaml",
            "own.yaml:2: extends: there is no preset base.yaml in this folder; did you mean base?",
        ),
        (
            "title: Own\nextends: ../../etc/passwd",
            "own.yaml:2: extends: there is no preset ../../etc/passwd in this folder; there are "
            "base.",
        ),
        (
            "title: Own\nextends: [base]",
            "own.yaml:2: extends: write the name of one preset, for example text_to_image.",
        ),
        (
            "title: Own\nextends: null",
            "own.yaml:2: extends: write the name of one preset, for example text_to_image.",
        ),
        ("extends: base", "own.yaml:1: this preset needs the key title."),
        (
            "title: Own\nextends: base\nfields:\n  stps: null",
            "own.yaml:4: fields.stps: a field is a list of keys, for example {slot: 6.text}.",
        ),
        (
            "title: Own\nextends: base\nfields:\n  new: {label: New}",
            "own.yaml:4: fields.new: needs either slot or slots.",
        ),
        (
            "title: Own\nextends: base\nfields:\n  steps: {maxx: 3}",
            "own.yaml:4: fields.steps: unknown key maxx; did you mean max?",
        ),
        (
            "title: Own\nextends: base\nexamples:\n  - {colour: red}",
            "own.yaml:4: examples: there is no field colour; there are prompt, steps, cfg.",
        ),
    ],
)
def test_mistakes_are_told_with_file_and_line(
    presets: PresetFolder, own: str, expected: str
) -> None:
    assert refuse(presets, own) == expected


def test_a_circle_is_told_by_its_names(presets: PresetFolder) -> None:
    presets.write("title: Middle\nextends: own\n", name="middle")
    assert refuse(presets, "title: Own\nextends: middle\n") == (
        "middle.yaml:2: extends: own extends middle extends own, in a circle; remove one of these."
    )


def test_a_mistake_of_the_other_preset_has_its_own_line(presets: PresetFolder) -> None:
    assert refuse(presets, "title: Own\nextends: base\n", f"{BASE}lable: x\n") == (
        "own.yaml:2: extends: base cannot be used: base.yaml:17: unknown key lable; there are "
        "title, workflow, description, icon, cover, group, order, fields, outputs, examples, "
        "sweep, models, extends."
    )


def test_a_long_chain_is_refused(presets: PresetFolder) -> None:
    presets.write("title: P0\nworkflow: workflow.json\n", name="p0")
    for number in range(1, 13):
        presets.write(f"title: P{number}\nextends: p{number - 1}\n", name=f"p{number}")
    load_preset(presets.folder / "p10.yaml")
    with pytest.raises(PresetError, match="at most 10 presets extend one another"):
        load_preset(presets.folder / "p11.yaml")


def test_a_problem_of_a_field_taken_over_has_the_line_of_extends(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    base = "title: Base\nworkflow: workflow.json\nfields:\n  a: {slot: 99.text}\n"
    own = "title: Own\nextends: base\nfields:\n  b: {slot: 98.text}\n"
    form = load(presets, own, base).bind(new_info)
    assert [(problem.field, problem.line) for problem in form.problems] == [("a", 2), ("b", 4)]


def test_both_are_presets_of_the_folder(presets: PresetFolder, tmp_path: Path) -> None:
    load(presets, "title: Own\nextends: base\n")
    found, errors = load_presets([tmp_path])
    assert errors == []
    assert [preset.name for preset in found] == ["base", "own"]
