"""Broken annotations: importing never raises, whatever a workflow contains, and never breaks it
it further.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Node, Workflow
from comfygradio.importers.annotation import AnnotatedWorkflow
from comfygradio.importers.importer import import_annotations
from tests.effort import scale
from tests.forms.annotated_workflow import DATA, FULL, PLAIN, RIVAL, list_dangling

CLASSES = sorted(
    {*RIVAL, "KSampler", "CLIPTextEncode", "LoadImage", "PreviewAny", "SaveImage", "Unknown"}
)
CLASSES += [
    "ETN_KritaStyle",
    "ETN_KritaMaskLayer",
    "ETN_IntParameter",
    "ComfyUIDeployExternalVideo",
    "SwarmInputOdd",
]
CLASSES += [
    "ComfyUIDeployExternalEXR",
    "SwarmInputAudio",
    "SwarmInputModelName",
    "CPackOutputZipSwitch",
    "CPackInputOdd",
]
INPUTS = sorted(
    {name for entry in RIVAL.values() for group in entry["input"].values() for name in group}
    | {"text", "seed", "steps", "image", "source", "default_video", "sampler_name"}
)
IDS = ["1", "2", "3", "4", "5", "1:2", "x"]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
words = st.sampled_from(
    [
        "1e999",
        "nan",
        "-1",
        "0",
        "7",
        "true",
        "a/b/c",
        "1. G/2. L",
        "[1, null]",
        "<a:b:1>",
        "http://x/y",
    ]
)
links = st.tuples(st.sampled_from(IDS), st.integers(-1, 5)).map(list)
junk = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
titles = st.text(max_size=15) | st.builds(
    "<{}:{}:{}>{}".format,
    st.text(max_size=5),
    st.text(max_size=8),
    st.text(max_size=5),
    st.text(max_size=8),
)
titles |= st.sampled_from(
    ["<Seed:prompt:1>", "<W:x/y:1/2> 9, 1, -3", "<A:output:1>", "VC_BASIC", "VC_ADV :x"]
)
nodes = st.builds(
    Node,
    st.just(""),
    st.sampled_from(CLASSES),
    st.dictionaries(st.sampled_from(INPUTS), links | scalars | words | junk, max_size=8),
    titles,
)
workflows = st.dictionaries(st.sampled_from(IDS), nodes, min_size=1).map(
    lambda found: Workflow(
        {key: Node(key, node.class_type, node.inputs, node.title) for key, node in found.items()}
    )
)
ids = (
    st.sampled_from([*IDS, "s", "t", "r", "r:1:text", "s:1:text", "s:2", "1:1:1"])
    | st.integers(-20, 5)
    | scalars
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "id": ids,
        "type": st.sampled_from(["s", "t", "PrimitiveNode", "Reroute", "KSampler"]) | junk,
        "title": titles | junk,
        "inputs": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "name": words | scalars,
                    "link": st.integers(0, 4),
                    "label": junk,
                    "widget": st.fixed_dictionaries({}, optional={"name": words | junk}),
                },
            )
            | junk,
            max_size=3,
        )
        | junk,
        "properties": st.fixed_dictionaries(
            {}, optional={"proxyWidgets": st.lists(st.lists(ids, max_size=3) | junk, max_size=3)}
        )
        | junk,
    },
)
wires = st.lists(st.integers(-20, 5), min_size=4, max_size=6) | st.fixed_dictionaries(
    {},
    optional={
        key: st.integers(-20, 5) | junk
        for key in ("id", "origin_id", "origin_slot", "target_id", "target_slot")
    },
)
graphs = {
    "id": ids,
    "nodes": st.lists(entries | junk, max_size=5) | junk,
    "links": st.lists(wires | junk, max_size=6) | junk,
}
definitions = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            **graphs,
            "id": st.sampled_from(["s", "t"]),
            "inputs": st.lists(entries | junk, max_size=3),
        },
    )
    | junk,
    max_size=3,
)
picked = st.fixed_dictionaries(
    {},
    optional={
        "inputs": st.lists(st.lists(ids | words | junk, max_size=4) | junk, max_size=5) | junk,
        "outputs": st.lists(ids | junk, max_size=4) | junk,
    },
)
pages = st.none() | st.fixed_dictionaries(
    {},
    optional={
        **graphs,
        "definitions": st.fixed_dictionaries({}, optional={"subgraphs": definitions | junk}) | junk,
        "extra": st.fixed_dictionaries({}, optional={"linearData": picked | junk}) | junk,
    },
)


def check(workflow: Workflow, info: ObjectInfo, saved: Any) -> AnnotatedWorkflow:
    marked = import_annotations(workflow, info, saved)
    slots = [slot for hint in marked.annotations for slot in hint.slots]
    assert all(hint.slots for hint in marked.annotations) and len(slots) == len(set(slots))
    assert {slot.node_id for slot in slots} | set(marked.outputs) <= set(marked.workflow.nodes)
    assert all(isinstance(note, str) for note in marked.notes)
    assert set(list_dangling(marked.workflow)) <= set(list_dangling(workflow))
    return marked


@pytest.mark.deep
@settings(max_examples=scale(400), deadline=None, suppress_health_check=list(HealthCheck))
@given(workflows, pages, st.booleans())
def test_reading_markers_never_raises(workflow: Workflow, saved: Any, has_rivals: bool) -> None:
    check(workflow, FULL if has_rivals else PLAIN, saved)


@settings(max_examples=scale(200), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["swarm", "comfydeploy", "krita", "comfy_pack", "mcww", "app_mode"]), st.data()
)
def test_a_stored_workflow_with_one_thing_broken(name: str, data: st.DataObject) -> None:
    stored = json.loads((DATA / "markers" / f"{name}.json").read_text(encoding="utf-8"))
    graph, saved = stored.get("workflow", stored), stored.get("saved")
    for _ in range(data.draw(st.integers(1, 4))):
        place: Any = saved if saved and data.draw(st.booleans()) else graph
        while True:
            key = data.draw(
                st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))
            )
            if place is graph or (
                isinstance(place[key], dict | list) and place[key] and data.draw(st.integers(0, 4))
            ):
                place = place[key]
                continue
            place[key] = data.draw(links | junk)
            break
    nodes = {key: node for key, node in graph.items() if isinstance(node.get("class_type"), str)}
    if nodes:
        check(Workflow.from_json(nodes), FULL if data.draw(st.booleans()) else PLAIN, saved)


def test_deep_and_circular_subgraphs_end() -> None:
    deep = [
        {"id": f"d{number}", "nodes": [{"id": 1, "type": f"d{number + 1}"}]}
        for number in range(500)
    ]
    circle = [{"id": "c", "nodes": [{"id": number, "type": "c"} for number in range(50)]}]
    wide = [
        {"id": f"w{number}", "nodes": [{"id": i, "type": f"w{number + 1}"} for i in range(9)]}
        for number in range(40)
    ]
    chain: list[Any] = [[number, number, 0, number + 1, 0, "INT"] for number in range(3000)]
    page = {
        "nodes": [{"id": 1, "type": "d0"}, {"id": 2, "type": "c"}, {"id": 3, "type": "w0"}]
        + [{"id": number, "type": "Reroute"} for number in range(10, 3000)],
        "links": chain,
        "definitions": {"subgraphs": deep + circle + wide},
        "extra": {
            "linearData": {
                "inputs": [["1", "x"], ["2", "x"], ["10", "x"], ["7", "x"]],
                "outputs": ["1", "7"],
            }
        },
    }
    assert check(Workflow({"1": Node("1", "KSampler", {}, "")}), PLAIN, page).annotations == ()
