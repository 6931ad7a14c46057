from __future__ import annotations

import pytest

from comfygradio.comfy.messages import NodeProgress
from comfygradio.comfy.progress import GraphProgress, guess_outputs, weigh_class

from .graphs import draw_text

GRAPH = draw_text("x")


@pytest.mark.parametrize(
    ("heavier", "lighter"),
    [("KSampler", "VAEDecode"), ("SamplerCustomAdvanced", "KSamplerSelect"), ("UNETLoader", "CLIPTextEncode")],
)
def test_weights(heavier: str, lighter: str) -> None:
    assert weigh_class(heavier) > weigh_class(lighter)


def test_a_sampler_is_most_of_it() -> None:
    progress = GraphProgress(GRAPH)
    progress.advance("4", 1.0)
    before = progress.fraction
    progress.advance("3", 0.5)
    assert progress.fraction - before > 0.3


def test_cached_nodes_and_what_only_they_need_are_left_out() -> None:
    progress = GraphProgress(GRAPH)
    progress.skip_cached(["8"])
    progress.advance("9", 0.5)
    assert progress.fraction == 0.5


def test_all_cached_is_nothing_to_do() -> None:
    progress = GraphProgress(GRAPH)
    progress.skip_cached(list(GRAPH))
    assert progress.fraction == 0.0


def test_it_never_falls_and_never_is_full() -> None:
    progress = GraphProgress(GRAPH)
    for key in GRAPH:
        progress.advance(key, 1.0)
    assert progress.fraction == 0.99
    progress.advance("3", 0.1)
    progress.begin("unknown")
    assert progress.fraction == 0.99


def test_a_loose_node_that_runs_after_all_is_counted() -> None:
    graph = {**GRAPH, "20": {"class_type": "Odd", "inputs": {}}}
    progress = GraphProgress(graph)
    progress.begin("20")
    for key in GRAPH:
        progress.advance(key, 1.0)
    assert 0.9 < progress.fraction < 0.99


def test_expanded_nodes_are_part_of_their_parent() -> None:
    progress = GraphProgress({"2": {"class_type": "Expands", "inputs": {}}})
    child = NodeProgress(1, 2, "running", "2")
    progress.advance_all({"2": NodeProgress(0, 1, "running", "2"), "2.0.0.1": child})
    assert progress.fraction == 0.25


@pytest.mark.parametrize(
    "graph", [{}, {"1": None}, {"1": {}}, {"1": {"inputs": {"a": ["1", 0]}, "class_type": "Save"}}]
)
def test_odd_graphs(graph: dict[str, object]) -> None:
    assert 0 <= GraphProgress(graph).fraction <= 1


def test_outputs_are_guessed_by_name_else_by_place() -> None:
    assert guess_outputs(GRAPH) == {"9"}
    assert guess_outputs(
        {"1": {"class_type": "A", "inputs": {}}, "2": {"class_type": "B", "inputs": {"x": ["1", 0]}}}
    ) == {"2"}
