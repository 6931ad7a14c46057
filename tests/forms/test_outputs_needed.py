"""Outputs that nobody wants to see need not be possible."""

from __future__ import annotations

from typing import Any

import pytest

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.forms.form import Form

from .preset_folder import PresetFolder, change_workflow

UNCONNECTED = {"class_type": "SaveImage", "inputs": {"filename_prefix": "second"}}
WRONG = {
    "class_type": "PreviewImage",
    "inputs": {"images": ["31", 0]},
    "_meta": {"title": "Second"},
}
LOST = {"class_type": "LoadImage", "inputs": {"image": "nowhere.png"}}


def bind(presets: PresetFolder, info: ObjectInfo, outputs: str, *fields: str, **nodes: Any) -> Form:
    lines = ", ".join(fields)
    text = f"title: T\nworkflow: workflow.json\noutputs: [{outputs}]\nfields: {{{lines}}}\n"
    return load_preset(presets.write(text, change_workflow(**nodes))).bind(info)


def test_what_only_another_output_needs_is_noted(presets: PresetFolder, info: ObjectInfo) -> None:
    form = bind(presets, info, "9", n30=UNCONNECTED)
    assert form.problems == ()
    assert form.notes == (
        "A part that nothing shown here needs will not run: SaveImage needs a IMAGE for images, "
        "and nothing is connected; connect it and export again.",
    )
    assert form.fill({}).outputs == ("9",)


@pytest.mark.parametrize("outputs", ["", "30", "9, 30"])
def test_what_is_shown_has_to_be_possible(
    presets: PresetFolder, info: ObjectInfo, outputs: str
) -> None:
    form = bind(presets, info, outputs, n30=UNCONNECTED)
    assert [problem.node for problem in form.problems] == ["30"]
    assert form.notes == ()


def test_what_both_outputs_need_has_to_be_possible(presets: PresetFolder, info: ObjectInfo) -> None:
    nodes = {"n30": {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}}
    sampler = {"class_type": "VAEDecode", "inputs": {"vae": ["4", 2]}}
    form = bind(presets, info, "9", n8=sampler, **nodes)
    assert [problem.input for problem in form.problems] == ["samples"]


def test_a_circle_of_another_output_is_noted(presets: PresetFolder, info: ObjectInfo) -> None:
    circle = {"class_type": "VAEDecode", "inputs": {"samples": ["33", 0], "vae": ["4", 2]}}
    back = {"class_type": "VAEEncode", "inputs": {"pixels": ["32", 0], "vae": ["4", 2]}}
    save = {"class_type": "PreviewImage", "inputs": {"images": ["32", 0]}}
    nodes = {"n32": circle, "n33": back, "n34": save}
    form = bind(presets, info, "9", **nodes)
    assert form.problems == () and "in a circle" in form.notes[0]
    assert "in a circle" in str(bind(presets, info, "", **nodes).problems[0])


def test_bypassing_may_take_another_output_away(presets: PresetFolder, info: ObjectInfo) -> None:
    second = {"class_type": "PreviewImage", "inputs": {"images": ["10", 0]}}
    line = "f: {bypass: 10, default: true}"
    assert bind(presets, info, "9", line, n30=second).problems == ()
    assert bind(presets, info, "30", line, n30=second).problems != ()


def test_the_output_that_is_wanted_is_made(presets: PresetFolder) -> None:
    with DemoServer(DemoOptions(step_seconds=0)) as server, ComfyClient(server.url) as client:
        nodes = {"n30": WRONG, "n31": LOST, "n10": None, "n12": None, "n13": None}
        checkpoint = {
            "class_type": "CheckpointLoaderSimple",
            "inputs": {"ckpt_name": "photo-xl.safetensors"},
        }
        form = bind(presets, client.object_info(), "9", n4=checkpoint, **nodes)
        assert form.problems == () and "nowhere.png" in form.notes[0]
        *_, state = client.run(form.fill({}))
        assert [output.node_id for output in state.outputs] == ["9"]
        assert state.warnings
