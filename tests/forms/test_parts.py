"""Files that belong to a model: no other one takes the place of one that the server lacks."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from comfygradio.binding.repair import repair_workflow
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from tests.forms.draft_graph import bind_draft, draft, node, text_to_image

from .preset_folder import PresetFolder, change_workflow

KNOWN: dict[str, Any] = {
    "VAELoader": ("vae_name", ["other-family.safetensors"], ["VAE"]),
    "CLIPLoader": ("clip_name", ["other-encoder.safetensors"], ["CLIP"]),
    "ControlNetLoader": ("control_net_name", ["depth.safetensors"], ["CONTROL_NET"]),
    "UNETLoader": ("unet_name", ["big.safetensors", "small.safetensors"], ["MODEL"]),
    "UpscaleModelLoader": ("model_name", ["4x.pth"], ["UPSCALE_MODEL"]),
    "PackVaeLoader": ("model", ["pack_vae.safetensors"], ["PACKVAE"]),
    "PackModelLoader": ("model", ["pack_model.safetensors"], ["PACKVIDEOMODEL"]),
    "StyleModelLoader": ("style_model_name", ["a.safetensors"], ["STYLE_MODEL"]),
}
"""Class → its input, what the server has for it, and what it makes."""


def make_info(info: ObjectInfo) -> ObjectInfo:
    described: dict[str, Any] = {
        name: {"input": {"required": {key: [files, {}]}}, "output": makes, "name": name}
        for name, (key, files, makes) in KNOWN.items()
    }
    described["ShowIt"] = {
        "input": {"required": {"source": ["*", {}]}},
        "output": [],
        "name": "ShowIt",
        "output_node": True,
    }
    parsed = ObjectInfo.from_json(described)
    return ObjectInfo({**info.nodes, **parsed.nodes})


def load_with(class_type: str, file: str) -> dict[str, Any]:
    """The usual workflow with one loader whose result is looked at."""
    loader = {"class_type": class_type, "inputs": {KNOWN[class_type][0]: file}}
    shown = {"class_type": "ShowIt", "inputs": {"source": ["50", 0]}}
    return change_workflow(n10=None, n11=None, n12=None, n13=None, n50=loader, n51=shown)


@pytest.mark.parametrize(
    ("class_type", "folder"),
    [
        ("VAELoader", "models/vae on its machine"),
        ("CLIPLoader", "models/text_encoders on its machine"),
        ("ControlNetLoader", "models/controlnet on its machine"),
        ("StyleModelLoader", "models/style_models on its machine"),
        ("PackVaeLoader", "its models folder"),
    ],
)
def test_a_form_without_its_part_is_closed_and_names_it(
    presets: PresetFolder, new_info: ObjectInfo, class_type: str, folder: str
) -> None:
    key = KNOWN[class_type][0]
    form = presets.bind(
        f"f: {{slot: 50.{key}}}", make_info(new_info), load_with(class_type, "mine.safetensors")
    )
    (problem,) = form.problems
    assert (problem.kind, problem.node, problem.input) == ("missing_model", "50", key)
    assert problem.value == "mine.safetensors" and folder in str(problem)
    assert "needs mine.safetensors" in str(problem) and "would not fit the model" in str(problem)


@pytest.mark.parametrize(
    ("class_type", "start"),
    [
        ("UNETLoader", "big.safetensors"),
        ("UpscaleModelLoader", "4x.pth"),
        ("PackModelLoader", "pack_model.safetensors"),
    ],
)
def test_what_people_choose_starts_with_another_one_and_a_note(
    presets: PresetFolder, new_info: ObjectInfo, class_type: str, start: str
) -> None:
    line = f"f: {{slot: 50.{KNOWN[class_type][0]}}}"
    form = presets.bind(line, make_info(new_info), load_with(class_type, "mine.safetensors"))
    assert form.problems == () and form.fields["f"].default == start
    assert any("does not have mine.safetensors" in note for note in form.notes)


@pytest.mark.parametrize("file", ["sub/Other-Family.safetensors", "x\\other-family.safetensors"])
def test_the_same_file_elsewhere_is_taken(
    presets: PresetFolder, new_info: ObjectInfo, file: str
) -> None:
    form = presets.bind("f: {slot: 50.vae_name}", make_info(new_info), load_with("VAELoader", file))
    assert form.problems == () and form.fields["f"].default == "other-family.safetensors"
    assert any("is called other-family.safetensors" in note for note in form.notes)


@pytest.mark.parametrize(
    "said", ["default: other-family.safetensors", "choices: [other-family.safetensors]"]
)
def test_what_the_preset_says_counts(
    presets: PresetFolder, new_info: ObjectInfo, said: str
) -> None:
    form = presets.bind(
        f"f: {{slot: 50.vae_name, {said}}}", make_info(new_info), load_with("VAELoader", "a.pt")
    )
    assert form.problems == () and form.fields["f"].default == "other-family.safetensors"


def test_a_part_that_may_be_left_out_is(presets: PresetFolder, new_info: ObjectInfo) -> None:
    flow = load_with("ControlNetLoader", "mine.safetensors")
    line = "f: {slot: 50.control_net_name, optional: true, bypass: [50, 51]}"
    form = presets.bind(line, make_info(new_info), flow)
    assert form.problems == () and form.fields["f"].default is None
    assert form.notes == (
        "F: this ComfyUI does not have mine.safetensors; the form starts without it.",
    )
    assert "50" not in form.fill({}).graph


def test_a_new_input_for_a_file_gets_none_by_chance(new_info: ObjectInfo) -> None:
    flow = copy.deepcopy(load_with("VAELoader", "x"))
    del flow["50"]["inputs"]["vae_name"]
    repaired, notes = repair_workflow(Workflow.from_json(flow), make_info(new_info))
    assert dict(repaired.nodes["50"].inputs) == {} and notes == ()


def test_a_draft_on_a_server_without_the_part_is_closed(tmp_path: Any) -> None:
    """Also where the server has just one file."""
    graph = text_to_image(
        n8=node("VAEDecode", samples=["3", 0], vae=["20", 0]),
        n20=node("VAELoader", vae_name="never-heard-of.safetensors"),
    )
    form = bind_draft(draft(graph), tmp_path)
    assert [problem.value for problem in form.problems] == ["never-heard-of.safetensors"]
