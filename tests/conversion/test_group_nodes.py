"""Group nodes, which ComfyUI had before subgraphs."""

from __future__ import annotations

import pytest

from comfygradio.conversion.result import Place
from comfygradio.errors import WorkflowError
from tests.conversion.ui_file import (
    CONTROL,
    Json,
    convert,
    list_inputs,
    make_file,
    make_node,
    socket,
    widget,
)


def make_group() -> Json:
    """Make a group node of a text, a sampler and a decoder."""
    encode = make_node(0, "Encode", ["old text"], (socket("clip", "CLIP"),), ("CONDITIONING",))
    sampler = make_node(
        0,
        "Sampler",
        [1, CONTROL, 10, 2.0, "euler"],
        (socket("model", "MODEL"), socket("positive", "CONDITIONING")),
        ("LATENT",),
    )
    decode = make_node(0, "Decode", None, (socket("samples", "LATENT"),), ("IMAGE",))
    nodes = [encode, sampler, decode]
    for index, node in enumerate(nodes):
        node["index"] = index
        del node["id"]
    return {
        "nodes": nodes,
        "links": [[0, 0, 1, 1, 4, "CONDITIONING"], [1, 0, 2, 0, 5, "LATENT"]],
        "external": [],
    }


def make_grouped(prefix: str, group: Json) -> Json:
    """Make a workflow that uses the group node."""
    inputs = (socket("clip", "CLIP", 2), socket("model", "MODEL", 1))
    values = ["a cat", 5, CONTROL, 30, 7.5, "heun"]
    return make_file(
        [
            make_node(1, "Loader", ["b.ckpt"], (), ("MODEL", "CLIP")),
            make_node(4, f"{prefix}Draw", values, inputs, ("IMAGE",)),
            make_node(9, "Save", ["x"], (socket("images", "IMAGE", 3),)),
        ],
        [[1, 1, 0, 4, 1, "MODEL"], [2, 1, 1, 4, 0, "CLIP"], [3, 4, 0, 9, 0, "IMAGE"]],
        extra={"groupNodes": {"Draw": group}},
    )


@pytest.mark.parametrize("prefix", ["workflow>", "workflow/"])
def test_a_group_node_becomes_its_nodes(prefix: str) -> None:
    conversion = convert(make_grouped(prefix, make_group()))
    assert list_inputs(conversion) == {
        "1": {"name": "b.ckpt"},
        "9": {"prefix": "x", "images": ["4:2", 0]},
        "4:0": {"clip": ["1", 1], "text": "a cat"},
        "4:1": {
            "seed": 5,
            "steps": 30,
            "cfg": 7.5,
            "sampler": "heun",
            "model": ["1", 0],
            "positive": ["4:0", 0],
        },
        "4:2": {"samples": ["4:1", 0]},
    }
    assert conversion.missing == ()
    assert conversion.notes == ()


def test_its_values_stand_in_the_group_node() -> None:
    places = convert(make_grouped("workflow>", make_group())).places
    assert places["4:1", "cfg"] == Place("", "4", "cfg", 4)


def test_a_hidden_widget_keeps_the_value_of_the_definition() -> None:
    group = make_group()
    group["config"] = {"1": {"input": {"steps": {"visible": False}}}}
    file = make_grouped("workflow>", group)
    file["nodes"][1]["widgets_values"] = ["a cat", 5, CONTROL, 7.5, "heun"]
    conversion = convert(file)
    assert list_inputs(conversion)["4:1"]["steps"] == 10
    assert list_inputs(conversion)["4:1"]["cfg"] == 7.5
    assert conversion.places["4:1", "steps"].index is None


def test_a_hidden_widget_may_have_a_value_in_the_group_node() -> None:
    group = make_group()
    group["config"] = {"1": {"input": {"steps": {"visible": False}}}}
    inputs = list_inputs(convert(make_grouped("workflow>", group)))
    assert inputs["4:1"]["steps"] == 30
    assert inputs["4:1"]["cfg"] == 7.5


def test_a_button_for_uploads_has_a_value_in_the_group_node() -> None:
    nodes = [
        {**make_node(0, "LoadImage", ["cat.png", "image"], (), ("IMAGE", "MASK")), "index": 0},
        {**make_node(0, "Encode", ["old"], (socket("clip", "CLIP"),)), "index": 1},
    ]
    host = make_node(4, "workflow>Draw", ["cat.png", "image", "a cat"])
    groups = {"groupNodes": {"Draw": {"nodes": nodes, "links": []}}}
    conversion = convert(make_file([host], [], extra=groups))
    assert list_inputs(conversion) == {"4:0": {"image": "cat.png"}, "4:1": {"text": "a cat"}}
    assert conversion.notes == ()


def test_the_control_of_a_primitive_has_a_value_in_the_group_node() -> None:
    sampler = make_node(0, "Sampler", [5, CONTROL, 10, 8.0, "euler"], (widget("steps", "INT"),))
    nodes = [
        {**make_node(0, "PrimitiveNode", [10, "fixed"], (), ("INT",)), "index": 0},
        {**sampler, "index": 1},
    ]
    host = make_node(4, "workflow>Draw", [44, "fixed", 7, CONTROL, 7.5, "heun"])
    groups = {"groupNodes": {"Draw": {"nodes": nodes, "links": [[0, 0, 1, 0, 1, "INT"]]}}}
    conversion = convert(make_file([host], [], extra=groups))
    wanted = {"seed": 7, "steps": 44, "cfg": 7.5, "sampler": "heun"}
    assert list_inputs(conversion) == {"4:1": wanted}
    assert conversion.notes == ()


def test_a_widget_that_became_an_input_is_fed_by_its_name() -> None:
    group = make_group()
    group["nodes"][1]["inputs"].append(widget("steps", "INT"))
    file = make_grouped("workflow>", group)
    group_node = file["nodes"][1]
    group_node["widgets_values"] = ["a cat", 5, CONTROL, 7.5, "heun"]
    group_node["inputs"].append(widget("steps", "INT", 4))
    file["nodes"].append(make_node(7, "PrimitiveNode", [44, "fixed"], (), ("INT",)))
    file["links"].append([4, 7, 0, 4, 2, "INT"])
    inputs = list_inputs(convert(file))
    assert inputs["4:1"]["steps"] == 44
    assert inputs["4:1"]["cfg"] == 7.5


@pytest.mark.parametrize("has_keys", [False, True])
def test_values_that_no_inner_node_takes_are_named(has_keys: bool) -> None:
    file = make_grouped("workflow>", make_group())
    group_node = file["nodes"][1]
    if has_keys:
        group_node["widgets_values"] = {"gone": 7}
    else:
        group_node["widgets_values"].append(7)
    conversion = convert(file)
    assert [(note.node, note.value) for note in conversion.notes] == [("4", 7)]


def test_names_that_occur_twice_get_the_title_of_their_node() -> None:
    nodes = []
    for index, title in enumerate(["First", "Second"]):
        node = make_node(0, "Decode", None, (socket("samples", "LATENT"),), ("IMAGE",))
        nodes.append({**node, "index": index, "title": title})
    inputs = (socket("samples", "LATENT", 1), socket("Second samples", "LATENT", 2))
    file = make_file(
        [
            make_node(1, "Sampler", [], (), ("LATENT",)),
            make_node(2, "Sampler", [], (), ("LATENT",)),
            make_node(4, "workflow>Two", [], inputs, ("IMAGE", "IMAGE")),
        ],
        [[1, 1, 0, 4, 0, "LATENT"], [2, 2, 0, 4, 1, "LATENT"]],
        extra={"groupNodes": {"Two": {"nodes": nodes, "links": []}}},
    )
    inputs_found = list_inputs(convert(file))
    assert inputs_found["4:0"]["samples"] == ["1", 0]
    assert inputs_found["4:1"]["samples"] == ["2", 0]


def test_a_group_node_may_contain_another() -> None:
    outer = make_node(0, "workflow>Draw", ["a dog", 6, CONTROL, 7, 8.0, "euler"])
    outer["index"] = 0
    file = make_grouped("workflow>", make_group())
    file["extra"]["groupNodes"]["Outer"] = {"nodes": [outer], "links": []}
    file["nodes"].append(make_node(20, "workflow>Outer", []))
    inputs = list_inputs(convert(file))
    assert inputs["20:0:0"]["text"] == "a dog"
    assert inputs["20:0:1"]["steps"] == 7


def test_a_group_node_that_contains_itself_is_refused() -> None:
    group = make_group()
    group["nodes"].append({**make_node(0, "workflow>Draw"), "index": 3})
    with pytest.raises(WorkflowError, match="contains itself"):
        convert(make_grouped("workflow>", group))
