"""The link: an app's connections to the scheduler and to the workers, on an event loop of their
own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent import futures
from typing import Any, TypeVar

from comfygradio.cluster.address import ClusterAddress
from comfygradio.cluster.intervals import DEFAULT_INTERVALS, Intervals
from comfygradio.cluster.wire import OPERATION
from comfygradio.errors import ServerUnreachable

CLOSED = "The app has let go of the cluster."

T = TypeVar("T")


class Link:
    """Calls to Dask processes, from any thread. Every failure is a ServerUnreachable."""

    def __init__(self, scheduler: ClusterAddress, intervals: Intervals = DEFAULT_INTERVALS) -> None:
        from distributed.core import ConnectionPool

        self._scheduler = scheduler
        self._intervals = intervals
        arguments = scheduler.make_security().get_connection_args("client")
        self._lock = threading.Lock()
        self._is_closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="comfygradio-link", daemon=True
        )
        self._thread.start()
        self._pool = ConnectionPool(
            deserialize=False, connection_args=arguments, timeout=intervals.connect
        )
        self._wait(self._pool.start())

    def call(self, address: str, request: bytes) -> bytes:
        """A worker's answer, however long its ComfyUI takes, as long as the worker
        itself is there.
        """
        return self._wait(self._call(address, request))

    def identify(self) -> dict[str, Any]:
        """What the scheduler tells of its workers."""
        asking = self._exchange(str(self._scheduler), op="identity")
        told = self._wait(asyncio.wait_for(asking, self._intervals.connect))
        workers = None
        if isinstance(told, dict):
            workers = told.get("workers")
        if not isinstance(workers, dict):
            raise ServerUnreachable(f"{self._scheduler} does not answer like a Dask scheduler.")
        return workers

    def close(self) -> None:
        """Close all connections, whatever goes wrong with them meanwhile; callable twice."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            closing = asyncio.run_coroutine_threadsafe(self._let_go(), self._loop)
        futures.wait({closing})
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._start(work).result()
        except futures.CancelledError as error:
            raise ServerUnreachable(CLOSED) from error
        except ServerUnreachable:
            raise
        except Exception as error:
            # distributed reads any nonsense as lengths, and raises MemoryError.
            raise ServerUnreachable(f"The connection failed: {type(error).__name__}.") from error

    def _start(self, work: Coroutine[Any, Any, T]) -> futures.Future[T]:
        with self._lock:
            if self._is_closed:
                work.close()
                raise ServerUnreachable(CLOSED)
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _let_go(self) -> None:
        """Whoever waits for an answer is told that none comes."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=self._intervals.closing)
        await self._pool.close()

    async def _call(self, address: str, request: bytes) -> bytes:
        answering = asyncio.ensure_future(self._exchange(address, op=OPERATION, request=request))
        try:
            while True:
                done, _ = await asyncio.wait({answering}, timeout=self._intervals.patience)
                if done:
                    break
                # ComfyUI may take its time; the worker itself answers an empty call at once.
                sign_of_life = self._exchange(address, op=OPERATION, request=b"")
                await asyncio.wait_for(sign_of_life, self._intervals.patience)
            answer = answering.result()
        finally:
            answering.cancel()
        if not isinstance(answer, bytes):
            raise OSError("no answer of ours")
        return answer

    async def _exchange(self, address: str, **message: Any) -> Any:
        """One message and its answer, on a connection that is used again if all went well."""
        comm = await self._pool.connect(address)
        is_fine = False
        try:
            await comm.write(message)
            answer = await comm.read()
            is_fine = True
        finally:
            if not is_fine:
                comm.abort()
            self._pool.reuse(address, comm)
        return answer
