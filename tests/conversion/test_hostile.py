"""Files that nobody saved: own errors alone come out, and never late."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from comfygradio.errors import WorkflowError
from tests.conversion.ui_file import (
    Json,
    convert,
    list_inputs,
    make_everything,
    make_file,
    make_info,
    make_node,
    make_subgraph,
    socket,
    widget,
)

SECONDS = 20
"""What a conversion may take of the processor. These take 0.1 to 0.5; what grows with the square of
a file would take minutes.
"""


def nest(depth: int) -> Json:
    """Make subgraphs inside of one another, each with two instances of the next."""
    graphs = []
    for level in range(depth):
        nodes = [make_node(1, f"g{level + 1}"), make_node(2, f"g{level + 1}")]
        graphs.append(make_subgraph(f"g{level}", nodes, []))
    return make_file([make_node(1, "g0")], [], *graphs)


def test_a_subgraph_that_contains_itself_is_refused() -> None:
    graphs = [
        make_subgraph("a", [make_node(1, "b")], []),
        make_subgraph("b", [make_node(2, "a")], []),
    ]
    with pytest.raises(WorkflowError, match="contains itself"):
        convert(make_file([make_node(5, "a")], [], *graphs))


@pytest.mark.parametrize("depth", [30, 60])
def test_subgraphs_that_multiply_are_refused(depth: int) -> None:
    with pytest.raises(WorkflowError, match="too many nodes"):
        convert(nest(depth))


def test_subgraphs_that_are_nested_too_deeply_are_refused() -> None:
    graphs = [make_subgraph(f"g{n}", [make_node(1, f"g{n + 1}")], []) for n in range(60)]
    with pytest.raises(WorkflowError, match="subgraphs are nested more than 50 deep"):
        convert(make_file([make_node(1, "g0")], [], *graphs))


def test_values_that_are_nested_too_deeply_are_refused() -> None:
    value: Any = []
    for _ in range(5000):
        value = [value]
    info = {"One": {"input": {"required": {"boxes": ["BOUNDING_BOXES", {}]}}}}
    with pytest.raises(WorkflowError, match="nested too deeply"):
        convert(make_file([make_node(1, "One", [value])], []), info)


ODD_SLOTS = ["9" * 5000, 10**5000, -1, 0.5, float("inf"), True, "²", None]


@pytest.mark.parametrize("slot", ODD_SLOTS, ids=range(len(ODD_SLOTS)))
@pytest.mark.parametrize("position", [2, 4])
def test_the_slot_of_a_link_may_be_anything(position: int, slot: Any) -> None:
    link = [1, 1, 0, 2, 0, "IMAGE"]
    link[position] = slot
    nodes = [
        make_node(1, "LoadImage", ["cat.png", "image"], (), ("IMAGE",)),
        make_node(2, "Save", ["x"], (socket("images", "IMAGE", 1),)),
    ]
    inputs = list_inputs(convert(make_file(nodes, [link])))
    assert inputs["2"] == {"prefix": "x"}


def test_the_slot_of_a_link_may_be_a_text_or_a_float() -> None:
    nodes = [
        make_node(1, "LoadImage", ["cat.png", "image"], (), ("IMAGE",)),
        make_node(2, "Save", ["x"], (socket("images", "IMAGE", 1),)),
    ]
    inputs = list_inputs(convert(make_file(nodes, [[1, 1, "0", 2, 0.0, "IMAGE"]])))
    assert inputs["2"] == {"prefix": "x", "images": ["1", 0]}


def test_an_id_may_have_thousands_of_digits() -> None:
    assert list_inputs(convert(make_file([make_node(10**5000, "Save", ["x"])], []))) == {
        "": {"prefix": "x"}
    }


def nest_groups(depth: int) -> Json:
    """Make group nodes inside of one another."""
    groups = {}
    for level in range(depth):
        inner = "Save" if level == depth - 1 else f"workflow>{level + 1}"
        groups[str(level)] = {"nodes": [make_node(0, inner)], "links": []}
    return make_file([make_node(1, "workflow>0")], [], extra={"groupNodes": groups})


def test_group_nodes_that_are_nested_too_deeply_are_refused() -> None:
    with pytest.raises(WorkflowError, match="group nodes are nested more than 50 deep"):
        convert(nest_groups(51))


def multiply(instances: int, width: int, **node: Any) -> Json:
    """Make many instances of a subgraph with many inputs."""
    slots: tuple[tuple[str, str, list[int]], ...] = ()
    for number in range(width):
        slots += ((f"w{number}", "INT", []),)
    graph = make_subgraph("g", [{**make_node(1, "Save", ["x"]), **node}], [], slots)
    return make_file([make_node(number, "g") for number in range(instances)], [], graph)


def multiply_groups(instances: int, width: int) -> Json:
    """Make many group nodes of a definition that is large without having many nodes."""
    group = {"nodes": [make_node(0, "Save")], "links": [0] * width}
    nodes = [make_node(number, "workflow>G") for number in range(instances)]
    return make_file(nodes, [], extra={"groupNodes": {"G": group}})


def make_typed_chain(count: int) -> Json:
    """Make a chain of reroutes that feeds inputs of as many types, each of which is followed by
    itself.
    """
    nodes = [make_node(0, "LoadImage", ["cat.png", "image"], (), ("IMAGE",))]
    links = []
    for number in range(1, count):
        nodes.append(make_node(number, "Reroute", None, (socket("", "*", number),)))
        links.append([number, number - 1, 0, number, 0, "*"])
        taker = (socket("x", f"T{number}", count + number),)
        nodes.append(make_node(count + number, "Unknown", None, taker))
        links.append([count + number, count - 1, 0, count + number, 0, "*"])
    return make_file(nodes, links)


@pytest.mark.parametrize(
    "file",
    [
        multiply(1000, 1000),
        multiply(1000, 0, widgets_values=["x"] * 1000),
        multiply(1000, 0, inputs=[{}] * 1000),
        multiply(1000, 0, widgets_values=["x" * 100_000]),
        multiply(1000, 0, id="x" * 100_000),
        multiply_groups(1000, 1000),
        make_typed_chain(800),
        {"nodes": [], "links": [[0] * 9] * 40_000},
    ],
    ids=["slots", "values", "inputs", "text", "id", "group", "types", "links"],
)
def test_what_multiplies_is_refused_at_once(file: Json) -> None:
    start = time.thread_time()
    with pytest.raises(WorkflowError, match="too many nodes, links and values"):
        convert(file)
    assert time.thread_time() - start < SECONDS


def test_too_many_nodes_are_refused() -> None:
    with pytest.raises(WorkflowError, match="more than 20,000 nodes"):
        convert({"nodes": [{"id": number} for number in range(20_001)]})


def test_autogrow_inputs_inside_of_others_do_not_multiply() -> None:
    kind: Any = ["INT", {}]
    for _ in range(6):
        template = {"min": 99, "input": {"required": {"a": kind, "b": kind}}}
        kind = ["COMFY_AUTOGROW_V3", {"template": template}]
    info = {"One": {"input": {"required": {"odd": kind}}}}
    file = make_file([make_node(1, "One", [1], (socket("x", "INT", 1),))], [[1, 1, 0, 1, 0, "*"]])
    assert list(convert(file, info).prompt) == ["1"]


def make_chain(count: int) -> Json:
    """Make a chain of reroutes, each of which also feeds a node."""
    nodes = [make_node(0, "LoadImage", ["cat.png", "image"], (), ("IMAGE",))]
    links = []
    for number in range(1, count):
        inputs = (socket("", "*", number),)
        nodes.append(make_node(number, "Reroute", None, inputs, ("IMAGE",)))
        links.append([number, number - 1, 0, number, 0, "*"])
        taker = (socket("images", "IMAGE", count + number),)
        nodes.append(make_node(count + number, "Save", ["x"], taker))
        links.append([count + number, number, 0, count + number, 0, "IMAGE"])
    return make_file(nodes, links)


def make_wide(count: int) -> Json:
    """Make an instance with many promoted widgets of one node."""
    inputs = tuple(widget(f"w{number}", "INT", number) for number in range(count))
    links = [[number, -10, number, 1, number, "INT"] for number in range(count)]
    slots = tuple((f"w{number}", "INT", [number]) for number in range(count))
    graph = make_subgraph("wide", [make_node(1, "Wide", list(range(count)), inputs)], links, slots)
    proxies = [["1", f"w{number}"] for number in range(count)]
    host = make_node(5, "wide", list(range(count)), properties={"proxyWidgets": proxies})
    return make_file([host], [], graph)


def make_odd(count: int) -> Json:
    """Make many nodes that were saved for another version, with many values each."""
    values = ["text", 1.5] * 50
    return make_file([make_node(number, "Sampler", values) for number in range(count)], [])


def make_unknown(count: int) -> Json:
    """Make many linked nodes that no server has."""
    nodes = []
    links = []
    for number in range(count):
        inputs = (socket("in", "X", number),)
        nodes.append(make_node(number, f"Unknown {number}", ["x"], inputs, ("X",)))
        links.append([number, (number + 1) % count, 0, number, 0, "X"])
    return make_file(nodes, links)


@pytest.mark.parametrize(
    "file",
    [make_chain(2500), make_wide(2500), make_odd(1000), make_unknown(5000)],
    ids=["chain", "wide", "odd", "unknown"],
)
def test_thousands_of_nodes_take_no_time(file: Json) -> None:
    info = make_info()
    info["Wide"] = {"input": {"required": {f"w{n}": ["INT", {}] for n in range(2500)}}}
    start = time.thread_time()
    conversion = convert(file, info)
    assert time.thread_time() - start < SECONDS
    assert conversion.prompt


def test_the_file_that_is_fuzzed_can_be_converted() -> None:
    conversion = convert(make_everything())
    assert list_inputs(conversion)["5:7"] == {"image": ["1", 0], "radius": 3.5}
    assert list_inputs(conversion)["13:0"]["text"] == "a cat"
    assert [missing.class_type for missing in conversion.missing] == ["Unknown"]


def test_of_two_nodes_with_one_id_the_first_counts() -> None:
    nodes = [make_node(1, "Loader", ["a.ckpt"]), make_node(1, "Loader", ["b.ckpt"])]
    assert list_inputs(convert(make_file(nodes, []))) == {"1": {"name": "a.ckpt"}}


@pytest.mark.parametrize("odd", [None, 3, "text", [], {}, [[]], {"a": []}, True], ids=json.dumps)
@pytest.mark.parametrize(
    "key",
    [
        "id",
        "type",
        "mode",
        "inputs",
        "outputs",
        "properties",
        "widgets_values",
        "widgets_values_named",
    ],
)
def test_parts_of_nodes_may_have_any_type(key: str, odd: Any) -> None:
    node = make_node(1, "Sampler", [5, "fixed", 3, 1.0, "heun"], (socket("model", "MODEL", 1),))
    assert isinstance(convert(make_file([{**node, key: odd}], [])).prompt, dict)


@pytest.mark.parametrize("odd", [None, 3, "text", [], {}, [None], [{}], [[1, 2]]], ids=json.dumps)
@pytest.mark.parametrize("key", ["nodes", "links", "inputs", "outputs", "id"])
def test_parts_of_subgraphs_may_have_any_type(key: str, odd: Any) -> None:
    graph = make_subgraph("g", [make_node(1, "Save", ["x"])], [], (("a", "INT", [1]),))
    file = make_file([make_node(5, "g", [1])], [], {**graph, key: odd})
    assert isinstance(convert(file).prompt, dict)


@pytest.mark.parametrize("odd", [None, 3, "text", [], {}, [1], {"required": 3}], ids=json.dumps)
@pytest.mark.parametrize("key", ["input", "input_order", "output", "display_name"])
def test_parts_of_classes_may_have_any_type(key: str, odd: Any) -> None:
    info = make_info()
    info["Save"][key] = odd
    conversion = convert(make_file([make_node(1, "Save", ["x"])], []), info)
    assert list(conversion.prompt) == ["1"]


@pytest.mark.parametrize(
    "definition",
    [
        [],
        None,
        ["COMFY_DYNAMICCOMBO_V3", {"options": [3, {"key": []}, {"key": "x", "inputs": 3}]}],
        ["COMFY_AUTOGROW_V3", {"template": {"min": "x", "names": 3, "input": 3}}],
        ["COMFY_AUTOGROW_V3", {"template": {"min": 10**9, "input": {"required": {"a": ["INT"]}}}}],
        ["COMFY_MATCHTYPE_V3", {"template": 3}],
        ["INT", {"min": "x", "control_after_generate": []}],
        [[[], {}, None]],
    ],
    ids=str,
)
def test_definitions_of_inputs_may_be_odd(definition: Any) -> None:
    info = {"One": {"input": {"required": {"odd": definition, "n": ["INT", {}]}}}}
    conversion = convert(make_file([make_node(1, "One", ["x", 4, 5])], []), info)
    assert list(conversion.prompt) == ["1"]
