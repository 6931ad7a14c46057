"""The yard: all lanes at one moment, and which of them a job should go to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.jobs.job import Job
from comfygradio.jobs.lane import Lane

MODEL_SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".gguf", ".bin", ".onnx")


@dataclass(frozen=True)
class Yard:
    """The lanes that there are, and those of them that hold a prompt of ours."""

    lanes: Collection[Lane]
    busy: Collection[Lane]

    def refuses(self, graph: Mapping[str, Any]) -> bool:
        """Whether no lane can run a graph."""
        return all(lane.refuse(graph) for lane in self.lanes)

    def has_better(self, job: Job, lane: Lane) -> bool:
        """Whether a job should be left to another lane, which is idle and can run it: a lane that
        is busy leaves it to any such lane, an idle one to a lane that ran the same models last.
        Nothing ever waits for a busy lane.
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

    def _find_idle(self, lane: Lane, graph: Mapping[str, Any]) -> Iterator[Lane]:
        """The lanes besides this one that have nothing to do and can run a graph."""
        for other in self.lanes:
            if other is lane or other in self.busy:
                continue
            if not other.trouble and not other.refuse(graph):
                yield other


def find_models(graph: Mapping[str, Any]) -> frozenset[str]:
    """The model files that a graph names: what takes a server seconds to load."""
    found = set()
    for node in graph.values():
        for value in node["inputs"].values():
            if isinstance(value, str) and value.lower().endswith(MODEL_SUFFIXES):
                found.add(value)
    return frozenset(found)
