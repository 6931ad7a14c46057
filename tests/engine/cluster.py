"""Small clusters of processes on this machine: a scheduler, workers beside demo servers, and a
queue on them.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from comfygradio.cluster.address import parse_cluster
from comfygradio.cluster.engine import DaskEngine
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.engine import renew_lanes
from comfygradio.jobs.homes import HOME_SECONDS
from comfygradio.jobs.job import Job
from comfygradio.jobs.queue import JobQueue
from comfygradio.jobs.store import Ledger
from comfygradio.settings import Settings
from tests.cli.shell import start
from tests.faults.world import await_that
from tests.jobs.lines import count_files, free_port, is_over, wait

CLASSES = ("EmptyImage", "LabFrames", "LabRaise", "LabSleep", "LoadImage", "SaveImage")
OPTIONS = DemoOptions(step_seconds=0.01, lab_nodes=True)


@dataclass
class Cluster:
    """A scheduler's process, the demo servers, and the worker's process beside each of them."""

    folder: Path
    port: int = field(default_factory=free_port)
    servers: list[DemoServer] = field(default_factory=list)
    workers: list[subprocess.Popen[str]] = field(default_factory=list)
    scheduler: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        """The scheduler's address."""
        return f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        """Start the scheduler, and wait until it answers."""
        self.scheduler = start("scheduler", "--address", self.address, cwd=self.folder)
        assert self.scheduler.stdout and "answers at" in self.scheduler.stdout.readline()

    def start_worker(self, server: DemoServer) -> subprocess.Popen[str]:
        """A worker beside a server."""
        return start("worker", "--scheduler", self.address, "--server", server.url, cwd=self.folder)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """SIGKILL, as when a machine loses power."""
        process.kill()
        process.communicate()

    def close(self) -> None:
        """End all processes."""
        for process in [*self.workers, *filter(None, [self.scheduler])]:
            self.kill(process)


@contextmanager
def open_cluster(folder: Path, count: int, options: DemoOptions = OPTIONS) -> Iterator[Cluster]:
    """A cluster of so many lanes; its processes are killed at the end."""
    with ExitStack() as stack:
        cluster = Cluster(folder)
        stack.callback(cluster.close)
        cluster.servers = [
            stack.enter_context(DemoServer(options, port=free_port())) for _ in range(count)
        ]
        cluster.workers = [cluster.start_worker(server) for server in cluster.servers]
        cluster.start_scheduler()
        yield cluster


@contextmanager
def open_queue(
    address: str,
    outputs: Path,
    lanes: int = 1,
    home_seconds: float = HOME_SECONDS,
    settings: Settings | None = None,
) -> Iterator[tuple[JobQueue, DaskEngine]]:
    """A queue on the lanes of a cluster, once so many are there."""
    with ExitStack() as stack:
        engine = DaskEngine(parse_cluster(address, settings or Settings(), "--engine"))
        stack.callback(engine.close)
        ledger = Ledger.open(outputs)
        stack.callback(ledger.close)
        queue = JobQueue((), ledger, outputs, home_seconds=home_seconds, may_grow=True)
        stack.callback(queue.close)
        engine.watch(lambda: renew_lanes(queue, engine, CLASSES))
        renew_lanes(queue, engine, CLASSES)
        queue.start()
        await_that(lambda: sum(not lane.trouble for lane in queue.lanes) >= lanes, 60)
        yield queue, engine


def check_done(queue: JobQueue, jobs: Sequence[Job], seconds: float = 60.0) -> None:
    """Every job is done with one whole file, and the ledger says so too."""
    for job in jobs:
        end = wait(job, is_over, seconds)
        assert end.phase == "done" and not end.error, end
        (result,) = end.results
        assert result.path and result.path.read_bytes().endswith(b"IEND\xaeB`\x82")
    assert count_files(queue.outputs) == len(jobs)
    assert queue.ledger.list_open() == [] and not list(queue.outputs.rglob(".part-*"))


def count_runs(servers: Sequence[DemoServer]) -> int:
    """How often all servers together have saved a picture."""
    return sum(server.executions["SaveImage"] for server in servers)


def interrupt(process: subprocess.Popen[str]) -> str:
    """Ctrl-C, and what the process has said."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0 and not err, err
    return out
