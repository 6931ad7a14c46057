"""Starts the sweeps of an app, finds them by token, and resumes them after a crash."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from comfygradio.errors import ComfyGradioError, JobStoreError, LimitReached, ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.sweep_store import PointRecord, SweepRecord, SweepStore
from comfygradio.sweeps.axes.axis import Index, move_point
from comfygradio.sweeps.definition import Definition, load_definition
from comfygradio.sweeps.input_copy import delete_folders, find_folder
from comfygradio.sweeps.point import build_key
from comfygradio.sweeps.space import Space, build_space
from comfygradio.sweeps.sweep import Sweep
from comfygradio.sweeps.sweep_context import SweepContext

PLAN_TTL_SECONDS = 3600.0
"""How long a sweep that is only planned is remembered."""

MAX_IDLE_SWEEPS = 60
"""Sweeps in memory that do not run; the job store knows those that were begun."""

LOCAL_OWNER = "local"
"""Who uses the command line or Python."""

MAX_PLANS_PER_PERSON = 1
"""Plans of one person that are remembered: a page has one, which the next one replaces."""

MAX_PLANNED_POINTS = 30_000
"""Points of all plans that are remembered, 5 kB each; the oldest are forgotten and planned again
where they are begun.
"""

MAX_PARALLEL_PLANS = 2
"""Sweeps that are planned at the same time; others wait, so that no crowd holds up everybody."""

MAX_OPEN_SWEEPS = 20
"""Sweeps of one login, or of one network address, that are not over."""

log = logging.getLogger(__name__)


def allow_all(form: Form, graph: Mapping[str, Any]) -> None:
    """Accept every graph; the default limit check."""


class SweepRegistry:
    """All sweeps of one job queue and its job store. Thread-safe.

    `find_form` finds the form of a preset by name, or raises PresetError. `refuse` raises
    ValuesRefused or LimitReached for a graph that asks for too much.
    """

    def __init__(
        self,
        queue: JobQueue,
        find_form: Callable[[str], Form],
        refuse: Callable[[Form, Mapping[str, Any]], None] = allow_all,
    ) -> None:
        rows = SweepStore(queue.store)
        self._context = SweepContext(queue, rows, refuse)
        self._find_form = find_form
        self._sweeps: OrderedDict[str, Sweep] = OrderedDict()
        self._used: dict[str, float] = {}
        # Reentrant: `find` and `start_planned` hold it while they call what takes it again.
        self._lock = threading.RLock()
        self._planning = threading.BoundedSemaphore(MAX_PARALLEL_PLANS)

    def plan(
        self,
        definition: Definition | Mapping[str, Any],
        owner: str = "local",
        root: Path | None = None,
        is_confined: bool = True,
        party: str = "",
    ) -> Sweep:
        """Plan a sweep without starting it: nothing is stored, nothing runs.

        `find` finds it for an hour, or until this person plans another one. Points that this person
        has done in any sweep are done in it. Files can be named below `root`; anywhere if not
        `is_confined`; not at all without a root. `party` is whom limits and turns count for, the
        owner if "". Raises DefinitionError, AxisError, ValuesRefused, PresetError, LimitReached and
        JobStoreError.
        """
        if not isinstance(definition, Definition):
            definition = load_definition(definition)
        with self._planning:
            form = self._find_form(definition.preset)
            space = build_space(form, definition, root, is_confined)
            self._check_limits(space)
            # Before the new plan is made, which takes as much memory.
            self._forget_plans(owner, len(space))
            sweep = Sweep(self._context, space, definition, owner, party=party)
            done = self._find_points(space, owner)
            sweep.restore(done)
            sweep.prepare()
            self._remember(sweep)
        return sweep

    def start(
        self,
        definition: Definition | Mapping[str, Any],
        owner: str = "local",
        root: Path | None = None,
        is_confined: bool = True,
        party: str = "",
    ) -> Sweep:
        """Plan a sweep and start it; see `plan`. Also raises LimitReached if this party has too
        many open ones.
        """
        self._check_count(owner, party or owner)
        sweep = self.plan(definition, owner, root, is_confined, party)
        return self.start_planned(sweep)

    def start_planned(self, sweep: Sweep) -> Sweep:
        """Start a sweep that was planned here.

        Raises LimitReached if this party has too many open ones, and JobStoreError.
        """
        with self._lock:  # so that no other plan takes its place meanwhile
            self._check_count(sweep.owner, sweep.party)
            self._sweeps[sweep.token] = sweep
            self._used[sweep.token] = self._read_clock()
            sweep.start()
        return sweep

    def find(self, token: str) -> Sweep | None:
        """Find the sweep with this secret token, or None. It is loaded from the job store if it is
        not in memory.

        Raises PresetError, AxisError or ValuesRefused if its form is gone or refuses its values.
        """
        with self._lock:
            sweep = self._sweeps.get(token)
            if sweep is None:
                record = self._context.rows.find(token)
                if record is None:
                    return None
                sweep = self._read_back(record)
            self._used[token] = self._read_clock()
            self._sweeps.move_to_end(token)
            return sweep

    def list_sweeps(self, owner: str, limit: int = 100) -> Sequence[SweepRecord]:
        """List the sweeps that a person started, newest first, with their current status."""
        records = self._context.rows.list_sweeps(owner, limit)
        return [self._renew(record) for record in records]

    def delete(self, token: str) -> None:
        """Stop and delete a sweep; its jobs and pictures stay.

        Does nothing for an unknown token. Raises JobStoreError.
        """
        with self._lock:
            sweep = self._sweeps.get(token)
            record = self._context.rows.find(token)
        if sweep is not None:
            sweep.stop()
        if record is not None:
            self._context.rows.delete(record.id)
        with self._lock:  # only now, or whoever asks for it meanwhile would read it back, running
            self._forget(token)
        if record is not None:
            self._drop_folders()

    def resume(self) -> None:
        """Resume every sweep that ran when the app ended. A sweep whose form is missing stays as it
        is.

        Can be called again.
        """
        self._drop_folders()
        for record in self._context.rows.list_running():
            try:
                self.find(record.token)
            except JobStoreError:
                # Without the job store no other sweep can go on either.
                raise
            except ComfyGradioError as error:
                log.warning("the sweep %s cannot go on: %s", record.title, error)

    def _check_count(self, owner: str, party: str) -> None:
        """Raise LimitReached if a party has too many open sweeps."""
        # The command line and Python have no limit.
        if owner == LOCAL_OWNER:
            return
        # A party is a login, else a network address, since a browser can have any number of ids.
        with self._lock:
            begun = [one for one in self._sweeps.values() if one.phase != "planned"]
            mine = [one for one in begun if one.party == party]
            open_ones = [one for one in mine if one.is_active or one.phase == "paused"]
        count = len(open_ones)
        if count >= MAX_OPEN_SWEEPS:
            whose = "Your network address has" if party.startswith("net:") else "You have"
            raise LimitReached(
                f"{whose} {count} comparisons that are not over; wait for one of them, or stop it."
            )

    def _forget_plans(self, owner: str, points: int) -> None:
        """Make room for a plan: the person's last one is forgotten, then the oldest of others."""
        with self._lock:
            plans = []
            for one in self._sweeps.values():
                if one.phase == "planned" and one.owner != LOCAL_OWNER:
                    plans.append(one)
            own = [one for one in plans if one.owner == owner]
            too_many = max(0, len(own) - MAX_PLANS_PER_PERSON + 1)
            gone = own[:too_many]
            kept = [one for one in plans if one not in gone]
            used = points
            for one in kept:
                used += one.counts.total
            for one in kept:
                if used <= MAX_PLANNED_POINTS:
                    break
                gone.append(one)
                used -= one.counts.total
            for one in gone:
                self._forget(one.token)

    def _check_limits(self, space: Space) -> None:
        """Raise LimitReached for too many points, and what `refuse` raises for a position."""
        limits = self._context.queue.limits
        most = limits.sweep_points
        if most == 0:
            raise LimitReached("Comparisons are not possible here.")
        if len(space) > most:
            raise LimitReached(
                f"These are {len(space):,} points; at most {most:,} are allowed here."
            )
        if limits.megapixels is None and limits.steps is None:
            return
        first = tuple(0 for _ in space.axes)
        # Each position once, the other axes at their first: what only a combination exceeds is
        # refused when its job is made.
        for number, size in enumerate(space.sizes):
            for position in range(size):
                index = move_point(first, number, position)
                prompt = space.prompt(index)
                self._context.check_limits(space.form, prompt.graph)

    def _find_points(self, space: Space, owner: str) -> dict[Index, PointRecord]:
        """Find the points that a person has done already, or that run in another sweep, by their
        content.
        """
        form = space.form
        rows = self._context.rows
        # To know a point its whole prompt has to be built, which is slow, and needless where
        # nothing has run yet.
        running = rows.find_open(owner, form.name)
        if not running and not rows.has_points(owner, form.name):
            return {}
        keys: dict[Index, str] = {}
        for index in space:
            values = space.values(index)
            with suppress(ValuesRefused):
                checked = form.check(values)
                keys[index] = build_key(form, checked)
        different = list(dict.fromkeys(keys.values()))
        known = running | rows.find_points(owner, form.name, different)
        found = {}
        for index, key in keys.items():
            if key in known:
                found[index] = known[key]
        return found

    def _read_back(self, record: SweepRecord) -> Sweep:
        """Load a sweep from the job store, with its cells. It goes on if it ran."""
        definition = load_definition(record.definition)
        form = self._find_form(record.preset)
        space = build_space(form, definition, self._context.queue.outputs)
        sweep = Sweep(self._context, space, definition, record.owner, record, record.party)
        # A form that lists other choices than then may give the axes fewer positions.
        places = set(space)
        found = self._context.rows.list_cells(record.id)
        still_there = {index: point for index, point in found.items() if index in places}
        sweep.restore(still_there)
        self._remember(sweep)
        sweep.enqueue()
        return sweep

    def _renew(self, record: SweepRecord) -> SweepRecord:
        sweep = self._sweeps.get(record.token)
        if sweep is None:
            return record
        return replace(record, phase=sweep.phase, done=sweep.counts.done)

    def _remember(self, sweep: Sweep) -> None:
        with self._lock:
            now = self._read_clock()
            self._sweeps[sweep.token] = sweep
            self._used[sweep.token] = now
            # The dict begins with the sweeps that were asked for longest ago.
            idle = []
            for one in self._sweeps.values():
                if one is not sweep and not one.is_active:
                    idle.append(one)
            oldest = now - PLAN_TTL_SECONDS
            old = [one for one in idle if self._used[one.token] < oldest]
            too_many = max(0, len(idle) - MAX_IDLE_SWEEPS)
            for one in [*old, *idle[:too_many]]:
                self._forget(one.token)

    def _read_clock(self) -> float:
        return self._context.queue.clock.monotonic()

    def _forget(self, token: str) -> None:
        """Forget a sweep. The lock must be held."""
        self._sweeps.pop(token, None)
        self._used.pop(token, None)

    def _drop_folders(self) -> None:
        outputs = self._context.queue.outputs
        if not find_folder(outputs).is_dir():
            return
        begun = {sweep.id for sweep in self._sweeps.copy().values()}
        needed = begun | self._context.rows.list_ids()
        delete_folders(outputs, needed)
