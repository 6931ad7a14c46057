"""What the plan says is what the server executes, told by the demo server, whose cache is
ComfyUI's.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from comfygradio.binding.preset import load_preset
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.metadata.load import load_metadata
from comfygradio.settings import shipped_presets
from comfygradio.sweeps.sweep import Sweep
from tests.jobs.lines import draw, is_over, wait
from tests.sweeps.running import await_sweep, end, open_sweeps

pytestmark = pytest.mark.deep

AXES: list[dict[str, Any]] = [
    {"cfg": "4, 7, 9"},
    {"checkpoint": "dream-sd15.safetensors, photo-xl.safetensors"},
    {"prompt": ["a cat", "a dog"]},
    {"size": "512x512, 512x768"},
]


def define(carry: bool = True, **values: Any) -> dict[str, Any]:
    """A sweep of 24 points in an order that a server would have to load much for."""
    return {
        "preset": "text_to_image",
        "values": {"seed": 1, "steps": 1, **values},
        "axes": AXES,
        "carry": carry,
    }


@pytest.mark.parametrize("carry", [True, False])
def test_planned_is_executed(carry: bool, tmp_path: Path) -> None:
    preset = load_preset(shipped_presets() / "text_to_image.yaml")
    server = DemoServer(DemoOptions(step_seconds=0))
    with server, open_sweeps(tmp_path / "outputs", server, preset=preset) as (sweeps, queue):
        sweep = sweeps.start(define(carry), "anna")
        planned, typed = sweep.plan.planned, sweep.plan.as_typed
        assert end(sweep) == "done" and sweep.counts.done == 24
        assert Counter(server.executions) == Counter(planned.executions)
        assert (
            planned.executions["CheckpointLoaderSimple"]
            == 2
            < typed.executions["CheckpointLoaderSimple"]
        )
        assert planned.executions["CLIPTextEncode"] == (
            6 if carry else planned.executions["CLIPTextEncode"]
        )
        assert planned.executed < typed.executed
        assert (check_pictures(sweep, queue, set(preset.workflow.nodes)) > 0) == carry


def check_pictures(sweep: Sweep, queue: JobQueue, nodes: set[str]) -> int:
    """Every picture restores the graph that its form makes; how many remember nodes that rode
    along.
    """
    carried = 0
    for cell in sweep.cells.values():
        (result,) = cell.results
        assert result.path
        carried += b"comfygradio-carried-" in result.path.read_bytes()
        graph = load_metadata(result.path).prompt
        record = queue.store.find(cell.token)
        assert graph and record and set(graph) == set(record.order.prompt.graph) == nodes
    return carried


def await_done(sweep: Sweep, least: int) -> None:
    """Wait until so many points are done."""
    await_sweep(sweep, lambda sweep: sweep.counts.done >= least)


def test_a_picture_in_between_costs_no_more_than_it_must(tmp_path: Path) -> None:
    """Somebody else's picture empties the server's cache: the sweep knows, and carries nothing that
    is gone.
    """
    preset = load_preset(shipped_presets() / "text_to_image.yaml")
    server = DemoServer(DemoOptions(step_seconds=0.01, lab_nodes=True))
    with server, open_sweeps(tmp_path / "outputs", server, preset=preset) as (sweeps, queue):
        queue.backends[0].refresh([*preset.class_types, "EmptyImage", "LabSleep"])
        sweep = sweeps.start(define(), "anna")
        for number in range(3):
            await_done(sweep, 4 * number + 4)
            wait(queue.submit(draw(number), "ben"), is_over)
        assert end(sweep) == "done" and sweep.counts.done == 24
        planned = sweep.plan.planned.executions
        extra = server.executions["CheckpointLoaderSimple"] - planned["CheckpointLoaderSimple"]
        assert 0 <= extra <= 3 and server.executions["KSampler"] == 24


def test_two_servers_execute_what_they_should(tmp_path: Path) -> None:
    preset = load_preset(shipped_presets() / "text_to_image.yaml")
    one, two = (DemoServer(DemoOptions(step_seconds=0.005)) for _ in range(2))
    with one, two, open_sweeps(tmp_path / "outputs", one, two, preset=preset) as (sweeps, _):
        sweep = sweeps.start(define(steps=4), "anna")
        assert end(sweep) == "done" and sweep.counts.done == 24
        executed = one.executions + two.executions
        assert executed["KSampler"] == executed["SaveImage"] == 24
        assert executed["CheckpointLoaderSimple"] <= 4
