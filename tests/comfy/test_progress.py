from __future__ import annotations

import pytest

from comfygradio.comfy.graph_progress import GraphProgress, guess_outputs, weigh_class
from comfygradio.comfy.messages import NodeProgress

from .graphs import make_text_to_image_graph

GRAPH = make_text_to_image_graph("x")


@pytest.mark.parametrize(
    ("heavier", "lighter"),
    [
        ("KSampler", "VAEDecode"),
        ("SamplerCustomAdvanced", "KSamplerSelect"),
        ("UNETLoader", "CLIPTextEncode"),
    ],
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
    progress.apply_snapshot({"2": NodeProgress(0, 1, "running", "2"), "2.0.0.1": child})
    assert progress.fraction == 0.25


@pytest.mark.parametrize(
    "graph", [{}, {"1": None}, {"1": {}}, {"1": {"inputs": {"a": ["1", 0]}, "class_type": "Save"}}]
)
def test_odd_graphs(graph: dict[str, object]) -> None:
    assert 0 <= GraphProgress(graph).fraction <= 1


def test_outputs_are_guessed_by_name_else_by_place() -> None:
    assert guess_outputs(GRAPH) == {"9"}
    assert guess_outputs(
        {
            "1": {"class_type": "A", "inputs": {}},
            "2": {"class_type": "B", "inputs": {"x": ["1", 0]}},
        }
    ) == {"2"}


SECONDS = {"3": 8.0, "4": 1.0, "8": 0.5, "9": 0.5}


def test_earlier_seconds_are_the_weights() -> None:
    progress = GraphProgress(GRAPH, SECONDS)
    assert progress.has_timings and progress.node_weight("3") == 8.0
    assert {progress.node_weight(node) for node in "567"} == {0.75}
    whole = progress.remaining_weight()
    assert whole == pytest.approx(10 + 3 * 0.75)
    progress.advance("3", 0.5)
    assert progress.fraction == pytest.approx(
        4 / whole
    ) and progress.remaining_weight() == pytest.approx(whole - 4)
    assert progress.remaining_weight(besides="3") == pytest.approx(whole - 8)


def test_cached_nodes_weigh_nothing() -> None:
    progress = GraphProgress(GRAPH, SECONDS)
    progress.skip_cached(["4", "5", "6", "7"])
    assert progress.node_weight("4") == 0.0 and progress.remaining_weight() == 9.0
    progress.advance("3", 0.25)
    assert progress.fraction == pytest.approx(2 / 9)


@pytest.mark.parametrize(
    "seconds", [{}, {"99": 3.0}, {"3": float("nan")}, {"3": -1.0, "4": float("inf")}]
)
def test_times_that_tell_nothing(seconds: dict[str, float]) -> None:
    progress = GraphProgress(GRAPH, seconds)
    assert not progress.has_timings and progress.node_weight("3") == 20.0


def test_nodes_without_any_time_still_fill_the_bar() -> None:
    progress = GraphProgress(GRAPH, dict.fromkeys(GRAPH, 0.0))
    for key in GRAPH:
        progress.advance(key, 1.0)
    assert progress.has_timings and progress.fraction == 0.99


def test_a_node_that_works_has_its_sources_behind_it() -> None:
    progress = GraphProgress(GRAPH, SECONDS)
    progress.apply_snapshot({"3": NodeProgress(0, 1, "running", "3")})
    assert progress.fraction == 0.0
    progress.apply_snapshot({"3": NodeProgress(1, 4, "running", "3")})
    assert progress.remaining_weight() == pytest.approx(6 + 1)
    progress.complete_upstream("unknown")


@pytest.mark.parametrize("ends", [["3", "9"], ["9"], ["4", "7", "3", "8"]])
def test_sources_in_a_circle_end(ends: list[str]) -> None:
    graph = {
        "1": {"inputs": {"a": ["2", 0]}, "class_type": "A"},
        "2": {"inputs": {"a": ["1", 0]}, "class_type": "Save"},
    }
    circle, progress = GraphProgress(graph), GraphProgress(GRAPH, SECONDS)
    circle.complete_upstream("2")
    assert circle.remaining_weight() == 0.0
    fractions = []
    for node in ends:
        progress.apply_snapshot({node: NodeProgress(1, 1, "finished", node)})
        fractions.append(progress.fraction)
    assert fractions == sorted(fractions)
