"""Cache pinning: what is executed, held against whole prompts in a cache like ComfyUI's, and what
is pinned.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.comfy.cache_control import PINNED_PREFIX, strip_pinned
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.object_info import InputSpec, NodeDef, ObjectInfo
from comfygradio.comfy.workflow import Prompt
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner import cache_pinning as module
from comfygradio.sweeps.planner.cache_pinning import (
    BackendCache,
    PinningLimits,
    build_pinned_nodes,
)
from comfygradio.sweeps.planner.input_axes import PromptSource
from comfygradio.sweeps.planner.plan import Plan, plan_sweep
from comfygradio.sweeps.planner.run_queue import RunQueue
from comfygradio.sweeps.planner.workload import Workload
from comfygradio.sweeps.space import Space
from tests.effort import scale

from .chain import CLASSES, make_chain, make_space
from .grids import SWEEPS, GraphSpace, Part, random_space, sweep_d
from .maze import draw_axes, make_maze
from .oracle import run_all


def list_graphs(space: PromptSource, plan: Plan) -> Iterator[dict[str, Any]]:
    """What one server is sent, carried nodes included."""
    run_queue = RunQueue(plan)
    while task := run_queue.take_next("server"):
        yield {**space.prompt(task.index).graph, **task.pinned_nodes}
        run_queue.finish(task.index)


def assert_planned(space: PromptSource, known: ObjectInfo, limits: PinningLimits) -> Plan:
    plan = plan_sweep(space, known, limits=limits)
    assert run_all(list_graphs(space, plan), known) == plan.planned.executions
    return plan


@pytest.mark.deep
@pytest.mark.parametrize("name", SWEEPS)
def test_the_noted_sweeps_make_everything_once_on_one_server(name: str) -> None:
    space = SWEEPS[name]()
    plan = assert_planned(space, space.known, PinningLimits(True, 1000))
    workload = plan.workload
    once = frozenset().union(*(workload.needed(index) for index in space))
    assert plan.planned.seconds == pytest.approx(workload.sum_seconds(once))
    assert plan.planned.executed == len(once)


@pytest.mark.deep
@settings(max_examples=scale(20), deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([0.0, 0.02, 0.05, 1000.0]))
def test_random_sweeps_execute_what_was_planned_and_never_more_than_without(
    seed: int, gigabytes: float
) -> None:
    space = random_space(seed)
    plain = assert_planned(space, space.known, PinningLimits(False))
    carried = assert_planned(space, space.known, PinningLimits(True, gigabytes))
    assert carried.planned.seconds <= plain.planned.seconds + 1e-6
    assert (
        run_all((space.prompt(index).graph for index in space), space.known)
        == plain.as_typed.executions
    )


@pytest.mark.deep
@settings(max_examples=scale(15), deadline=None)
@given(st.integers(0, 10**9), st.booleans())
def test_forms_execute_what_was_planned(seed: int, carry: bool) -> None:
    form, chance = make_maze(), random.Random(seed)
    axes = tuple(type(axis)(axis.title, axis.texts, axis.steps[:3]) for axis in draw_axes(chance))
    assert_planned(
        Space(form, axes, form.check({"seed": 5})), form.object_info, PinningLimits(carry, 30)
    )


def test_results_stay_within_the_memory_that_they_may_take() -> None:
    space = sweep_d()
    workload, points = Workload(space, space.known, space.seconds), list(space)
    for gigabytes in (14.5, 21.5, 35.0):
        cache = BackendCache(workload, points, PinningLimits(True, gigabytes))
        most = 0.0
        while cache:
            cache.advance()
            most = max(most, sum(workload.gigabytes[result] for result in cache.cached))
        assert gigabytes - 7 < most <= gigabytes


def test_what_is_needed_soonest_is_pinned_where_room_is_short() -> None:
    parts = (Part("CheckpointLoader", 10, (0,)), Part("Save", 0, (), ("CheckpointLoader",)))
    space = GraphSpace((3,), parts)
    workload = Workload(space, space.known, space.seconds)
    cache = BackendCache(workload, [(0,), (1,), (2,), (1,), (0,)], PinningLimits(True, 14.2))
    loads = [
        [workload.classes[result] for result in cache.advance()[1]].count("CheckpointLoader")
        for _ in range(5)
    ]
    assert loads == [1, 1, 1, 0, 1], "of the first two there was room for the second"


def test_only_so_many_results_are_pinned() -> None:
    size = module.MAX_PINNED + 50
    parts = (Part("A", 1, (0,)), Part("B", 1, (1,), ("A",)), Part("Save", 0, (), ("B",)))
    space = GraphSpace((size, 2), parts)
    workload = Workload(space, space.known, space.seconds)
    cache = BackendCache(
        workload,
        [(place, turn) for turn in (0, 1) for place in range(size)],
        PinningLimits(True, 1000),
    )
    assert max(len(cache.advance()[2]) for _ in range(2 * size)) <= module.MAX_PINNED


def test_a_foreign_prompt_leaves_nothing() -> None:
    space = sweep_d()
    workload = Workload(space, space.known, space.seconds)
    cache = BackendCache(workload, list(space)[:2], PinningLimits())
    cache.advance()
    cache.forget()
    assert cache.advance()[1] == workload.needed((0, 0, 1))


def test_carried_nodes_have_their_values_as_a_server_makes_them() -> None:
    """ComfyUI converts the values of nodes that it runs before it looks for their results, but not
    those of others.
    """
    specs = [InputSpec("steps", "INT", "required"), InputSpec("text", "STRING", "required")]
    known = ObjectInfo(
        {
            "A": NodeDef("A", "A", {spec.name: spec for spec in specs}, ("X",), False),
            "Save": NodeDef("Save", "Save", {}, (), True),
        }
    )

    class Loose:
        sizes = (2,)

        def prompt(self, index: Index) -> Prompt:
            inputs = {
                "steps": "20",
                "text": 7,
                "tags": {"__value__": ["a", "b", "c"]},
                "place": index[0],
            }
            return Prompt(
                {
                    "1": {"class_type": "A", "inputs": inputs, "_meta": {"title": "First"}},
                    "2": {"class_type": "Save", "inputs": {"x": ["1", 0]}},
                }
            )

    workload = Workload(Loose(), known)
    nodes = build_pinned_nodes(workload, workload.node_ids((1,))["1"], known)
    (node,) = nodes.values()
    assert node == {
        "class_type": "A",
        "inputs": {"steps": 20, "text": "7", "tags": ["a", "b", "c"], "place": 1},
    }


def test_carried_nodes_are_cut_off_again() -> None:
    space = sweep_d()
    plan = plan_sweep(space, space.known, space.seconds, limits=PinningLimits(True, 1000))
    run_queue, carried = RunQueue(plan), 0
    while task := run_queue.take_next("server"):
        graph = space.prompt(task.index).graph
        assert all(node_id.startswith(PINNED_PREFIX) for node_id in task.pinned_nodes)
        assert all(node["class_type"] != "Save" for node in task.pinned_nodes.values())
        assert strip_pinned({**graph, **task.pinned_nodes}) == graph
        carried += len(task.pinned_nodes)
    assert carried


@pytest.mark.deep
@pytest.mark.parametrize("carry", [False, True])
def test_the_demo_server_executes_what_was_planned(tmp_path: Path, carry: bool) -> None:
    with DemoServer(DemoOptions(step_seconds=0)) as server, ComfyClient(server.url) as client:
        form = make_chain(tmp_path, client.object_info(*CLASSES))
        checkpoints, loras = server.options.checkpoints[:2], server.options.loras[:2]
        space = make_space(
            form,
            {"seed": 1},
            cfg=[3, 5, 7],
            checkpoint=checkpoints,
            refiner=checkpoints,
            lora=loras,
        )
        plan = plan_sweep(space, form.object_info, limits=PinningLimits(carry, 100))
        for graph in list_graphs(space, plan):
            *_, state = client.run(Prompt(graph))
            assert state.status == "done"
        assert server.executions == plan.planned.executions
