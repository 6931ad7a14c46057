"""What all sweeps of an app share: the job queue, the job store, and how plans are made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.forms.form import Form
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.sweep_store import SweepStore
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.cache_pinning import DEFAULT_CACHE_GIGABYTES, PinningLimits
from comfygradio.sweeps.planner.plan import Plan, plan_sweep
from comfygradio.sweeps.space import Space

MEMORY_SHARE = 0.6
"""Of a backend's RAM, for what it keeps for later points; the rest is for the point that runs."""


@dataclass(frozen=True)
class SweepContext:
    """The job queue, the rows of sweeps in its job store, and the check of limits.

    `check_limits` raises ValuesRefused or LimitReached for a graph that asks for too much.
    """

    queue: JobQueue
    rows: SweepStore
    check_limits: Callable[[Form, Mapping[str, Any]], None] = lambda form, graph: None

    def make_plan(self, space: Space, carry: bool, todo: Collection[Index]) -> Plan:
        """Plan these points on the queue's backends, with the times that nodes took so far."""
        times = self.queue.store.read_times(space.form.name)
        backends = max(1, len(self.queue.backends))
        limits = PinningLimits(carry, self._measure_memory())
        return plan_sweep(
            space,
            space.form.object_info,
            times.estimate,
            backends=backends,
            limits=limits,
            todo=frozenset(todo),
        )

    def _measure_memory(self) -> float:
        """Measure the gigabytes that kept results may take on every backend."""
        known = []
        for backend in self.queue.backends:
            memory = backend.measure_memory()
            if memory:
                known.append(memory)
        if not known:
            return DEFAULT_CACHE_GIGABYTES
        # One plan serves all backends, so that the smallest decides.
        return min(known) * MEMORY_SHARE
