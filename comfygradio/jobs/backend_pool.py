"""The seam to many machines: an engine gives the backends that jobs run on.

Which one it is, only its maker knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.backend_client import BackendClient
from comfygradio.jobs.job_queue import JobQueue


class BackendPool(Protocol):
    """Backends, which may come and go while it is open. Thread-safe."""

    @property
    def backends(self) -> Sequence[Backend]:
        """Those that are there now; one that is gone for good is not, one in trouble is."""
        ...

    @property
    def may_grow(self) -> bool:
        """Whether backends that are not there now may come."""
        ...

    @property
    def trouble(self) -> str:
        """Why no backends come, in a sentence; "" where nothing is wrong."""
        ...

    @property
    def client(self) -> BackendClient:
        """Whichever backend answers, for questions that any of them can answer."""
        ...

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` after backends came or went, or got well again, from a thread of the
        engine's.
        """
        ...

    def close(self) -> None:
        """Let go of all backends; callable twice."""
        ...


class StaticBackends:
    """The engine for servers that this process reaches itself: each is a backend for as long as the
    app runs.
    """

    trouble = ""
    may_grow = False

    def __init__(self, clients: Sequence[BackendClient], clock: Clock = SYSTEM_CLOCK) -> None:
        self.client = clients[0]
        self.backends = tuple(Backend(client, clock) for client in clients)

    def watch(self, changed: Callable[[], None]) -> None:
        """Nothing comes or goes here."""

    def close(self) -> None:
        """Close the clients' connections."""
        for lane in self.backends:
            lane.client.close()


def update_backends(queue: JobQueue, engine: BackendPool, class_types: Iterable[str]) -> None:
    """Let a queue work on the backends that an engine has now; new ones tell first what they have
    of these classes.
    """
    lanes = engine.backends
    known = queue.lanes
    for lane in lanes:
        if lane not in known:
            lane.expect(class_types)
    queue.update_backends(lanes, engine.trouble)
