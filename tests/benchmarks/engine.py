"""What a pool of backends costs: many short jobs on four demo servers, by four ways: `python -m
tests.benchmarks.engine`.

Each job is an image after a pause on the server (200 ms) that is fetched and, but for the bare
threads, written down in the job store and saved. Two jobs are posted to each server at once. The
ideal is the pauses alone, shared by the servers. CPU is that of all processes but the demo
servers', memory their proportional share (PSS), both Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import itertools
import logging
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path

import psutil

from comfygradio.cluster.address import ClusterAddress, parse_cluster
from comfygradio.cluster.nodes import make_scheduler, make_worker
from comfygradio.cluster.registry import DaskBackends
from comfygradio.cluster.worker import BackendPlugin, WorkerTarget
from comfygradio.comfy.client import ComfyClient
from comfygradio.jobs.backend_pool import BackendPool, StaticBackends, sync_backends
from comfygradio.jobs.job import Job
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobStore
from comfygradio.settings import Settings
from tests.benchmarks.callers import BareScript
from tests.benchmarks.figures import Goal, format_table
from tests.benchmarks.processes import find_port, open_lab
from tests.cli.shell import start
from tests.faults.scenario import await_that
from tests.jobs.lines import draw, is_over, wait

POSTED = 2
CLASSES = ("EmptyImage", "LabSleep", "SaveImage")
COLORS = itertools.count(1)
GOALS = {"our threads": 1.05, "Dask in this process": 1.08, "Dask, a process each": 1.08}

Figures = dict[str, float]

Watched = Sequence[subprocess.Popen[str]]
"""The processes of a way, besides this one."""


class Meter:
    """Time, processor time and memory of this process and others."""

    def __init__(self, others: Watched) -> None:
        self._processes = [psutil.Process(), *(psutil.Process(one.pid) for one in others)]
        self._cpu = self._read_cpu()
        self._began = time.perf_counter()

    def read(self, jobs: int, ideal: float) -> Figures:
        """The figures since it was made."""
        seconds = time.perf_counter() - self._began
        cpu = 1000 * (self._read_cpu() - self._cpu) / jobs
        memory = sum(process.memory_full_info().pss for process in self._processes) / 1e6
        return {
            "seconds": seconds,
            "of the ideal": seconds / ideal,
            "CPU ms a job": cpu,
            "MB": memory,
        }

    def _read_cpu(self) -> float:
        times = [process.cpu_times() for process in self._processes]
        return float(sum(one.user + one.system for one in times))


def run_bare(urls: Sequence[str], jobs: int, seconds: float, ideal: float) -> Figures:
    """A thread for each prompt that is posted at once, and nothing else."""
    orders = iter([draw(next(COLORS), seconds).prompt.graph for _ in range(jobs)])
    lock = threading.Lock()

    def work(script: BareScript) -> None:
        while True:
            with lock:
                graph = next(orders, None)
            if graph is None:
                return
            script.run(graph)

    scripts = [BareScript(url) for url in urls]
    meter = Meter(())
    with ThreadPoolExecutor(len(urls) * POSTED) as pool:
        for done in [pool.submit(work, script) for script in scripts for _ in range(POSTED)]:
            done.result()
    figures = meter.read(jobs, ideal)
    for script in scripts:
        script.close()
    return figures


def run_queue(
    pool: BackendPool, others: Watched, backends: int, jobs: int, seconds: float, ideal: float
) -> Figures:
    """Our queue with a job store on a pool of backends."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        store = JobStore.open(Path(folder))
        stack.callback(store.close)
        queue = JobQueue((), store, Path(folder), may_grow=pool.may_grow)
        stack.callback(queue.close)
        pool.watch(lambda: sync_backends(queue, pool, CLASSES))
        sync_backends(queue, pool, CLASSES)
        queue.start()
        await_that(lambda: sum(not backend.trouble for backend in queue.backends) == backends, 60)
        meter = Meter(others)
        ordered: list[Job] = [queue.submit(draw(next(COLORS), seconds)) for _ in range(jobs)]
        ends = [wait(job, is_over, 600) for job in ordered]
        figures = meter.read(jobs, ideal)
        assert all(end.phase == "done" for end in ends), "a job failed"
        return figures


@contextmanager
def open_threads(urls: Sequence[str]) -> Iterator[tuple[BackendPool, Watched]]:
    """The default pool: the servers that were named, in this process."""
    pool = StaticBackends([ComfyClient(url) for url in urls])
    yield pool, ()
    pool.close()


@contextmanager
def open_dask_here(urls: Sequence[str]) -> Iterator[tuple[BackendPool, Watched]]:
    """Scheduler and workers on an event loop of this process."""
    address = parse_cluster(f"tcp://127.0.0.1:{find_port()}", Settings(), "--engine")
    ready, stop, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()
    thread = threading.Thread(
        target=loop.run_until_complete, args=(serve_cluster(address, urls, ready, stop),)
    )
    thread.start()
    assert ready.wait(60)
    pool = DaskBackends(address)
    yield pool, ()
    pool.close()
    loop.call_soon_threadsafe(stop.set)
    thread.join()


async def serve_cluster(
    address: ClusterAddress, urls: Sequence[str], ready: threading.Event, stop: asyncio.Event
) -> None:
    """A scheduler and a worker for each server, until `stop` is set."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        await stack.enter_async_context(make_scheduler(address))
        for url in urls:
            backend = BackendPlugin(WorkerTarget(url, {}, "127.0.0.1"))
            worker = make_worker(address, "127.0.0.1", folder, plugins=[backend])
            await stack.enter_async_context(worker)
        ready.set()
        await stop.wait()


@contextmanager
def open_dask(urls: Sequence[str]) -> Iterator[tuple[BackendPool, Watched]]:
    """A process for the scheduler, and one beside each server."""
    address = f"tcp://127.0.0.1:{find_port()}"
    scheduler = ("scheduler", "--address", address)
    calls = [scheduler, *(("worker", "--scheduler", address, "--server", url) for url in urls)]
    processes = [start(*call, cwd=Path.cwd()) for call in calls]
    pool = DaskBackends(parse_cluster(address, Settings(), "--engine"))
    yield pool, processes
    pool.close()
    for process in processes:
        process.kill()
        process.communicate()


WAYS = {
    "our threads": open_threads,
    "Dask in this process": open_dask_here,
    "Dask, a process each": open_dask,
}


def measure(way: str, urls: Sequence[str], jobs: int, seconds: float) -> Figures:
    """The figures of one way, once."""
    ideal = jobs * seconds / len(urls)
    if way not in WAYS:
        return run_bare(urls, jobs, seconds, ideal)
    with WAYS[way](urls) as (pool, others):
        return run_queue(pool, others, len(urls), jobs, seconds, ideal)


@contextmanager
def open_labs(count: int) -> Iterator[list[str]]:
    """Demo servers that have run nothing yet: with every picture that it has saved a server takes a
    little longer.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        labs = [stack.enter_context(open_lab(Path(folder) / f"{n}.log", 2.0)) for n in range(count)]
        yield [lab.url for lab in labs]


def take_medians(rounds: Sequence[Figures]) -> Figures:
    """Each figure's median over the rounds."""
    return {key: statistics.median(figures[key] for figures in rounds) for key in rounds[0]}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument(
        "--seconds", type=float, default=0.2, help="how long each job takes on its server"
    )
    parser.add_argument("--servers", type=int, default=4)
    parser.add_argument(
        "--rounds", type=int, default=1, help="all ways in turn, so often; medians are shown"
    )
    options = parser.parse_args()
    logging.getLogger(importlib.import_module("distributed").__name__).setLevel(logging.CRITICAL)
    ways = ("bare threads", *WAYS)
    found: dict[str, list[Figures]] = {way: [] for way in ways}
    for _ in range(options.rounds):
        for way in ways:
            with open_labs(options.servers) as urls:
                found[way].append(measure(way, urls, options.jobs, options.seconds))
    medians = {way: take_medians(figures) for way, figures in found.items()}
    print(
        f"{options.jobs} jobs of {options.seconds:g} s, {options.servers} demo servers, "
        f"{options.rounds} round(s)\n"
    )
    print(format_table([{"way": way, **figures} for way, figures in medians.items()]), "\n")
    for way, limit in GOALS.items():
        print(Goal(f"{way}, makespan of the ideal", medians[way]["of the ideal"], limit, "x"))


if __name__ == "__main__":
    main()
