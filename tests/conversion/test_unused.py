"""Values without effect: each is told once, and with its true reason."""

from __future__ import annotations

import json

import pytest

from comfygradio.conversion.result import NO_WIDGET, Conversion
from tests.conversion.ui_file import (
    CONTROL,
    convert,
    make_everything,
    make_file,
    make_node,
    make_subgraph,
    socket,
    widget,
)

VALUES = [5, CONTROL, 30, 7.5, "heun"]


def list_told(conversion: Conversion) -> list[tuple[str, str]]:
    """List nodes and values that are told."""
    told = []
    for note in (*conversion.notes, *conversion.unused):
        if note.value is not None:
            told.append((note.node, json.dumps(note.value)))
    return told


@pytest.mark.parametrize("proxy", ["other", "$$preview", "gone"])
def test_no_value_of_an_instance_is_told_twice(proxy: str) -> None:
    graph = make_subgraph("draw", [make_node(3, "Sampler", VALUES)], [])
    proxies = {"proxyWidgets": [["8" if proxy == "gone" else "3", proxy]]}
    conversion = convert(make_file([make_node(5, "draw", ["x"], properties=proxies)], [], graph))
    told = [note for note in (*conversion.notes, *conversion.unused) if note.value == "x"]
    assert len(told) == 1


def test_the_primitive_of_a_socket_is_told() -> None:
    node = make_node(3, "PrimitiveNode", {"value": 9.0}, (), ("FLOAT",))
    save = make_node(9, "Save", ["x"], (socket("images", "IMAGE", 1),))
    conversion = convert(make_file([node, save], [[1, 3, 0, 9, 0, "IMAGE"]]))
    assert [note.value for note in conversion.notes] == [9.0]


def test_of_a_link_to_a_muted_node_only_the_value_there_is_told() -> None:
    nodes = [
        make_node(1, "Blur", [2.0], (socket("image", "IMAGE"),), ("FLOAT",), mode=2),
        make_node(2, "Blur", [4.0], (widget("radius", "FLOAT", 1),), ("IMAGE",)),
    ]
    conversion = convert(make_file(nodes, [[1, 1, 0, 2, 0, "FLOAT"]]))
    assert list_told(conversion) == [("1", "2.0")]
    assert conversion.prompt["2"]["inputs"] == {"radius": 4.0}


def test_an_empty_value_has_no_widget() -> None:
    conversion = convert(make_file([make_node(3, "Sampler", [*VALUES, ""])], []))
    assert conversion.notes == ()
    assert [str(note) for note in conversion.unused][1:] == [f'Node 3 = "": {NO_WIDGET}']


@pytest.mark.parametrize("has_other", [False, True])
def test_a_subgraph_that_is_off_uses_nothing(has_other: bool) -> None:
    graph = make_subgraph("draw", [make_node(3, "Sampler", VALUES)], [])
    nodes = [make_node(5, "draw", mode=4)]
    if has_other:
        nodes.append(make_node(6, "draw"))
    conversion = convert(make_file(nodes, [], graph))
    reasons = {note.reason for note in conversion.unused}
    if has_other:
        assert reasons == {"only ComfyUI's page uses it."}
    else:
        assert reasons == {"the subgraph that the node is in is muted or bypassed."}


def test_a_file_with_everything_tells_nothing_twice() -> None:
    told = list_told(convert(make_everything()))
    assert len(told) == len(set(told))
