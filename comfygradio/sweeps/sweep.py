"""Sweeps: many points of one form, run by the job queue."""

from __future__ import annotations

import logging
import secrets
import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal, cast

from comfygradio.errors import ComfyGradioError, JobStoreError
from comfygradio.forms.form import Form
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Job, Phase
from comfygradio.jobs.sweep_store import PointRecord, SweepRecord
from comfygradio.sweeps.axes.axis import Axis, Index
from comfygradio.sweeps.cell_store import Cell, CellStore, Observable, describe_end
from comfygradio.sweeps.definition import Definition
from comfygradio.sweeps.dispatch import Dispatcher
from comfygradio.sweeps.input_copy import copy_files, find_folder
from comfygradio.sweeps.job_observer import JobObserver
from comfygradio.sweeps.planner.plan import Plan
from comfygradio.sweeps.planner.run_queue import Accepts, RunQueue, Task
from comfygradio.sweeps.point import build_order, describe_points
from comfygradio.sweeps.ratings import Ratings
from comfygradio.sweeps.requirements import Requirements
from comfygradio.sweeps.space import Space, resolve_definition
from comfygradio.sweeps.sweep_context import SweepContext
from comfygradio.sweeps.time_left import TimeLeft

SweepPhase = Literal["planned", "running", "paused", "done", "stopped"]
"""A sweep is done when no point waits or runs any more, those that failed included."""

INTERNAL_ERROR = (
    "Something went wrong in comfygradio itself, so that this comparison was paused; its log has "
    "the details."
)

log = logging.getLogger(__name__)


class Sweep(Observable):
    """One sweep, which the job queue asks for jobs. Thread-safe.

    `token` is secret: whoever knows it can watch and control the sweep. `definition` holds
    everything that was drawn or listed, so that it always gives the same sweep. `reason` is a
    sentence if the sweep cannot go on.
    """

    def __init__(
        self,
        context: SweepContext,
        space: Space,
        definition: Definition,
        owner: str = "local",
        record: SweepRecord | None = None,
        party: str = "",
    ) -> None:
        self._clock = context.queue.clock
        # A new sweep, or one out of the job store.
        self.phase: SweepPhase
        if record is None:
            self.id = str(uuid.uuid4())
            self.token = secrets.token_urlsafe(18)
            self.created = self._clock.time()
            self.phase = "planned"
        else:
            self.id = record.id
            self.token = record.token
            self.created = record.created
            self.phase = cast(SweepPhase, record.phase)
        self.owner = owner
        self.party = party or owner
        self.space = space
        self.definition = resolve_definition(definition, space, context.queue.outputs)
        self.reason = ""
        self._context = context
        cells = [Cell(index, values) for index, values in describe_points(space)]
        self._cells = CellStore(cells, self._clock)
        self._requirements = Requirements(space, lambda: context.queue.backends)
        self._dispatcher = Dispatcher(self._make_run_queue, self._requirements.accepts)
        self._observer = JobObserver(self._hear)
        self._reused: dict[Index, str] = {}
        self._ratings = Ratings(context.rows, owner)
        self._time_left = TimeLeft(self._clock)
        self._lock = threading.Lock()
        self._jobs_being_made = 0
        """Number of workers that may be making the job of a point, since the sweep ran when they
        asked.
        """

    @property
    def form(self) -> Form:
        """The form that all points fill."""
        return self.space.form

    @property
    def axes(self) -> tuple[Axis, ...]:
        """What the points differ in."""
        return self.space.axes

    @property
    def title(self) -> str:
        """What people see: the definition's title, else those of the axes."""
        if self.definition.title:
            return self.definition.title
        titles = [axis.title for axis in self.axes]
        return " × ".join(titles)

    @property
    def plan(self) -> Plan:
        """The order in which the missing points run, and its cost. Made when first asked for."""
        run_queue = self._dispatcher.prepare()
        return run_queue.plan

    @property
    def trouble(self) -> str:
        """Why the sweep does not go on though it should, in a sentence; "" if nothing is wrong."""
        if self.reason:
            return self.reason
        return self._context.queue.trouble if self.is_active else ""

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds until the end; None if it does not run or nothing is known yet."""
        counts = self.counts
        planned = self._dispatcher.estimate()
        if self.phase != "running":
            return None
        return self._time_left.estimate(counts.over, planned, self._dispatcher.share_left)

    @property
    def remaining(self) -> int:
        """Number of points that the job queue will still get."""
        if self.phase == "running":
            return self.counts.waiting
        return self._dispatcher.count_requests()

    @property
    def is_active(self) -> bool:
        """Whether any point runs, or will run by itself."""
        if self.is_posted:
            return True
        return self._has_points()

    @property
    def is_posted(self) -> bool:
        """Whether any point is on a server, or on its way there."""
        if self._observer.list_jobs():
            return True
        # A point that was taken before the sweep was paused or stopped still gets its job.
        is_halted = self.phase in ("paused", "stopped")
        return is_halted and self._jobs_being_made > 0

    def prepare(self) -> None:
        """Make the plan now. Raises ValuesRefused where the form refuses a point."""
        self._dispatcher.prepare()

    def start(self) -> None:
        """Start a planned sweep. From now on it is in the job store and survives a restart of the
        app.

        Raises JobStoreError.
        """
        with self._lock:
            if self.phase != "planned":
                return
            outputs = self._context.queue.outputs
            # People may change or delete their files before the last point runs.
            self.space = copy_files(self.space, find_folder(outputs, self.id))
            self.definition = resolve_definition(self.definition, self.space, outputs)
            counts = self.counts
            record = SweepRecord(
                id=self.id,
                token=self.token,
                owner=self.owner,
                preset=self.definition.preset,
                title=self.title,
                definition=self.definition.to_json(),
                phase="running",
                total=counts.total,
                done=counts.done,
                created=self.created,
                party=self.party if self.party != self.owner else "",
            )
            self._context.rows.add(record, self._reused)
            self.phase = "running"
        self.enqueue()

    def pause(self) -> None:
        """Start no more points; those that are posted go on. Raises JobStoreError."""
        self._change_phase(("running",), "paused")

    def resume(self) -> None:
        """Resume after a pause or a stop, or start a planned sweep.

        Stopped points, and points whose files were deleted, run again.
        """
        if self.phase == "planned":
            self.start()
            return
        self.reason = ""
        self._retry_all("stopped")
        for cell in self._cells.cells.values():
            if cell.phase == "done" and cell.lacks_files:
                self._run_again(cell.index)
        if self._change_phase(("paused", "stopped"), "running"):
            self.enqueue()
        elif self.is_posted:
            self._context.queue.start()

    def stop(self) -> None:
        """Stop the points that run, and start no more. Raises JobStoreError."""
        if self.phase == "planned":
            return
        # The phase first, so that no worker takes another point meanwhile.
        self._change_phase(("running", "paused"), "stopped")
        for index in self._dispatcher.cancel_requests():
            self._cells.show_stopped(index)
        self._observer.stop(self._context.queue, self.id)
        self._check_end()

    def retry(self, index: Index) -> None:
        """Run one point again, even if the sweep is paused, stopped or done. Does nothing if the
        point is done.
        """
        if self._cells.get(index).phase == "done":
            return
        # It runs already, or will run once the sweep is started.
        if index in self._observer or self.phase == "planned":
            return
        self._run_again(index)

    def retry_failed(self) -> int:
        """Run all failed points again. Returns how many."""
        return self._retry_all("failed")

    def rate(self, index: Index, rating: int) -> None:
        """Rate a point that is done: -1 rejects it, 0 removes the rating, 1 to 5 are stars.

        The rating belongs to the content and stays for ever. Raises JobStoreError.
        """
        if self._cells.get(index).phase != "done":
            return
        if self._ratings.rate(index, rating):
            self._cells.rate(index, rating)

    def take(self, backend: Backend, warm: bool) -> Job | None:
        """Take the next job for a backend; the job queue calls this."""
        with self._lock:
            is_running = self.phase == "running"
            if is_running:
                self._jobs_being_made += 1
        try:
            return self._take(backend, warm, is_running)
        except Exception as error:
            # The worker that asks serves other people too, and must not end with this sweep.
            log.exception("the sweep %s cannot go on", self.id)
            self.reason = str(error) if isinstance(error, ComfyGradioError) else INTERNAL_ERROR
            self.phase = "paused"
            self._cells.notify()
        finally:
            if is_running:
                self._finish_making_job()
        return None

    def _finish_making_job(self) -> None:
        """Count down once a worker has its job or there is none; notify watchers of a halted
        sweep.
        """
        with self._lock:
            self._jobs_being_made -= 1
        if self.phase in ("paused", "stopped"):
            self._cells.notify()

    def release_backend(self, backend: Backend) -> None:
        """Release the points of a backend that does not answer, so that others can run them."""
        self._dispatcher.release_backend(backend.url)

    def restore(self, found: Mapping[Index, PointRecord]) -> None:
        """Restore points that the job store knows, from other sweeps or from this one before a
        restart.
        """
        for index, point in found.items():
            if point.phase in ("waiting", "running"):
                self._follow_again(index, point)
            elif self._is_wanted(point):
                self._show_again(index, point)

    def enqueue(self) -> None:
        """Attach the sweep to the job queue, while it has points to run."""
        if self.phase == "running":
            # Measured from here: what was done before took none of this time.
            self._time_left.begin(self.counts.over, self._dispatcher.share_left)
            self._context.queue.attach(self)
        self._check_end()

    def _make_run_queue(self, accepts: Accepts) -> RunQueue:
        todo = []
        for index, cell in self._cells.cells.items():
            if cell.phase == "waiting" and index not in self._observer:
                todo.append(index)
        plan = self._context.make_plan(self.space, self.definition.carry, todo)
        return RunQueue(plan, accepts)

    def _take(self, backend: Backend, warm: bool, is_running: bool) -> Job | None:
        while True:
            task = self._dispatcher.take(backend.url, warm, is_running)
            if task is None:
                break
            job = self._begin(task)
            if job is None:
                continue  # this point failed; the next one may not
            if is_running and self.phase == "stopped":
                job.stop()  # somebody has stopped the sweep since the point was taken
            return job
        self._explain_halt()
        return None

    def _follow_again(self, index: Index, point: PointRecord) -> None:
        job = self._context.queue.find(point.token)
        if job is None:
            return
        self._ratings.set_content_key(index, point.content_key)
        self._reused[index] = point.id
        self._observer.observe(index, job)

    def _is_wanted(self, point: PointRecord) -> bool:
        """Whether a point that ended stays as it is. Looks at the disk.

        A point whose files are gone runs again if the sweep is running or may still start.
        """
        if point.phase != "done" or point.has_files:
            return True
        return self.phase not in ("planned", "running")

    def _show_again(self, index: Index, point: PointRecord) -> None:
        self._ratings.set_content_key(index, point.content_key)
        self._reused[index] = point.id
        is_reused = point.sweep != self.id
        rating = self._ratings.get(index)
        self._cells.show_end(index, point, is_reused, rating)

    def _run_again(self, index: Index) -> None:
        self._dispatcher.request(index)
        self._cells.show_waiting(index)
        self._context.queue.attach(self)

    def _retry_all(self, phase: Phase) -> int:
        cells = self._cells.cells.values()
        found = [cell.index for cell in cells if cell.phase == phase]
        for index in found:
            self.retry(index)
        return len(found)

    def _begin(self, task: Task) -> Job | None:
        """Create the job of a point. Returns None if the point is refused."""
        index = task.index
        try:
            order = build_order(self.space, self.id, index)
            self._context.check_limits(self.form, order.prompt.graph)
        except ComfyGradioError as error:
            self._dispatcher.finish(index, None)
            rating = self._ratings.get(index)
            self._cells.show_refused(index, str(error), rating)
            self._check_end()
            return None
        job = Job(order, self.owner, priority=1, party=self.party, clock=self._clock)
        job.pinned_nodes = task.pinned_nodes
        key = order.point.key if order.point else ""
        self._ratings.set_content_key(index, key)
        # Before it is settled, or the point would for a moment be neither requested nor posted.
        self._observer.observe(index, job)
        self._dispatcher.settle(index)
        return job

    def _explain_halt(self) -> None:
        """Explain why nothing runs although points wait, if no server has what they need."""
        if self.phase != "running" or self.is_posted:
            return
        waiting = self._find_waiting()
        reason = self._requirements.explain(waiting)
        if reason != self.reason:
            self.reason = reason
            self._cells.notify()

    def _find_waiting(self) -> Index | None:
        for cell in self._cells.cells.values():
            if cell.phase == "waiting":
                return cell.index
        return None

    def _hear(self, index: Index, job: Job) -> None:
        snapshot = job.snapshot
        if not snapshot.is_over:
            self._cells.show_job(index, job, snapshot)
            return
        ended = describe_end(job, snapshot)
        # Only a point that is done tells how fast a server is.
        seconds = ended.seconds if ended.phase == "done" else None
        self._dispatcher.finish(index, seconds)
        rating = self._ratings.get(index)
        self._cells.show_end(index, ended, is_reused=False, rating=rating)
        self._check_end()

    def _check_end(self) -> None:
        """Mark the sweep as done when every point is over, and detach it from the queue when no
        point is left.
        """
        counts = self.counts
        if counts.over == counts.total:
            # The phase changes all the same; when the sweep is read back, all its points are over.
            with suppress(JobStoreError):
                self._change_phase(("running", "paused"), "done")
        if not self._has_points():
            self._context.queue.detach(self)
            if self._has_points():  # somebody went on meanwhile
                self._context.queue.attach(self)

    def _has_points(self) -> bool:
        if self.phase == "running":
            return True
        return self._dispatcher.count_requests() > 0

    def _change_phase(self, before: tuple[SweepPhase, ...], phase: SweepPhase) -> bool:
        """Change the phase, if it is one of those `before`. Returns whether it was.

        The phase also changes if this raises JobStoreError.
        """
        with self._lock:
            if self.phase not in before:
                return False
            self.phase = phase
        ended = self._clock.time() if phase in ("done", "stopped") else None
        try:
            self._context.rows.change(self.id, phase, self.counts.done, ended)
        finally:
            self._cells.notify()
        return True
