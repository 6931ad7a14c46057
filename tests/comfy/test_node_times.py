"""How long nodes take: their work, and what earlier runs tell about more or less of it."""

from __future__ import annotations

from typing import Any

import pytest

from comfygradio.comfy.node_times import NodeTimes, TimedRun, fit_line, measure_all


def measure(node: dict[str, Any], **others: dict[str, Any]) -> float:
    """The work of a node with these inputs, in a graph with others."""
    inputs = {"it": node, **others}
    graph = {key: {"class_type": "Any", "inputs": given} for key, given in inputs.items()}
    return measure_all(graph, ["it"])["it"]


LATENT = {"width": 1000, "height": 500, "batch_size": 4}


@pytest.mark.parametrize(
    ("node", "others", "work"),
    [
        ({}, {}, 1.0),
        ({"steps": 30, "cfg": 7.0}, {}, 30.0),
        ({"steps": 30, "latent_image": ["size", 0]}, {}, 60.0),
        ({"samples": ["it2", 0]}, {"it2": {"steps": 30, "latent_image": ["size", 0]}}, 2.0),
        ({"width": 2000, "height": 1000, "length": 81}, {}, 162.0),
        ({"steps": 25, "start_at_step": 20, "end_at_step": 10000}, {}, 5.0),
        ({"steps": 25, "start_at_step": 0, "end_at_step": 20}, {}, 20.0),
        ({"steps": 25, "start_at_step": 30}, {}, 1.0),
        ({"sigmas": ["plan", 0]}, {"plan": {"steps": 12, "denoise": 1.0}}, 12.0),
        ({"steps": ["number", 0]}, {"number": {"value": 9}}, 9.0),
        ({"steps": ["nowhere", 0]}, {}, 1.0),
        ({"image": ["small", 0]}, {"small": {"scale_by": 2.0, "image": ["size", 0]}}, 8.0),
        ({"image": ["small", 0]}, {"small": {"megapixels": 1.5, "image": ["size", 0]}}, 1.5),
        ({"samples": ["more", 0]}, {"more": {"amount": 3, "samples": ["size", 0]}}, 6.0),
        ({"positive": ["size", 0]}, {}, 1.0),
        ({"steps": True, "width": "512", "height": -3}, {}, 1.0),
        ({"steps": 10**400}, {}, 1.0),
        ({"images": ["it", 0], "scale_by": 0.5}, {}, 0.25),
    ],
)
def test_the_work_of_a_node(
    node: dict[str, Any], others: dict[str, dict[str, Any]], work: float
) -> None:
    assert measure(node, size=LATENT, **others) == pytest.approx(work)


def test_a_node_that_is_no_node_has_no_more_work_than_one() -> None:
    graph: dict[str, Any] = {"1": None, "2": {"inputs": []}, "3": {}}
    assert measure_all(graph, ["1", "2", "3", "4"]) == {"1": 1.0, "2": 1.0, "3": 1.0, "4": 1.0}


def test_seconds_grow_with_work_by_what_different_runs_tell() -> None:
    runs = [TimedRun(2.0 + 0.5 * work, work) for work in (6.0, 20.0, 50.0)]
    line = fit_line(runs)
    assert (line.base, line.rate) == pytest.approx((2.0, 0.5))
    odd = [*runs, *runs, TimedRun(900.0, 20.0)]
    assert fit_line(odd).estimate(40.0) == pytest.approx(22.0)


def test_seconds_grow_in_proportion_where_all_runs_had_the_same_work() -> None:
    line = fit_line([TimedRun(8.0, 20.0), TimedRun(10.0, 20.0), TimedRun(90.0, 20.0)])
    assert line.estimate(20.0) == 10.0 and line.estimate(6.0) == pytest.approx(3.0)


def test_seconds_never_fall_with_more_work_and_are_never_negative() -> None:
    falling = fit_line([TimedRun(5.0, 10.0), TimedRun(3.0, 20.0), TimedRun(4.0, 30.0)])
    assert falling.estimate(10.0) == falling.estimate(30.0) == 4.0
    steep = fit_line([TimedRun(1.0, 10.0), TimedRun(9.0, 20.0)])
    assert steep.estimate(1.0) > 0


def test_runs_whose_work_nobody_wrote_down_count_only_where_there_are_no_others() -> None:
    assert fit_line([TimedRun(5.0), TimedRun(7.0), TimedRun(60.0)]).estimate(400.0) == 7.0
    assert fit_line([TimedRun(60.0), TimedRun(10.0, 20.0)]).estimate(40.0) == pytest.approx(20.0)


def test_nodes_that_never_ran_have_no_seconds() -> None:
    times = NodeTimes({"3": [TimedRun(4.0, 20.0)], "8": []})
    graph = {"3": {"inputs": {"steps": 10}}, "8": {"inputs": {}}, "9": {"inputs": {}}}
    assert times.estimate_all(graph) == {"3": pytest.approx(2.0)}
