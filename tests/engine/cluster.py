"""Small clusters of processes on this machine: a scheduler, workers beside demo servers, and a
queue on them.
"""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from comfygradio.cluster.address import parse_cluster
from comfygradio.cluster.intervals import Intervals
from comfygradio.cluster.registry import DaskBackends
from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.backend_pool import sync_backends
from comfygradio.jobs.job import Job, JobSnapshot
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobStore
from comfygradio.settings import Settings
from tests.cli.shell import start
from tests.clocks import HANG_SECONDS, PROCESS_SECONDS
from tests.faults import scenario
from tests.jobs import lines
from tests.jobs.lines import count_files, free_port, is_over

CLASSES = ("EmptyImage", "LabFrames", "LabRaise", "LabSleep", "LoadImage", "SaveImage")
OPTIONS = DemoOptions(step_seconds=0.01, lab_nodes=True)

HELD_SECONDS = 600.0
"""A job that sleeps for so long runs until its server is hurried."""

PATIENT_SECONDS = 600.0
"""No test waits for this; only a hang lasts so long."""

QUICK = Intervals(look=0.1, forget=PATIENT_SECONDS)
"""Those of an app in a test: it hears of a change early, and never forgets a backend meanwhile."""


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
        assert "answers at" in read_line(self.scheduler)

    def start_worker(self, server: DemoServer) -> subprocess.Popen[str]:
        """A worker beside a server."""
        return start("worker", "--scheduler", self.address, "--server", server.url, cwd=self.folder)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """SIGKILL, as when a machine loses power."""
        process.kill()
        process.communicate()

    def hold(self) -> None:
        """From now on, jobs of HELD_SECONDS run until `release`."""
        for server in self.servers:
            server.set_skip_waits(False)

    def release(self) -> None:
        """Let the jobs end that are held."""
        for server in self.servers:
            server.set_skip_waits()

    def repair(self) -> None:
        """Start whatever a test has killed, and forget what its servers had to do."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.start_scheduler()
        for place, server in enumerate(self.servers):
            server.__enter__()  # starts a killed one, and leaves one that runs as it is
            if self.workers[place].poll() is not None:
                self.workers[place] = self.start_worker(server)
            empty(server)
        self.hold()

    def close(self) -> None:
        """End all processes."""
        for process in [*self.workers, *filter(None, [self.scheduler])]:
            self.kill(process)


@contextmanager
def open_cluster(folder: Path, count: int, options: DemoOptions = OPTIONS) -> Iterator[Cluster]:
    """A cluster of so many backends; its processes are killed at the end.

    The scheduler is there before the workers, so that none of them says that it is not.
    """
    with ExitStack() as stack:
        cluster = Cluster(folder)
        stack.callback(cluster.close)
        cluster.servers = [
            stack.enter_context(DemoServer(options, port=free_port())) for _ in range(count)
        ]
        cluster.start_scheduler()
        cluster.workers = [cluster.start_worker(server) for server in cluster.servers]
        yield cluster


@contextmanager
def open_queue(
    address: str,
    outputs: Path,
    backends: int = 1,
    affinity_seconds: float = PATIENT_SECONDS,
    settings: Settings | None = None,
) -> Iterator[tuple[JobQueue, DaskBackends]]:
    """A queue on the backends of a cluster, once so many are there.

    Without `home_seconds` a job stays with its backend, however long a busy machine takes to bring
    that back.
    """
    with ExitStack() as stack:
        engine = DaskBackends(parse_cluster(address, settings or Settings(), "--engine"), QUICK)
        stack.callback(engine.close)
        store = JobStore.open(outputs)
        stack.callback(store.close)
        queue = JobQueue((), store, outputs, affinity_seconds=affinity_seconds, may_grow=True)
        stack.callback(queue.close)
        engine.watch(lambda: sync_backends(queue, engine, CLASSES))
        sync_backends(queue, engine, CLASSES)
        queue.start()
        await_that(lambda: sum(not backend.trouble for backend in queue.backends) >= backends)
        yield queue, engine


def await_that(condition: Callable[[], object]) -> None:
    """Wait until something is so; the limit only tells a hang."""
    scenario.await_that(condition, HANG_SECONDS)


def wait(job: Job, until: Callable[[JobSnapshot], bool]) -> JobSnapshot:
    """The first snapshot of a job that fits; the limit only tells a hang."""
    return lines.wait(job, until, HANG_SECONDS)


def read_line(process: subprocess.Popen[str]) -> str:
    """The next line that a process prints; "" if it ends without one.

    A process that prints nothing for too long is killed.
    """
    assert process.stdout
    limit = threading.Timer(HANG_SECONDS, process.kill)
    limit.start()
    try:
        return process.stdout.readline()
    finally:
        limit.cancel()


def check_done(queue: JobQueue, jobs: Sequence[Job]) -> None:
    """Every job is done with one whole file, and the job store says so too."""
    for job in jobs:
        end = wait(job, is_over)
        assert end.phase == "done" and not end.error, end
        (result,) = end.results
        assert result.path and result.path.read_bytes().endswith(b"IEND\xaeB`\x82")
    assert count_files(queue.outputs) == len(jobs)
    assert queue.store.list_open() == [] and not list(queue.outputs.rglob(".part-*"))


def count_runs(servers: Sequence[DemoServer]) -> int:
    """How often all servers together have saved a picture."""
    return sum(server.executions["SaveImage"] for server in servers)


def empty(server: DemoServer) -> None:
    """Let a server forget what it had to do, and what it has done."""
    with ComfyClient(server.url) as client:
        client.clear_queue()
        client.interrupt()
        await_that(lambda: client.queue_remaining() == 0)
    server.reset_executions()


def interrupt(process: subprocess.Popen[str]) -> str:
    """Ctrl-C, and what the process has said."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PROCESS_SECONDS)
    assert process.returncode == 0 and not err, err
    return out
