"""How long a server idles between two points of a sweep: `python -m tests.benchmarks.idle_gap`.

Told by the server's own clock: from the end of one prompt to the start of the next one, with short
jobs. The server is a demo server in a process of its own, or any other with `--url`.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobStore
from tests.benchmarks.figures import Goal, describe_spread
from tests.sweeps.running import bind, define, end, take_up, write_preset

ENDS = ("execution_success", "execution_error", "execution_interrupted")


@contextmanager
def open_server() -> Iterator[str]:
    """The address of a demo server in another process."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(theirs,), daemon=True
    )
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        process.join(10)


def read_gaps(client: ComfyClient) -> list[float]:
    """Seconds between the end of each prompt and the start of the next one."""
    history: dict[str, Any] = client.transport.get_json("/history")
    spans = []
    for entry in history.values():
        times = {name: data["timestamp"] / 1000 for name, data in entry["status"]["messages"]}
        ended = next((times[name] for name in ENDS if name in times), None)
        if ended is not None:
            spans.append((times["execution_start"], ended))
    spans.sort()
    return [start - before for (_, before), (start, _) in itertools.pairwise(spans)]


def measure(url: str, points: int, seconds: float, folder: Path) -> tuple[list[float], float]:
    """The gaps of a sweep with so many points, and the seconds that it took altogether."""
    with ComfyClient(url) as client:
        store = JobStore.open(folder / "outputs")
        queue = JobQueue([Backend(client)], store, folder / "outputs")
        try:
            sweeps = take_up(queue, bind(write_preset(folder / "presets"), queue))
            sweep = sweeps.plan(define(seconds, color=f"1-{points}"))
            began = time.monotonic()
            sweep.start()
            assert end(sweep) == "done" and sweep.counts.done == points, sweep.counts
            took = time.monotonic() - began
        finally:
            queue.close()
            store.close()
        return read_gaps(client), took


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0.05, help="how long a point takes")
    parser.add_argument("--url", help="a server with LabSleep that nobody else uses")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_server() as own:
        gaps, took = measure(options.url or own, options.points, options.seconds, Path(folder))
    spread = describe_spread([gap * 1000 for gap in gaps])
    print(
        f"gaps in ms: median {spread.median:.1f}, p90 {spread.p90:.1f}, p95 {spread.p95:.1f}, max "
        f"{spread.largest:.1f}"
    )
    print(f"{options.points} points of {options.seconds * 1000:g} ms took {took:.2f} s")
    print(Goal("gap between two prompts, median", spread.median, 10, "ms"))


def _serve(line: Connection) -> None:
    with DemoServer(DemoOptions(step_seconds=0, lab_nodes=True)) as server:
        line.send(server.url)
        line.recv()


if __name__ == "__main__":
    main()
