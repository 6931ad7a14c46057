"""The desk: what all sweeps of an app work with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.forms.form import Form
from comfygradio.jobs.queue import JobQueue
from comfygradio.jobs.sweep_rows import SweepRows
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planning.carry import MEMORY, Limits
from comfygradio.sweeps.planning.plan import Plan, plan_sweep
from comfygradio.sweeps.planning.space import Space

PART_OF_MEMORY = 0.6
"""Of a server's RAM, for what it keeps for later points; the rest is for the point that runs."""


@dataclass(frozen=True)
class Desk:
    """The queue, the rows of sweeps in its ledger, and what refuses a graph that asks for too much.

    `refuse` raises ValuesRefused or LimitReached.
    """

    queue: JobQueue
    rows: SweepRows
    refuse: Callable[[Form, Mapping[str, Any]], None] = lambda form, graph: None

    def make_plan(self, space: Space, carry: bool, todo: Collection[Index]) -> Plan:
        """The order of these points on the queue's servers, by the times that nodes
        took until now.
        """
        times = self.queue.ledger.read_times(space.form.name)
        lanes = max(1, len(self.queue.lanes))
        limits = Limits(carry, self._measure_memory())
        return plan_sweep(
            space,
            space.form.object_info,
            times.estimate,
            lanes=lanes,
            limits=limits,
            todo=frozenset(todo),
        )

    def _measure_memory(self) -> float:
        """Gigabytes that kept results may take on every server."""
        known = []
        for lane in self.queue.lanes:
            memory = lane.measure_memory()
            if memory:
                known.append(memory)
        if not known:
            return MEMORY
        return min(known) * PART_OF_MEMORY
