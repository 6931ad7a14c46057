from __future__ import annotations

import random
from typing import Any

import pytest

from tests.contract.plain_client import Graph, PlainClient, node, only

pytestmark = pytest.mark.real

SIZE = {
    "resize_type": "scale dimensions",
    "resize_type.width": 20,
    "resize_type.height": 10,
    "resize_type.crop": "center",
}
CRF = {"format": "mp4", "format.codec": "h264", "format.codec.encoding": "re-encode"}
REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    (
        SIZE | {"resize_type.width": -1},
        "value_smaller_than_min",
        "resize_type.width",
        "resize_type.width",
    ),
    (
        SIZE | {"resize_type.crop": "top"},
        "value_not_in_list",
        "resize_type.crop",
        "resize_type.crop: 'top' not in ",
    ),
    (
        SIZE | {"resize_type.width": "wide"},
        "invalid_input_type",
        "resize_type.width",
        "resize_type.width, wide, ",
    ),
    (
        {"resize_type": "match size", "resize_type.crop": "center"},
        "required_input_missing",
        "resize_type.match",
        "match",
    ),
    (
        {"resize_type": "match size", "resize_type.match": ["9", 0], "resize_type.crop": "center"},
        "return_type_mismatch",
        "resize_type.match",
        "resize_type.match, received_type(LATENT) mismatch input_type(IMAGE,MASK)",
    ),
]


@pytest.fixture(autouse=True)
def needs_dynamic_inputs(comfy: PlainClient) -> None:
    if not comfy.since(0, 33):
        pytest.skip("newer servers only")


def scaled(inputs: dict[str, Any]) -> Graph:
    """One picture scaled by the node with a dynamic combo; node 9 is a latent for links of a wrong
    type.
    """
    return {
        "1": node("EmptyImage", width=64, height=64, batch_size=1, color=random.getrandbits(24)),
        "2": node("ResizeImageMaskNode", input=["1", 0], scale_method="area", **inputs),
        "3": node("PreviewImage", images=["2", 0]),
        "9": node("EmptyLatentImage", width=64, height=64, batch_size=1),
    }


def blame(comfy: PlainClient, graph: Graph, node_id: str = "2") -> dict[str, Any]:
    answer = comfy.post(graph)
    assert answer.status_code == 400, answer.text
    error: dict[str, Any] = answer.json()["node_errors"][node_id]["errors"][0]
    return error


def failure(comfy: PlainClient, graph: Graph) -> dict[str, Any]:
    """Runs a graph that has to fail; its error."""
    _, messages = comfy.run(graph)
    error: dict[str, Any] = only(messages, "execution_error")[0]
    return error


@pytest.mark.parametrize(("inputs", "kind", "name", "details"), REFUSED)
def test_what_the_chosen_key_brings_is_checked(
    comfy: PlainClient, inputs: dict[str, Any], kind: str, name: str, details: str
) -> None:
    error = blame(comfy, scaled(inputs))
    assert (error["type"], error["extra_info"]["input_name"]) == (kind, name)
    assert error["details"].startswith(details)


def test_what_another_key_would_bring_is_not_checked(comfy: PlainClient) -> None:
    _, messages = comfy.run(
        scaled(SIZE | {"resize_type.multiplier": "abc", "resize_type.nonsense": 1})
    )
    assert only(messages, "executed")[0]["output"]["images"]


@pytest.mark.parametrize("inputs", [{}, {"resize_type": "no such key", "resize_type.width": 20}])
def test_a_missing_or_unknown_key_passes_the_check_and_fails_the_run(
    comfy: PlainClient, inputs: dict[str, Any]
) -> None:
    error = failure(comfy, scaled(inputs))
    assert (error["node_id"], error["exception_type"]) == ("2", "TypeError")
    assert (
        error["exception_message"]
        .strip()
        .endswith("missing 1 required positional argument: 'resize_type'")
    )


def test_nested_combos_are_checked_to_the_innermost(comfy: PlainClient) -> None:
    crf = "format.codec.encoding.crf"
    graph = scaled(SIZE) | {"4": node("CreateVideo", images=["2", 0], fps=5.0)}
    color = {"format.codec.encoding.color_space": "auto"}
    graph["5"] = node(
        "SaveVideo", video=["4", 0], filename_prefix="contract", **CRF, **color, **{crf: 99}
    )
    del graph["3"]
    error = blame(comfy, graph, "5")
    assert (error["type"], error["extra_info"]["input_name"]) == ("value_bigger_than_max", crf)
    graph["5"]["inputs"].pop(crf)
    assert blame(comfy, graph, "5")["details"] == "crf"


def test_growing_lists_need_their_first_items(comfy: PlainClient) -> None:
    graph = scaled(SIZE) | {"2": node("BatchImagesNode", **{"images.image1": ["1", 0]})}
    error = blame(comfy, graph)
    assert (error["type"], error["details"]) == ("required_input_missing", "image0")
    assert error["extra_info"]["input_name"] == "images.image0"
    graph["2"] = node("BatchImagesNode", **{"images.image0": ["1", 0], "images.image1": ["9", 0]})
    assert blame(comfy, graph)["type"] == "return_type_mismatch"


def test_growing_lists_may_have_gaps_and_ignore_other_names(comfy: PlainClient) -> None:
    items = {
        "images.image0": ["1", 0],
        "images.image3": ["1", 0],
        "images.other": 5,
        "images.image50": "abc",
    }
    _, messages = comfy.run(scaled(SIZE) | {"2": node("BatchImagesNode", **items)})
    assert len(only(messages, "executed")[0]["output"]["images"]) == 2


def test_types_that_have_to_match_are_not_checked(comfy: PlainClient) -> None:
    graph = scaled(SIZE)
    graph["2"]["inputs"]["input"] = ["9", 0]
    assert failure(comfy, graph)["node_id"] == "2"


def test_wrapped_values_are_unwrapped(comfy: PlainClient) -> None:
    graph = scaled(SIZE | {"resize_type.width": {"__value__": "24"}})
    prompt_id, messages = comfy.run(graph)
    assert only(messages, "executed")
    assert comfy.entry(prompt_id)["prompt"][2]["2"]["inputs"]["resize_type.width"] == 24
    error = blame(comfy, scaled(SIZE | {"resize_type.width": {"__value__": ["a", "b"]}}))
    assert (error["type"], error["extra_info"]["received_value"]) == (
        "invalid_input_type",
        ["a", "b"],
    )
    error = blame(comfy, scaled(SIZE | {"resize_type.crop": {"__value__": ["center"]}}))
    assert error["details"].startswith("resize_type.crop: ['center'] not in ")
