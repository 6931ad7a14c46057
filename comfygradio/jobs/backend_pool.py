"""The pool of backends that jobs run on: fixed servers, or the workers of a cluster.

The rest of the program sees only the protocol, never which of the two it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.backend_client import BackendClient
from comfygradio.jobs.job_queue import JobQueue


class BackendPool(Protocol):
    """A set of backends that may change while the pool is open. Thread-safe."""

    @property
    def backends(self) -> Sequence[Backend]:
        """The current backends, failed ones included; removed ones are not."""
        ...

    @property
    def may_grow(self) -> bool:
        """Whether further backends may join."""
        ...

    @property
    def trouble(self) -> str:
        """Why there are no backends, in a sentence; "" while nothing is wrong."""
        ...

    @property
    def client(self) -> BackendClient:
        """A client for requests that any backend can answer."""
        ...

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` after backends joined, left or recovered, from a thread of the pool."""
        ...

    def close(self) -> None:
        """Disconnect from all backends; may be called twice."""
        ...


class StaticBackends:
    """A pool of fixed servers that this process reaches itself."""

    trouble = ""
    may_grow = False

    def __init__(self, clients: Sequence[BackendClient], clock: Clock = SYSTEM_CLOCK) -> None:
        self.client = clients[0]
        backends = [Backend(client, clock) for client in clients]
        self.backends = tuple(backends)

    def watch(self, changed: Callable[[], None]) -> None:
        """Does nothing: the backends never change."""

    def close(self) -> None:
        """Close the clients' connections."""
        for backend in self.backends:
            backend.client.close()


def sync_backends(queue: JobQueue, pool: BackendPool, class_types: Iterable[str]) -> None:
    """Give a queue the current backends of a pool. New ones get jobs only after they have reported
    these node classes.
    """
    backends = pool.backends
    known = queue.backends
    for backend in backends:
        if backend not in known:
            backend.expect(class_types)
    queue.update_backends(backends, pool.trouble)
