"""Backends: one ComfyUI server each, with what it has, how it is, and how many of our prompts it
holds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Link
from comfygradio.errors import ComfyGradioError, ServerError
from comfygradio.jobs.backend_client import BackendClient

MAX_SUBMITTED = 2
"""Prompts posted to a server at once: one runs, one waits, so that its GPU never idles."""

RETRY_SECONDS = 1.0
"""Between two looks at a server that does not answer."""

UNKNOWN = "It has not told yet what it has."


@dataclass(frozen=True)
class BackendStatus:
    """How a server is: whether it answers and why not, its devices as it tells them, and our
    prompts on it.
    """

    url: str
    is_up: bool
    trouble: str
    running: int
    remaining: int | None = None
    stats: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Capabilities:
    """What several servers have together, and why some of them did not say it."""

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
        self.turn = threading.Lock()
        """Held by the worker whose job is being posted."""
        self._object_info = ObjectInfo({})
        self._classes: tuple[str, ...] = ()
        self._trouble = ""
        self.lessons = 0
        """How often it was learnt what the server has."""
        self._looked_at = float("-inf")
        self._memory: float | None = None
        self.models: frozenset[str] = frozenset()
        """The model files of the last job that it got, which it need not load again."""

    @property
    def trouble(self) -> str:
        """Why the server is left alone at the moment; "" while it is used."""
        return self._trouble

    def expect(self, class_types: Iterable[str]) -> None:
        """Use the server only once it has told what it has of these classes."""
        with self._lock:
            self._classes = tuple(sorted(class_types))
            self._trouble = UNKNOWN
            self._looked_at = float("-inf")

    def refresh(self, class_types: Iterable[str]) -> ObjectInfo:
        """Ask the server about these classes, and remember what it has of them.

        Raises ServerError.
        """
        self._classes = tuple(sorted(class_types))
        found = ObjectInfo({})
        try:
            if self._classes:  # named none, it would tell of all
                found = self.client.object_info(*self._classes)
        except ServerError as error:
            self.fail(error)
            raise
        with self._lock:
            self._object_info = found
            self._trouble = ""
            self.lessons += 1
        return found

    def measure_memory(self) -> float | None:
        """Gigabytes of RAM that the server has, asked for once; None while it does not tell."""
        if self._memory is None and not self._trouble:
            with suppress(ComfyGradioError):
                self._memory = _find_memory(self.client.system_stats())
        return self._memory

    def explain_rejection(self, graph: Mapping[str, Any]) -> str:
        """Why this server cannot run a graph (a class or a file that it lacks), in a sentence; ""
        if it can.

        A server of which nothing was learnt yet takes everything.
        """
        known = self._object_info
        if not known.nodes:
            return ""
        return next(_find_lacking(graph, known), "")

    def fail(self, error: ServerError) -> None:
        """The server went away, or answers wrongly; it gets no jobs until it answers again."""
        with self._lock:
            self._trouble = str(error)
            self._looked_at = self._clock.monotonic()

    def revive(self) -> bool:
        """Whether the server is used; one in trouble is asked again, at most once a second."""
        with self._lock:
            if not self._trouble:
                return True
            if self._clock.monotonic() - self._looked_at < RETRY_SECONDS:
                return False
            self._looked_at = self._clock.monotonic()
        try:
            self.client.queue_remaining()
            self.refresh(self._classes)
        except ComfyGradioError:
            return False
        return True

    def fetch_status(self, running: int) -> BackendStatus:
        """How the server is now; asks it."""
        try:
            remaining = self.client.queue_remaining()
            stats = self.client.system_stats()
        except ComfyGradioError as error:
            return BackendStatus(self.url, False, str(error), running)
        return BackendStatus(self.url, True, "", running, remaining, stats)


def refresh_all(lanes: Iterable[Backend], class_types: Iterable[str]) -> Capabilities:
    """Ask every server about these classes, and for its embeddings; one that fails is
    passed over.
    """
    classes = tuple(class_types)
    object_info = ObjectInfo({})
    embeddings: dict[str, None] = {}
    troubles: list[ComfyGradioError] = []
    for lane in lanes:
        try:
            object_info = object_info.merge(lane.refresh(classes))
            if classes:
                embeddings |= dict.fromkeys(lane.client.embeddings())
        except ComfyGradioError as error:
            troubles.append(error)
    return Capabilities(object_info, tuple(embeddings), tuple(troubles))


def _find_memory(stats: Mapping[str, Any]) -> float | None:
    system = stats.get("system")
    if not isinstance(system, dict):
        return None
    total = system.get("ram_total")
    if not isinstance(total, int) or total <= 0:
        return None
    return total / 1e9


def _find_lacking(graph: Mapping[str, Any], known: ObjectInfo) -> Iterator[str]:
    for node in graph.values():
        name = str(node.get("class_type"))
        definition = known.get(name)
        if definition is None:
            yield f"it has no node class {name}."
            continue
        if definition.needs_api_key and known.has_key is False:
            yield f"{name} wants an API key, which is not given there."
        for name_of_input in definition.inputs:
            spec = known.spec(name, name_of_input, node["inputs"])
            if spec is None:
                continue
            if spec.choices is None or spec.media:
                continue
            value = node["inputs"].get(spec.name)
            if value is None or isinstance(value, dict) or Link.parse(value):
                continue
            if value not in spec.choices and not spec.options.get("remote"):
                yield f"it does not have {value}."
