"""A whole workflow becomes the prompt that ComfyUI's page would post."""

from __future__ import annotations

import copy
import json

import pytest

import comfygradio
from comfygradio import Conversion, convert_workflow
from comfygradio.conversion.api_workflow import describe_missing
from comfygradio.conversion.result import MissingClass, Place
from comfygradio.errors import WorkflowError
from tests.conversion.ui_file import (
    CONTROL,
    Json,
    convert,
    list_inputs,
    make_class,
    make_file,
    make_info,
    make_node,
    socket,
)


def make_flat() -> Json:
    """Make a workflow with a loader, a text, a sampler, a decoder and a saver."""
    return make_file(
        [
            make_node(1, "Loader", ["b.ckpt"], outputs=("MODEL", "CLIP")),
            make_node(2, "Encode", ["a cat"], (socket("clip", "CLIP", 2),), ("CONDITIONING",)),
            make_node(
                3,
                "Sampler",
                [5, CONTROL, 30, 7.5, "heun"],
                (socket("model", "MODEL", 1), socket("positive", "CONDITIONING", 3)),
                ("LATENT",),
                title="Draw",
            ),
            make_node(4, "Decode", None, (socket("samples", "LATENT", 4),), ("IMAGE",)),
            make_node(5, "Save", ["out/cat"], (socket("images", "IMAGE", 5),)),
            make_node(6, "Note", ["for people"]),
        ],
        [
            [1, 1, 0, 3, 0, "MODEL"],
            [2, 1, 1, 2, 0, "CLIP"],
            [3, 2, 0, 3, 1, "CONDITIONING"],
            [4, 3, 0, 4, 0, "LATENT"],
            [5, 4, 0, 5, 0, "IMAGE"],
        ],
    )


FLAT = {
    "1": {"name": "b.ckpt"},
    "2": {"text": "a cat", "clip": ["1", 1]},
    "3": {
        "seed": 5,
        "steps": 30,
        "cfg": 7.5,
        "sampler": "heun",
        "model": ["1", 0],
        "positive": ["2", 0],
    },
    "4": {"samples": ["3", 0]},
    "5": {"prefix": "out/cat", "images": ["4", 0]},
}


def test_nodes_links_and_values_become_a_prompt() -> None:
    conversion = convert(make_flat())
    assert list_inputs(conversion) == FLAT
    assert conversion.prompt["3"]["class_type"] == "Sampler"
    assert conversion.prompt["3"]["_meta"] == {"title": "Draw"}
    assert conversion.notes == ()
    assert conversion.missing == ()


def test_links_may_be_objects() -> None:
    file = make_flat()
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    file["links"] = [dict(zip(keys, link, strict=True)) for link in file["links"]]
    assert list_inputs(convert(file)) == FLAT


def test_each_value_knows_its_place_in_the_file() -> None:
    places = convert(make_flat()).places
    assert places["3", "cfg"] == Place("", "3", "cfg", 3)
    assert ("3", "model") not in places


@pytest.mark.parametrize("key", ["workflow", "extra_pnginfo"])
def test_wrappers_are_opened(key: str) -> None:
    inner = make_flat()
    if key == "extra_pnginfo":
        inner = {"workflow": inner}
    assert list_inputs(convert({key: inner})) == FLAT


def test_beside_a_prompt_the_workflow_counts() -> None:
    file = {"prompt": {"1": {"class_type": "Other", "inputs": {}}}, "workflow": make_flat()}
    assert list_inputs(convert(file)) == FLAT


def test_the_file_and_the_server_stay_as_they_are() -> None:
    info = {"Curve": make_class({"curve": ["CURVE", {"default": {}}]})}
    file = make_file([make_node(1, "Curve", [{"points": [1]}])], [])
    before = copy.deepcopy((file, info))
    conversion = convert_workflow(file, info)
    conversion.prompt["1"]["inputs"]["curve"]["points"].append(2)
    assert (file, info) == before


def test_missing_classes_that_name_no_pack_may_be_newer_or_of_a_custom_node() -> None:
    missing = [MissingClass("StartLoop", ("1",)), MissingClass("EndLoop", ("2",))]
    assert describe_missing("loop.json", missing) == (
        "loop.json needs node classes StartLoop and EndLoop (the file does not say whether it "
        "takes a newer ComfyUI or a custom node; update ComfyUI, or look for it in ComfyUI's "
        "manager), which this ComfyUI does not have."
    )
    assert str(missing[0]) == (
        "The server lacks StartLoop (node 1). The file does not say whether it takes a newer "
        "ComfyUI or a custom node; update ComfyUI, or look for it in ComfyUI's manager."
    )


def test_names_are_public() -> None:
    assert comfygradio.Conversion is Conversion
    assert isinstance(convert_workflow(make_flat(), make_info()), Conversion)


@pytest.mark.parametrize(
    "data",
    [{}, [], None, 3, "text", {"nodes": "none"}, {"1": {"class_type": "Save", "inputs": {}}}],
    ids=json.dumps,
)
def test_what_is_no_workflow_is_refused(data: Json) -> None:
    with pytest.raises(WorkflowError):
        convert(data)
