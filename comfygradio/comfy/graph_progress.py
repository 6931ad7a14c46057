"""Progress over a whole graph, with each node weighted by its usual duration."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from comfygradio.comfy.messages import NodeProgress
from comfygradio.comfy.workflow import Link

WEIGHTS = (
    (re.compile(r"sampler(?!select)|ImageToVideo$|Generate", re.IGNORECASE), 20.0),
    (re.compile(r"upscale.*model|videocombine|savevideo|savewebm|interpolat", re.IGNORECASE), 6.0),
    (
        re.compile(
            r"checkpoint|unetloader|cliploader|vaeloader|diffusionmodel|loader", re.IGNORECASE
        ),
        4.0,
    ),
    (re.compile(r"vae(de|en)code", re.IGNORECASE), 3.0),
)
OUTPUT_CLASSES = re.compile(r"^(Save|Preview)|(Save|Preview|VideoCombine|Output)$")
MAX_FRACTION = 0.99
"""What is shown at most before the server says that the prompt is over."""
MIN_SECONDS = 0.001
"""Minimum weight of a node, so that the total weight is never zero."""


class GraphProgress:
    """Counts the nodes that an output depends on; `fraction` (0 to 0.99) never goes backwards.

    `seconds` (node id → seconds of earlier runs) are the weights, where any are known; else the
    class names decide.
    """

    def __init__(
        self, graph: Mapping[str, Any], seconds: Mapping[str, float] | None = None
    ) -> None:
        self._sources = {
            key: _find_sources(node) for key, node in graph.items() if isinstance(node, dict)
        }
        learned = weigh_by_seconds(self._sources, seconds or {})
        self.has_timings = bool(learned)
        """Whether the weights are seconds."""
        self._weights = learned or {
            key: weigh_class(str(graph[key].get("class_type"))) for key in self._sources
        }
        self._outputs = guess_outputs(graph)
        self._cached: frozenset[str] = frozenset()
        self._needed = self._walk()
        self._done: dict[str, float] = {}
        self._reached: set[str] = set()
        self._best = 0.0

    @property
    def fraction(self) -> float:
        """The weighted part of the graph that is done, 0 to 0.99."""
        total = sum(self._weights[key] for key in self._needed)
        done = sum(self._weights[key] * self._done.get(key, 0.0) for key in self._needed)
        if total:
            self._best = max(self._best, min(done / total, MAX_FRACTION))
        return self._best

    def node_weight(self, node: str) -> float:
        """The weight of a node; 0 for one that does not count."""
        if node not in self._needed:
            return 0.0
        return self._weights[node]

    def remaining_weight(self, besides: str | None = None) -> float:
        """The weight of what is still to do, without that one node."""
        left = (
            self._weights[key] * (1.0 - self._done.get(key, 0.0))
            for key in self._needed
            if key != besides
        )
        return sum(left)

    def skip_cached(self, nodes: Iterable[str]) -> None:
        """Leave out nodes with a cache hit, and whatever only they depend on."""
        self._cached = frozenset(nodes)
        self._needed = self._walk()

    def begin(self, node: str) -> None:
        """A node runs; one that no known output depends on is counted from now on."""
        if node in self._sources and node not in self._needed:
            self._outputs.add(node)
            self._cached -= {node}
            self._needed = self._walk()

    def advance(self, node: str, fraction: float) -> None:
        """A node is that far (0 to 1); smaller values than before are ignored."""
        before = self._done.get(node, 0.0)
        bounded = min(max(fraction, 0.0), 1.0)
        self._done[node] = max(before, bounded)

    def complete_upstream(self, node: str) -> None:
        """A node works, or is done: all that it depends on is done, even if nobody said so."""
        waiting = [node] if node in self._sources else []
        while waiting:
            key = waiting.pop()
            if key in self._reached:
                continue
            self._reached.add(key)
            sources = [source for source in self._sources[key] if source in self._sources]
            for source in sources:
                self._done[source] = 1.0
            waiting.extend(sources)

    def apply_snapshot(self, nodes: Mapping[str, NodeProgress]) -> None:
        """Take over a snapshot; a node that expanded into others is as far as these are."""
        children: dict[str, list[float]] = {}
        for key, node in nodes.items():
            done = 1.0 if node.state == "finished" else _divide(node.value, node.max)
            if key == node.display_node:
                self.advance(key, done)
                if done > 0:
                    self.complete_upstream(key)
            else:
                children.setdefault(node.display_node, []).append(done)
        for parent, fractions in children.items():
            self.advance(parent, sum(fractions) / (len(fractions) + 1))

    def _walk(self) -> frozenset[str]:
        """The nodes that have to run: the outputs and what they depend on, up to a cache hit."""
        found: set[str] = set()
        uncached = self._sources.keys() - self._cached
        waiting = list(self._outputs - self._cached)
        while waiting:
            key = waiting.pop()
            if key in found:
                continue
            found.add(key)
            waiting.extend(source for source in self._sources[key] if source in uncached)
        return frozenset(found)


def weigh_class(class_type: str) -> float:
    """How heavy a node class is: 1 for most, 20 for samplers."""
    for pattern, weight in WEIGHTS:
        if pattern.search(class_type):
            return weight
    return 1.0


def weigh_by_seconds(nodes: Iterable[str], seconds: Mapping[str, float]) -> dict[str, float]:
    """Node id → seconds, the median for nodes without any; empty if no node of the
    graph has any.
    """
    known: dict[str, float] = {}
    for key in nodes:
        value = seconds.get(key, -1.0)
        if math.isfinite(value) and value >= 0:
            known[key] = value
    if not known:
        return {}
    middle = median(known.values())
    return {key: max(known.get(key, middle), MIN_SECONDS) for key in nodes}


def guess_outputs(graph: Mapping[str, Any]) -> set[str]:
    """The nodes that save or show something by their class name, else those that feed no other
    node.
    """
    nodes = {key: node for key, node in graph.items() if isinstance(node, dict)}
    named: set[str] = set()
    feeding: set[str] = set()
    for key, node in nodes.items():
        class_type = str(node.get("class_type"))
        if OUTPUT_CLASSES.search(class_type):
            named.add(key)
        feeding.update(_find_sources(node))
    return named or set(nodes) - feeding


def _find_sources(node: Mapping[str, Any]) -> tuple[str, ...]:
    inputs = node.get("inputs")
    if not isinstance(inputs, dict):
        return ()
    links = [Link.parse(value) for value in inputs.values()]
    return tuple(link.node_id for link in links if link)


def _divide(value: float, most: float) -> float:
    return value / most if most > 0 else 0.0
