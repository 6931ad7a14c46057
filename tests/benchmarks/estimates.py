"""How well the time of a sweep is told before it begins: `python -m tests.benchmarks.estimates`.

Each try has a ledger and a demo server of its own. A few pictures with random steps are made first,
so that there is something to learn from; then a sweep of 18 pictures with 6, 20 and 50 steps is
planned, and run.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.forms.form import Form
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Order
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobStore
from comfygradio.sweeps.sweep_registry import SweepRegistry
from tests.benchmarks.figures import Goal, percentile

PRESETS = Path(__file__).parent.parent.parent / "presets"
TRIES = 30
EARLIER = 6
"""Pictures that are made before the sweep."""

STEP_SECONDS = 0.02
MOST_PERCENT = 15.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=TRIES)
    tries = parser.parse_args(arguments).tries
    chance = random.Random(1)
    misses = [measure_miss(chance) for _ in range(tries)]
    median = percentile(misses, 50)
    print(f"{tries} sweeps: off by {median:.1f} % (median), {max(misses):.1f} % at most")
    goal = Goal("90 % of the sweeps are off by", percentile(misses, 90), MOST_PERCENT, "%")
    print(goal)
    return 0 if goal.met else 1


def measure_miss(chance: random.Random) -> float:
    """By how many percent a sweep took longer or shorter than was told."""
    with (
        tempfile.TemporaryDirectory() as folder,
        DemoServer(DemoOptions(step_seconds=STEP_SECONDS)) as demo,
        ComfyClient(demo.url) as client,
    ):
        outputs = Path(folder)
        store = JobStore.open(outputs)
        queue = JobQueue([Backend(client)], store, outputs)
        preset = load_preset(PRESETS / "text_to_image.yaml")
        form = preset.bind(queue.backends[0].refresh(preset.class_types))
        queue.start()
        try:
            for _ in range(EARLIER):
                make_picture(queue, form, chance.randint(5, 60), chance.randrange(2**32))
            return run_sweep(SweepRegistry(queue, lambda name: form), form, chance)
        finally:
            queue.close()
            store.close()


def make_picture(queue: JobQueue, form: Form, steps: int, seed: int) -> None:
    """One picture, made to its end."""
    checked = form.check({"prompt": "a lighthouse", "steps": steps, "seed": seed})
    order = Order(
        form.name, form.title, form.build(checked), form.values_to_json(checked), form.seeds
    )
    over = threading.Event()
    job = queue.submit(order)
    job.listen(lambda: over.set() if job.snapshot.is_over else None)
    if not job.snapshot.is_over:
        over.wait()
    assert job.snapshot.phase == "done", job.snapshot.error


def run_sweep(sweeps: SweepRegistry, form: Form, chance: random.Random) -> float:
    """The percent between what was told and what it took."""
    seeds = [chance.randrange(2**32) for _ in range(6)]
    sweep = sweeps.plan(
        {
            "preset": form.name,
            "axes": {"steps": [6, 20, 50], "seed": seeds},
            "values": {"prompt": "a lighthouse"},
        }
    )
    told = sweep.plan.planned.seconds
    began = time.monotonic()
    sweeps.start_planned(sweep)
    while sweep.phase == "running":
        time.sleep(0.01)
    assert sweep.counts.done == 18
    took = time.monotonic() - began
    return 100 * abs(told - took) / took


if __name__ == "__main__":
    raise SystemExit(main())
