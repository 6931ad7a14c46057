"""Placement: which of the current backends a job should run on.

A job whose prompt may still be on a backend is kept for that one, for at most 60 seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Job

MODEL_SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".gguf", ".bin", ".onnx")

AFFINITY_SECONDS = 60.0
"""How long a job waits for the backend that may hold its prompt before another one may run it."""


@dataclass(frozen=True)
class Placement:
    """All backends at one moment, and the busy ones: those that hold a prompt of ours."""

    backends: Collection[Backend]
    busy: Collection[Backend]

    def is_rejected_everywhere(self, graph: Mapping[str, Any]) -> bool:
        """Whether no backend can run a graph."""
        reasons = (backend.explain_rejection(graph) for backend in self.backends)
        return all(reasons)

    def has_better(self, job: Job, backend: Backend) -> bool:
        """True if another backend should run the job instead.

        A busy backend leaves the job to any idle one that can run it; an idle backend leaves it
        only to an idle one whose last job used the same models. No job ever waits for a busy
        backend.
        """
        # It belongs to the backend that may have its prompt; see `Affinity`.
        if job.may_exist:
            return False
        graph = job.order.prompt.graph
        if backend in self.busy:
            return any(self._find_idle(backend, graph))
        # Without models this is empty, and then every backend has all of them.
        wanted = find_models(graph)
        if wanted <= backend.models:
            return False
        return any(wanted <= other.models for other in self._find_idle(backend, graph))

    def _find_idle(self, backend: Backend, graph: Mapping[str, Any]) -> Iterator[Backend]:
        """The other idle backends that can run a graph."""
        for other in self.backends:
            if other is backend or other in self.busy:
                continue
            if not other.trouble and not other.explain_rejection(graph):
                yield other


class Affinity:
    """Jobs that may already have a prompt on some backend. Not thread-safe: the queue that owns it
    holds a lock.

    With `may_grow`, a job also waits for a backend that is not there yet; otherwise only for one in
    the current list.
    """

    def __init__(self, seconds: float, may_grow: bool, clock: Clock = SYSTEM_CLOCK) -> None:
        self._seconds = seconds
        self._clock = clock
        self._may_grow = may_grow
        self._since: dict[str, float] = {}
        self._departed: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._since)

    def hold(self, job: Job) -> None:
        """Start the time for which the job is kept for its backend."""
        now = self._clock.monotonic()
        self._since[job.id] = now

    def forget(self, job: Job) -> None:
        """Stop tracking a job that is over."""
        self._since.pop(job.id, None)

    def update_backends(self, before: Iterable[Backend], after: Collection[Backend]) -> None:
        """Note which backends departed and which came back; jobs no longer wait for one that
        departed.
        """
        for backend in before:
            self._departed.add(backend.url)
        for backend in after:
            self._departed.discard(backend.url)

    def must_wait(self, job: Job, backend: Backend, backends: Collection[Backend]) -> bool:
        """True if this backend must leave the job to the one that may hold its prompt."""
        wanted = job.backend_url
        if not job.may_exist or not wanted or wanted == backend.url:
            return False
        if self._is_over(job):
            return False
        # This app has not seen that backend yet; after a restart it may join at any moment.
        if self._may_grow and wanted not in self._departed:
            return True
        return any(other.url == wanted for other in backends)

    def _is_over(self, job: Job) -> bool:
        """Whether the time for which a job is kept for its backend has run out."""
        since = self._since.get(job.id)
        if since is None:
            return True
        waited = self._clock.monotonic() - since
        return waited >= self._seconds


def find_models(graph: Mapping[str, Any]) -> frozenset[str]:
    """The model files that a graph names; loading them takes a server seconds."""
    found = set()
    for node in graph.values():
        for value in node["inputs"].values():
            if isinstance(value, str) and value.lower().endswith(MODEL_SUFFIXES):
                found.add(value)
    return frozenset(found)
