"""Estimate the seconds of a node from earlier runs: of a sampler by its steps, and of a node that
works on pictures by their size and number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Any

from comfygradio.comfy.object_info import is_number
from comfygradio.comfy.workflow import Link

PASSES_PICTURES = re.compile(r"^(samples|latent|image|images|pixels|video)$|_(latent|image)$")
"""Names of inputs that receive the pictures a node works on."""

MEGAPIXEL = 1e6

MAX_NUMBER = 1e9
"""Larger numbers are ignored, since they cannot be an amount of work."""

InputLookup = Callable[[str], Mapping[str, object]]
"""Returns the inputs of a node by its id, with links as Link; empty for an unknown node."""


@dataclass(frozen=True)
class TimedRun:
    """The duration of one run of a node in seconds, and its work (None if that was not
    recorded).
    """

    seconds: float
    work: float | None = None


@dataclass(frozen=True)
class LinearFit:
    """A duration as a function of work: `base` seconds, plus `rate` seconds for each unit
    of work.
    """

    base: float
    rate: float

    def estimate(self, work: float) -> float:
        """Estimate the seconds for this amount of work."""
        return self.base + self.rate * work


class NodeTimes:
    """Durations of the nodes of one preset, learned from earlier runs, by node id."""

    def __init__(self, runs: Mapping[str, Sequence[TimedRun]]) -> None:
        self._lines: dict[str, LinearFit] = {}
        for node_id, found in runs.items():
            if found:
                self._lines[node_id] = fit_line(found)

    def estimate(self, node_id: str, inputs: InputLookup) -> float | None:
        """Estimate the seconds of a node with these inputs. Returns None if it never ran."""
        line = self._lines.get(node_id)
        if line is None:
            return None
        work = measure_work(node_id, inputs)
        return line.estimate(work)

    def estimate_all(self, graph: Mapping[str, Any]) -> dict[str, float]:
        """Map node ids to seconds, for the nodes of a graph that ran before."""
        inputs = make_input_lookup(graph)
        found: dict[str, float] = {}
        for node_id in graph:
            seconds = self.estimate(node_id, inputs)
            if seconds is not None:
                found[node_id] = seconds
        return found


def fit_line(runs: Sequence[TimedRun]) -> LinearFit:
    """Fit a line through some runs that is robust against outliers (Theil-Sen: the median of the
    slopes of all pairs).
    """
    measured = [(run.work, run.seconds) for run in runs if run.work is not None]
    if not measured:
        usual = median(run.seconds for run in runs)
        return LinearFit(usual, 0.0)
    slopes = _list_slopes(measured)
    if slopes:
        # More work never takes less time; where it seems to, other things caused that.
        rate = max(0.0, median(slopes))
        base = median(seconds - rate * work for work, seconds in measured)
        # A base below 0 would predict less than nothing
        # for a little work; then only the rate counts.
        if base >= 0:
            return LinearFit(base, rate)
    # If all runs had the same work, the duration is assumed to be proportional to it.
    rate = median(seconds / work for work, seconds in measured)
    return LinearFit(0.0, rate)


def _list_slopes(measured: Sequence[tuple[float, float]]) -> list[float]:
    """List the rates between all pairs of runs with different work."""
    slopes: list[float] = []
    for early, late in combinations(measured, 2):
        early_work, early_seconds = early
        late_work, late_seconds = late
        if late_work != early_work:
            slope = (late_seconds - early_seconds) / (late_work - early_work)
            slopes.append(slope)
    return slopes


def measure_all(graph: Mapping[str, Any], node_ids: Iterable[str]) -> dict[str, float]:
    """Map node ids to the work of these nodes in a graph in API format."""
    inputs = make_input_lookup(graph)
    return {node_id: measure_work(node_id, inputs) for node_id in node_ids}


def measure_work(node_id: str, inputs: InputLookup) -> float:
    """Measure the work of a node: steps times megapixels times pictures, as far as the inputs tell
    them, else 1. Always above 0.
    """
    steps = _count_steps(inputs(node_id), inputs)
    size = _measure_size(node_id, inputs)
    return steps * size


def make_input_lookup(graph: Mapping[str, Any]) -> InputLookup:
    """Make a lookup for the inputs of the nodes of a graph in API format."""

    def read(node_id: str) -> Mapping[str, object]:
        node = graph.get(node_id)
        given = node.get("inputs") if isinstance(node, dict) else None
        if not isinstance(given, dict):
            return {}
        return {name: Link.parse(value) or value for name, value in given.items()}

    return read


def _count_steps(own: Mapping[str, object], inputs: InputLookup) -> float:
    """Count the steps of a sampler, also if a scheduler feeds them. Returns 1 for any other
    node.
    """
    steps = _read_number(own.get("steps"), inputs)
    if steps is not None:
        start = _read_number(own.get("start_at_step"), inputs) or 0.0
        # KSamplerAdvanced has 10000 here by default, which means its last step.
        end = _read_number(own.get("end_at_step"), inputs) or steps
        return max(1.0, min(end, steps) - start)
    sigmas = own.get("sigmas")
    if isinstance(sigmas, Link):
        scheduler = inputs(sigmas.node_id)
        return _read_number(scheduler.get("steps"), inputs) or 1.0
    return 1.0


def _measure_size(node_id: str, inputs: InputLookup) -> float:
    """Measure the megapixels of all pictures that a node works on, by the first node on the way up
    that states a size, itself included. Returns 1 if none does.
    """
    factor = 1.0
    current: str | None = node_id
    seen: set[str] = set()
    while current is not None and current not in seen:
        seen.add(current)
        own = inputs(current)
        width = _read_number(own.get("width"), inputs)
        height = _read_number(own.get("height"), inputs)
        if width and height:
            count = _read_number(own.get("batch_size"), inputs) or 1.0
            # Nodes for videos call the number of frames `length`.
            length = _read_number(own.get("length"), inputs) or 1.0
            return factor * count * length * width * height / MEGAPIXEL
        megapixels = _read_number(own.get("megapixels"), inputs)
        if megapixels:
            return factor * megapixels
        scale = _read_number(own.get("scale_by"), inputs) or 1.0
        amount = _read_number(own.get("amount"), inputs) or 1.0
        # `scale_by` scales both sides; `amount` repeats the pictures of a batch.
        factor *= scale**2
        factor *= amount
        current = _find_pictures(own)
    return factor


def _find_pictures(own: Mapping[str, object]) -> str | None:
    """Find the node that feeds pictures into a node."""
    for name, value in own.items():
        if isinstance(value, Link) and PASSES_PICTURES.search(name):
            return value.node_id
    return None


def _read_number(value: object, inputs: InputLookup) -> float | None:
    """Read a number above 0, from a literal value or from the node linked here."""
    # Primitive nodes hold their number in the input `value`.
    if isinstance(value, Link):
        value = inputs(value.node_id).get("value")
    if not is_number(value) or not 0 < value < MAX_NUMBER:
        return None
    return float(value)
