"""Files that were saved for other versions of their nodes: nothing is lost, and nobody guesses
silently.
"""

from __future__ import annotations

from typing import Any

import pytest

from comfygradio.conversion import host_values
from comfygradio.conversion.alignment import MAX_PAIRS
from comfygradio.conversion.drift import BY_TYPE, TOO_MANY
from comfygradio.conversion.named_values import BY_NAME
from comfygradio.conversion.result import NO_WIDGET, Conversion
from tests.conversion.ui_file import (
    CONTROL,
    Json,
    convert,
    list_inputs,
    make_class,
    make_file,
    make_info,
    make_node,
    make_subgraph,
    socket,
    widget,
)

VALUES = {"seed": 5, "steps": 30, "cfg": 7.5, "sampler": "heun"}


def convert_sampler(values: list[Any], *inputs: Json, **more: Any) -> Conversion:
    """Convert a file with one sampler."""
    return convert(make_file([make_node(3, "Sampler", values, inputs, **more)], []))


def list_reasons(conversion: Conversion) -> list[str]:
    """List why notes were made."""
    return [note.reason for note in conversion.notes]


def test_values_are_placed_by_the_names_that_the_file_has() -> None:
    named = {
        "eta": 0.1,
        "seed": 5,
        "control_after_generate": CONTROL,
        "cfg": 7.5,
        "steps": 30,
        "sampler": "heun",
    }
    conversion = convert_sampler(list(named.values()), widgets_values_named=named)
    assert list_inputs(conversion)["3"] == VALUES
    assert [str(note) for note in conversion.notes] == [
        f"Node 3: {BY_NAME}",
        f"Node 3, eta = 0.1: {NO_WIDGET}",
    ]
    assert conversion.places["3", "steps"].index == 4


def test_values_in_their_order_are_not_said_to_be_placed_by_name() -> None:
    named: Json = {"seed": 5, "control_after_generate": CONTROL, "steps": 30, "cfg": 7.5}
    named.update({"sampler": "heun", "eta": 0.1})
    conversion = convert_sampler(list(named.values()), widgets_values_named=named)
    assert list_inputs(conversion)["3"] == VALUES
    assert [str(note) for note in conversion.notes] == [f"Node 3, eta = 0.1: {NO_WIDGET}"]


def test_names_that_are_older_than_the_values_do_not_count() -> None:
    named = {"seed": 1, "control_after_generate": CONTROL, "steps": 2, "cfg": 3.0, "sampler": "x"}
    conversion = convert_sampler([5, CONTROL, 30, 7.5, "heun"], widgets_values_named=named)
    assert list_inputs(conversion)["3"] == VALUES
    assert conversion.notes == ()


def test_values_are_placed_by_the_names_of_inputs() -> None:
    inputs = [widget("cfg", "FLOAT"), widget("seed", "INT"), widget("steps", "INT")]
    inputs.append(widget("sampler", "COMBO"))
    conversion = convert_sampler([7.5, 5, CONTROL, 30, "heun"], *inputs)
    assert list_inputs(conversion)["3"] == VALUES
    assert list_reasons(conversion) == [BY_NAME]


@pytest.mark.parametrize(
    "values",
    [
        [5, 30, 7.5, "heun"],
        ["new first", 5, CONTROL, 30, 7.5, "heun"],
        [5, CONTROL, "in between", 30, 7.5, "heun"],
        [5, CONTROL, 30, 7.5, True, "heun"],
    ],
    ids=str,
)
def test_values_without_names_are_placed_by_type(values: list[Any]) -> None:
    conversion = convert_sampler(values)
    assert list_inputs(conversion)["3"] == VALUES
    assert list_reasons(conversion)[0] == BY_TYPE
    # What no widget takes is named.
    lost = [value for value in values if value not in VALUES.values() and value != CONTROL]
    assert [note.value for note in conversion.notes[1:]] == lost


def test_a_switch_is_not_the_number_that_it_equals() -> None:
    node_class = make_class({"count": ["INT", {}], "text": ["STRING", {}]})
    file = make_file([make_node(1, "One", [False, "cat"])], [])
    conversion = convert(file, {"One": node_class})
    assert conversion.prompt["1"]["inputs"]["count"] is not False
    assert list_reasons(conversion)[0] == BY_TYPE
    assert [note.value for note in conversion.notes[1:]] == [False]


def test_new_inputs_at_the_end_have_their_defaults() -> None:
    conversion = convert_sampler([5, CONTROL, 30])
    wanted = {"seed": 5, "steps": 30, "cfg": 8.0, "sampler": "euler"}
    assert list_inputs(conversion)["3"] == wanted
    assert conversion.notes == ()


def test_values_beyond_the_widgets_are_named() -> None:
    conversion = convert_sampler([5, CONTROL, 30, 7.5, "heun", "more", None, ""])
    assert list_inputs(conversion)["3"] == VALUES
    assert [str(note) for note in conversion.notes] == [f'Node 3 = "more": {NO_WIDGET}']


def test_an_input_may_have_moved_into_a_choice() -> None:
    mode = {"options": [{"key": "on", "inputs": {"required": {"heat": ["FLOAT", {}]}}}]}
    node_class = make_class(
        {"mode": ["COMFY_DYNAMICCOMBO_V3", mode], "text": ["STRING", {}]}, output=("STRING",)
    )
    named = {"heat": 0.25, "text": "cat"}
    node = make_node(1, "One", list(named.values()), widgets_values_named=named)
    conversion = convert(make_file([node], []), {"One": node_class})
    assert list_inputs(conversion)["1"] == {"mode": "on", "mode.heat": 0.25, "text": "cat"}


def test_a_named_value_of_nothing_stands_for_the_default() -> None:
    named = {
        "eta": 0.1,
        "seed": None,
        "control_after_generate": CONTROL,
        "cfg": 7.5,
        "steps": None,
        "gone": None,
        "sampler": "heun",
    }
    conversion = convert_sampler(list(named.values()), widgets_values_named=named)
    wanted = {"seed": 0, "steps": 20, "cfg": 7.5, "sampler": "heun"}
    assert list_inputs(conversion)["3"] == wanted


def test_a_primitive_of_another_type_is_named() -> None:
    nodes = [
        make_node(1, "PrimitiveNode", ["many", "fixed"], (), ("INT",)),
        make_node(3, "Sampler", [5, CONTROL, 30, 7.5, "heun"], (widget("steps", "INT", 1),)),
    ]
    conversion = convert(make_file(nodes, [[1, 1, 0, 3, 0, "INT"]]))
    assert list_inputs(conversion)["3"]["steps"] == 30
    assert [str(note) for note in conversion.notes] == [f'Node 3, steps = "many": {NO_WIDGET}']


def test_nothing_moves_into_a_choice() -> None:
    mode = {"options": [{"key": "on", "inputs": {"required": {"heat": ["FLOAT", {"default": 2}]}}}]}
    node_class = make_class({"mode": ["COMFY_DYNAMICCOMBO_V3", mode], "text": ["STRING", {}]})
    named = {"heat": None, "text": "cat"}
    node = make_node(1, "One", list(named.values()), widgets_values_named=named)
    conversion = convert(make_file([node], []), {"One": node_class})
    assert list_inputs(conversion)["1"] == {"mode": "on", "mode.heat": 2, "text": "cat"}


def test_a_key_of_nothing_stands_for_the_default() -> None:
    node = make_node(3, "Sampler", {"seed": None, "steps": 30, "of the pack": None})
    conversion = convert(make_file([node], []))
    wanted = {"seed": 0, "steps": 30, "cfg": 8.0, "sampler": "euler"}
    assert list_inputs(conversion)["3"] == wanted
    assert conversion.notes == ()


def test_a_value_that_its_key_does_not_fit_is_named() -> None:
    conversion = convert(make_file([make_node(3, "Sampler", {"seed": "heun", "steps": 30})], []))
    assert list_inputs(conversion)["3"]["seed"] == 0
    assert [str(note) for note in conversion.notes] == [f'Node 3, seed = "heun": {NO_WIDGET}']


def test_values_beyond_the_limit_stand_in_their_order() -> None:
    """Nobody says that they were placed by their types."""
    values = ["x", *range(MAX_PAIRS // 4)]
    conversion = convert_sampler(values)
    assert list_inputs(conversion)["3"]["seed"] == "x"
    assert list_reasons(conversion)[0] == TOO_MANY


def test_a_node_with_too_many_values_takes_nothing_from_others() -> None:
    large = make_node(3, "Sampler", ["x", *range(MAX_PAIRS // 4)])
    small = make_node(4, "Sampler", [5, 30, 7.5, "heun"])
    conversion = convert(make_file([large, small], []))
    assert list_inputs(conversion)["4"] == VALUES
    assert [note.reason for note in conversion.notes if note.node == "4"] == [BY_TYPE]


def test_values_of_widgets_that_became_sockets_are_left_out() -> None:
    node_class = make_class(
        {
            "a": ["INT", {}],
            "b": ["INT", {"forceInput": True}],
            "c": ["INT", {}],
        }
    )
    file = make_file([make_node(1, "One", [1, 2, 3])], [])
    conversion = convert(file, {"One": node_class})
    assert list_inputs(conversion)["1"] == {"a": 1, "c": 3}
    assert conversion.places["1", "c"].index == 2
    assert [note.value for note in conversion.notes] == [2]


def test_an_output_that_moved_is_found_by_its_type() -> None:
    save = make_node(9, "Save", ["x"], (socket("images", "IMAGE", 1),))
    load = make_node(1, "LoadImage", ["cat.png", "image"], (), ("MASK", "STRING", "IMAGE"))
    conversion = convert(make_file([load, save], [[1, 1, 2, 9, 0, "IMAGE"]]))
    assert list_inputs(conversion)["9"]["images"] == ["1", 0]
    assert len(conversion.notes) == 1


def test_values_of_an_instance_are_placed_by_name() -> None:
    graph = make_subgraph(
        "draw",
        [
            make_node(
                3,
                "Sampler",
                [1, CONTROL, 2, 3.0, "euler"],
                (widget("gone", "COMBO", 1), widget("steps", "INT", 2), widget("cfg", "FLOAT", 3)),
            )
        ],
        [[1, -10, 0, 3, 0, "COMBO"], [2, -10, 1, 3, 1, "INT"], [3, -10, 2, 3, 2, "FLOAT"]],
        (("gone", "COMBO", [1]), ("steps", "INT", [2]), ("cfg", "FLOAT", [3])),
    )
    named = {"gone": "flow", "steps": 30, "cfg": 7.5}
    host = make_node(5, "draw", list(named.values()), widgets_values_named=named)
    conversion = convert(make_file([host], [], graph))
    assert list_inputs(conversion)["5:3"]["steps"] == 30
    assert list_inputs(conversion)["5:3"]["cfg"] == 7.5
    assert [str(note) for note in conversion.notes] == [
        f"Node 5: {host_values.BY_NAME}",
        f'Node 5, gone = "flow": {NO_WIDGET}',
    ]


def test_a_class_that_the_server_lacks_is_named_with_its_pack() -> None:
    nodes = [
        make_node(1, "Upscale+", ["x4"], (widget("factor", "COMBO"),), ("IMAGE",)),
        make_node(2, "Upscale+", ["x2"], (widget("factor", "COMBO"),), ("IMAGE",)),
        make_node(3, "Newer", [], (), ("IMAGE",)),
        make_node(9, "Save", ["x"], (socket("images", "IMAGE", 1),)),
        make_node(8, "Save", ["x"], (socket("images", "IMAGE", 2),)),
        make_node(7, "Save", ["x"], (socket("images", "IMAGE", 3),)),
    ]
    nodes[0]["properties"] = {"cnr_id": "upscale-pack", "ver": "1.0"}
    nodes[2]["properties"] = {"cnr_id": "comfy-core"}
    links = [[1, 1, 0, 9, 0, "IMAGE"], [2, 2, 0, 8, 0, "IMAGE"], [3, 3, 0, 7, 0, "IMAGE"]]
    conversion = convert(make_file(nodes, links))
    assert [str(missing) for missing in conversion.missing] == [
        "The server lacks Upscale+ (nodes 1, 2). Install the custom node upscale-pack with "
        "ComfyUI's manager.",
        "The server lacks Newer (node 3). Update ComfyUI.",
    ]
    # Its nodes keep what the file says of them.
    assert list_inputs(conversion)["1"] == {"factor": "x4"}
    assert list_inputs(conversion)["9"]["images"] == ["1", 0]


def test_a_pack_may_be_named_by_its_repository() -> None:
    node = make_node(1, "Odd", [], (), ("IMAGE",), properties={"aux_id": "owner/odd-nodes"})
    save = make_node(9, "Save", ["x"], (socket("images", "IMAGE", 1),))
    (missing,) = convert(make_file([node, save], [[1, 1, 0, 9, 0, "IMAGE"]])).missing
    assert missing.install == (
        "Clone https://github.com/owner/odd-nodes into ComfyUI's custom_nodes folder."
    )


def test_nodes_of_the_page_are_no_missing_classes() -> None:
    nodes = [
        make_node(1, "Note", ["x"]),
        make_node(2, "MarkdownNote", ["x"]),
        make_node(3, "Label (rgthree)"),
        make_node(4, "Fast Groups Muter (rgthree)", [], (), ("*",)),
        make_node(5, "Somebody's label", ["text"]),
    ]
    conversion = convert(make_file(nodes, []))
    assert conversion.prompt == {}
    assert conversion.missing == ()
    # An unknown one may be of the page. That it was left out is said, with its values.
    assert [(note.node, note.value) for note in conversion.notes] == [("5", ["text"])]


def test_no_value_of_a_wrong_type_replaces_a_choice() -> None:
    info = make_info()
    info["Loader"]["input"]["required"]["name"] = [["a.ckpt", "b.ckpt"]]
    conversion = convert(make_file([make_node(1, "Loader", [4096])], []), info)
    assert list_inputs(conversion)["1"] == {"name": "a.ckpt"}
    assert [note.value for note in conversion.notes] == [None, 4096]
