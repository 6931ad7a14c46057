"""Problems: everything that keeps a form closed is found at once, before anybody
presses a button.
"""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.forms.kinds.model_name import guess_folder
from comfygradio.forms.problem import Problem

from .preset_folder import WORKFLOW, PresetFolder, change_workflow, load_object_info


def change_node(node: str, **inputs: Any) -> dict[str, Any]:
    """The test workflow with inputs of one node changed, or (None) removed."""
    flow = copy.deepcopy(dict(WORKFLOW))
    flow[node]["inputs"] = {
        k: v for k, v in {**flow[node]["inputs"], **inputs}.items() if v is not None
    }
    return flow


def test_every_kind_at_once(presets: PresetFolder, info: ObjectInfo) -> None:
    flow = change_node("3", cfg=900.0, positive=["77", 0], negative=["5", 0], latent_image=None)
    flow["4"]["inputs"]["ckpt_name"] = "flux-dev.safetensors"
    flow["30"] = {"class_type": "FancyNode", "inputs": {"images": ["8", 0]}}
    text = (
        "title: T\nworkflow: workflow.json\noutputs: [10]\nfields:\n"
        "  a: {slot: 3.nope}\n  b: {slot: 3.model}\n  c: {slot: 3.steps, widget: image}\n"
        "  d: {slot: 3.scheduler, default: gone}\n  e: {slot: 3.seed, min: 9, max: 8}\n  f: "
        "{slot: 30.x}\n"
        "  g: {slot: 6.text, show_if: {nobody: 1}}\n"
    )
    problems = load_preset(presets.write(text, flow)).bind(info).problems
    assert [(problem.kind, problem.field, problem.node, problem.input) for problem in problems] == [
        ("missing_class", "", "30", ""),
        ("slot", "a", "3", ""),
        ("slot", "b", "3", "model"),
        ("widget", "c", "", ""),
        ("missing_choice", "d", "", ""),
        ("preset", "e", "", ""),
        ("preset", "", "10", ""),
        ("preset", "g", "", ""),
        ("missing_model", "", "4", "ckpt_name"),
        ("value", "", "3", "cfg"),
        ("missing_input", "", "3", "positive"),
        ("value", "", "3", "negative"),
        ("missing_input", "", "3", "latent_image"),
    ]
    assert all(str(problem).endswith(".") for problem in problems)
    for problem in problems:
        json.dumps(problem.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (change_node("3", steps="many"), "KSampler: steps takes a number, not many."),
        (change_node("3", steps=0), "KSampler: steps is at least 1, not 0."),
        (change_node("3", cfg=float("nan")), "KSampler: cfg takes a number, not nan."),
        (change_node("3", cfg=[1, 2, 3]), "KSampler: cfg takes one value, not the list [1, 2, 3]."),
        (
            change_node("3", scheduler=["normal"]),
            "KSampler: scheduler takes one value, not the list ['normal'].",
        ),
        (
            change_node("3", scheduler=7),
            "KSampler needs scheduler 7, which this ComfyUI does not have (it has ",
        ),
        (
            change_node("3", scheduler={"a": [1]}),
            "KSampler needs scheduler {'a': [1]}, which this ComfyUI does not",
        ),
        (change_node("6", text={"a": 1}), "Positive: text takes a text."),
        (
            change_node("6", clip=["4", 7]),
            "takes its clip from output 7 of CheckpointLoaderSimple, which has no such",
        ),
        (
            change_node("6", clip=["4", -1]),
            "takes its clip from output -1 of CheckpointLoaderSimple",
        ),
        (
            change_node("6", clip=["4", 0]),
            "Positive takes a CLIP for clip, but CheckpointLoaderSimple gives a MODEL.",
        ),
        (
            change_node("6", clip=["99", 0]),
            "Positive takes its clip from node 99, which is not there; export it again.",
        ),
        (
            change_node("6", clip=None),
            "Positive needs a CLIP for clip, and nothing is connected; connect it and",
        ),
        (
            change_node("6", text=None),
            "Positive lacks a value for text, and the server has no default; export the",
        ),
    ],
)
def test_what_the_server_would_refuse_in_the_workflow(
    presets: PresetFolder, info: ObjectInfo, flow: Any, expected: str
) -> None:
    assert expected in presets.problem("{slot: 3.denoise}", info, flow)


@pytest.mark.parametrize("loop", [{"image": ["20", 0]}, {"image": ["21", 0]}])
def test_circles(presets: PresetFolder, info: ObjectInfo, loop: dict[str, Any]) -> None:
    scale = {"upscale_method": "area", "scale_by": 2.0}
    flow = change_workflow(
        n20={"class_type": "ImageScaleBy", "inputs": {**scale, **loop}, "_meta": {"title": "One"}},
        n21={
            "class_type": "ImageScaleBy",
            "inputs": {**scale, "image": ["20", 0]},
            "_meta": {"title": "Two"},
        },
        n9={"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["21", 0]}},
    )
    text = presets.problem("{slot: 3.steps}", info, flow)
    assert text.startswith("These nodes feed one another in a circle: One → ")


def test_a_workflow_without_an_output(presets: PresetFolder, info: ObjectInfo) -> None:
    flow = change_workflow(n9=None)
    assert "has no output node; add one in ComfyUI, such as Save Image." in presets.problem(
        "{slot: 3.steps}", info, flow
    )


def test_what_feeds_a_missing_class_is_looked_at_too(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    flow = change_node("3", steps=0)
    flow["9"]["class_type"] = "FancySave"
    problems = presets.bind("f: {slot: 3.cfg}", info, flow).problems
    assert [problem.kind for problem in problems] == ["missing_class", "value"]


def test_nodes_that_no_output_needs_are_not_looked_at(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    assert (
        presets.bind("f: {slot: 3.steps}", info, change_node("12", add_noise="never")).problems
        == ()
    )


def test_what_the_form_fills_is_not_a_problem(presets: PresetFolder, info: ObjectInfo) -> None:
    flow = change_node("3", cfg=900.0)
    flow["4"]["inputs"]["ckpt_name"] = "gone.safetensors"
    form = presets.bind(
        "a: {slot: 3.cfg}\nb: {slot: 4.ckpt_name, fixed: tiny-b.safetensors}", info, flow
    )
    assert form.problems == () and form.fields["a"].default == 8.0


def test_a_slot_that_only_some_choices_set_keeps_its_own_value(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    flow = change_node("3", cfg=900.0)
    both = "f: {choices: {A: {3.cfg: 1}, B: {3.cfg: 2}}}"
    assert presets.bind(both, info, flow).problems == ()
    assert "cfg is at most 100.0" in presets.problem(
        "{choices: {A: {3.cfg: 1}, B: {3.steps: 2}}}", info, flow
    )


def test_the_file_of_a_hidden_picture_has_to_be_there(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    flow = change_workflow(
        n10={"class_type": "LoadImage", "inputs": {"image": "gone.png"}},
        n9={"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["10", 0]}},
    )
    shown = "f: {slot: 10.image}"
    assert presets.bind(shown, info, flow).problems == ()
    hidden = "f: {slot: 10.image, show_if: {g: true}}\ng: {slot: 11.value}"
    (problem,) = presets.bind(hidden, info, flow).problems
    assert "LoadImage needs the file gone.png for image, which this ComfyUI does not have" in str(
        problem
    )


@pytest.mark.parametrize(
    "value", ["base.png", "folder/any.png", "any.png [output]", "blake3:abc/x.png"]
)
def test_files_that_may_be_there_are_no_problem(
    presets: PresetFolder, new_info: ObjectInfo, value: str
) -> None:
    flow = change_workflow(
        n10={"class_type": "LoadImage", "inputs": {"image": value}},
        n9={"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["10", 0]}},
    )
    assert presets.bind("f: {slot: 3.steps}", new_info, flow).problems == ()


def test_a_missing_model_tells_its_folder_and_the_nearest(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    flow = change_workflow(
        n4={"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "tiny-aa.safetensors"}}
    )
    (problem,) = presets.bind("f: {slot: 3.steps}", info, flow).problems
    assert problem.to_json() == {
        "kind": "missing_model",
        "message": str(problem),
        "node": "4",
        "input": "ckpt_name",
        "value": "tiny-aa.safetensors",
        "folder": "checkpoints",
        "near": [*problem.near],
    }
    assert problem.near[0] == "tiny-a.safetensors"
    assert str(problem) == (
        "CheckpointLoaderSimple needs ckpt_name tiny-aa.safetensors, which this ComfyUI does not "
        "have (it has "
        f"{', '.join(problem.near)}); put the file into models/checkpoints on its machine, or "
        "make it a field of the "
        "preset."
    )


def test_a_missing_choice_that_is_no_file_has_other_advice(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    text = presets.problem("{slot: 3.steps}", info, change_node("3", sampler_name="euler_x"))
    assert "(it has euler, " in text
    assert text.endswith("choose another one in the workflow, or make it a field of the preset.")


@pytest.mark.parametrize(
    ("class_type", "name", "folder"),
    [
        ("CheckpointLoaderSimple", "ckpt_name", "checkpoints"),
        ("UpscaleModelLoader", "model_name", "upscale_models"),
        ("DualCLIPLoader", "clip_name2", "text_encoders"),
        ("Whatever", "model_name", ""),
    ],
)
def test_folders(class_type: str, name: str, folder: str) -> None:
    assert guess_folder(class_type, name) == folder


def test_a_problem_knows_its_field() -> None:
    problem = Problem("value", "it does not fit.", "steps", value=0)
    assert str(problem) == "Field steps: it does not fit."
    assert problem.to_json() == {
        "kind": "value",
        "message": str(problem),
        "field": "steps",
        "value": 0,
    }


def test_a_problem_is_json_whatever_the_value() -> None:
    for value in (float("nan"), {"a": [float("inf")]}, object()):
        json.dumps(Problem("value", "x.", value=value).to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("line", "node", "inputs", "note"),
    [
        (
            "{slot: 3.cfg}",
            "3",
            {"cfg": 900.0},
            "F: the workflow's own 900.0 is not possible here; the form starts with 8.0",
        ),
        (
            "{slot: 3.cfg, optional: true}",
            "3",
            {"cfg": "x"},
            "F: the workflow's own x is not possible here; the form",
        ),
        ("{slots: {width: 5.width, height: 5.height}, default: 64x64}", "5", {"height": 0}, None),
        (
            "{slots: {width: 5.width, height: 5.height}, choices: [64x64]}",
            "5",
            {"height": 1},
            "F: the workflow's own 1 is",
        ),
        (
            "{slot: 3.scheduler}",
            "3",
            {"scheduler": "gone"},
            "F: this ComfyUI does not have gone; the form starts with",
        ),
        (
            "{slot: 3.steps, min: 30}",
            "3",
            {"steps": 20},
            "F: the workflow's own 20 is outside of what is allowed here; the form starts with 30",
        ),
    ],
)
def test_another_start_is_noted(
    presets: PresetFolder,
    info: ObjectInfo,
    line: str,
    node: str,
    inputs: dict[str, Any],
    note: str | None,
) -> None:
    form = presets.bind(f"f: {line}", info, change_node(node, **inputs))
    assert form.problems == ()
    assert len(form.notes) == (note is not None) and all(
        found.startswith(str(note)) for found in form.notes
    )
    form.fill({})


def test_bad_examples_are_noted(presets: PresetFolder, info: ObjectInfo) -> None:
    text = (
        "title: T\nworkflow: workflow.json\nfields: {steps: {slot: 3.steps}, image: {slot: "
        "10.image}}\n"
        "examples: [{title: Fine, steps: 9}, {title: Odd, steps: 0}, {steps: many}, {title: File, "
        "image: x.png}]\n"
    )
    form = load_preset(presets.write(text)).bind(info)
    assert form.problems == () and [note.partition(" does ")[0] for note in form.notes] == [
        "The example Odd",
        "The example 3",
        "The example File",
    ]


def test_long_lists_stay_quick(presets: PresetFolder) -> None:
    data = copy.deepcopy(load_object_info("v0.33.0"))
    names = [f"folder {index % 70}/model number {index}.safetensors" for index in range(60_000)]
    data["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"] = [names, {}]
    info = ObjectInfo.from_json(data)
    flow = change_workflow(
        n4={
            "class_type": "CheckpointLoaderSimple",
            "inputs": {"ckpt_name": "x/model number 7.ckpt"},
        }
    )
    started = time.process_time()
    form = presets.bind("f: {slot: 4.ckpt_name}", info, flow)
    assert form.problems == () and len(form.fields["f"].choices or ()) == 60_000
    assert form.check({"f": names[-1]}) == {"f": names[-1]}
    (problem,) = presets.bind("f: {slot: 3.steps}", info, flow).problems
    assert problem.near
    assert time.process_time() - started < 10
