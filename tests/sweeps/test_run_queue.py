"""Courses: points handed out to servers that come, go, fail and help one another."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.cache_pinning import PinningLimits
from comfygradio.sweeps.planner.plan import Plan, plan_sweep
from comfygradio.sweeps.planner.run_queue import RunQueue, Task
from tests.effort import scale

from .grids import SWEEPS, random_space, sweep_a, sweep_c, sweep_d
from .racing import simulate_run

POINTS = list(sweep_d())


def make_plan(backends: int = 2, carry: bool = True) -> Plan:
    space = sweep_d()
    return plan_sweep(space, space.known, space.seconds, backends, PinningLimits(carry, 1000))


def take(run_queue: RunQueue, backend: str, warm: bool = True) -> Task:
    task = run_queue.take_next(backend, warm)
    assert task is not None
    return task


def drain(run_queue: RunQueue, *backends: str) -> list[Index]:
    """Let these servers take and finish points in turn until none gets any."""
    done: list[Index] = []
    while tasks := [task for backend in backends if (task := run_queue.take_next(backend))]:
        for task in tasks:
            run_queue.finish(task.index)
            done.append(task.index)
    return done


def test_each_server_gets_its_own_points_in_order() -> None:
    plan = make_plan(2)
    run_queue = RunQueue(plan)
    first, second = take(run_queue, "a"), take(run_queue, "b")
    assert (first.index, second.index) == (plan.segments[0][0], plan.segments[1][0])
    assert take(run_queue, "a").index == plan.segments[0][1]
    assert run_queue.waiting == len(POINTS) - 3


@pytest.mark.deep
@settings(max_examples=scale(20), deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 5), st.integers(1, 5), st.booleans())
def test_every_point_runs_once_however_many_servers_come(
    seed: int, planned: int, come: int, carry: bool
) -> None:
    space = random_space(seed, 100)
    plan = plan_sweep(space, space.known, space.seconds, planned, PinningLimits(carry, 1000))
    finish = simulate_run(plan, come, seed)
    assert sorted(finish.points) == list(space)


@pytest.mark.parametrize("carry", [False, True])
@pytest.mark.parametrize("name", SWEEPS)
def test_what_tasks_expect_is_what_the_plan_says(name: str, carry: bool) -> None:
    space = SWEEPS[name]()
    plan = plan_sweep(space, space.known, space.seconds, 1, PinningLimits(carry, 1000))
    run_queue, seconds, executed = RunQueue(plan), 0.0, 0
    while task := run_queue.take_next("a"):
        seconds, executed = seconds + task.seconds, executed + len(task.executed)
        run_queue.finish(task.index)
    assert seconds == pytest.approx(plan.planned.seconds)
    assert executed == plan.planned.executed
    assert run_queue.is_over


def test_threads_share_out_every_point_once() -> None:
    space = sweep_c()
    run_queue = RunQueue(plan_sweep(space, space.known, space.seconds, 3))
    taken: list[Index] = []

    def work(backend: str) -> None:
        while task := run_queue.take_next(backend):
            taken.append(task.index)
            run_queue.finish(task.index)

    threads = [
        threading.Thread(target=work, args=(f"backend {number % 4}",)) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(taken) == list(space)
    assert run_queue.is_over


def test_an_idle_server_takes_over_the_end_of_the_longest_row() -> None:
    space = sweep_a()
    plan = plan_sweep(space, space.known, space.seconds, 1)
    run_queue = RunQueue(plan)
    take(run_queue, "a")
    stolen = take(run_queue, "b")
    place = plan.segments[0].index(stolen.index)
    assert 90 <= place <= 110, "about the middle of 200 points"
    assert take(run_queue, "a").index == plan.segments[0][1]


def test_a_slow_server_is_helped_more() -> None:
    space = sweep_a()
    plan = plan_sweep(space, space.known, space.seconds, 1)
    run_queue = RunQueue(plan)
    for _ in range(2):
        task = take(run_queue, "a")
        run_queue.finish(task.index, 3 * task.seconds)
    take(run_queue, "a")
    place = plan.segments[0].index(take(run_queue, "b").index)
    assert 40 <= place <= 65, "a quarter of the points for the one, three for the other"


def test_nothing_is_taken_over_where_both_would_be_later() -> None:
    space = sweep_d()
    plan = plan_sweep(space, space.known, space.seconds, 1, todo=[(0, 0, 0), (0, 0, 1)])
    run_queue = RunQueue(plan)
    take(run_queue, "a")
    assert run_queue.take_next("b") is None, (
        "it would have to load two models for six seconds of work"
    )


def test_a_server_that_only_left_points_behind_is_succeeded() -> None:
    space = sweep_d()
    plan = plan_sweep(space, space.known, space.seconds, 1, todo=[(0, 0, 0), (0, 0, 1)])
    run_queue = RunQueue(plan)
    run_queue.finish(take(run_queue, "a").index)
    assert take(run_queue, "b").index == plan.segments[0][1]


def test_what_comes_back_is_for_whoever_asks_next() -> None:
    plan = make_plan(2)
    run_queue = RunQueue(plan)
    task = take(run_queue, "a")
    done = [take(run_queue, "b").index]
    run_queue.give_back(task.index, "a")
    done += drain(run_queue, "b")
    assert sorted(done) == POINTS


def test_a_server_may_leave_and_come_back() -> None:
    run_queue = RunQueue(make_plan(2))
    first = take(run_queue, "a").index
    run_queue.release_backend("a")
    run_queue.finish(first)
    again = take(run_queue, "a").index
    run_queue.finish(again)
    assert sorted([first, again, *drain(run_queue, "a", "b")]) == POINTS


def test_servers_get_only_what_they_can_run() -> None:
    def accepts(backend: str, index: Index) -> bool:
        return backend != "small" or index[0] == 2

    run_queue = RunQueue(make_plan(2), accepts)
    small: list[Index] = []
    other: list[Index] = []
    for _ in POINTS:
        for backend, taken in (("small", small), ("large", other)):
            if task := run_queue.take_next(backend):
                taken.append(task.index)
                run_queue.finish(task.index)
    assert sorted(small + other) == POINTS
    assert small and {index[0] for index in small} == {2}


def test_what_no_server_can_run_stays() -> None:
    run_queue = RunQueue(make_plan(2), lambda backend, index: index != (1, 2, 0))
    assert sorted([*drain(run_queue, "a", "b"), (1, 2, 0)]) == POINTS
    assert run_queue.waiting == 1 and not run_queue.is_over


def test_after_a_foreign_prompt_everything_is_expected_anew() -> None:
    run_queue = RunQueue(make_plan(1))
    warm = take(run_queue, "a")
    assert take(run_queue, "a").seconds < warm.seconds
    cold = take(run_queue, "a", warm=False)
    assert cold.seconds == pytest.approx(warm.seconds) and not cold.pinned_nodes


def test_the_rest_is_estimated() -> None:
    plan = make_plan(1)
    run_queue = RunQueue(plan)
    assert run_queue.seconds_left == pytest.approx(plan.planned.work)
    first = take(run_queue, "a")
    assert run_queue.share_left == 1.0, "it runs"
    run_queue.finish(first.index)
    assert run_queue.share_left == pytest.approx(1.0 - first.seconds / plan.planned.work)
    assert run_queue.seconds_left == pytest.approx(plan.planned.work - first.seconds)
    drain(run_queue, "a")
    assert run_queue.seconds_left == 0 and run_queue.share_left == 0
