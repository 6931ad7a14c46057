"""Links: what feeds an input, through all that exists on ComfyUI's page alone."""

from __future__ import annotations

import pytest

from tests.conversion.ui_file import (
    Json,
    convert,
    list_inputs,
    make_class,
    make_file,
    make_info,
    make_node,
    socket,
    widget,
)

SAVE = ("Save", ["x"])


def load(node_id: int) -> Json:
    """Make a node that loads a picture."""
    return make_node(node_id, "LoadImage", ["cat.png", "image"], (), ("IMAGE", "MASK"))


def save(node_id: int, link: int) -> Json:
    """Make a node that saves a picture."""
    return make_node(node_id, "Save", ["x"], (socket("images", "IMAGE", link),))


def list_images(nodes: list[Json], links: list[list[object]], info: Json | None = None) -> object:
    """Convert a file, and return what feeds the pictures of node 9."""
    return list_inputs(convert(make_file(nodes, links), info))["9"].get("images")


def test_a_reroute_node_passes_on() -> None:
    nodes = [
        load(1),
        make_node(2, "Reroute", None, (socket("", "*", 1),), ("IMAGE",)),
        make_node(3, "Reroute", None, (socket("", "*", 2),), ("IMAGE",)),
        save(9, 3),
    ]
    links = [[1, 1, 0, 2, 0, "*"], [2, 2, 0, 3, 0, "*"], [3, 3, 0, 9, 0, "IMAGE"]]
    assert list_images(nodes, links) == ["1", 0]


def test_a_native_reroute_is_part_of_its_link() -> None:
    file = make_file([load(1), save(9, 3)], [[3, 1, 0, 9, 0, "IMAGE"]])
    file["extra"] = {
        "reroutes": [{"id": 1, "pos": [0, 0], "linkIds": [3]}],
        "linkExtensions": [{"id": 3, "parentId": 1}],
    }
    assert list_inputs(convert(file))["9"]["images"] == ["1", 0]


def test_reroutes_in_a_circle_feed_nothing() -> None:
    nodes = [
        make_node(2, "Reroute", None, (socket("", "*", 2),), ("IMAGE",)),
        make_node(3, "Reroute", None, (socket("", "*", 1),), ("IMAGE",)),
        save(9, 3),
    ]
    links = [[1, 2, 0, 3, 0, "*"], [2, 3, 0, 2, 0, "*"], [3, 3, 0, 9, 0, "IMAGE"]]
    assert list_images(nodes, links) is None


def test_a_getter_stands_for_its_setter() -> None:
    nodes = [
        load(1),
        make_node(2, "SetNode", ["picture"], (socket("IMAGE", "IMAGE", 1),), ("*",)),
        make_node(3, "GetNode", ["picture"], (), ("IMAGE",)),
        save(9, 2),
    ]
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 3, 0, 9, 0, "IMAGE"]]
    assert list_images(nodes, links) == ["1", 0]
    assert list(list_inputs(convert(make_file(nodes, links)))) == ["1", "9"]


def test_a_getter_without_a_setter_feeds_nothing() -> None:
    nodes = [make_node(3, "GetNode", ["picture"], (), ("IMAGE",)), save(9, 2)]
    assert list_images(nodes, [[2, 3, 0, 9, 0, "IMAGE"]]) is None


def test_the_output_of_a_setter_passes_on() -> None:
    nodes = [
        load(1),
        make_node(2, "SetNode", ["picture"], (socket("IMAGE", "IMAGE", 1),), ("*",)),
        save(9, 2),
    ]
    assert list_images(nodes, [[1, 1, 0, 2, 0, "*"], [2, 2, 0, 9, 0, "*"]]) == ["1", 0]


def test_a_muted_node_feeds_nothing() -> None:
    nodes = [{**load(1), "mode": 2}, save(9, 1)]
    file = make_file(nodes, [[1, 1, 0, 9, 0, "IMAGE"]])
    assert list_inputs(convert(file)) == {"9": {"prefix": "x"}}


def test_a_muted_reroute_passes_nothing_on() -> None:
    nodes = [
        load(1),
        make_node(2, "Reroute", None, (socket("", "*", 1),), ("IMAGE",), mode=2),
        save(9, 2),
    ]
    file = make_file(nodes, [[1, 1, 0, 2, 0, "*"], [2, 2, 0, 9, 0, "IMAGE"]])
    assert list_inputs(convert(file))["9"] == {"prefix": "x"}


@pytest.mark.parametrize("mode", [2, 4])
def test_a_widget_behind_a_node_that_is_off_keeps_its_value(mode: int) -> None:
    nodes = [
        make_node(1, "Text", ["from a node"], (), ("STRING",), mode=mode),
        make_node(9, "Save", ["x"], (widget("prefix", "STRING", 1),)),
    ]
    text = make_class({"value": ["STRING", {}]}, output=("STRING",))
    conversion = convert(
        make_file(nodes, [[1, 1, 0, 9, 0, "STRING"]]), {**make_info(), "Text": text}
    )
    assert list_inputs(conversion) == {"9": {"prefix": "x"}}
    assert conversion.notes == ()
    assert [(note.node, note.value) for note in conversion.unused] == [("1", "from a node")]


def bypass(inputs: Json, outputs: tuple[str, ...], links: dict[str, int]) -> tuple[Json, Json]:
    """Make a class and a bypassed node of it; `links` feed its inputs."""
    node_class = make_class(inputs, output=outputs)
    slots = []
    for name, definition in inputs.items():
        slots.append(socket(name, definition[0], links.get(name)))
    return node_class, make_node(5, "Middle", [], tuple(slots), outputs, mode=4)


TWO = [[1, 1, 0, 5, 0, "IMAGE"], [2, 2, 0, 5, 1, "IMAGE"], [3, 5, 0, 9, 0, "IMAGE"]]


@pytest.mark.parametrize(
    ("inputs", "outputs", "slot", "wanted"),
    [
        # The same slot, if the types fit at both ends.
        ({"a": ["IMAGE"], "b": ["IMAGE"]}, ("MASK", "IMAGE"), 1, ["2", 0]),
        # Else the first of exactly the type.
        ({"a": ["MODEL"], "b": ["IMAGE"]}, ("IMAGE",), 0, ["2", 0]),
        ({"a": ["*"], "b": ["IMAGE"]}, ("MASK", "MASK", "IMAGE"), 2, ["2", 0]),
        # Else any that fits.
        ({"a": ["MODEL"], "b": ["IMAGE,MASK"]}, ("IMAGE",), 0, ["2", 0]),
        ({"a": ["*"], "b": ["MODEL"]}, ("MASK", "IMAGE"), 1, ["1", 0]),
        # Nothing fits.
        ({"a": ["MODEL"], "b": ["MASK"]}, ("IMAGE",), 0, None),
    ],
)
def test_a_bypassed_node_passes_on_by_type(
    inputs: Json, outputs: tuple[str, ...], slot: int, wanted: object
) -> None:
    node_class, middle = bypass(inputs, outputs, {"a": 1, "b": 2})
    links = [*TWO[:2], [3, 5, slot, 9, 0, "IMAGE"]]
    info = {**make_info(), "Middle": node_class}
    assert list_images([load(1), load(2), middle, save(9, 3)], links, info) == wanted


def test_an_input_that_depends_on_others_has_the_type_of_the_file() -> None:
    match = {"template": {"template_id": "kind", "allowed_types": "*"}}
    switch = make_class({"value": ["COMFY_MATCHTYPE_V3", match]})
    middle, node = bypass({"image": ["IMAGE"]}, ("MASK",), {"image": 1})
    nodes = [load(1), node, make_node(9, "Switch", [], (socket("value", "MASK", 2),))]
    links = [[1, 1, 0, 5, 0, "IMAGE"], [2, 5, 0, 9, 0, "MASK"]]
    info = {**make_info(), "Switch": switch, "Middle": middle}
    assert list_inputs(convert(make_file(nodes, links), info))["9"] == {}


def test_beyond_any_type_the_slot_counts() -> None:
    node_class, middle = bypass({"a": ["MODEL"], "b": ["VAE"]}, ("X", "Y"), {"a": 1, "b": 2})
    taker = make_node(9, "Any", [], (socket("images", "*", 3),))
    info = {**make_info(), "Middle": node_class, "Any": make_class({"images": ["*"]})}
    links = [*TWO[:2], [3, 5, 1, 9, 0, "*"]]
    assert list_images([load(1), load(2), middle, taker], links, info) == ["2", 0]


def test_bypassed_nodes_follow_one_another() -> None:
    nodes = [load(1)]
    links: list[list[object]] = []
    for node_id in (2, 3, 4):
        inputs = (socket("image", "IMAGE", node_id),)
        nodes.append(make_node(node_id, "Blur", [1.0], inputs, ("IMAGE",), mode=4))
        links.append([node_id, node_id - 1, 0, node_id, 0, "IMAGE"])
    links.append([9, 4, 0, 9, 0, "IMAGE"])
    assert list_images([*nodes, save(9, 9)], links) == ["1", 0]


def test_a_bypassed_autogrow_node_passes_on_its_first_input() -> None:
    template = {"input": {"required": {"image": ["IMAGE", {}]}}, "prefix": "image", "min": 1}
    batch = make_class({"images": ["COMFY_AUTOGROW_V3", {"template": template}]}, output=("IMAGE",))
    slots = (socket("images.image0", "IMAGE", 1), socket("images.image1", "IMAGE", 2))
    middle = make_node(5, "Middle", [], slots, ("IMAGE",), mode=4)
    info = {**make_info(), "Middle": batch}
    assert list_images([load(1), load(2), middle, save(9, 3)], TWO, info) == ["1", 0]


def test_an_output_that_depends_on_its_input_has_the_type_of_the_file() -> None:
    match = {"template": {"template_id": "t", "allowed_types": "IMAGE,MASK"}}
    resize = make_class({"input": ["COMFY_MATCHTYPE_V3", match]}, output=("COMFY_MATCHTYPE_V3",))
    middle = make_node(5, "Middle", [], (socket("input", "IMAGE", 1),), ("IMAGE",), mode=4)
    info = {**make_info(), "Middle": resize}
    links = [[1, 1, 0, 5, 0, "IMAGE"], [3, 5, 0, 9, 0, "IMAGE"]]
    assert list_images([load(1), middle, save(9, 3)], links, info) == ["1", 0]


def test_a_primitive_writes_into_widgets() -> None:
    nodes = [
        make_node(1, "PrimitiveNode", ["from outside", "fixed"], (), ("STRING",)),
        make_node(2, "Reroute", None, (socket("", "*", 2),), ("STRING",)),
        make_node(9, "Save", ["x"], (widget("prefix", "STRING", 1),)),
        make_node(8, "Save", ["y"], (widget("prefix", "STRING", 3),)),
    ]
    links = [[1, 1, 0, 9, 0, "STRING"], [2, 1, 0, 2, 0, "*"], [3, 2, 0, 8, 0, "*"]]
    conversion = convert(make_file(nodes, links))
    assert list_inputs(conversion) == {
        "9": {"prefix": "from outside"},
        "8": {"prefix": "from outside"},
    }
    place = conversion.places["9", "prefix"]
    assert (place.node, place.index) == ("1", 0)


def test_a_primitive_writes_into_an_input_that_was_renamed() -> None:
    renamed = {**widget("file name", "STRING", 1), "widget": {"name": "prefix"}}
    nodes = [
        make_node(1, "PrimitiveNode", ["from outside"], (), ("STRING",)),
        make_node(9, "Save", ["x"], (renamed,)),
    ]
    conversion = convert(make_file(nodes, [[1, 1, 0, 9, 0, "STRING"]]))
    assert list_inputs(conversion) == {"9": {"prefix": "from outside"}}


def test_a_primitive_without_a_value_leaves_the_widget_alone() -> None:
    nodes = [
        make_node(1, "PrimitiveNode", [], (), ("STRING",)),
        make_node(9, "Save", ["x"], (widget("prefix", "STRING", 1),)),
    ]
    conversion = convert(make_file(nodes, [[1, 1, 0, 9, 0, "STRING"]]))
    assert list_inputs(conversion) == {"9": {"prefix": "x"}}


@pytest.mark.parametrize(
    "link",
    [[1, 7, 0, 9, 0, "IMAGE"], [1, 1, 0, 9, 5, "IMAGE"], [2, 1, 0, 9, 0, "IMAGE"], ["x"], None],
    ids=str,
)
def test_a_broken_link_feeds_nothing(link: object) -> None:
    file = make_file([load(1), save(9, 1)], [])
    file["links"] = [link]
    assert list_inputs(convert(file))["9"] == {"prefix": "x"}


def test_ids_may_be_texts() -> None:
    nodes = [{**load(1), "id": "1"}, {**save(9, 1), "id": "nine"}]
    file = make_file(nodes, [["1", "1", 0, "nine", 0, "IMAGE"]])
    assert list_inputs(convert(file))["nine"]["images"] == ["1", 0]
