"""Plans: what they say before the start, and how they share a sweep out."""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.sweeps.planner.cache_pinning import PinningLimits
from comfygradio.sweeps.planner.plan import format_seconds, plan_sweep
from tests.effort import scale

from .grids import SWEEPS, GraphSpace, random_space, sweep_b, sweep_d
from .racing import bound_simply, bound_truly, simulate_run
from .test_signature import Spy

PLENTY = PinningLimits(True, 1000)


@pytest.mark.deep
@pytest.mark.parametrize("backends", [1, 3, 4, 16])
@pytest.mark.parametrize("name", SWEEPS)
def test_every_point_is_on_one_server_once(name: str, backends: int) -> None:
    space = SWEEPS[name]()
    plan = plan_sweep(space, space.known, space.seconds, backends)
    assert len(plan.segments) == backends
    assert (
        sorted(index for segment in plan.segments for index in segment)
        == sorted(plan.order)
        == list(space)
    )
    assert plan.points == len(list(space)) and plan.done == 0


@pytest.mark.parametrize(
    ("name", "typed", "plain", "carried"),
    [
        ("A", 1110.2, 1110.2, 1110.2),
        ("B", 3768, 1361.6, 1361.6),
        ("C", 1735.6, 1406.1, 1395.1),
        ("D", 492, 413.4, 225.6),
    ],
)
def test_one_server_reaches_the_bounds(
    name: str, typed: float, plain: float, carried: float
) -> None:
    space = SWEEPS[name]()
    plans = [
        plan_sweep(space, space.known, space.seconds, limits=limits)
        for limits in (PinningLimits(False), PLENTY)
    ]
    assert [plan.planned.seconds for plan in plans] == pytest.approx([plain, carried])
    assert plans[0].as_typed.seconds == pytest.approx(typed)
    assert bound_simply(plans[0].workload, list(space), 1) == pytest.approx(carried)


@pytest.mark.deep
@pytest.mark.parametrize(("name", "most"), [("A", 1.05), ("B", 1.03), ("C", 1.06)])
def test_four_servers_come_near_the_bound(name: str, most: float) -> None:
    space = SWEEPS[name]()
    plan = plan_sweep(space, space.known, space.seconds, 4, PLENTY)
    mean = statistics.mean(simulate_run(plan, 4, seed).seconds for seed in range(5))
    assert mean <= most * bound_simply(plan.workload, list(space), 4)


def test_where_no_schedule_reaches_the_bound_four_servers_come_near_what_one_can() -> None:
    """Each server has to load the models of its own points: at least one base model and four
    refiners, or the like.
    """
    space = sweep_d()
    plan = plan_sweep(space, space.known, space.seconds, 4, PLENTY)
    reachable = bound_truly(space, len(list(space)), 4)
    assert reachable > 1.5 * bound_simply(plan.workload, list(space), 4)
    assert plan.planned.seconds == pytest.approx(reachable)
    assert (
        statistics.mean(simulate_run(plan, 4, seed).seconds for seed in range(5))
        <= 1.05 * reachable
    )


@pytest.mark.deep
@settings(max_examples=scale(10), deadline=None)
@given(st.integers(0, 10**9), st.integers(2, 6), st.booleans())
def test_shares_are_never_slower_than_whole_stretches_of_one_order(
    seed: int, backends: int, carry: bool
) -> None:
    space = random_space(seed, 120)
    plan = plan_sweep(space, space.known, space.seconds, backends, PinningLimits(carry, 1000))
    alone = plan_sweep(space, space.known, space.seconds, 1, PinningLimits(carry, 1000))
    assert plan.planned.seconds <= alone.planned.seconds + 1e-6
    assert plan.planned.seconds >= bound_simply(plan.workload, list(space), backends) - 1e-6
    assert plan.planned.work >= alone.planned.work - 1e-6 or not carry


def test_what_is_there_already_is_left_out() -> None:
    space = sweep_b()
    todo = random.Random(1).sample(list(space), 30)
    plan = plan_sweep(space, space.known, space.seconds, 2, todo=todo)
    assert sorted(plan.order) == sorted(todo)
    assert plan.done == 240 - 30
    assert "210 more are there already." in plan.describe()


def test_nothing_to_do_is_a_plan_too() -> None:
    space = sweep_b()
    plan = plan_sweep(space, space.known, space.seconds, 3, todo=[])
    assert plan.segments == ((), (), ())
    assert plan.planned.seconds == plan.as_typed.seconds == 0
    assert plan.describe()[0].startswith("0 pictures")


def test_one_point_without_axes() -> None:
    space = GraphSpace((), tuple(replace(part, axes=()) for part in sweep_b().parts))
    plan = plan_sweep(space, space.known, space.seconds, 2)
    assert sorted(plan.segments) == [(), ((),)]


def test_people_read_what_it_costs() -> None:
    space = sweep_b()
    lines = plan_sweep(space, space.known, space.seconds).describe()
    assert lines[0] == "240 pictures in about 23 min on one server."
    assert lines[1] == "In the order as typed: 63 min, 2.8 times that."
    assert "Sampler 240" in lines[2] and "CheckpointLoader 4 of 240" in lines[2]
    assert [format_seconds(seconds) for seconds in (0.2, 89, 91, 3600, 6000, 86400)] == [
        *("0 s", "89 s", "2 min", "60 min", "1 h 40 min", "24 h 0 min"),
    ]


@pytest.mark.parametrize(("size", "backends", "block"), [(4, 4, 2), (6, 4, 3), (6, 9, 2)])
def test_block_by_block_pays_where_two_axes_are_dear(size: int, backends: int, block: int) -> None:
    """Four by four models on four servers: two by two loads four models each, one by four would
    load five.
    """
    parts = tuple(
        replace(part, axes=tuple(axis for axis in part.axes if axis < 2))
        for part in sweep_d().parts
    )
    space = GraphSpace((size, size), parts)
    plan = plan_sweep(space, space.known, space.seconds, backends, PLENTY)
    touched = [
        tuple(len({index[axis] for index in segment}) for axis in (0, 1))
        for segment in plan.segments
    ]
    assert touched == [(block, block)] * backends
    assert plan.planned.seconds == pytest.approx(bound_truly(space, size * size, backends))


@pytest.mark.deep
def test_ten_thousand_points_take_a_second_or_two() -> None:
    """Told by the prompts that are built, since the time depends on the machine; the benchmark has
    the seconds.
    """
    space = SWEEPS["A"]()
    large = Spy(GraphSpace((10, 10, 100), space.parts))
    began = time.process_time()
    plan = plan_sweep(large, space.known, space.seconds, 4)
    assert plan.points == 10_000 and large.built < 1500
    assert time.process_time() - began < 20
