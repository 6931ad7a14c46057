"""The cells of a sweep: each point with the current status of its job. Thread-safe."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.jobs.job import FINAL_PHASES, Job, JobSnapshot, Phase
from comfygradio.jobs.results import Result
from comfygradio.jobs.sweep_store import PointRecord
from comfygradio.sweeps.axes.axis import Index


@dataclass(frozen=True)
class Cell:
    """The current status of one point, and of the job that makes it.

    `values` are the fields that the axes change, as JSON. `token` is the secret of the job, ""
    before there is one. `seconds` is how long it took, `server` the address where it ran, and
    `is_reused` whether it belongs to another sweep. `rating` is -1 for rejected, 0 for none, or 1
    to 5 stars. `version` is that of the cell store when the cell last changed.
    """

    index: Index
    values: Mapping[str, Any] = field(default_factory=dict)
    phase: Phase = "waiting"
    token: str = ""
    results: tuple[Result, ...] = ()
    error: str = ""
    seconds: float = 0.0
    server: str = ""
    rating: int = 0
    is_reused: bool = False
    version: int = 0

    @property
    def is_over(self) -> bool:
        """Whether the status is final, unless somebody runs the point again."""
        return self.phase in FINAL_PHASES

    @property
    def lacks_files(self) -> bool:
        """Whether any of its files was deleted. Looks at the disk."""
        paths = [result.path for result in self.results if result.path is not None]
        there = [path for path in paths if path.exists()]
        return len(there) < len(paths)


@dataclass(frozen=True)
class Counts:
    """Point counts by status."""

    total: int = 0
    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    stopped: int = 0

    @property
    def over(self) -> int:
        """Number of points whose status is final."""
        return self.done + self.failed + self.stopped


class CellStore:
    """The cells of one sweep.

    `version` grows with every change. It begins above the versions of cell stores made earlier, so
    that whoever has seen one of those gets everything.
    """

    def __init__(self, cells: Iterable[Cell], clock: Clock = SYSTEM_CLOCK) -> None:
        self._version = int(clock.time() * 1000)
        self._cells: dict[Index, Cell] = {}
        self._counts: Counter[str] = Counter()
        for cell in cells:
            self._cells[cell.index] = replace(cell, version=self._version)
            self._counts[cell.phase] += 1
        # Held while a cell, the counts and the version change, so that they are seen together.
        self._lock = threading.Lock()
        self._listeners: set[Callable[[], None]] = set()

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._version

    @property
    def cells(self) -> dict[Index, Cell]:
        """All cells as they are now, in the order as typed."""
        with self._lock:
            return dict(self._cells)

    @property
    def counts(self) -> Counts:
        """Cell counts by status."""
        with self._lock:
            total = len(self._cells)
            # The phases are called like the fields of Counts.
            return Counts(total, **self._counts)

    def get(self, index: Index) -> Cell:
        """Return one cell. Raises KeyError."""
        return self._cells[index]

    def list_changes(self, since: int = -1) -> tuple[int, list[Cell]]:
        """Return the current version and the cells that changed after `since`; -1 lists all."""
        with self._lock:
            cells = self._cells.values()
            changed = [cell for cell in cells if cell.version > since]
            return self._version, changed

    def show_job(self, index: Index, job: Job, snapshot: JobSnapshot) -> None:
        """Show a job that waits or runs. Does nothing if the status is the same."""
        cell = self.get(index)
        phase = snapshot.shown_phase
        # A job tells each of its steps, of which the cell shows none.
        if cell.phase == phase and cell.token == job.token:
            return
        self._change(index, phase=phase, token=job.token)

    def show_end(self, index: Index, ended: PointRecord, is_reused: bool, rating: int) -> None:
        """Show the results of a job that has ended, just now or before a restart."""
        self._change(
            index,
            phase=ended.phase,
            token=ended.token,
            server=ended.server,
            is_reused=is_reused,
            results=ended.results,
            error=ended.error,
            seconds=ended.seconds,
            rating=rating,
        )

    def show_waiting(self, index: Index) -> None:
        """Show that the point waits for a new job."""
        self._change(
            index,
            phase="waiting",
            error="",
            results=(),
            token="",
        )

    def show_stopped(self, index: Index) -> None:
        """Show that the point will get no job."""
        self._change(index, phase="stopped")

    def show_refused(self, index: Index, error: str, rating: int) -> None:
        """Show that the point cannot have a job, because it is refused."""
        self._change(
            index,
            phase="failed",
            error=error,
            rating=rating,
        )

    def rate(self, index: Index, rating: int) -> None:
        """Show another rating."""
        self._change(index, rating=rating)

    def _change(self, index: Index, **changes: Any) -> None:
        """Change fields of a cell and call the listeners."""
        with self._lock:
            old = self._cells[index]
            self._version += 1
            new = replace(old, version=self._version, **changes)
            self._cells[index] = new
            self._counts[old.phase] -= 1
            self._counts[new.phase] += 1
        # Without the lock, since listeners read the cells.
        self._tell()

    def notify(self) -> None:
        """Call the listeners after a change outside the cells."""
        with self._lock:
            self._version += 1
        self._tell()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change, in the thread that makes it. Returns a function that
        ends that.
        """
        with self._lock:
            self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


def describe_end(job: Job, snapshot: JobSnapshot) -> PointRecord:
    """Describe a job that has ended in the way in which the job store will know it."""
    point = job.order.point
    return PointRecord(
        id=job.id,
        token=job.token,
        phase=snapshot.phase,
        error=snapshot.error,
        results=snapshot.results,
        seconds=measure_node_seconds(snapshot),
        server=job.backend_url,
        sweep=point.sweep if point else "",
        content_key=point.key if point else "",
    )


def measure_node_seconds(snapshot: JobSnapshot) -> float:
    """Measure the seconds that a job's nodes ran, without its time in the server's queue if that is
    known.
    """
    state = snapshot.state
    if state and state.node_seconds:
        return sum(state.node_seconds.values())
    return snapshot.seconds


class Observable:
    """Gives read access to a cell store and its changes."""

    _cells: CellStore

    @property
    def version(self) -> int:
        """Grows with every change of phase, reason or any cell."""
        return self._cells.version

    @property
    def cells(self) -> Mapping[Index, Cell]:
        """Every point as it is now, in the order as typed."""
        return self._cells.cells

    @property
    def counts(self) -> Counts:
        """Point counts by status."""
        return self._cells.counts

    def list_changes(self, since: int = -1) -> tuple[int, list[Cell]]:
        """Return the current version and the cells that changed after `since`; -1 lists all."""
        return self._cells.list_changes(since)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change, in any thread. Returns a function that ends that."""
        return self._cells.listen(listener)
