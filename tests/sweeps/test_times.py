"""How long sweeps take and are remembered, with a clock that is moved by hand."""

from __future__ import annotations

from pathlib import Path

from comfygradio.demo import DemoOptions
from comfygradio.sweeps.sweep_registry import PLAN_TTL_SECONDS
from comfygradio.sweeps.time_left import TimeLeft
from tests.clocks import ManualClock
from tests.jobs.shelf import Shelf
from tests.sweeps.running import define, open_sweeps


def test_the_rest_is_estimated_from_what_three_points_took() -> None:
    clock = ManualClock()
    pace = TimeLeft(clock)
    assert pace.estimate(0, 5.0, 1.0) is None, "it does not run yet"
    pace.begin(2, 0.75)
    clock.advance(6.0)
    assert pace.estimate(4, 5.0, 0.5) == 5.0, "as planned"
    assert pace.estimate(5, 5.0, 0.5) == 12.0
    assert pace.estimate(5, 5.0, 0.75) == 5.0, "what was made was no part of the plan"
    assert pace.estimate(9, 5.0, 0.0) == 0.0


def test_a_plan_is_remembered_for_an_hour(shelf: Shelf, tmp_path: Path) -> None:
    clock = ManualClock()
    demo = shelf.lend(DemoOptions(step_seconds=0.01, lab_nodes=True))
    with open_sweeps(tmp_path / "outputs", demo, clock=clock) as (sweeps, _):
        first = sweeps.plan(define(color="1-2"))
        clock.advance(PLAN_TTL_SECONDS)
        sweeps.plan(define(color="3-4"))
        assert sweeps.find(first.token) is first
        clock.advance(PLAN_TTL_SECONDS + 1)
        sweeps.plan(define(color="5-6"))
        assert sweeps.find(first.token) is None
