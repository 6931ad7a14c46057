"""The worker of a ComfyUI: a Dask worker with a plugin that makes it a backend."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from distributed import WorkerPlugin

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.cluster.address import ClusterAddress, is_loopback, wrap_host
from comfygradio.cluster.intervals import DEFAULT_INTERVALS, Intervals
from comfygradio.cluster.nodes import make_worker
from comfygradio.cluster.service import PLUGIN, BackendService
from comfygradio.comfy.address import parse_url
from comfygradio.comfy.client import ComfyClient

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerTarget:
    """The ComfyUI that a worker serves, its headers and the API key for it, and the host and port
    where the worker listens.
    """

    server: str
    headers: Mapping[str, str]
    host: str
    port: int = 0
    name: str = ""
    api_key: str = field(default="", repr=False)


class BackendPlugin(WorkerPlugin):  # type: ignore[misc]
    """Makes a backend of a Dask worker, for as long as that runs."""

    name = PLUGIN

    def __init__(
        self,
        target: WorkerTarget,
        intervals: Intervals = DEFAULT_INTERVALS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.url = name_backend(target)
        client = ComfyClient(
            target.server, headers=target.headers, name=self.url, api_key=target.api_key
        )
        self.service = BackendService(client, intervals, clock, self.url)
        self._intervals = intervals
        self._clock = clock
        self._closing = asyncio.Event()
        self._health: asyncio.Task[None] | None = None

    def setup(self, worker: Any) -> None:
        """Dask calls this when the worker starts."""
        loop = asyncio.get_running_loop()
        self._health = loop.create_task(self._watch_health())

    async def teardown(self, worker: Any) -> None:
        """Dask calls this when the worker ends."""
        await self.close()

    async def leave(self) -> None:
        """Hand back what runs, and give every app the time to hear of it."""
        # Apps hear of it first, so that they give no job to this backend any more.
        self.service.is_leaving = True
        self.service.announce()
        loop = asyncio.get_running_loop()
        waiting = self._clock.wait_async(self._closing, self._intervals.leave)
        # This time runs while the runs are handed back.
        pause = asyncio.create_task(waiting)
        await loop.run_in_executor(None, self.service.hand_back)
        await pause

    async def close(self) -> None:
        """Close the service; may be called twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._health is not None:
            self._health.cancel()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self.service.close)

    async def _watch_health(self) -> None:
        """Check the ComfyUI again and again, and announce what changes."""
        loop = asyncio.get_running_loop()
        reported = ""
        while not self._closing.is_set():
            await loop.run_in_executor(None, self.service.look)
            if self.service.trouble != reported:
                reported = self.service.trouble
                self.service.announce()
                print(reported or f"{self.url} answers again.", flush=True)
            await self._clock.wait_async(self._closing, self._intervals.health)


def name_backend(target: WorkerTarget) -> str:
    """Name a backend: as it was named, or by its server's address as seen from outside."""
    address = parse_url(target.server)  # which raises for a wrong one, named or not
    if target.name:
        return target.name
    if not address.loopback or is_loopback(target.host):
        return address.base
    parts = urlsplit(address.base)
    place = wrap_host(target.host)
    if parts.port:
        place = f"{place}:{parts.port}"
    return urlunsplit(parts._replace(netloc=place))


async def run_worker(
    scheduler: ClusterAddress,
    target: WorkerTarget,
    stop: asyncio.Event,
    intervals: Intervals = DEFAULT_INTERVALS,
    clock: Clock = SYSTEM_CLOCK,
) -> None:
    """Run a worker of the cluster until `stop` is set; it joins the scheduler again whenever that
    was gone.
    """
    was_reported = False
    while not stop.is_set():
        try:
            has_joined = await _join(scheduler, target, stop, intervals, clock)
            if has_joined:
                was_reported = False
        except (OSError, asyncio.TimeoutError, ValueError, RuntimeError) as error:
            log.info("the scheduler cannot be joined: %s", error)
        if not stop.is_set() and not was_reported:
            print(f"The Dask scheduler at {scheduler} does not answer; trying again.", flush=True)
        was_reported = True
        await clock.wait_async(stop, intervals.again)


async def _join(
    scheduler: ClusterAddress,
    target: WorkerTarget,
    stop: asyncio.Event,
    intervals: Intervals,
    clock: Clock,
) -> bool:
    """Join the scheduler, and work until `stop` is set or the scheduler is gone. False if it does
    not answer.
    """
    is_there = await _answers(scheduler, stop)
    if not is_there:
        return False
    backend = BackendPlugin(target, intervals, clock)
    with TemporaryDirectory(prefix="comfygradio-dask-", ignore_cleanup_errors=True) as folder:
        worker = make_worker(scheduler, target.host, folder, target.port, [backend])
        try:
            await worker
            print(f"{backend.url} is a backend of {scheduler}; Ctrl-C ends that.", flush=True)
            # The worker also ends by itself, when it has lost the scheduler.
            await _first(worker.finished(), stop.wait())
            if stop.is_set() and worker.status.name == "running":
                await backend.leave()
        finally:
            # Where the worker did not start, Dask does not tear its plugins down.
            await backend.close()
            await worker.close(timeout=2)
    return True


async def _answers(scheduler: ClusterAddress, stop: asyncio.Event) -> bool:
    """Whether the scheduler answers; a Dask worker would wait for it for ever."""
    from distributed.comm import connect

    security = scheduler.make_security()
    options = security.get_connection_args("worker")
    connecting = connect(str(scheduler), timeout=5, **options)
    attempt = asyncio.ensure_future(connecting)
    await _first(attempt, stop.wait())
    if not attempt.done() or attempt.cancelled():
        return False
    # `result` raises what kept it from connecting; the connection itself is of no use.
    attempt.result().abort()
    return True


async def _first(*works: Any) -> None:
    """Wait until one of these has ended, and cancel the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if not task.done():
            task.cancel()
