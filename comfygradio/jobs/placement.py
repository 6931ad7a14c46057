"""The yard: all backends at one moment, and which of them a job should go to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Job

MODEL_SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".gguf", ".bin", ".onnx")


@dataclass(frozen=True)
class Placement:
    """The backends that there are, and those of them that hold a prompt of ours."""

    backends: Collection[Backend]
    busy: Collection[Backend]

    def is_rejected_everywhere(self, graph: Mapping[str, Any]) -> bool:
        """Whether no backend can run a graph."""
        return all(lane.explain_rejection(graph) for lane in self.backends)

    def has_better(self, job: Job, lane: Backend) -> bool:
        """Whether a job should be left to another backend, which is idle and can run it: a backend
        that is busy leaves it to any such backend, an idle one to a backend that ran the same
        models last. Nothing ever waits for a busy backend.
        """
        if job.may_exist:
            return False
        graph = job.order.prompt.graph
        if lane in self.busy:
            return any(self._find_idle(lane, graph))
        wanted = find_models(graph)
        if wanted <= lane.models:
            return False
        return any(wanted <= other.models for other in self._find_idle(lane, graph))

    def _find_idle(self, lane: Backend, graph: Mapping[str, Any]) -> Iterator[Backend]:
        """The backends besides this one that have nothing to do and can run a graph."""
        for other in self.backends:
            if other is lane or other in self.busy:
                continue
            if not other.trouble and not other.explain_rejection(graph):
                yield other


def find_models(graph: Mapping[str, Any]) -> frozenset[str]:
    """The model files that a graph names: what takes a server seconds to load."""
    found = set()
    for node in graph.values():
        for value in node["inputs"].values():
            if isinstance(value, str) and value.lower().endswith(MODEL_SUFFIXES):
                found.add(value)
    return frozenset(found)
