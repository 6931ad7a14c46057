"""A backend: one ComfyUI server that jobs run on, with its capabilities and its health."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Link
from comfygradio.errors import ComfyGradioError, ServerError
from comfygradio.jobs.backend_client import BackendClient

MAX_SUBMITTED = 2
"""Prompts submitted to one backend at a time: one runs and one waits, so the GPU never idles."""

RETRY_SECONDS = 1.0
"""Seconds between two checks of a backend that does not respond."""

CAPABILITIES_UNKNOWN = "It has not reported its node classes yet."


@dataclass(frozen=True)
class BackendStatus:
    """The state of a backend: whether it responds, why not, its system stats, and how many of our
    prompts it holds.
    """

    url: str
    is_up: bool
    trouble: str
    running: int
    remaining: int | None = None
    stats: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Capabilities:
    """The combined capabilities of several backends, and the errors of those that failed."""

    object_info: ObjectInfo
    embeddings: tuple[str, ...]
    errors: tuple[ComfyGradioError, ...]


class Backend:
    """One server. Thread-safe; its workers belong to the queue."""

    def __init__(self, client: BackendClient, clock: Clock = SYSTEM_CLOCK) -> None:
        self.client = client
        self._clock = clock
        self.url = client.url
        self._lock = threading.Lock()
        self.submit_lock = threading.Lock()
        """Held by the worker that is submitting a job, so that jobs arrive in order."""
        self._object_info = ObjectInfo({})
        self._classes: tuple[str, ...] = ()
        self._trouble = ""
        self.capabilities_version = 0
        """Number of capability refreshes; used as a cache key."""
        self._looked_at = float("-inf")
        self._memory: float | None = None
        self.models: frozenset[str] = frozenset()
        """Model files of the last job that had any; probably still loaded."""

    @property
    def trouble(self) -> str:
        """Why the backend gets no jobs at the moment, in a sentence; "" while it is healthy."""
        return self._trouble

    def expect(self, class_types: Iterable[str]) -> None:
        """Give the backend no jobs until it has reported these node classes."""
        with self._lock:
            self._classes = tuple(sorted(class_types))
            self._trouble = CAPABILITIES_UNKNOWN
            # The next `revive` asks at once.
            self._looked_at = float("-inf")

    def refresh(self, class_types: Iterable[str]) -> ObjectInfo:
        """Fetch the definitions of these node classes and keep them.

        Raises ServerError.
        """
        self._classes = tuple(sorted(class_types))
        found = ObjectInfo({})
        try:
            if self._classes:  # without a name the server would return every class
                found = self.client.object_info(*self._classes)
        except ServerError as error:
            self.fail(error)
            raise
        with self._lock:
            self._object_info = found
            self._trouble = ""
            self.capabilities_version += 1
        return found

    def measure_memory(self) -> float | None:
        """The server's RAM in gigabytes, fetched once; None while it is unknown."""
        if self._memory is None and not self._trouble:
            with suppress(ComfyGradioError):
                stats = self.client.system_stats()
                self._memory = _find_memory(stats)
        return self._memory

    def explain_rejection(self, graph: Mapping[str, Any]) -> str:
        """Why this backend cannot run a graph (a missing class or file), in a sentence; "" if it
        can.

        A backend whose capabilities are not known yet accepts every graph.
        """
        known = self._object_info
        if not known.nodes:
            return ""
        reasons = _find_lacking(graph, known)
        return next(reasons, "")

    def fail(self, error: ServerError) -> None:
        """Mark the backend as failed: it gets no jobs until it responds again."""
        with self._lock:
            self._trouble = str(error)
            self._looked_at = self._clock.monotonic()

    def revive(self) -> bool:
        """Whether the backend is healthy. A failed one is checked again, at most once a second."""
        with self._lock:
            if not self._trouble:
                return True
            now = self._clock.monotonic()
            if now - self._looked_at < RETRY_SECONDS:
                return False
            # This is set before the lock is released, so
            # that only one of the backend's workers asks.
            self._looked_at = now
        try:
            self.client.queue_remaining()
            self.refresh(self._classes)
        except ComfyGradioError:
            return False
        return True

    def fetch_status(self, running: int) -> BackendStatus:
        """Ask the server for its current state."""
        try:
            remaining = self.client.queue_remaining()
            stats = self.client.system_stats()
        except ComfyGradioError as error:
            return BackendStatus(self.url, False, str(error), running)
        return BackendStatus(self.url, True, "", running, remaining, stats)


def refresh_all(backends: Iterable[Backend], class_types: Iterable[str]) -> Capabilities:
    """Refresh every backend and merge what they have; one that fails is skipped."""
    classes = tuple(class_types)
    object_info = ObjectInfo({})
    embeddings: dict[str, None] = {}
    errors: list[ComfyGradioError] = []
    for backend in backends:
        try:
            found = backend.refresh(classes)
            object_info = object_info.merge(found)
            if classes:
                names = backend.client.embeddings()
                embeddings |= dict.fromkeys(names)
        except ComfyGradioError as error:
            errors.append(error)
    return Capabilities(object_info, tuple(embeddings), tuple(errors))


def _find_memory(stats: Mapping[str, Any]) -> float | None:
    system = stats.get("system")
    if not isinstance(system, dict):
        return None
    total = system.get("ram_total")
    if not isinstance(total, int) or total <= 0:
        return None
    return total / 1e9


def _find_lacking(graph: Mapping[str, Any], known: ObjectInfo) -> Iterator[str]:
    """Why no server with these definitions can run a graph, a sentence for each reason."""
    for node in graph.values():
        name = str(node.get("class_type"))
        definition = known.get(name)
        if definition is None:
            yield f"it has no node class {name}."
            continue
        if definition.needs_api_key and known.has_key is False:
            yield f"{name} wants an API key, which is not given there."
        inputs = node["inputs"]
        for name_of_input in definition.inputs:
            spec = known.spec(name, name_of_input, inputs)
            if spec is not None and _lacks_choice(spec, inputs.get(spec.name)):
                yield f"it does not have {inputs[spec.name]}."


def _lacks_choice(spec: InputSpec, value: Any) -> bool:
    """Whether a value is missing among the choices of an input that has a fixed list of them."""
    # Uploaded files and remote choices need not be in the list that was fetched.
    if spec.choices is None or spec.media or spec.options.get("remote"):
        return False
    if value is None or isinstance(value, dict) or Link.parse(value):
        return False
    return value not in spec.choices
