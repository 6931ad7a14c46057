"""What a plan says about ComfyUI's cache, held against a server: which nodes it executes, point by
point.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.cache_control import strip_pinned
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.sweeps.planner.cache_pinning import PinningLimits
from comfygradio.sweeps.planner.plan import Plan, plan_sweep
from comfygradio.sweeps.planner.run_queue import RunQueue, Task
from comfygradio.sweeps.space import Space
from tests.contract.plain_client import Graph, PlainClient, only, plain_graph
from tests.sweeps.chain import CLASSES, make_chain, make_space

pytestmark = pytest.mark.real

TINY = (
    ("tiny-a.safetensors", "tiny-b.safetensors"),
    ("tiny-lora.safetensors", "tiny-lora-2.safetensors"),
)
CARRY = pytest.mark.parametrize("carry", [False, True], ids=["plain", "carried"])


@pytest.fixture
def space(comfy: PlainClient, tmp_path: Path) -> Space:
    """Two checkpoints, two LoRAs for a refiner, three cfg values."""
    found = [comfy.http.get(f"/models/{folder}").json() for folder in ("checkpoints", "loras")]
    if comfy.real and not all(
        set(names) <= set(listed) for names, listed in zip(TINY, found, strict=True)
    ):
        pytest.skip(f"this ComfyUI lacks the small models {', '.join(TINY[0] + TINY[1])}")
    checkpoints, loras = TINY if comfy.real else (found[0][:2], found[1][:2])
    info = ObjectInfo.from_json(
        {name: comfy.http.get(f"/object_info/{name}").json()[name] for name in CLASSES}
    )
    form = make_chain(tmp_path, info)
    base = {"seed": 3, "prompt": "a cat", "negative": "bad", "refiner": checkpoints[0]}
    return make_space(form, base, cfg=[2, 4.5, 7], lora=loras, checkpoint=checkpoints)


def cool(comfy: PlainClient) -> None:
    """Let the server forget everything of earlier prompts."""
    comfy.run(plain_graph())


def build(space: Space, task: Task) -> Graph:
    return {**space.prompt(task.index).graph, **task.pinned_nodes}


def list_executed(messages: list[dict[str, Any]]) -> list[str]:
    return [data["node"] for data in only(messages, "executing") if data["node"] is not None]


def count_classes(graph: Graph, node_ids: Iterable[str]) -> Counter[str]:
    """Of nodes with the same result a server runs one, and is free to choose which."""
    return Counter(graph[node_id]["class_type"] for node_id in node_ids)


def run_plan(comfy: PlainClient, space: Space, plan: Plan) -> Counter[str]:
    """Run every point on one server; executions by class, each point held against what it should
    execute.
    """
    run_queue, counted = RunQueue(plan), Counter[str]()
    while task := run_queue.take_next("server"):
        graph = build(space, task)
        _, messages = comfy.run(graph)
        executed = list_executed(messages)
        assert not [node_id for node_id in executed if node_id in task.pinned_nodes]
        assert count_classes(graph, executed) == count_classes(graph, task.executed), task.index
        counted.update(count_classes(graph, executed))
        run_queue.finish(task.index)
    return counted


@pytest.mark.deep
@CARRY
def test_a_sweep_executes_exactly_what_its_plan_says(
    comfy: PlainClient, space: Space, carry: bool
) -> None:
    plan = plan_sweep(space, space.form.object_info, limits=PinningLimits(carry, 1000))
    cool(comfy)
    assert run_plan(comfy, space, plan) == plan.planned.executions


def test_carrying_saves_executions_and_loses_no_picture(comfy: PlainClient, space: Space) -> None:
    plans = [
        plan_sweep(space, space.form.object_info, limits=PinningLimits(carry, 1000))
        for carry in (False, True)
    ]
    assert plans[1].planned.executed < plans[0].planned.executed < plans[0].as_typed.executed
    assert (
        plans[1].planned.executions["KSampler"] == 6 + 12 < plans[0].planned.executions["KSampler"]
    )
    assert {index for segment in plans[1].segments for index in segment} == set(space)


def test_the_order_as_typed_executes_what_the_plan_says_of_it(
    comfy: PlainClient, space: Space
) -> None:
    plan, counted = plan_sweep(space, space.form.object_info), Counter[str]()
    cool(comfy)
    for index in space:
        graph = dict(space.prompt(index).graph)
        _, messages = comfy.run(graph)
        counted.update(count_classes(graph, list_executed(messages)))
    assert counted == plan.as_typed.executions


def test_carried_nodes_show_nothing(comfy: PlainClient, space: Space) -> None:
    """They are in no output, and what is left without them is the graph as the form filled it."""
    plan = plan_sweep(space, space.form.object_info, limits=PinningLimits(True, 1000))
    run_queue = RunQueue(plan)
    cool(comfy)
    while (task := run_queue.take_next("server")) and not task.pinned_nodes:
        comfy.run(build(space, task))
    assert task is not None
    graph = build(space, task)
    prompt_id, messages = comfy.run(graph)
    assert {data["node"] for data in only(messages, "executed")} == {"10"}
    assert set(task.pinned_nodes) <= set(only(messages, "execution_cached")[0]["nodes"])
    assert set(comfy.entry(prompt_id)["outputs"]) == {"10"}
    assert strip_pinned(graph) == space.prompt(task.index).graph
