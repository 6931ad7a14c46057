"""The seam to many machines: an engine gives the lanes that jobs run on.

Which one it is, only its maker knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.jobs.lane import Lane
from comfygradio.jobs.lane_client import LaneClient
from comfygradio.jobs.queue import JobQueue


class Engine(Protocol):
    """Lanes, which may come and go while it is open. Thread-safe."""

    @property
    def lanes(self) -> Sequence[Lane]:
        """Those that are there now; one that is gone for good is not, one in trouble is."""
        ...

    @property
    def may_grow(self) -> bool:
        """Whether lanes that are not there now may come."""
        ...

    @property
    def trouble(self) -> str:
        """Why no lanes come, in a sentence; "" where nothing is wrong."""
        ...

    @property
    def client(self) -> LaneClient:
        """Whichever lane answers, for questions that any of them can answer."""
        ...

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` after lanes came or went, or got well again, from a thread of the
        engine's.
        """
        ...

    def close(self) -> None:
        """Let go of all lanes; callable twice."""
        ...


class ServerList:
    """The engine for servers that this process reaches itself: each is a lane for as long as the
    app runs.
    """

    trouble = ""
    may_grow = False

    def __init__(self, clients: Sequence[LaneClient], clock: Clock = SYSTEM_CLOCK) -> None:
        self.client = clients[0]
        self.lanes = tuple(Lane(client, clock) for client in clients)

    def watch(self, changed: Callable[[], None]) -> None:
        """Nothing comes or goes here."""

    def close(self) -> None:
        """Close the clients' connections."""
        for lane in self.lanes:
            lane.client.close()


def renew_lanes(queue: JobQueue, engine: Engine, class_types: Iterable[str]) -> None:
    """Let a queue work on the lanes that an engine has now; new ones tell first what they have of
    these classes.
    """
    lanes = engine.lanes
    known = queue.lanes
    for lane in lanes:
        if lane not in known:
            lane.expect(class_types)
    queue.renew(lanes, engine.trouble)
