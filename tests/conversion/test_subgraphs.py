"""Subgraphs: instances become their nodes, and the values that they show count."""

from __future__ import annotations

from typing import Any

import pytest

from comfygradio.conversion.result import Conversion, Place
from tests.conversion.ui_file import (
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


def make_blur(inner_mode: int = 0) -> Json:
    """Make a subgraph that blurs a picture. Its inputs are the picture and the radius."""
    return make_subgraph(
        "blur",
        [
            make_node(
                7,
                "Blur",
                [1.0],
                (socket("image", "IMAGE", 1), widget("radius", "FLOAT", 2)),
                ("IMAGE",),
                mode=inner_mode,
            )
        ],
        [
            [1, -10, 0, 7, 0, "IMAGE"],
            [2, -10, 1, 7, 1, "FLOAT"],
            [3, 7, 0, -20, 0, "IMAGE"],
        ],
        (("picture", "IMAGE", [1]), ("strength", "FLOAT", [2])),
        (("result", "IMAGE", [3]),),
    )


def make_host(values: Any = None, **more: Any) -> Json:
    """Make an instance of the blur, fed by link 10."""
    return make_node(5, "blur", values, (socket("picture", "IMAGE", 10),), ("IMAGE",), **more)


def convert_blur(host: Json, *subgraphs: Json) -> Conversion:
    """Convert a file that loads, blurs and saves a picture."""
    return convert(
        make_file(
            [
                make_node(1, "LoadImage", ["cat.png", "image"], (), ("IMAGE",)),
                host,
                make_node(9, "Save", ["x"], (socket("images", "IMAGE", 11),)),
            ],
            [[10, 1, 0, 5, 0, "IMAGE"], [11, 5, 0, 9, 0, "IMAGE"]],
            *(subgraphs or (make_blur(),)),
        )
    )


def test_an_instance_becomes_its_nodes() -> None:
    conversion = convert_blur(make_host([4.0]))
    assert list_inputs(conversion) == {
        "1": {"image": "cat.png"},
        "9": {"prefix": "x", "images": ["5:7", 0]},
        "5:7": {"image": ["1", 0], "radius": 4.0},
    }
    assert conversion.notes == ()


def test_a_value_knows_both_of_its_places() -> None:
    places = convert_blur(make_host([4.0])).places
    host = Place("", "5", "strength", 0)
    assert places["5:7", "radius"] == Place("blur", "7", "radius", 0, (host,))


@pytest.mark.parametrize("values", [None, [], [None]], ids=str)
def test_without_a_value_outside_the_one_inside_counts(values: Any) -> None:
    assert list_inputs(convert_blur(make_host(values)))["5:7"]["radius"] == 1.0


def test_a_link_outside_counts_before_values() -> None:
    host = make_host([4.0])
    host["inputs"].append(widget("strength", "FLOAT", 12))
    file = make_file(
        [make_node(2, "Number", [9.0], (), ("FLOAT",)), host],
        [[12, 2, 0, 5, 1, "FLOAT"]],
        make_blur(),
    )
    number = make_class({"value": ["FLOAT", {}]}, output=("FLOAT",))
    inputs = list_inputs(convert(file, {**make_info(), "Number": number}))
    assert inputs["5:7"] == {"radius": ["2", 0]}


@pytest.mark.parametrize("has_reroute", [False, True])
def test_a_primitive_outside_counts_before_values(has_reroute: bool) -> None:
    host = make_host([4.0])
    host["inputs"].append(widget("strength", "FLOAT", 12))
    nodes = [make_node(2, "PrimitiveNode", [9.0, "fixed"], (), ("FLOAT",)), host]
    links = [[12, 2, 0, 5, 1, "FLOAT"]]
    if has_reroute:
        nodes.append(make_node(3, "Reroute", None, (socket("", "*", 13),), ("FLOAT",)))
        links = [[13, 2, 0, 3, 0, "*"], [12, 3, 0, 5, 1, "FLOAT"]]
    inputs = list_inputs(convert(make_file(nodes, links, make_blur())))
    assert inputs["5:7"]["radius"] == 9.0


@pytest.mark.parametrize(
    ("inside", "outside", "wanted", "told"),
    [("many", 9.0, 9.0, []), (4.0, "many", 1.0, [("radius", "many")])],
    ids=str,
)
def test_of_a_primitive_inside_the_value_of_the_instance_counts(
    inside: Any, outside: Any, wanted: float, told: list[tuple[str, str]]
) -> None:
    graph = make_subgraph(
        "shown",
        [
            make_node(3, "PrimitiveNode", [inside, "fixed"], (), ("FLOAT",)),
            make_node(7, "Blur", [1.0], (socket("image", "IMAGE"), widget("radius", "FLOAT", 2))),
        ],
        [[2, 3, 0, 7, 1, "FLOAT"]],
    )
    host = make_node(5, "shown", [outside], properties={"proxyWidgets": [["3", "value"]]})
    conversion = convert(make_file([host], [], graph))
    assert list_inputs(conversion)["5:7"]["radius"] == wanted
    assert [(note.input, note.value) for note in conversion.notes] == told
    assert all(note.value != "many" for note in conversion.unused)


def test_values_go_by_the_inputs_that_stand_for_widgets() -> None:
    """Not by the inputs of the instance: files leave out those without a link."""
    graph = make_subgraph(
        "draw",
        [
            make_node(
                3,
                "Sampler",
                [5, "randomize", 20, 8.0, "euler"],
                (
                    socket("model", "MODEL", 1),
                    widget("cfg", "FLOAT", 2),
                    widget("steps", "INT", 3),
                ),
                ("LATENT",),
            )
        ],
        [
            [1, -10, 1, 3, 0, "MODEL"],
            [2, -10, 0, 3, 1, "FLOAT"],
            [3, -10, 2, 3, 2, "INT"],
        ],
        (("cfg", "FLOAT", [2]), ("model", "MODEL", [1]), ("steps", "INT", [3])),
    )
    host = make_node(5, "draw", [3.5, 12], (widget("steps", "INT"),))
    inputs = list_inputs(convert(make_file([host], [], graph)))
    assert inputs["5:3"]["cfg"] == 3.5
    assert inputs["5:3"]["steps"] == 12


def test_one_value_may_go_to_several_widgets_and_sockets() -> None:
    graph = make_subgraph(
        "two",
        [
            make_node(1, "Save", ["a"], (widget("prefix", "STRING", 1),)),
            make_node(2, "Save", ["b"], (widget("prefix", "STRING", 2),)),
            make_node(3, "Taker", [], (socket("text", "STRING", 3),)),
        ],
        [
            [1, -10, 0, 1, 0, "STRING"],
            [2, -10, 0, 2, 0, "STRING"],
            [3, -10, 0, 3, 0, "STRING"],
        ],
        (("name", "STRING", [3, 1, 2]),),
    )
    taker = make_class({"text": ["STRING", {"forceInput": True}]})
    info = {**make_info(), "Taker": taker}
    assert list_inputs(convert(make_file([make_node(5, "two")], [], graph), info)) == {
        "5:1": {"prefix": "a"},
        "5:2": {"prefix": "a"},
        "5:3": {"text": "a"},
    }


def test_instances_of_one_subgraph_have_values_of_their_own() -> None:
    hosts = [make_node(5, "blur", [4.0]), make_node(6, "blur", [2.0])]
    inputs = list_inputs(convert(make_file(hosts, [], make_blur())))
    assert inputs["5:7"]["radius"] == 4.0
    assert inputs["6:7"]["radius"] == 2.0


def test_some_files_have_values_of_controls_as_well() -> None:
    graph = make_subgraph(
        "draw",
        [
            make_node(
                3,
                "Sampler",
                [5, "randomize", 20, 8.0, "euler"],
                (widget("seed", "INT", 1), widget("steps", "INT", 2)),
            )
        ],
        [[1, -10, 0, 3, 0, "INT"], [2, -10, 1, 3, 1, "INT"]],
        (("seed", "INT", [1]), ("steps", "INT", [2])),
    )
    host = make_node(5, "draw", [77, "fixed", 12])
    inputs = list_inputs(convert(make_file([host], [], graph)))
    assert inputs["5:3"]["seed"] == 77
    assert inputs["5:3"]["steps"] == 12


def test_proxy_widgets_name_the_values_in_their_order() -> None:
    proxies = [["7", "radius"], ["-1", "nothing"]]
    host = make_host([4.0, 1], properties={"proxyWidgets": proxies})
    assert list_inputs(convert_blur(host))["5:7"]["radius"] == 4.0
    host = make_host(["x", 4.0], properties={"proxyWidgets": [["7", "other"], ["-1", "strength"]]})
    conversion = convert_blur(host)
    assert list_inputs(conversion)["5:7"]["radius"] == 4.0
    assert [(note.node, note.input, note.value) for note in conversion.notes] == [
        ("5:7", "other", "x")
    ]


def test_proxy_widgets_may_show_a_widget_without_an_input() -> None:
    graph = make_subgraph("save", [make_node(3, "Save", ["inside"])], [])
    hosts = [
        make_node(5, "save", ["outside"], properties={"proxyWidgets": [["3", "prefix"]]}),
        make_node(6, "save", [], properties={"proxyWidgets": [["3", "prefix"]]}),
    ]
    conversion = convert(make_file(hosts, [], graph))
    assert list_inputs(conversion) == {
        "5:3": {"prefix": "outside"},
        "6:3": {"prefix": "inside"},
    }
    assert conversion.places["5:3", "prefix"].hosts == (Place("", "5", "prefix", 0),)


@pytest.mark.parametrize("name", ["prefix", "3: prefix"])
def test_what_an_instance_shows_is_not_fed_inside(name: str) -> None:
    inner = make_subgraph(
        "inner",
        [make_node(3, "Save", ["deep"], (widget("prefix", "STRING", 1),))],
        [[1, -10, 0, 3, 0, "STRING"]],
        (("prefix", "STRING", [1]),),
    )
    outer = make_subgraph(
        "outer",
        [
            make_node(1, "Text", ["linked"], (), ("STRING",)),
            make_node(6, "inner", ["own"], (widget("prefix", "STRING", 1),)),
        ],
        [[1, 1, 0, 6, 0, "STRING"]],
    )
    host = make_node(5, "outer", ["shown"], properties={"proxyWidgets": [["6", name]]})
    text = make_class({"value": ["STRING", {}]}, output=("STRING",))
    info = {**make_info(), "Text": text}
    inputs = list_inputs(convert(make_file([host], [], outer, inner), info))
    assert inputs["5:6:3"] == {"prefix": "shown"}


def test_without_a_value_what_an_instance_shows_keeps_its_own() -> None:
    graph = make_subgraph(
        "draw",
        [
            make_node(1, "Text", ["linked"], (), ("STRING",)),
            make_node(3, "Save", ["own"], (widget("prefix", "STRING", 1),)),
        ],
        [[1, 1, 0, 3, 0, "STRING"]],
    )
    host = make_node(5, "draw", [], properties={"proxyWidgets": [["3", "prefix"]]})
    text = make_class({"value": ["STRING", {}]}, output=("STRING",))
    info = {**make_info(), "Text": text}
    assert list_inputs(convert(make_file([host], [], graph), info))["5:3"] == {"prefix": "own"}


@pytest.mark.parametrize(("values", "wanted"), [([], "own"), (["shown"], "shown")], ids=str)
def test_of_a_bypassed_node_inside_the_shown_value_is_passed_on(
    values: list[str], wanted: str
) -> None:
    graph = make_subgraph(
        "draw",
        [
            make_node(1, "Text", ["own"], (widget("value", "STRING"),), ("STRING",), mode=4),
            make_node(3, "Save", ["inside"], (widget("prefix", "STRING", 1),)),
        ],
        [[1, 1, 0, 3, 0, "STRING"]],
    )
    host = make_node(5, "draw", values, properties={"proxyWidgets": [["1", "value"]]})
    text = make_class({"value": ["STRING", {}]}, output=("STRING",))
    info = {**make_info(), "Text": text}
    conversion = convert(make_file([host], [], graph), info)
    assert list_inputs(conversion) == {"5:3": {"prefix": wanted}}
    assert conversion.places["5:3", "prefix"].node == "1"


def test_a_value_in_quarantine_counts_before_all_others() -> None:
    entry = {"originalEntry": ["-1", "strength"], "hostValue": 6.0, "reason": "missing"}
    host = make_host([4.0], properties={"proxyWidgetErrorQuarantine": [entry]})
    assert list_inputs(convert_blur(host))["5:7"]["radius"] == 6.0


def make_outer(values: Any = None, proxies: Any = None) -> Json:
    """Make a subgraph that contains the blur, and shows its radius."""
    properties = {"proxyWidgets": proxies} if proxies else {}
    return make_subgraph(
        "outer",
        [
            make_node(
                4,
                "blur",
                values,
                (socket("picture", "IMAGE", 1), widget("strength", "FLOAT", 2)),
                ("IMAGE",),
                properties=properties,
            )
        ],
        [
            [1, -10, 0, 4, 0, "IMAGE"],
            [2, -10, 1, 4, 1, "FLOAT"],
            [3, 4, 0, -20, 0, "IMAGE"],
        ],
        (("picture", "IMAGE", [1]), ("power", "FLOAT", [2])),
        (("result", "IMAGE", [3]),),
    )


@pytest.mark.parametrize(
    ("outer_values", "inner_values", "wanted"),
    [([9.0], [4.0], 9.0), ([], [4.0], 4.0), ([], [], 1.0)],
    ids=str,
)
def test_of_nested_instances_the_outer_value_counts(
    outer_values: list[float], inner_values: list[float], wanted: float
) -> None:
    host = {**make_host(outer_values), "type": "outer"}
    conversion = convert_blur(host, make_outer(inner_values), make_blur())
    inputs = list_inputs(conversion)
    assert inputs["5:4:7"] == {"image": ["1", 0], "radius": wanted}
    assert inputs["9"]["images"] == ["5:4:7", 0]
    hosts = conversion.places["5:4:7", "radius"].hosts
    assert [(host.graph, host.node) for host in hosts] == [("", "5"), ("outer", "4")]


def test_definitions_may_lie_inside_of_others() -> None:
    outer = {**make_outer([4.0]), "definitions": {"subgraphs": [make_blur()]}}
    host = {**make_host([9.0]), "type": "outer"}
    assert list_inputs(convert_blur(host, outer))["5:4:7"]["radius"] == 9.0


def test_a_subgraph_may_be_a_wire() -> None:
    wire = make_subgraph(
        "blur",
        [],
        [[1, -10, 0, -20, 0, "IMAGE"]],
        (("picture", "IMAGE", [1]),),
        (("result", "IMAGE", [1]),),
    )
    assert list_inputs(convert_blur(make_host(), wire))["9"]["images"] == ["1", 0]


@pytest.mark.parametrize("mode", [2, 4])
def test_nodes_of_an_instance_that_is_off_are_left_out(mode: int) -> None:
    inputs = list_inputs(convert_blur(make_host([4.0], mode=mode)))
    assert list(inputs) == ["1", "9"]
    # A bypassed instance passes on what a bypassed node would.
    assert inputs["9"].get("images") == (["1", 0] if mode == 4 else None)


def test_nodes_of_a_nested_bypassed_instance_are_there_without_use() -> None:
    outer = make_outer([4.0])
    outer["nodes"][0]["mode"] = 4
    inputs = list_inputs(convert_blur({**make_host(), "type": "outer"}, outer, make_blur()))
    assert inputs["9"]["images"] == ["1", 0]
    assert "5:4:7" in inputs


def test_a_nested_muted_instance_feeds_nothing() -> None:
    outer = make_outer([4.0])
    outer["nodes"][0]["mode"] = 2
    host = {**make_host([9.0]), "type": "outer"}
    inputs = list_inputs(convert_blur(host, outer, make_blur()))
    assert inputs["9"] == {"prefix": "x"}
    assert inputs["5:4:7"] == {"image": ["1", 0], "radius": 9.0}


def test_a_bypassed_node_inside_passes_on() -> None:
    inputs = list_inputs(convert_blur(make_host([4.0]), make_blur(inner_mode=4)))
    assert inputs["9"]["images"] == ["1", 0]


def test_one_id_in_two_graphs_means_two_nodes() -> None:
    blur = make_blur()
    blur["nodes"][0]["id"] = 1
    blur["links"][0]["target_id"] = 1
    blur["links"][1]["target_id"] = 1
    blur["links"][2]["origin_id"] = 1
    inputs = list_inputs(convert_blur(make_host([4.0]), blur))
    assert inputs["5:1"] == {"image": ["1", 0], "radius": 4.0}


def test_inputs_need_not_list_their_links() -> None:
    blur = make_blur()
    for slot in (*blur["inputs"], *blur["outputs"]):
        del slot["linkIds"]
    inputs = list_inputs(convert_blur(make_host([4.0]), blur))
    assert inputs["5:7"] == {"image": ["1", 0], "radius": 4.0}
    assert inputs["9"]["images"] == ["5:7", 0]


def test_a_getter_inside_finds_a_setter_outside() -> None:
    graph = make_subgraph(
        "inside",
        [
            make_node(1, "GetNode", ["picture"], (), ("IMAGE",)),
            make_node(2, "Save", ["x"], (socket("images", "IMAGE", 1),)),
        ],
        [[1, 1, 0, 2, 0, "IMAGE"]],
    )
    nodes = [
        make_node(3, "LoadImage", ["cat.png", "image"], (), ("IMAGE",)),
        make_node(4, "SetNode", ["picture"], (socket("IMAGE", "IMAGE", 1),)),
        make_node(5, "inside"),
    ]
    file = make_file(nodes, [[1, 3, 0, 4, 0, "IMAGE"]], graph)
    assert list_inputs(convert(file))["5:2"]["images"] == ["3", 0]
