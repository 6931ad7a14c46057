"""The order of presets in the chooser, and of fields in a form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from comfygradio.demo import DemoServer
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.app

GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 32, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["1", 0]}},
}

FIELDS = """
workflow: tiny.json
fields:
  color: {slot: 1.color, label: Color, group: Look}
  width: {slot: 1.width, label: Width}
  prefix: {slot: 2.filename_prefix, label: Name, group: Look}
  height: {slot: 1.height, label: Height, advanced: true, group: Rest}
"""

CLOSED = """
title: Aardvark
workflow: broken.json
order: 1
"""


@pytest.fixture(scope="module")
def app(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """Run an app whose first preset cannot be used, and with a preset without an order."""
    presets = tmp_path_factory.mktemp("presets")
    broken = {**GRAPH, "1": {**GRAPH["1"], "class_type": "NobodyHasThis"}}
    (presets / "tiny.json").write_text(json.dumps(GRAPH))
    (presets / "broken.json").write_text(json.dumps(broken))
    (presets / "closed.yaml").write_text(CLOSED)
    (presets / "drafted.yaml").write_text(f"title: Abacus{FIELDS}")
    (presets / "second.yaml").write_text(f"title: Second\norder: 2{FIELDS}")
    with run_app(demo.url, tmp_path_factory.mktemp("outputs"), presets) as running:
        yield running


def list_texts(app: RunningApp, elem_id: str) -> list[str]:
    """List the labels in a block of the page, from top to bottom."""
    config: dict[str, Any] = dict(app.app.blocks.config)
    components = {one["id"]: one for one in config["components"]}
    found: list[str] = []

    def read(node: dict[str, Any], is_inside: bool) -> None:
        props = components[node["id"]]["props"]
        is_inside = is_inside or props.get("elem_id") == elem_id
        if is_inside and props.get("label"):
            found.append(props["label"])
        for child in node.get("children") or []:
            read(child, is_inside)

    for node in config["layout"]["children"]:
        read(node, False)
    return found


def test_fields_stand_in_the_order_of_the_form_and_a_group_where_its_first_one_does(
    app: RunningApp,
) -> None:
    labels = list_texts(app, "cg-panel-second")
    wanted = ["Look", "Color", "Name", "Width", "More settings", "Rest", "Height"]
    assert [label for label in labels if label in wanted] == wanted


def test_presets_without_an_order_come_last_and_the_first_that_can_be_used_is_shown(
    app: RunningApp,
) -> None:
    assert list(app.app.service.forms) == ["closed", "second", "drafted"]
    assert app.app.service.forms["closed"].problems
    components = app.app.blocks.config["components"]
    (chooser,) = [one for one in components if one["props"].get("elem_id") == "cg-chooser"]
    assert chooser["props"]["value"] == "second"
    assert [choice[1] for choice in chooser["props"]["choices"]] == ["closed", "second", "drafted"]
    panels = {
        one["props"]["elem_id"]: one["props"]["visible"]
        for one in components
        if str(one["props"].get("elem_id")).startswith("cg-panel-")
    }
    assert panels == {"cg-panel-closed": False, "cg-panel-second": True, "cg-panel-drafted": False}
