"""Texts of nodes that run: on the demo server, and on a ComfyUI with the node of `tests/README.md`
among its custom nodes.
"""

from __future__ import annotations

import struct

import pytest

from comfygradio import ComfyClient
from tests.contract.plain_client import Graph, PlainClient, node, only

pytestmark = pytest.mark.real


def say(comfy: PlainClient, text: str, seconds: float) -> Graph:
    if "LabText" not in comfy.http.get("/object_info/LabText").json():
        pytest.skip("this server has no LabText node: see tests/README.md")
    return {"7": node("LabText", text=text, seconds=seconds)}


def test_a_text_frame_has_the_node_and_the_text(comfy: PlainClient) -> None:
    _, messages = comfy.run(say(comfy, "hälf\ndone", 0.0))
    assert only(messages, "binary") == [struct.pack(">II", 3, 1) + b"7" + "hälf\ndone".encode()]


def test_everybody_hears_a_text(comfy: PlainClient) -> None:
    graph = say(comfy, "to all", 0.01)
    with comfy.listen() as stranger:
        comfy.run(graph)
        heard = stranger.until(lambda message: message["type"] == "binary")
    assert heard[-1]["data"].endswith(b"to all")


@pytest.mark.deep
def test_a_run_shows_it_while_the_node_works(comfy: PlainClient) -> None:
    with ComfyClient(comfy.url) as client:
        states = list(client.run(say(comfy, "two\nlines", 1.0)))
    assert "two lines" in [state.text for state in states]
    assert states[-1].text == ""
