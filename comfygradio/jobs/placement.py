"""Placement: which of the current backends a job should run on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Job

MODEL_SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".gguf", ".bin", ".onnx")


@dataclass(frozen=True)
class Placement:
    """All backends at one moment, and the busy ones: those that hold a prompt of ours."""

    backends: Collection[Backend]
    busy: Collection[Backend]

    def is_rejected_everywhere(self, graph: Mapping[str, Any]) -> bool:
        """Whether no backend can run a graph."""
        return all(backend.explain_rejection(graph) for backend in self.backends)

    def has_better(self, job: Job, backend: Backend) -> bool:
        """True if another backend should run the job instead.

        A busy backend leaves the job to any idle one that can run it; an idle backend leaves it
        only to an idle one whose last job used the same models. No job ever waits for a busy
        backend.
        """
        if job.may_exist:
            return False
        graph = job.order.prompt.graph
        if backend in self.busy:
            return any(self._find_idle(backend, graph))
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


def find_models(graph: Mapping[str, Any]) -> frozenset[str]:
    """The model files that a graph names; loading them takes a server seconds."""
    found = set()
    for node in graph.values():
        for value in node["inputs"].values():
            if isinstance(value, str) and value.lower().endswith(MODEL_SUFFIXES):
                found.add(value)
    return frozenset(found)
