"""Queues on demo servers, small orders for them, and waiting without sleeping."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.workflow import Prompt
from comfygradio.demo import DemoServer
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Job, JobSnapshot, Order
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.limits import Limits
from tests.clocks import HANG_SECONDS
from tests.ports import free_port as free_port


@contextmanager
def open_queue(
    outputs: Path,
    *servers: DemoServer,
    limits: Limits | None = None,
    learn: bool = False,
    clock: Clock = SYSTEM_CLOCK,
) -> Iterator[JobQueue]:
    """A queue on these servers with its job store in the outputs folder; closed at the end, its
    jobs go on.
    """
    with ExitStack() as stack:
        store = JobStore.open(outputs)
        stack.callback(store.close)
        clients = [stack.enter_context(ComfyClient(server.url)) for server in servers]
        backends = [Backend(client, clock) for client in clients]
        for backend in backends if learn else ():
            backend.refresh(["EmptyImage", "SaveImage", "LabSleep"])
        queue = JobQueue(backends, store, outputs, limits, clock=clock)
        queue.start()
        stack.callback(queue.close)
        yield queue


def draw(color: int, seconds: float = 0.0) -> Order:
    """An order for a small picture of one colour, after a pause that can be interrupted."""
    graph: dict[str, Any] = {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 32, "height": 16, "batch_size": 1, "color": color},
        },
        "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["1", 0]}},
    }
    if seconds:
        graph["3"] = {"class_type": "LabSleep", "inputs": {"seconds": seconds, "value": ["1", 0]}}
        graph["2"]["inputs"]["images"] = ["3", 0]
    return Order("tiny", "Tiny", Prompt(graph), {"color": color})


def wait(
    job: Job, until: Callable[[JobSnapshot], bool], seconds: float = HANG_SECONDS
) -> JobSnapshot:
    """The first snapshot that fits; listens instead of polling."""
    changed = threading.Event()
    unlisten = job.listen(changed.set)
    try:
        while not until(snapshot := job.snapshot):
            assert changed.wait(seconds), f"nothing happened any more: {snapshot}"
            changed.clear()
        return snapshot
    finally:
        unlisten()


def await_that(condition: Callable[[], object], seconds: float = HANG_SECONDS) -> None:
    """Wait until something is so; asks every few milliseconds, since it concerns another process.

    The limit only tells a hang.
    """
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        pause.wait(0.01)


def is_over(snapshot: JobSnapshot) -> bool:
    """Whether the job has ended."""
    return snapshot.is_over


def is_running(snapshot: JobSnapshot) -> bool:
    """Whether the server runs the job."""
    return snapshot.state is not None and snapshot.state.status == "running"


def count_files(outputs: Path) -> int:
    """How many pictures lie in the outputs folder, light copies and the job store's own files left
    out.
    """
    return sum(
        path.parent.name != "display" and ".comfygradio" not in path.parts
        for path in outputs.rglob("*.png")
    )
