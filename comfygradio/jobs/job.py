"""Jobs: prompts that we run. The app owns them; any number of pages may watch one."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import NodeError
from comfygradio.jobs.results import Result

Phase = Literal["waiting", "running", "done", "failed", "stopped"]
"""Where a job stands. `running` begins when a worker submits the prompt, so it covers uploading and
waiting in the server's queue too; `JobSnapshot.shown_phase` does not.
"""

FINAL_PHASES: tuple[Phase, ...] = ("done", "failed", "stopped")


@dataclass(frozen=True)
class JobSnapshot:
    """The state of a job at one moment. `version` grows with every change; times are in seconds.

    `reason` says why a job waits, unless it is only waiting for its turn. `seconds` is how long the
    job has been running. Once it is over, it is how long the worker that ended it had it, uploads
    and downloads included; a restart of the app in between starts the count anew.
    """

    phase: Phase = "waiting"
    version: int = 0
    ahead: int = 0
    state: PromptProgress | None = None
    error: str = ""
    node_errors: tuple[NodeError, ...] = ()
    """The server's errors by node, if it rejected the prompt."""
    reason: str = ""
    results: tuple[Result, ...] = ()
    seconds: float = 0.0
    layout_notes: tuple[str, ...] = ()
    """What is to be told of the author's layout that the results carry, since the job was posted.
    """

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.phase in FINAL_PHASES

    @property
    def shown_phase(self) -> Phase:
        """The phase as people see it: a job that its server has not begun yet still waits."""
        if self.phase != "running":
            return self.phase
        if self.state is None or self.state.status in ("uploading", "queued"):
            return "waiting"
        return "running"


@dataclass(frozen=True)
class Point:
    """The point of a sweep that an order belongs to: the sweep's id, the position on each axis, and
    the content key.
    """

    sweep: str
    position: tuple[int, ...]
    key: str


@dataclass(frozen=True)
class Order:
    """What is to be run: a preset's prompt, the values it was filled with as JSON, and which of
    them are seeds.

    `point` is set for a point of a sweep. It is not stored with the order.
    """

    preset: str
    title: str
    prompt: Prompt
    values: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[str, ...] = ()
    point: Point | None = None


@dataclass(frozen=True)
class SubmissionRecord:
    """What is known about a job's prompt on a server.

    `backend_url` names the backend that had the job last, `may_exist` says whether that backend may
    know the prompt, and `accepted` whether it has accepted it. `losses` counts how often the job
    was lost. The server has run it since `running_since`, as far as this app has seen it.
    """

    backend_url: str = ""
    may_exist: bool = False
    accepted: bool = False
    losses: int = 0
    running_since: float | None = None


NOT_SUBMITTED = SubmissionRecord()


class Job:
    """An order being run. `id` is also the prompt's id. `token` is secret: whoever knows it may
    watch and stop the job.

    `owner` is the person the job belongs to; limits and turns are counted by `party` (the owner by
    default). `priority` is 0 for a single picture and 1 for a point of a sweep. `pinned_nodes`
    are added to the submitted graph only. The phase and the `submission` are changed by
    `job_event.transition`.
    """

    def __init__(
        self,
        order: Order,
        owner: str = "local",
        priority: int = 0,
        *,
        party: str = "",
        id: str = "",
        token: str = "",
        created: float | None = None,
        submission: SubmissionRecord = NOT_SUBMITTED,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.order = order
        self.owner = owner
        self.party = party or owner
        self.priority = priority
        self.id = id or str(uuid.uuid4())
        self.token = token or secrets.token_urlsafe(18)
        self.created = clock.time() if created is None else created
        self.client_id = uuid.uuid4().hex
        self.submission = submission
        self.pinned_nodes: Mapping[str, Any] = {}
        self.stop_requested = threading.Event()
        self._snapshot = JobSnapshot()
        self._lock = threading.Lock()
        self._listeners: set[Callable[[], None]] = set()

    @property
    def snapshot(self) -> JobSnapshot:
        """The current state."""
        # It is replaced as a whole and never changed, so that reading it needs no lock.
        return self._snapshot

    @property
    def backend_url(self) -> str:
        """The backend that had the job last; "" if none had it."""
        return self.submission.backend_url

    @property
    def may_exist(self) -> bool:
        """Whether that backend may know the prompt."""
        return self.submission.may_exist

    @property
    def accepted(self) -> bool:
        """Whether that backend has accepted the prompt."""
        return self.submission.accepted

    @property
    def losses(self) -> int:
        """How often the job was lost."""
        return self.submission.losses

    @property
    def running_since(self) -> float | None:
        """Since when the server runs the prompt, in seconds since 1970."""
        return self.submission.running_since

    @property
    def is_watched(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def update(self, **changes: Any) -> None:
        """Change fields of the snapshot and tell everybody who watches; callable from
        any thread.

        A change of the phase must be written to the job store first: see `job_event.transition`.
        """
        with self._lock:
            version = self._snapshot.version + 1
            self._snapshot = replace(self._snapshot, version=version, **changes)
        # Outside of the lock, since listeners read the job and may change it.
        self.notify()

    def notify(self) -> None:
        """Tell everybody who watches to look at the snapshot."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def stop(self) -> None:
        """Request a stop; the worker cancels the prompt within a quarter of a second."""
        self.stop_requested.set()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change, on the thread that made it. Returns a function that
        removes the listener.
        """
        with self._lock:
            self._listeners.add(listener)
        # `notify` calls a copy of the set, and so perhaps a listener that was just removed.
        return lambda: self._listeners.discard(listener)
