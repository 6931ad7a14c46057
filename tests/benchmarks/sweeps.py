"""What a sweep costs by order, on one server and on many: `python -m tests.benchmarks.sweeps`.

Costs come from a model of ComfyUI's cache, with 10 % of jitter; then the demo server, whose cache
counts executions, runs a sweep as planned; then 10,000 points are planned.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.cache_pinning import PinningLimits
from comfygradio.sweeps.planner.plan import plan_sweep
from comfygradio.sweeps.planner.run_queue import RunQueue
from comfygradio.sweeps.planner.workload import Workload
from comfygradio.sweeps.space import Space
from tests.benchmarks.figures import Goal, format_table
from tests.sweeps.chain import CLASSES, make_chain, make_space
from tests.sweeps.grids import KINDS, SWEEPS, GraphSpace, pipeline
from tests.sweeps.racing import Finish, bound_simply, bound_truly, run_in_turn, simulate_run

PRESETS = Path(__file__).parent.parent.parent / "presets"
KINDS_OF = {
    "A": ("cfg", "sampler", "seed"),
    "B": ("seed", "cfg", "prompt", "checkpoint"),
    "C": ("lora", "seed", "denoise", "upscaler"),
    "D": ("checkpoint", "refiner", "seed"),
}
A1111 = {"checkpoint": 1.0, "refiner": 1.0, "vae": 0.7}
SWARM = {"checkpoint": 10, "refiner": 10, "lora": 8, "vae": 7, "cfg": -3, "seed": -5, "prompt": -5}
PLENTY = 1000.0


@dataclass(frozen=True)
class Sweep:
    """A sweep with a name, and what its axes change."""

    name: str
    space: GraphSpace
    kinds: Sequence[str]

    def nest(self, axes: Sequence[int]) -> list[Index]:
        """The points in loops over the axes, the first outermost."""
        return sorted(self.space, key=lambda index: [index[axis] for axis in axes])

    def order_as_a1111(self) -> list[Index]:
        """The strictly dearest axis outermost, the dearer of the rest second; ties the last typed
        outermost.
        """
        left = list(range(len(self.kinds)))[::-1]
        costs = {axis: A1111.get(self.kinds[axis], 0.0) for axis in left}
        first = max(left, key=lambda axis: costs[axis])
        if sum(cost == costs[first] for cost in costs.values()) > 1:
            return self.nest(left)
        left.remove(first)
        return self.nest([first, *sorted(left, key=lambda axis: -costs[axis])])

    def order_as_swarm(self) -> list[Index]:
        """Sorted by a weight for each parameter, the heaviest outermost; ties as typed."""
        axes = range(len(self.kinds))
        return self.nest(sorted(axes, key=lambda axis: -SWARM.get(self.kinds[axis], 0)))


def list_sweeps(randoms: int) -> list[Sweep]:
    """The noted ones, and random ones over a longer graph."""
    found = [Sweep(name, SWEEPS[name](), kinds) for name, kinds in KINDS_OF.items()]
    chance = random.Random(1)
    while len(found) < len(KINDS_OF) + randoms:
        kinds = chance.sample(KINDS, chance.randint(2, 4))
        sizes = [chance.randint(2, 6) for _ in kinds]
        found.append(Sweep(f"{len(found) - 3}", pipeline(kinds, sizes), kinds))
    return found


def measure(sweep: Sweep, backends: int, tries: int) -> dict[str, Any]:
    """One row: the bounds in seconds, and what each order takes of the simple one."""
    space, points = sweep.space, list(sweep.space)
    workload = Workload(space, space.known, space.seconds)

    def plan(limits: PinningLimits) -> Callable[[int], Finish]:
        made = plan_sweep(space, space.known, space.seconds, backends, limits)
        return lambda seed: simulate_run(made, backends, seed)

    def in_turn(order: Sequence[Index]) -> Callable[[int], Finish]:
        return lambda seed: run_in_turn(workload, order, backends, seed)

    bound = bound_simply(workload, points, backends)
    reachable = max(bound, bound_truly(space, len(points), backends))
    ways = {
        "typed": in_turn(points),
        "a1111": in_turn(sweep.order_as_a1111()),
        "swarm": in_turn(sweep.order_as_swarm()),
        "ours": plan(PinningLimits(False)),
        "carry 24 GB": plan(PinningLimits(True)),
        "carry": plan(PinningLimits(True, PLENTY)),
    }
    means = {
        name: statistics.mean(way(seed).seconds for seed in range(tries))
        for name, way in ways.items()
    }
    row: dict[str, Any] = {
        "sweep": sweep.name,
        "points": len(points),
        "servers": backends,
        "bound s": bound,
    }
    row |= {name: mean / bound for name, mean in means.items()}
    return {**row, "reachable": reachable / bound, "carry of it": means["carry"] / reachable}


def run_on_demo(backends: int, carry: bool, folder: Path) -> tuple[int, int]:
    """Nodes that the demo servers should execute, and those that they did; each server runs its own
    points.
    """
    servers = [DemoServer(DemoOptions(step_seconds=0)) for _ in range(backends)]
    planned = executed = 0
    for backend, server in enumerate(servers):
        with server, ComfyClient(server.url) as client:
            form = make_chain(folder, client.object_info(*CLASSES))
            space = make_space(
                form,
                {"seed": 1},
                cfg=[3, 5, 7],
                checkpoint=server.options.checkpoints[:3],
                refiner=server.options.checkpoints[:2],
                lora=server.options.loras,
            )
            plan = plan_sweep(
                space, form.object_info, backends=backends, limits=PinningLimits(carry, PLENTY)
            )
            run_queue = RunQueue(replace(plan, segments=(plan.segments[backend],)))
            while task := run_queue.take_next("demo"):
                prompt = space.prompt(task.index)
                for _ in client.run(replace(prompt, graph={**prompt.graph, **task.pinned_nodes})):
                    pass
                run_queue.finish(task.index)
            executed += sum(server.executions.values())
            planned = plan.planned.executed
    return planned, executed


def read_info() -> ObjectInfo:
    """The classes of a demo server."""
    with DemoServer() as server, ComfyClient(server.url) as client:
        return client.object_info()


def plan_many(info: ObjectInfo, backends: int, carry: bool) -> tuple[float, float]:
    """Seconds, and seconds of CPU, to plan 10,000 points of text to image."""
    form = load_preset(PRESETS / "text_to_image.yaml").bind(info)
    axes = {
        "seed": range(10),
        "cfg": range(1, 11),
        "steps": range(10, 20),
        "prompt": [f"a {n}" for n in range(10)],
    }
    space: Space = make_space(form, {"prompt": "a"}, **axes)
    began, worked = time.perf_counter(), time.process_time()
    plan = plan_sweep(space, info, backends=backends, limits=PinningLimits(carry))
    assert plan.points == 10_000
    return time.perf_counter() - began, time.process_time() - worked


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--random", type=int, default=6, help="random sweeps")
    parser.add_argument("--tries", type=int, default=5, help="races with other jitter")
    parser.add_argument("--servers", type=int, nargs="+", default=[1, 4, 16])
    options = parser.parse_args()
    rows = [
        measure(one, backends, options.tries)
        for backends in options.servers
        for one in list_sweeps(options.random)
    ]
    print(
        "Seconds until the end, as a multiple of the bound: everything made once and shared, or "
        "one picture cold."
    )
    print(
        "`reachable` is a bound that counts what each server has to make for itself, a multiple "
        "too.\n"
    )
    print(format_table(rows))
    print("\nOn the demo server: nodes executed, planned and counted")
    with tempfile.TemporaryDirectory() as folder:
        for backends, carry in ((1, False), (1, True), (4, False), (4, True)):
            planned, executed = run_on_demo(backends, carry, Path(folder))
            print(
                f"  {backends} servers, {'carried' if carry else 'plain'}: {planned} and {executed}"
            )
    info = read_info()
    slowest = 0.0
    print("\nPlanning 10,000 points")
    for backends, carry in ((1, False), (1, True), (4, True), (16, True)):
        seconds, cpu = plan_many(info, backends, carry)
        slowest = max(slowest, cpu)
        print(
            f"  {backends} servers, {'carried' if carry else 'plain'}: "
            f"{seconds:.2f} s, {cpu:.2f} s of CPU"
        )
    print()
    for goal in list_goals(rows, slowest):
        print(goal)


def list_goals(rows: Sequence[dict[str, Any]], slowest: float) -> list[Goal]:
    """The figures that have a goal."""
    noted = [row for row in rows if row["sweep"] in KINDS_OF]
    goals = [
        Goal(
            f"{row['sweep']} on {row['servers']}, of the bound",
            row["carry"],
            1.02 if row["servers"] == 1 else 1.08,
            "",
        )
        for row in noted
        if row["servers"] in (1, 4)
    ]
    reachable = [row for row in noted if row["servers"] == 4 and row["reachable"] > 1.08]
    goals += [
        Goal(f"{row['sweep']} on 4, of what can be reached", row["carry of it"], 1.08, "")
        for row in reachable
    ]
    return [*goals, Goal("planning 10,000 points", slowest, 2.0, "s of CPU")]


if __name__ == "__main__":
    main()
