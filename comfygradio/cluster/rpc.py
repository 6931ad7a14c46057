"""An app's connection to a cluster: its Dask client, and an actor on every worker."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Sequence
from concurrent import futures
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.cluster.address import ClusterAddress
from comfygradio.cluster.codec import Notice, unpack_outcome
from comfygradio.cluster.intervals import DEFAULT_INTERVALS, Intervals
from comfygradio.cluster.service import BackendActor
from comfygradio.errors import ServerUnreachable

CLOSED = "The app has let go of the cluster."

CONNECTIONS = 4096
"""Open at once from an app; it holds up to three to each worker, for two runs and a watch."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class ClusterClient:
    """Calls the actors of a cluster, from any thread. Every failure is a ServerUnreachable.

    Dask's client runs on an event loop in a thread of its own, so that every wait for it can have a
    limit and can be cut short by `close`.
    """

    def __init__(
        self,
        scheduler: ClusterAddress,
        intervals: Intervals = DEFAULT_INTERVALS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._scheduler = scheduler
        self._intervals = intervals
        self._clock = clock
        self._client: Any = None
        self._connections: dict[str, _Connection] = {}
        self._connecting = asyncio.Lock()
        self._binding = asyncio.Lock()
        self._lock = threading.Lock()
        self._pending: set[futures.Future[Any]] = set()
        self._is_closed = False
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_note_leftover)
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="comfygradio-cluster", daemon=True
        )
        self._thread.start()

    def call(self, address: str, method: str, *arguments: Any) -> bytes:
        """Return a worker's packed answer. Waits for as long as the worker itself answers, however
        long its ComfyUI takes.
        """
        work = self._call(address, method, arguments)
        return self._wait(work)

    def look(self) -> list[Notice]:
        """List the last reports of the workers that the scheduler knows."""
        work = self._look()
        return self._wait(work)

    def close(self) -> None:
        """End all calls with an error, and disconnect; may be called twice."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            pending = list(self._pending)
            closing = asyncio.run_coroutine_threadsafe(self._shut_down(), self._loop)
        for call in pending:
            # Whoever waits in `_wait` gets a CancelledError, and raises ServerUnreachable.
            call.cancel()
        futures.wait({closing})
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        call = self._start(work)
        try:
            return call.result()
        except futures.CancelledError as error:
            raise ServerUnreachable(CLOSED) from error
        except ServerUnreachable:
            raise
        except Exception as error:
            # distributed reads any nonsense as lengths, and raises MemoryError.
            raise ServerUnreachable(f"The connection failed: {type(error).__name__}.") from error
        finally:
            with self._lock:
                self._pending.discard(call)

    def _start(self, work: Coroutine[Any, Any, T]) -> futures.Future[T]:
        with self._lock:
            if self._is_closed:
                # Python would warn of a coroutine that was never awaited.
                work.close()
                raise ServerUnreachable(CLOSED)
            call = asyncio.run_coroutine_threadsafe(work, self._loop)
            self._pending.add(call)
            return call

    async def _call(self, address: str, method: str, arguments: tuple[Any, ...]) -> bytes:
        connection = self._connections.get(address)
        if connection is None or connection.actor is None:
            raise ServerUnreachable(f"There is no connection to {address}.")
        actor = connection.actor
        # `actor.call` raises RuntimeError where Dask knows that the actor is gone.
        answering = asyncio.ensure_future(actor.call(method, *arguments))
        try:
            while True:
                done, _ = await asyncio.wait({answering}, timeout=self._intervals.patience)
                if done:
                    break
                # ComfyUI may take its time; the worker itself answers a ping at once.
                await asyncio.wait_for(actor.ping(), self._intervals.patience)
            answer = answering.result()
        finally:
            # This only has an effect if the call is given up.
            answering.cancel()
        if not isinstance(answer, bytes):
            raise OSError("no answer of ours")
        return answer

    async def _look(self) -> list[Notice]:
        # Two looks at once would connect to each new worker twice.
        async with self._connecting:
            client = await self._connect()
            asking = client.nthreads()
            workers = await asyncio.wait_for(asking, self._intervals.connect)
            # First, the workers that left; then those that are new.
            for address in set(self._connections) - set(workers):
                connection = self._connections.pop(address)
                connection.close()
            fresh: list[_Connection] = []
            for address in set(workers) - set(self._connections):
                connection = _Connection(
                    client,
                    address,
                    self._binding,
                    self._intervals,
                    self._clock,
                )
                self._connections[address] = connection
                fresh.append(connection)
            if fresh:
                await self._await_reports(fresh)
        notices: list[Notice] = []
        for connection in self._connections.values():
            if connection.notice is not None:
                notices.append(connection.notice)
        return notices

    async def _await_reports(self, connections: Sequence[_Connection]) -> None:
        """Wait for the first reports of new workers, at most for the interval `look`.

        Without this, their backends would be missing until the next request. One that reports later
        is listed then.
        """
        waits = [asyncio.ensure_future(connection.ready.wait()) for connection in connections]
        _, late = await asyncio.wait(waits, timeout=self._intervals.look)
        for waiting in late:
            waiting.cancel()

    async def _connect(self) -> Any:
        """Return the Dask client; a new one if the last one has lost the scheduler."""
        from distributed import Client

        if self._client is not None and self._client.status == "running":
            return self._client
        # It logs every lost connection with a traceback; here they are reported in a sentence.
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        await self._disconnect()
        self._client = Client(
            str(self._scheduler),
            asynchronous=True,
            direct_to_workers=True,
            security=self._scheduler.make_security(),
            timeout=self._intervals.connect,
            set_as_default=False,
            connection_limit=CONNECTIONS,
        )
        try:
            await self._client
        except BaseException:
            await self._disconnect()
            raise
        return self._client

    async def _disconnect(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections = {}
        client = self._client
        self._client = None
        if client is not None:
            with suppress(Exception):
                await asyncio.wait_for(client.close(), self._intervals.closing)

    async def _shut_down(self) -> None:
        """Disconnect, and cancel what is left on the event loop."""
        await self._disconnect()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=self._intervals.closing)


def _note_leftover(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error of a Dask task that was cut short. It is of no use to people."""
    reason = context.get("exception") or context["message"]
    log.debug("left behind: %s", reason)


class _Connection:
    """Holds an actor on a worker, and keeps asking it for the state of its backend."""

    def __init__(
        self,
        client: Any,
        address: str,
        binding: asyncio.Lock,
        intervals: Intervals,
        clock: Clock,
    ) -> None:
        self.actor: Any = None
        self.notice: Notice | None = None
        self.ready = asyncio.Event()
        """Set once the worker has reported its backend, or that there is none."""
        self._client = client
        self._address = address
        self._binding = binding
        self._intervals = intervals
        self._clock = clock
        self._is_closed = False
        self._task = asyncio.ensure_future(self._keep())

    def close(self) -> None:
        """Drop the actor."""
        self._is_closed = True
        self._task.cancel()
        self.actor = None

    async def _keep(self) -> None:
        """Watch the worker until it turns out to have no ComfyUI; after a failure, with a new
        actor.
        """
        # Before Python 3.12 `asyncio.wait_for` may swallow the cancellation.
        while not self._is_closed:
            try:
                await self._watch()
                return
            except Exception as error:
                # It is tried again, for as long as the scheduler lists the worker.
                log.info("the worker at %s does not answer: %r", self._address, error)
            # One that never had an actor may be somebody else's, without comfygradio.
            pause = self._intervals.silent
            if self.actor is not None:
                pause = self._intervals.again
            await asyncio.sleep(pause)

    async def _watch(self) -> None:
        """Make an actor, and keep what it reports about its backend; returns if there is none."""
        actor = await self._make_actor()
        notice: Notice | None = None
        limit = self._intervals.ask + self._intervals.patience
        while not self._is_closed:
            answer = await asyncio.wait_for(actor.watch(notice), limit)
            if answer is None:
                self.ready.set()
                return
            notice = unpack_outcome(answer)
            if not isinstance(notice, Notice):
                raise ServerUnreachable("The worker answered nonsense.")
            self.actor = actor
            self.notice = replace(notice, address=self._address, heard=self._clock.monotonic())
            self.ready.set()

    async def _make_actor(self) -> Any:
        """Make an actor on the worker; it exists for as long as it is referenced here."""
        future = self._client.submit(
            BackendActor, actor=True, workers=[self._address], allow_other_workers=False
        )
        error = await future.exception()
        if error is not None:
            raise error
        # An actor binds itself to the client that is current when it arrives. That is a setting of
        # Dask's for the whole process meanwhile, so it is done for one after the other.
        async with self._binding:
            with self._client.as_current():
                return await asyncio.wait_for(future, self._intervals.patience)
