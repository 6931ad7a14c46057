"""Progress over a whole graph, and the time left for its running node."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from comfygradio.comfy.messages import NodeProgress
from comfygradio.comfy.workflow import Link

WEIGHTS = (
    # The first pattern that matches counts. KSamplerSelect only chooses a sampler.
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
"""Maximum progress until the server says that the prompt is done."""
MIN_SECONDS = 0.001
"""Minimum weight of a node, so that the total weight is never zero."""


class GraphProgress:
    """Tracks the nodes that the outputs depend on, each weighted by its usual duration.

    `seconds` maps node ids to the seconds they took in earlier runs. If none are known, class names
    decide the weights. `fraction` (0 to 0.99) never goes backwards.
    """

    def __init__(
        self, graph: Mapping[str, Any], seconds: Mapping[str, float] | None = None
    ) -> None:
        nodes = {key: node for key, node in graph.items() if isinstance(node, dict)}
        self._sources = {key: _find_sources(node) for key, node in nodes.items()}
        """Node id → the nodes that feed it."""
        self._weights = weigh_by_seconds(nodes, seconds or {})
        self.has_timings = bool(self._weights)
        """Whether the weights are seconds."""
        if not self.has_timings:
            self._weights = weigh_by_class(nodes)
        self._outputs = guess_outputs(graph)
        self._cached: frozenset[str] = frozenset()
        self._needed = self._walk()
        self._done: dict[str, float] = {}
        self._reached: set[str] = set()
        self._best = 0.0

    @property
    def fraction(self) -> float:
        """The weighted fraction of the graph that is done, 0 to 0.99."""
        total = 0.0
        done = 0.0
        for key in self._needed:
            weight = self._weights[key]
            total += weight
            done += weight * self._done.get(key, 0.0)
        # The total grows when further nodes turn out to
        # run, so the highest fraction so far is kept.
        if total:
            fraction = min(done / total, MAX_FRACTION)
            self._best = max(self._best, fraction)
        return self._best

    def node_weight(self, node: str) -> float:
        """The weight of a node; 0 if no output depends on it."""
        if node not in self._needed:
            return 0.0
        return self._weights[node]

    def remaining_weight(self, besides: str | None = None) -> float:
        """The weight of the work left, except that of the node `besides`."""
        left = 0.0
        for key in self._needed:
            if key != besides:
                rest = 1.0 - self._done.get(key, 0.0)
                left += self._weights[key] * rest
        return left

    def skip_cached(self, nodes: Iterable[str]) -> None:
        """Leave out nodes with a cache hit, and whatever only they depend on."""
        self._cached = frozenset(nodes)
        self._needed = self._walk()

    def begin(self, node: str) -> None:
        """Record that a node runs. If no known output depends on it, it counts from now on."""
        if node in self._sources and node not in self._needed:
            self._outputs.add(node)
            # It was reported as cached and runs all the same.
            self._cached -= {node}
            self._needed = self._walk()

    def advance(self, node: str, fraction: float) -> None:
        """Record the progress of a node, 0 to 1. Values smaller than before are ignored."""
        before = self._done.get(node, 0.0)
        bounded = min(max(fraction, 0.0), 1.0)
        self._done[node] = max(before, bounded)

    def complete_upstream(self, node: str) -> None:
        """Record that everything a node depends on is done, as it is once the node itself works."""
        if node not in self._sources:
            return
        waiting = [node]
        while waiting:
            key = waiting.pop()
            # Everything above it was completed before; a sampler reports each of its steps.
            if key in self._reached:
                continue
            self._reached.add(key)
            for source in self._sources[key]:
                if source in self._sources:
                    self._done[source] = 1.0
                    waiting.append(source)

    def apply_snapshot(self, nodes: Mapping[str, NodeProgress]) -> None:
        """Apply a snapshot of all nodes; a node that expanded into others has their mean."""
        children: dict[str, list[float]] = {}
        for key, node in nodes.items():
            done = divide(node.value, node.max)
            if node.state == "finished":
                done = 1.0
            # Parts of an expanded node have a `display_node` other than themselves.
            if key == node.display_node:
                self.advance(key, done)
                if done > 0:
                    self.complete_upstream(key)
            else:
                children.setdefault(node.display_node, []).append(done)
        for parent, fractions in children.items():
            # Parts that have not started yet are absent, so the mean leaves room for one more.
            self.advance(parent, sum(fractions) / (len(fractions) + 1))

    def _walk(self) -> frozenset[str]:
        """Find the nodes that have to run: the outputs and what they need, up to cache hits."""
        found: set[str] = set()
        uncached = self._sources.keys() - self._cached
        # A cached node is left out, and with it whatever no other node needs.
        waiting = list(self._outputs - self._cached)
        while waiting:
            key = waiting.pop()
            if key in found:
                continue
            found.add(key)
            waiting.extend(source for source in self._sources[key] if source in uncached)
        return frozenset(found)


class NodeTimeLeft:
    """Estimates the time left for one node at a time, from its usual duration and its steps so far.

    Fractions are 0 to 1; times are seconds of one clock.
    """

    def __init__(self) -> None:
        self.begin(0.0)

    def begin(self, at: float) -> None:
        """Start over for a node that began at this time."""
        self._begun = at
        self._first: tuple[float, float] | None = None
        self._last = (0.0, at)
        self._repeats = False

    def report(self, fraction: float, at: float) -> None:
        """Record the node's progress. If it goes back, the node works in several passes, and its
        steps say nothing about the time left.
        """
        last_fraction, _ = self._last
        if fraction < last_fraction:
            self._repeats = True
        if self._first is None:
            self._first = (fraction, at)
        self._last = (fraction, at)

    def estimate(self, usual: float, now: float) -> float:
        """Estimate the seconds left, at least 0.

        The nearer the end, the more the speed of this run counts, and the less the `usual` seconds.
        """
        if self._first is None or self._repeats:
            passed = now - self._begun
            return max(usual - passed, 0.0)
        first_fraction, first_at = self._first
        fraction, at = self._last
        # What was seen took `seen_seconds`; the rest is expected to take its share of `usual`.
        seen_fraction = fraction - first_fraction
        seen_seconds = at - first_at
        whole = (1 - seen_fraction) * usual + seen_seconds
        left_then = (1 - fraction) * whole
        passed = now - at
        return max(left_then - passed, 0.0)


def weigh_class(class_type: str) -> float:
    """Weigh a node class by its name: 1 for most, 20 for samplers."""
    for pattern, weight in WEIGHTS:
        if pattern.search(class_type):
            return weight
    return 1.0


def weigh_by_class(nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Map each node to the weight of its class."""
    weights: dict[str, float] = {}
    for key, node in nodes.items():
        class_type = str(node.get("class_type"))
        weights[key] = weigh_class(class_type)
    return weights


def weigh_by_seconds(nodes: Iterable[str], seconds: Mapping[str, float]) -> dict[str, float]:
    """Map each node to its seconds, or to their median if its own are unknown.

    Returns an empty mapping if the seconds of no node are known.
    """
    known: dict[str, float] = {}
    for key in nodes:
        value = seconds.get(key, -1.0)
        if math.isfinite(value) and value >= 0:
            known[key] = value
    if not known:
        return {}
    middle = median(known.values())
    weights: dict[str, float] = {}
    for key in nodes:
        usual = known.get(key, middle)
        weights[key] = max(usual, MIN_SECONDS)
    return weights


def guess_outputs(graph: Mapping[str, Any]) -> set[str]:
    """Guess the output nodes: those whose class name says that they save or show something.

    If there are none, the nodes that feed no other node.
    """
    nodes: set[str] = set()
    named: set[str] = set()
    feeding: set[str] = set()
    for key, node in graph.items():
        if not isinstance(node, dict):
            continue
        nodes.add(key)
        class_type = str(node.get("class_type"))
        if OUTPUT_CLASSES.search(class_type):
            named.add(key)
        feeding.update(_find_sources(node))
    return named or nodes - feeding


def _find_sources(node: Mapping[str, Any]) -> tuple[str, ...]:
    inputs = node.get("inputs")
    if not isinstance(inputs, dict):
        return ()
    sources: list[str] = []
    for value in inputs.values():
        link = Link.parse(value)
        if link is not None:
            sources.append(link.node_id)
    return tuple(sources)


def divide(value: float, most: float) -> float:
    """Divide the steps that are done by their number; 0 if that is not above 0."""
    if most > 0:
        return value / most
    return 0.0
