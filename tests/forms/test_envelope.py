"""What stands round a graph in the files of services and programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.envelope import open_envelope
from comfygradio.comfy.workflow import Workflow
from comfygradio.drafting.draft import draft_preset
from comfygradio.drafting.workflow_source import WorkflowSource, load_workflow_source
from comfygradio.errors import WorkflowError
from tests.forms.draft_graph import info, text_to_image

GRAPH = text_to_image()

SAVED: Any = {"nodes": [{"id": 1, "type": "KSampler"}], "links": [], "version": 0.4}


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"input": {"workflow": GRAPH, "images": []}}, "input → workflow"),
        ({"prompt": GRAPH, "client_id": "0a1b"}, "prompt"),
        ({"output": GRAPH, "workflow": SAVED}, "output"),
        ({"workflow": GRAPH}, "workflow"),
        ({"id": 3, "input": {"prompt": {"prompt": GRAPH}}}, "input → prompt → prompt"),
        ({"workflow_json": json.dumps(GRAPH)}, "workflow_json"),
        ({"input": {"workflow_json": json.dumps({"prompt": GRAPH})}}, None),
        ({"5f": {"prompt": [7, "5f", GRAPH, {}, ["9"]], "outputs": {}}}, "5f → prompt → 2"),
        ([{"prompt": GRAPH}], "0 → prompt"),
    ],
)
def test_envelopes_are_opened_one_after_the_other(data: Any, place: str | None) -> None:
    found = Workflow.from_json(data)
    assert found.nodes == Workflow.from_json(GRAPH).nodes
    keys = place or "input → workflow_json → prompt"
    assert found.notes == (
        f"The workflow was taken out of {keys}; what stood beside it there was left out.",
    )


def test_a_graph_is_never_looked_into() -> None:
    """Ids may be words, and an input may hold a graph as a text."""
    graph = {
        "prompt": {"class_type": "PrimitiveString", "inputs": {"value": json.dumps(GRAPH)}},
        "output": {"class_type": "PreviewAny", "inputs": {"source": ["prompt", 0]}},
    }
    found = Workflow.from_json(graph)
    assert list(found.nodes) == ["prompt", "output"] and found.notes == ()


def test_a_graph_with_a_broken_node_is_told_of_that_node() -> None:
    with pytest.raises(WorkflowError, match="node 77 has no class_type"):
        Workflow.from_json({"prompt": {**GRAPH, "77": {"inputs": {}}}})


@pytest.mark.parametrize("data", [{"workflow": SAVED}, {"input": {"workflow": json.dumps(SAVED)}}])
def test_the_ui_format_is_known_in_envelopes_too(data: Any) -> None:
    with pytest.raises(WorkflowError, match=r"UI format.*Workflow → Export \(API\)"):
        Workflow.from_json(data)


@pytest.mark.parametrize(
    "data",
    [
        *({"prompt": {}}, {"input": {"workflow": {"1": {"inputs": {}}}}}, {"input": "{oops"}),
        *({"workflow": "[" * 100_000}, {"workflow": "{" * 100_000}, [[]], "{}", None),
    ],
    ids=str,
)
def test_what_holds_no_graph_is_refused(data: Any) -> None:
    with pytest.raises(WorkflowError):
        Workflow.from_json(data)


def test_endless_envelopes_are_given_up() -> None:
    data: Any = GRAPH
    for _ in range(9):
        data = {"input": data}
    with pytest.raises(WorkflowError):
        Workflow.from_json(data)


@pytest.mark.parametrize(
    "beside",
    [
        {"workflow": SAVED},
        {"extra_data": {"extra_pnginfo": {"workflow": SAVED}}},
        {"extra_pnginfo": {"workflow": json.dumps(SAVED)}},
    ],
)
def test_the_ui_format_beside_a_graph_is_kept_for_its_marks(beside: Any) -> None:
    assert open_envelope({"input": {"prompt": GRAPH, **beside}}).ui_workflow == SAVED


def test_a_draft_says_where_its_workflow_was(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps({"input": {"workflow": text_to_image()}}), encoding="utf-8")
    found = load_workflow_source(path)
    assert isinstance(found, WorkflowSource)
    made = draft_preset(found.workflow, info())
    assert made.notes[0].startswith("The workflow was taken out of input → workflow; ")
    assert made.workflow.to_json().keys() == text_to_image().keys()
    assert made.workflow.notes == (), "else the form would say so again"
