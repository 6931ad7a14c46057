"""The remaining time, with a clock that the tests turn."""

from __future__ import annotations

import pytest

from comfygradio.comfy.graph_progress import NodeTimeLeft
from comfygradio.comfy.http_responses import QueuedPrompt
from comfygradio.comfy.messages import (
    Executing,
    ExecutionCached,
    ExecutionStart,
    Message,
    NodeProgress,
    ProgressState,
)
from comfygradio.comfy.messages import Progress as Step
from comfygradio.comfy.tracker import PromptTracker

from .graphs import make_text_to_image_graph

SECONDS = {"3": 10.0, "4": 2.0, "5": 0.0, "6": 0.5, "7": 0.5, "8": 1.0, "9": 1.0}


def track(weights: dict[str, float] | None = SECONDS) -> PromptTracker:
    tracker = PromptTracker(make_text_to_image_graph("x", steps=10), "ours", weights=weights)
    tracker.accept(QueuedPrompt("ours", 0))
    return tracker


def hear(tracker: PromptTracker, at: float, *messages: Message) -> float | None:
    for message in messages:
        assert tracker.apply(message, at)
    return tracker.state.seconds_left


def run_node(node: str) -> Executing:
    return Executing(node, node, prompt_id="ours")


def step(value: int, node: str = "3") -> Step:
    return Step(value, 10, node, prompt_id="ours")


START = ExecutionStart(prompt_id="ours")


def test_without_steps_the_usual_seconds_run_down_to_nothing() -> None:
    pace = NodeTimeLeft()
    pace.begin(100.0)
    assert [pace.estimate(4.0, now) for now in (100.0, 101.0, 104.0, 109.0)] == [4.0, 3.0, 0.0, 0.0]


def test_steady_steps_as_usual_change_nothing() -> None:
    pace = NodeTimeLeft()
    pace.begin(0.0)
    for count in range(1, 11):
        pace.report(count / 10, float(count))
        assert pace.estimate(10.0, float(count)) == pytest.approx(10.0 - count)


def test_a_run_of_twice_the_usual_time_is_noticed() -> None:
    pace = NodeTimeLeft()
    pace.begin(0.0)
    errors = []
    for count in range(1, 11):
        pace.report(count / 10, 2.0 * count)
        errors.append(abs(pace.estimate(10.0, 2.0 * count) - (20.0 - 2 * count)))
    assert (
        errors == sorted(errors, reverse=True)
        and errors[5] == pytest.approx(2.0)
        and errors[-1] == 0
    )


def test_it_counts_down_between_two_steps_and_never_below_nothing() -> None:
    pace = NodeTimeLeft()
    pace.begin(0.0)
    pace.report(0.5, 5.0)
    assert (
        pace.estimate(10.0, 5.0) == 5.0
        and pace.estimate(10.0, 6.5) == 3.5
        and pace.estimate(10.0, 60.0) == 0.0
    )


def test_a_node_in_several_passes_is_timed_by_its_usual_seconds() -> None:
    pace = NodeTimeLeft()
    pace.begin(0.0)
    for fraction, at in ((0.5, 1.0), (1.0, 2.0), (0.5, 3.0)):
        pace.report(fraction, at)
    assert pace.estimate(8.0, 3.0) == 5.0


def test_a_whole_run() -> None:
    tracker = track()
    assert tracker.state.seconds_left is None
    assert hear(tracker, 10.0, START) == pytest.approx(15.0, abs=0.01)
    assert hear(tracker, 10.0, run_node("4")) == pytest.approx(15.0, abs=0.01)
    assert hear(tracker, 12.0, run_node("6")) == pytest.approx(13.0, abs=0.01)
    assert hear(tracker, 12.5, run_node("7")) == pytest.approx(12.5, abs=0.01)
    assert hear(tracker, 13.0, run_node("5"), run_node("3")) == pytest.approx(12.0, abs=0.01)
    assert hear(tracker, 14.0, step(1)) == pytest.approx(11.0, abs=0.01)
    assert hear(tracker, 18.0, step(5)) == pytest.approx(7.0, abs=0.01)
    tracker.now = 18.5
    assert tracker.state.seconds_left == pytest.approx(6.5, abs=0.01)
    assert hear(tracker, 23.0, step(10), run_node("8")) == pytest.approx(2.0, abs=0.01)
    tracker.now = 99.0
    assert tracker.state.seconds_left == pytest.approx(1.0, abs=0.01)
    assert hear(tracker, 99.0, run_node("9")) == pytest.approx(1.0, abs=0.01)
    tracker.finish()
    assert tracker.state.seconds_left is None and tracker.state.progress == 1.0


def test_cached_nodes_take_no_time() -> None:
    cached = ExecutionCached(("4", "5", "6", "7"), prompt_id="ours")
    assert hear(track(), 0.0, START, cached) == pytest.approx(12.0)


@pytest.mark.parametrize("weights", [None, {}, {"99": 1.0}])
def test_it_is_unknown_without_earlier_times(weights: dict[str, float] | None) -> None:
    assert hear(track(weights), 0.0, START, run_node("3"), step(5)) is None


def test_an_adopted_run_is_unknown_until_it_is_known_what_runs() -> None:
    tracker = track()
    tracker.mark_gap()
    tracker.mark_running()
    assert tracker.state.seconds_left is None
    assert hear(tracker, 5.0, Executing("3", "3")) is not None
    assert hear(tracker, 5.0, step(4)) == pytest.approx(6 + 2)
    nodes = {"3": NodeProgress(6, 10, "running", "3")}
    assert hear(tracker, 7.0, step(6), ProgressState(nodes, prompt_id="ours")) == pytest.approx(
        4 + 2
    )


def test_only_nodes_seen_from_begin_to_end_are_timed() -> None:
    tracker = track()
    hear(tracker, 0.0, START, run_node("4"))
    hear(tracker, 2.0, run_node("3"))
    tracker.mark_gap()
    hear(tracker, 9.0, Executing("8", "8"))
    hear(tracker, 9.5, run_node("9"))
    hear(tracker, 10.5, Executing(None, None, prompt_id="ours"))
    assert tracker.state.node_seconds == {"4": 2.0, "9": 1.0}
