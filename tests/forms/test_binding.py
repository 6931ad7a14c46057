from __future__ import annotations

import copy
from typing import Any

import pytest

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.forms.form import fingerprint

from .preset_folder import RESIZE, PresetFolder, change_workflow, load_object_info


def change_info(class_type: str, input_name: str, spec: Any) -> ObjectInfo:
    """The new server's classes with one input of one class changed."""
    data = copy.deepcopy(load_object_info("v0.33.0"))
    data[class_type]["input"]["required"][input_name] = spec
    return ObjectInfo.from_json(data)


@pytest.mark.parametrize(
    ("line", "widget"),
    [
        ("{slot: 6.text}", "textarea"),
        ("{slot: 9.filename_prefix}", "text"),
        ("{slot: 3.steps}", "number"),
        ("{slot: 3.steps, max: 60}", "slider"),
        ("{slot: 3.cfg}", "number"),
        ("{slot: 3.cfg, max: 10}", "slider"),
        ("{slot: 3.denoise}", "slider"),
        ("{slot: 3.seed}", "seed"),
        ("{slot: 12.noise_seed}", "seed"),
        ("{slot: 3.sampler_name}", "dropdown"),
        ("{slot: 13.model_name}", "dropdown"),
        ("{slot: 11.value}", "checkbox"),
        ("{slot: 10.image}", "image"),
        ("{slots: {width: 5.width, height: 5.height}}", "size"),
        ("{slot: 3.steps, widget: slider}", "slider"),
        ("{slot: 3.seed, widget: number}", "number"),
        ("{slot: 6.text, widget: text}", "text"),
        ("{slot: 3.sampler_name, widget: radio}", "radio"),
        ("{slot: 3.steps, choices: [10, 20]}", "dropdown"),
    ],
)
def test_the_server_decides_the_widget_unless_the_preset_does(
    presets: PresetFolder, info: ObjectInfo, line: str, widget: str
) -> None:
    field = presets.bind(f"f: {line}\nother: {{slot: 3.steps}}", info).fields["f"]
    assert field.widget == widget


def test_a_color_has_a_picker(presets: PresetFolder, new_info: ObjectInfo) -> None:
    overlay = {
        "class_type": "TextOverlay",
        "inputs": {"images": ["10", 0], "text": "x", "color": "#00ff00"},
    }
    field = presets.field("{slot: 20.color}", new_info, change_workflow(n20=overlay))
    assert (field.widget, field.default) == ("color", "#00ff00")


def test_inputs_of_a_dynamic_combo(presets: PresetFolder, new_info: ObjectInfo) -> None:
    field = presets.field("{slot: Resize.resize_type.width}", new_info, change_workflow(n20=RESIZE))
    assert (field.widget, field.default, field.minimum, field.maximum) == ("number", 640, 0, 16384)
    choice = presets.field("{slot: 20.resize_type}", new_info, change_workflow(n20=RESIZE))
    assert (
        choice.widget == "dropdown"
        and choice.choices
        and choice.choices[0].value == "scale dimensions"
    )


def test_an_input_of_another_choice_of_a_dynamic_combo_is_unknown(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    text = presets.problem(
        "{slot: 20.resize_type.multiplier}", new_info, change_workflow(n20=RESIZE)
    )
    assert "node 20 (Resize) has no input resize_type.multiplier" in text


def test_the_preset_narrows_limits_and_never_widens_them(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    field = presets.field("{slot: 3.steps, min: -5, max: 60}", info)
    assert (field.minimum, field.maximum, field.is_integer) == (1, 60, True)
    field = presets.field("{slot: 3.cfg, min: 2, max: 1000, step: 0.5}", info)
    assert (field.minimum, field.maximum, field.step, field.is_integer) == (2, 100.0, 0.5, False)


def test_several_slots_share_the_narrowest_limits(presets: PresetFolder, info: ObjectInfo) -> None:
    field = presets.field("{slot: [3.steps, 5.batch_size]}", info)
    assert (field.minimum, field.maximum) == (1, 4096)


def test_sizes_are_at_least_a_pixel(presets: PresetFolder) -> None:
    info = change_info("EmptyLatentImage", "width", ["INT", {"default": 512}])
    assert presets.field("{slots: {width: 5.width, height: 5.width}}", info).minimum == 1


def test_defaults_come_from_preset_then_workflow_then_server(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    assert presets.field("{slot: 3.steps, default: 30}", info).default == 30
    assert presets.field("{slot: 3.steps}", info).default == 20
    assert presets.field("{slot: 3.steps, min: 25}", info).default == 25
    assert presets.field("{slot: 4.ckpt_name}", info).default == "tiny-a.safetensors"
    assert presets.field("{slot: 11.value}", info).default is True
    assert presets.field("{slots: {width: 5.width, height: 5.height}}", info).default == "512x768"
    assert presets.field("{slot: 3.seed}", info).default is None
    assert presets.field("{slot: 3.seed, default: 18446744073709551615}", info).default == 2**64 - 1
    bare = change_workflow(n11={"class_type": "PrimitiveBoolean", "inputs": {}})
    assert presets.problem("{slot: 11.value}", info, bare).endswith(
        "nor the server has a value for value."
    )


def test_a_model_field_takes_the_first_where_the_workflows_own_is_missing(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    foreign = change_workflow(
        n4={"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd_xl.safetensors"}}
    )
    field = presets.field("{slot: 4.ckpt_name}", info, foreign)
    assert field.choices and field.default == field.choices[0].value


def test_choices_of_both_combo_forms_come_from_the_server(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    old_form = presets.field("{slot: 4.ckpt_name}", info).choices or ()
    new_form = presets.field("{slot: 13.model_name}", info).choices or ()
    assert [c.value for c in old_form] == [
        "sub folder/tiny ü-c.safetensors",
        "tiny-a.safetensors",
        "tiny-b.safetensors",
    ]
    assert [c.value for c in new_form] == ["tiny-esrgan-x2.pth", "tiny-esrgan-x4.pth"]


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (
            "'sub folder/*'",
            [("sub folder/tiny ü-c.safetensors", "sub folder/tiny ü-c.safetensors")],
        ),
        ("'*-b.*'", [("tiny-b.safetensors", "tiny-b.safetensors")]),
        ("[tiny-b.safetensors, gone.safetensors]", [("tiny-b.safetensors", "tiny-b.safetensors")]),
        ("{Good: tiny-b.safetensors, Gone: x}", [("Good", "tiny-b.safetensors")]),
    ],
)
def test_choices_filter_the_servers_list(
    presets: PresetFolder, info: ObjectInfo, choices: str, expected: list[tuple[str, str]]
) -> None:
    field = presets.field(f"{{slot: 4.ckpt_name, choices: {choices}}}", info)
    assert [(c.label, c.value) for c in field.choices or ()] == expected
    assert field.default == expected[0][1]


def test_a_glob_sees_slashes_where_the_server_is_windows(presets: PresetFolder) -> None:
    listed = ["sdxl\\a.safetensors", "sd15\\b.safetensors"]
    info = change_info("CheckpointLoaderSimple", "ckpt_name", [listed, {}])
    field = presets.field("{slot: 4.ckpt_name, choices: sdxl/*}", info)
    assert [c.value for c in field.choices or ()] == ["sdxl\\a.safetensors"]


def test_choices_of_a_size_are_read_as_sizes(presets: PresetFolder, info: ObjectInfo) -> None:
    field = presets.field(
        "{slots: {width: 5.width, height: 5.height}, choices: [512x512, 768 X 512, 8x8]}", info
    )
    assert [(c.label, c.value) for c in field.choices or ()] == [
        ("512 × 512", "512x512"),
        ("768 × 512", "768x512"),
    ]
    field = presets.field(
        "{slots: {width: 5.width, height: 5.height}, choices: {Square: 512x512}}", info
    )
    assert [(c.label, c.value) for c in field.choices or ()] == [("Square", "512x512")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "{slot: 3.nope}",
            "Field f: node 3 (KSampler) has no input nope; it has model, seed, steps, cfg",
        ),
        (
            "{slot: 3.model}",
            "slot 3.model is fed by node 4 and cannot be set from a form; use an input of node 4",
        ),
        ("{slot: 99.x}", "Field f: slot 99.x: the workflow has no node 99"),
        (
            "{slot: 3.steps, min: 50, max: 3}",
            "no value is left: f would have to be at least 50 and at most 3.",
        ),
        (
            "{slot: 3.steps, default: 0}",
            "the default does not fit: 0 is not possible; whole numbers from 1 to 10000",
        ),
        ("{slot: 3.steps, default: many}", "the default does not fit: many is not possible"),
        ("{slot: 3.steps, fixed: 0}", "the fixed value does not fit: 0 is not possible"),
        ("{slot: 3.steps, choices: [20, 99999]}", "a choice does not fit: 99999 is not possible"),
        ("{slot: 3.steps, choices: [few]}", "a choice does not fit: few is not possible"),
        ("{slot: 4.ckpt_name, choices: sdxl/*}", "none of the server's 3 choices fits sdxl/*."),
        (
            "{slot: 4.ckpt_name, choices: [gone]}",
            "the server has none of the choices that the preset lists.",
        ),
        (
            "{slot: 4.ckpt_name, default: gone}",
            "gone is not in the list; allowed: sub folder/tiny ü-c.safetensors",
        ),
        (
            "{slot: 4.ckpt_name, widget: slider}",
            "a slider widget does not suit input ckpt_name, which is a list of",
        ),
        (
            "{slot: 6.text, widget: number}",
            "a number widget does not suit input text, which is of type STRING.",
        ),
        (
            "{slot: 6.text, widget: dropdown}",
            "a dropdown widget needs choices, and the server offers none for",
        ),
        (
            "{slot: 3.steps, widget: image}",
            "an image widget does not suit input steps, which is of type INT.",
        ),
        (
            "{slot: 3.cfg, widget: seed}",
            "a seed widget does not suit input cfg, which is of type FLOAT.",
        ),
        (
            "{slots: {width: 5.width, height: 5.height}, choices: [big]}",
            "a choice is not a size: write the size as",
        ),
        (
            "{slots: {width: 5.width, height: 5.height}, choices: '512*'}",
            "a size takes a list of choices",
        ),
        ("{slots: {width: 5.width, height: 5.height}, choices: [8x8]}", "none of the choices"),
    ],
)
def test_what_does_not_fit_the_server_is_a_problem_of_the_form(
    presets: PresetFolder, info: ObjectInfo, line: str, expected: str
) -> None:
    assert expected in presets.problem(line, info)


def test_an_unlinked_input_that_only_nodes_can_feed(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    loose = change_workflow(n8={"class_type": "VAEDecode", "inputs": {"samples": ["3", 0]}})
    assert "input vae takes a VAE from another node" in presets.problem(
        "{slot: 8.vae}", info, loose
    )


def test_problems_are_collected_all_at_once(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind("a: {slot: 3.nope}\nb: {slot: 77.x}\nc: {slot: 3.steps}", info)
    assert len(form.problems) == 2 and set(form.fields) == {"c"}


def test_a_missing_node_class_is_said_once(presets: PresetFolder, info: ObjectInfo) -> None:
    flow = change_workflow(n20={"class_type": "FancyLoader", "inputs": {"a": 1, "b": 2}})
    form = presets.bind("a: {slot: 20.a}\nb: {slot: 20.b}", info, flow)
    assert [(problem.kind, str(problem)) for problem in form.problems] == [
        (
            "missing_class",
            "This ComfyUI has no node class FancyLoader; install the custom node that brings it, "
            "or update ComfyUI.",
        )
    ]


def test_a_missing_model_of_the_workflow_is_said_with_the_nearest(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    flow = change_workflow(
        n4={"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "tiny-x.safetensors"}}
    )
    (problem,) = presets.bind("f: {slot: 3.steps}", info, flow).problems
    assert (
        "needs ckpt_name tiny-x.safetensors, which this ComfyUI does not have (it has tiny-"
        in str(problem)
    )
    assert (
        "put the file into models/checkpoints on its machine, or make it a field of the preset."
        in str(problem)
    )
    assert (problem.kind, problem.node, problem.input) == ("missing_model", "4", "ckpt_name")
    assert problem.folder == "checkpoints" and "tiny-a.safetensors" in problem.near


def test_a_server_without_any_model(presets: PresetFolder) -> None:
    info = change_info("CheckpointLoaderSimple", "ckpt_name", [[], {}])
    assert "offers nothing for ckpt_name; put a model into its models folder" in presets.problem(
        "{slot: 4.ckpt_name}", info
    )
    assert "(it has none at all)" in presets.problem("{slot: 3.steps}", info)


@pytest.mark.parametrize(
    ("choices", "hint"),
    [
        (["latest"], "(it has latest)"),
        (["latest", "stable"], "(it has latest, stable)"),
        (["first", "second", "third", "fourth"], "(it has 4 others)"),
    ],
)
def test_a_few_other_choices_are_named(
    choices: list[str], hint: str, presets: PresetFolder
) -> None:
    info = change_info("CheckpointLoaderSimple", "ckpt_name", [choices, {}])
    assert hint in presets.problem("{slot: 3.steps}", info)


def test_outputs_are_addresses_too(presets: PresetFolder, info: ObjectInfo) -> None:
    text = "title: T\nworkflow: workflow.json\noutputs: [9, SaveImage]\n"
    loader = load_preset(presets.write(text.replace("[9, SaveImage]", "[10]"))).bind(info).problems
    assert str(loader[0]) == "outputs: LoadImage is not an output node."
    assert load_preset(presets.write(text)).bind(info).outputs == ("9", "9")
    problems = load_preset(presets.write(text.replace("9,", "99,"))).bind(info).problems
    assert problems and "outputs: " in str(problems[0]) and "no node 99" in str(problems[0])


def test_labels_and_help_come_from_the_preset_else_from_the_server(presets: PresetFolder) -> None:
    info = change_info(
        "KSampler", "steps", ["INT", {"min": 1, "max": 9, "default": 3, "tooltip": "How long."}]
    )
    field = presets.bind("how_many_steps: {slot: 3.steps}", info).fields["how_many_steps"]
    assert (field.label, field.help) == ("How many steps", "How long.")
    field = presets.field(
        '{slot: 3.steps, label: Steps!, help: "", placeholder: p, advanced: true}', info
    )
    assert (field.label, field.help, field.placeholder, field.advanced) == ("Steps!", "", "p", True)


def test_the_fingerprint_changes_with_limits_but_not_with_models(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    fields = "a: {slot: 4.ckpt_name}\nb: {slot: 3.steps}"
    known = fingerprint(presets.bind(fields, new_info))
    models = change_info(
        "CheckpointLoaderSimple", "ckpt_name", [["tiny-a.safetensors", "new.safetensors"], {}]
    )
    limits = change_info("KSampler", "steps", ["INT", {"min": 1, "max": 9, "default": 3}])
    assert (
        fingerprint(presets.bind(fields, models))
        == known
        != fingerprint(presets.bind(fields, limits))
    )


def test_an_example_with_a_picture_is_noted_and_the_rest_of_it_is_kept(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    text = (
        "title: Test\nworkflow: workflow.json\n"
        "fields:\n  f: {slot: 10.image, label: Picture}\n  t: {slot: 6.text}\n"
        "examples:\n- {title: Cats, f: cats/one.png, t: two cats}\n"
    )
    form = load_preset(presets.write(text)).bind(info)
    assert form.problems == ()
    assert (
        "The example Cats does not fit here (line 7 of the preset): Picture: a file cannot stand "
        "in an example; people add their own."
    ) in form.notes
