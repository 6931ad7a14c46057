"""Orders of points: never dearer than any nest of loops, and on whole grids as cheap as any order
can be.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.order import (
    choose_order,
    list_nests,
    measure_order,
    rank_positions,
    traverse,
)
from comfygradio.sweeps.planner.workload import Workload
from tests.effort import scale

from .grids import SWEEPS, GraphSpace, Part, random_space, spanning_bound


def read(space: GraphSpace) -> Workload:
    return Workload(space, space.known, space.seconds)


def draw_left(space: GraphSpace, seed: int) -> list[Index]:
    """Some of the points, as after a crash."""
    points, chance = list(space), random.Random(seed)
    return sorted(chance.sample(points, max(1, int(len(points) * chance.choice([0.2, 0.5, 0.9])))))


def list_loops(points: Sequence[Index]) -> list[list[Index]]:
    """The points by each nest of plain loops."""
    axes = range(len(points[0]))
    return [
        sorted(points, key=lambda point: [point[a] for a in nest])
        for nest in itertools.permutations(axes)
    ]


@pytest.mark.parametrize(
    ("name", "seconds"), [("A", 1110.2), ("B", 1361.6), ("C", 1406.1), ("D", 413.4)]
)
def test_the_noted_sweeps_are_as_cheap_as_any_order_can_be(name: str, seconds: float) -> None:
    space = SWEEPS[name]()
    workload, points = read(space), list(space)
    order = choose_order(workload, points)
    assert sorted(order) == points
    assert measure_order(workload, order) == pytest.approx(seconds)
    assert spanning_bound(
        [workload.needed(index) for index in points], workload.seconds
    ) == pytest.approx(seconds)


@pytest.mark.deep
@settings(max_examples=scale(20), deadline=None)
@given(st.integers(0, 10**9))
def test_whole_grids_reach_the_bound_of_any_order(seed: int) -> None:
    space = random_space(seed)
    workload, points = read(space), list(space)
    bound = spanning_bound([workload.needed(index) for index in points], workload.seconds)
    assert measure_order(workload, choose_order(workload, points)) == pytest.approx(bound)
    promising = traverse(
        points, next(list_nests(workload, points)), rank_positions(workload, points)
    )
    assert measure_order(workload, promising) == pytest.approx(bound), (
        "where there are too many nests, this one is taken"
    )


@pytest.mark.deep
@settings(max_examples=scale(20), deadline=None)
@given(st.integers(0, 10**9))
def test_no_nest_of_loops_is_cheaper_for_what_is_left_of_a_grid(seed: int) -> None:
    space = random_space(seed)
    workload, points = read(space), draw_left(space, seed)
    order = choose_order(workload, points)
    assert sorted(order) == points
    cheapest = min(measure_order(workload, loops) for loops in list_loops(points))
    assert measure_order(workload, order) <= cheapest + 1e-6


def test_loops_turn_back_at_their_ends() -> None:
    space = GraphSpace((3, 2, 2), (Part("Save", 1, (0, 1, 2)),))
    workload, points = read(space), list(space)
    nest = next(
        nest for nest in list_nests(workload, points) if [level.axis for level in nest] == [0, 1, 2]
    )
    order = traverse(points, nest, rank_positions(workload, points))
    steps = [
        sum(a != b for a, b in zip(one, other, strict=True))
        for one, other in itertools.pairwise(order)
    ]
    assert steps == [1] * 11


class Doubled(GraphSpace):
    """Every second position of the last axis is the same."""

    def _build(self, part: Part, index: Index) -> dict[str, Any]:
        return super()._build(part, (*index[:-1], index[-1] % 2))


def test_positions_with_the_same_work_come_together_in_every_loop() -> None:
    space = Doubled((3, 4), (Part("Load", 10, (0,)), Part("Save", 1, (1,), ("Load",))))
    workload, points = read(space), list(space)
    nest = next(list_nests(workload, points))
    assert measure_order(
        workload, traverse(points, nest, rank_positions(workload, points))
    ) == 3 * (10 + 2)


def test_no_points_and_one_point_are_orders_too() -> None:
    workload = read(GraphSpace((2, 2), (Part("Save", 1, (0, 1)),)))
    assert choose_order(workload, []) == []
    assert choose_order(workload, [(1, 0)]) == [(1, 0)]
