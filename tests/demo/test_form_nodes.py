from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from comfygradio.demo import DemoServer
from tests.demo.prompt_run import Graph, node, only, run

from .conftest import start

REQUIRED = {
    "whole": 4,
    "signed": -5,
    "seed": 2**64 - 1,
    "real": 0.5,
    "unlimited": 1e12,
    "switch": False,
    "line": "ü",
    "words": "{a|b}",
    "mode": "fast",
    "seconds": 10,
    "scale": 0.5,
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    with start(tmp_path_factory.mktemp("lab"), {"lab_nodes": True}) as server:
        yield server


def text_of(server: DemoServer, graph: Graph) -> str:
    """What the output node with the id 1 shows."""
    (shown,) = (
        data["output"]["text"]
        for data in only(run(server, graph), "executed")
        if data["node"] == "1"
    )
    return str(shown[0])


def refusal(server: DemoServer, graph: Graph) -> str:
    answer = httpx.post(f"{server.url}/prompt", json={"prompt": graph})
    assert answer.status_code == 400
    return str(answer.json()["node_errors"]["1"]["errors"][0]["details"])


def test_lab_nodes_are_there_only_on_demand(server: DemoServer, lab: DemoServer) -> None:
    names = {"LabTags", "LabColor", "LabFile", "LabKinds", "LabDynamic"}
    assert names <= set(httpx.get(f"{lab.url}/object_info").json())
    assert not names & set(httpx.get(f"{server.url}/object_info").json())


@pytest.mark.parametrize(
    ("tags", "shown"), [(["rain", "night"], "rain, night"), (["snow"], "snow"), ([], "")]
)
def test_chosen_tags_are_shown_in_their_order(lab: DemoServer, tags: list[str], shown: str) -> None:
    assert text_of(lab, {"1": node("LabTags", tags={"__value__": tags})}) == shown


def test_each_tag_has_to_be_offered(lab: DemoServer) -> None:
    details = refusal(lab, {"1": node("LabTags", tags={"__value__": ["rain", "fog"]})})
    assert details.startswith("tags: 'fog' not in ['portrait', ")


def test_a_list_that_is_not_wrapped_is_taken_for_a_link(lab: DemoServer) -> None:
    graph = {"1": node("LabTags", tags=["rain"])}
    assert (
        httpx.post(f"{lab.url}/prompt", json={"prompt": graph})
        .json()["error"]["details"]
        .startswith("Bad linked")
    )


def test_colours_are_shown_as_text_and_picture(lab: DemoServer) -> None:
    graph = {
        "1": node("LabColor", color="#12ab34", number=0xFF00),
        "2": node("PreviewImage", images=["1", 1]),
    }
    assert text_of(lab, graph) == "#12ab34 #00ff00"
    messages = run(lab, graph)
    (file,) = (
        data["output"]["images"][0] for data in only(messages, "executed") if data["node"] == "2"
    )
    with Image.open(io.BytesIO(httpx.get(f"{lab.url}/view", params=file).content)) as shown:
        assert shown.convert("RGB").getpixel((3, 3)) == (0x12, 0xAB, 0x34)


def test_any_upload_is_a_file(lab: DemoServer) -> None:
    stored = httpx.post(
        f"{lab.url}/upload/image", files={"image": ("notes ü.txt", b"12345")}
    ).json()
    spec = httpx.get(f"{lab.url}/object_info/LabFile").json()["LabFile"]["input"]["required"][
        "file"
    ]
    assert stored["name"] in spec[1]["options"]
    assert text_of(lab, {"1": node("LabFile", file=stored["name"])}) == "notes ü.txt: 5 bytes"
    assert (
        refusal(lab, {"1": node("LabFile", file="absent.txt")})
        == "file - Invalid 3D model file: absent.txt"
    )


def test_values_of_each_kind_come_as_they_were_sent(lab: DemoServer) -> None:
    optional = {
        "color": "#000000",
        "either": 3,
        "secret": "s",
        "tags": {"__value__": ["night"]},
        "anything": ["2", 0],
    }
    graph = {"1": node("LabKinds", **REQUIRED, **optional), "2": node("PrimitiveInt", value=7)}
    shown = json.loads(text_of(lab, graph))
    assert shown == {**REQUIRED, **optional, "tags": ["night"], "anything": 7}
    assert (type(shown["seconds"]), type(shown["either"])) == (int, int)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", 11),
        ("signed", 2**63),
        ("real", 1.1),
        ("seconds", "10"),
        ("scale", 3.0),
        ("either", 10),
        ("nothing", "x"),
    ],
)
def test_values_out_of_their_limits_are_refused(lab: DemoServer, name: str, value: Any) -> None:
    assert refusal(lab, {"1": node("LabKinds", **{**REQUIRED, name: value})}).startswith(name)


def test_dynamic_inputs_come_with_dots(lab: DemoServer) -> None:
    values = {
        "mode": "nested",
        "mode.inner": "on",
        "mode.inner.strength": 0.5,
        "mode.inner.style": "oil",
    }
    more = {"values.b": ["3", 0], "images.image0": ["2", 0], "mode.width": "not of this key"}
    graph = {
        "1": node("LabDynamic", **values, **more),
        "2": node("EmptyImage", width=8, height=8, batch_size=1, color=0),
        "3": node("PrimitiveInt", value=7),
    }
    assert json.loads(text_of(lab, graph)) == {**values, "values.b": 7, "images.image0": ["Image"]}


def test_nested_inputs_and_growing_lists_are_checked(lab: DemoServer) -> None:
    inner = {"mode": "nested", "mode.inner": "on", "mode.inner.style": "oil"}
    assert refusal(lab, {"1": node("LabDynamic", **inner)}) == "strength"
    assert (
        refusal(lab, {"1": node("LabDynamic", **inner, **{"mode.inner.strength": 3})})
        == "mode.inner.strength"
    )
    wrong = {"values.c": ["2", 0], "mode": "plain"}
    details = refusal(
        lab, {"1": node("LabDynamic", **wrong), "2": node("PrimitiveString", value="x")}
    )
    assert details == "values.c, received_type(STRING) mismatch input_type(FLOAT,INT)"
