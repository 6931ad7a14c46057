"""Detect splits: the steps at which one sampler hands over to the next, which depend on the total
steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from comfygradio.drafting.detection import Detection
from comfygradio.drafting.graph import Graph
from comfygradio.drafting.numbers import is_count
from comfygradio.drafting.trace import find_number, walk_type
from comfygradio.forms.formula import Formula, round_half_up
from comfygradio.forms.slots import Slot

SPLITS = frozenset(
    {
        "start_at_step",
        "end_at_step",
        "start_step",
        "end_step",
        "last_step",
        "split_step",
        "split_at_step",
        "switch_step",
        "switch_at_step",
        "refiner_start_step",
    }
)
"""Inputs beside `steps` that say where a sampler starts or ends (ComfyUI v0.33.0 and packs)."""

CUT_INPUT = "step"
"""The input that says where a list of sigmas is cut in two."""

STEPS = frozenset({"steps", "num_inference_steps", "num_steps"})

EXACT_DENOMINATOR = 1000
"""Ratios whose denominator divides this number are written as decimals."""


@dataclass(frozen=True)
class Split:
    """An input that says at which step a sampler starts or ends, the number behind it (`source`),
    and the total number of steps it belongs to.
    """

    slot: Slot
    source: Slot
    steps: Slot


def attach_splits(graph: Graph, detections: Iterable[Detection]) -> Iterator[Detection]:
    """Return the detections; those of steps with the splits that have to change along with them."""
    splits = _list_splits(graph)
    for found in detections:
        if found.role != "steps":
            yield found
            continue
        computed: dict[Slot, str] = {}
        for split in splits:
            if split.steps not in found.slots:
                continue
            formula = _write_share(graph, split)
            if formula:
                computed[split.source] = formula
        if not computed:
            yield found
            continue
        keys = dict(found.keys)
        least = _find_least(computed, graph.value(found.first))
        if least > 1:
            keys["min"] = least
        yield replace(found, computed=computed, keys=keys)


def _list_splits(graph: Graph) -> list[Split]:
    """List every input that says at which step a sampler starts or ends, with the numbers behind
    it.
    """
    splits = []
    for node_id in graph.order:
        for name in graph.node(node_id).inputs:
            slot = Slot(node_id, name)
            if not _is_split(graph, slot):
                continue
            source = _find_split(graph, slot)
            steps = _find_steps(graph, slot)
            if source and steps:
                splits.append(Split(slot, source, steps))
    return splits


def _is_split(graph: Graph, slot: Slot) -> bool:
    """Whether an input says at which step a sampler starts or ends."""
    name = slot.last_part.lower()
    if name == CUT_INPUT:
        return bool(graph.links_of(slot.node_id, "SIGMAS"))
    return name in SPLITS


def _find_split(graph: Graph, slot: Slot) -> Slot | None:
    """Find the number behind a split, unless it decides something else as well."""
    source = find_number(graph, slot)
    if source is None or not source.is_same:
        return None
    if source.slot == slot:
        return slot
    # Whatever else takes this number would change with the steps as well.
    for use in graph.uses.get(source.slot.node_id, ()):
        user = Slot(use.node_id, use.input)
        if not _is_split(graph, user):
            return None
    return source.slot


def _find_steps(graph: Graph, slot: Slot) -> Slot | None:
    """Find the total number of steps for a split: beside it, or where its sigmas are made."""
    behind: list[str] = []
    if slot.last_part.lower() == CUT_INPUT:
        for name in graph.links_of(slot.node_id, "SIGMAS"):
            behind += walk_type(graph, slot.node_id, name, "SIGMAS")
    for node_id in behind or [slot.node_id]:
        slots = [Slot(node_id, name) for name in graph.node(node_id).inputs]
        counts = [own for own in slots if own.last_part.lower() in STEPS]
        if not counts:
            continue
        source = find_number(graph, counts[0])
        if source is not None:
            return source.slot
    return None


def _write_share(graph: Graph, split: Split) -> str:
    """Write the formula of a split in terms of the total steps; "" for the very start or end."""
    place = graph.value(split.source)
    count = graph.value(split.steps)
    if not is_count(place) or not is_count(count):
        return ""
    spec = graph.spec(split.slot)
    # The largest possible step (10000 in KSamplerAdvanced) means the end, however many steps there
    # are.
    if spec is not None and spec.maximum is not None and place >= spec.maximum:
        return ""
    share = Fraction(place, count)
    if share == 1:
        return "value"
    if EXACT_DENOMINATOR % share.denominator == 0:
        return f"value * {float(share)}"
    return f"value * {share.numerator} / {share.denominator}"


def _find_least(computed: Mapping[Slot, str], count: int) -> int:
    """Find the smallest number of steps with which each part between two splits has at
    least one.
    """
    texts = dict.fromkeys(computed.values())
    formulas = [Formula.parse(text) for text in texts]
    # A split at the last step or beyond it parts nothing.
    inner = [formula for formula in formulas if formula.evaluate(count) < count]
    for steps in range(1, count):
        places = [round_half_up(formula.evaluate(steps)) for formula in inner]
        edges = [0, *sorted(places), steps]
        if all(start < end for start, end in pairwise(edges)):
            return steps
    return count
