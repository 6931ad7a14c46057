"""A demo server behind a faulty proxy, our queue on it, and another user of the server."""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.limited_download import MAX_RESULT_MB
from comfygradio.comfy.timers import PollTimings
from comfygradio.comfy.workflow import Prompt, Upload
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Job, JobSnapshot, Order
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.limits import Limits
from comfygradio.jobs.naming import DEFAULT_PATTERN
from comfygradio.jobs.placement import AFFINITY_SECONDS
from tests.clocks import HANG_SECONDS
from tests.faults.faulty_proxy import FaultyProxy
from tests.faults.skipping_clock import SkippingClock
from tests.jobs.lines import await_that as await_that
from tests.jobs.lines import count_files, draw, free_port, is_over, wait
from tests.jobs.shelf import Shelf

CUTS = 10
"""No test cuts a client's sockets more often before it has heard anything on a new one."""

QUICK_TIMINGS = PollTimings(
    silence=0.2,
    slowest_poll=0.3,
    first_poll=0.02,
    queue_refresh=0.05,
    reconnect=(0.05, 0.1) + (0.2,) * (CUTS - 1),
    renewal=0.5,
)
COLORS = itertools.count(random.randrange(2**23))


@contextmanager
def open_queue(
    outputs: Path,
    *urls: str,
    timeout_seconds: float = 20.0,
    affinity_seconds: float = AFFINITY_SECONDS,
    patience: PollTimings = QUICK_TIMINGS,
    names: str = DEFAULT_PATTERN,
    result_mb: float = MAX_RESULT_MB,
) -> Iterator[JobQueue]:
    """A quick-tempered queue on these addresses, that waits for no pause of its own."""
    clock = SkippingClock()
    with ExitStack() as stack:
        store = JobStore.open(outputs)
        stack.callback(store.close)
        clients = [
            ComfyClient(url, patience=patience, timeout_seconds=timeout_seconds) for url in urls
        ]
        backends = [Backend(stack.enter_context(client), clock) for client in clients]
        queue = JobQueue(
            backends,
            store,
            outputs,
            Limits(names=names, result_mb=result_mb),
            affinity_seconds=affinity_seconds,
            clock=clock,
        )
        queue.start()
        stack.callback(queue.close)
        yield queue


def make_unique_order(seconds: float = 0.0) -> Order:
    """A picture that no server has in its cache."""
    return draw(next(COLORS), seconds)


def make_upload_graph(picture: Path) -> dict[str, Any]:
    """A graph that saves a picture of ours, which has to be uploaded."""
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": str(picture)}},
        "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["1", 0]}},
    }


def make_graph_order(graph: dict[str, Any]) -> Order:
    """An order for any graph; the pictures that it loads are files of ours."""
    loads = {
        key: Path(node["inputs"]["image"])
        for key, node in graph.items()
        if node["class_type"] == "LoadImage"
    }
    uploads = tuple(Upload(path, path.name, ((key, "image"),)) for key, path in loads.items())
    return Order("tiny", "Tiny", Prompt(graph, uploads))


LONG_SECONDS = 600.0
"""A picture that is painted until somebody stops it or hurries the server."""


@dataclass
class Scenario:
    """Everything of one test. `direct` is the other user's way to the server, without the line."""

    server: DemoServer
    proxy: FaultyProxy
    queue: JobQueue
    direct: ComfyClient
    outputs: Path

    def submit(self, seconds: float = 0.0) -> Job:
        """A picture of ours."""
        return self.queue.submit(make_unique_order(seconds))

    def post_other(self, seconds: float = 0.0) -> str:
        """A picture of somebody else, who uses the same server; its id."""
        return self.direct.queue_prompt(
            make_unique_order(seconds).prompt.graph, client_id=uuid.uuid4().hex
        ).prompt_id

    def check_other(self, prompt_id: str) -> None:
        """Nobody touched the other user's prompt: it ends well, with its picture."""
        await_that(lambda: self.direct.history(prompt_id))
        entry = self.direct.history(prompt_id)
        assert entry and entry.status == "success" and entry.outputs, entry

    def skip_waits(self) -> None:
        """Whatever the server runs, or is given from now on, takes no time."""
        self.server.set_skip_waits()

    def wait_for_end(self, job: Job, seconds: float = HANG_SECONDS) -> JobSnapshot:
        """How a job ends."""
        return wait(job, is_over, seconds)

    def check_done(self, *jobs: Job, posts: int = 1) -> None:
        """All are done, each posted so often, with one file each, all of them whole, and the job
        store says so too.
        """
        for job in jobs:
            end = self.wait_for_end(job)
            assert end.phase == "done" and not end.error, end
            record = self.queue.store.get(job.id)
            assert record and record.phase == "done" and record.results == end.results
            (result,) = end.results
            assert (
                result.path
                and result.path.read_bytes().endswith(b"IEND\xaeB`\x82")
                and not result.problem
            )
            assert self.proxy.posted[job.id] == posts, self.proxy.calls
        assert count_files(self.outputs) == len(jobs)
        self.check_quiet()

    def check_quiet(self) -> None:
        """Nothing of ours is left on the server, nothing open in the job store, and no half of a
        file anywhere.
        """
        await_that(lambda: self.direct.queue_remaining() == 0)
        assert self.queue.store.list_open() == []
        assert not list(self.outputs.rglob(".part-*"))


@contextmanager
def open_scenario(
    outputs: Path,
    shelf: Shelf | None = None,
    *,
    timeout_seconds: float = 20.0,
    result_mb: float = MAX_RESULT_MB,
    **options: Any,
) -> Iterator[Scenario]:
    """A fresh one, on a server from the shelf where there is one, else on its own.

    The options are the demo server's, the timeout is that of each of our requests.
    """
    chosen = DemoOptions(**{"step_seconds": 0.01, "lab_nodes": True, **options})
    with ExitStack() as stack:
        if shelf is None:
            server = stack.enter_context(DemoServer(chosen, port=free_port()))
        else:
            server = shelf.lend(chosen)
        line = stack.enter_context(FaultyProxy(server.url))
        direct = stack.enter_context(ComfyClient(server.url, patience=QUICK_TIMINGS))
        queue = stack.enter_context(
            open_queue(outputs, line.url, timeout_seconds=timeout_seconds, result_mb=result_mb)
        )
        yield Scenario(server, line, queue, direct, outputs)
