"""How long a single picture waits while somebody else's sweep runs: `python -m
tests.benchmarks.fairness`.

Counted from the server's own clock: how many points of the sweep began between the order of the
picture and its start.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobStore
from comfygradio.sweeps.sweep import Sweep
from tests.benchmarks.figures import Goal, describe_spread
from tests.jobs.lines import draw, is_over, wait
from tests.sweeps.running import await_sweep, bind, define, take_up, write_preset


def read_starts(client: ComfyClient) -> dict[str, float]:
    """Prompt id → when it began, in seconds since 1970."""
    history: dict[str, Any] = client.transport.get_json("/history")
    starts: dict[str, float] = {}
    for prompt_id, entry in history.items():
        messages = dict(entry["status"]["messages"])
        if "execution_start" in messages:
            starts[prompt_id] = messages["execution_start"]["timestamp"] / 1000
    return starts


def await_done(sweep: Sweep, least: int) -> None:
    """Wait until so many points are done."""
    await_sweep(sweep, lambda sweep: sweep.counts.done >= least, 60)


def measure(points: int, tries: int, seconds: float, folder: Path) -> tuple[list[int], list[float]]:
    """For each try: points of the sweep that began before the picture did, and the seconds that it
    waited.
    """
    with ExitStack() as stack:
        server = stack.enter_context(DemoServer(DemoOptions(lab_nodes=True)))
        client = stack.enter_context(ComfyClient(server.url))
        store = JobStore.open(folder / "outputs")
        stack.callback(store.close)
        queue = JobQueue([Backend(client)], store, folder / "outputs")
        stack.callback(queue.close)
        sweeps = take_up(queue, bind(write_preset(folder / "presets"), queue))
        sweep = sweeps.start(define(seconds, color=f"1-{points}"), "anna")
        singles = order_singles(queue, sweep, points, tries, seconds)
        swept = list_jobs(queue, sweep)
        starts = read_starts(client)
        sweep.stop()
    before: list[int] = []
    waited: list[float] = []
    for asked, single in singles:
        swept_starts = [starts.get(job_id, 0.0) for job_id in swept]
        overtaking = [start for start in swept_starts if asked < start < starts[single]]
        before.append(len(overtaking))
        waited.append(starts[single] - asked)
    return before, waited


def order_singles(
    queue: JobQueue, sweep: Sweep, points: int, tries: int, seconds: float
) -> list[tuple[float, str]]:
    """Order pictures at random moments of the sweep: when each was ordered, and its job's id."""
    singles: list[tuple[float, str]] = []
    chance = random.Random(1)
    between = threading.Event()
    for number in range(tries):
        await_done(sweep, 1 + number * (points - 10) // tries)
        between.wait(chance.uniform(0, seconds))
        asked = time.time()
        single = queue.submit(draw(1_000_000 + number), "ben")
        wait(single, is_over)
        singles.append((asked, single.id))
    return singles


def list_jobs(queue: JobQueue, sweep: Sweep) -> list[str]:
    """The ids of the jobs that the points of a sweep have."""
    found: list[str] = []
    for cell in sweep.cells.values():
        job = queue.find(cell.token) if cell.token else None
        if job is not None:
            found.append(job.id)
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument(
        "--seconds", type=float, default=0.15, help="how long a point of the sweep takes"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        before, waited = measure(options.points, options.tries, options.seconds, Path(folder))
    spread = describe_spread(waited)
    print(f"points that began before the picture, {options.tries} tries: {before}")
    print(f"seconds until it began: median {spread.median:.2f}, largest {spread.largest:.2f}")
    print(Goal("points before a single picture", max(before), 1, "jobs"))


if __name__ == "__main__":
    main()
