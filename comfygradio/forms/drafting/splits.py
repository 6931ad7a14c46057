"""Splits: steps at which one sampler hands over to the next, which depend on the number of all
steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from comfygradio.forms.drafting.finding import Finding
from comfygradio.forms.drafting.graph import Graph
from comfygradio.forms.drafting.trace import find_number, walk_type
from comfygradio.forms.formula import Formula, round_half_up
from comfygradio.forms.slots import Slot

SPLITS = frozenset(
    {
        *("start_at_step", "end_at_step", "start_step", "end_step", "last_step"),
        *("split_step", "split_at_step", "switch_step", "switch_at_step", "refiner_start_step"),
    }
)
"""Inputs beside `steps` that say where a sampler begins or ends (ComfyUI v0.33.0 and packs)."""

CUT = "step"
"""The same for a list of sigmas that is cut in two."""

STEPS = frozenset({"steps", "num_inference_steps", "num_steps"})

EXACT = 1000
"""A ratio with this denominator, or one that divides it, is written as a decimal number."""


def attach_splits(graph: Graph, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, those of steps with the splits that have to move along with them."""
    splits = [
        (slot, source, steps)
        for slot in _list_splits(graph)
        if (source := _find_split(graph, slot)) and (steps := _find_steps(graph, slot))
    ]
    for found in findings:
        own = found.slots if found.role == "steps" else ()
        computed: dict[Slot, str] = {}
        for slot, source, steps in splits:
            formula = _write_share(graph, slot, source, steps) if steps in own else ""
            if formula:
                computed[source] = formula
        least = _find_least(computed, graph.value(found.first)) if computed else 1
        keys = {**found.keys, "min": least} if least > 1 else found.keys
        yield replace(found, computed=computed, keys=keys) if computed else found


def _list_splits(graph: Graph) -> list[Slot]:
    """Every input that says at which step a sampler begins or ends."""
    return [
        Slot(node_id, name)
        for node_id in graph.order
        for name in graph.node(node_id).inputs
        if _is_split(graph, Slot(node_id, name))
    ]


def _is_split(graph: Graph, slot: Slot) -> bool:
    name = slot.input.rpartition(".")[2].lower()
    cuts = name == CUT and bool(graph.links_of(slot.node_id, "SIGMAS"))
    return cuts or name in SPLITS


def _find_split(graph: Graph, slot: Slot) -> Slot | None:
    """The number behind a split, unless it decides something else as well."""
    source = find_number(graph, slot)
    if source is None or not source.is_same:
        return None
    uses = graph.uses.get(source.slot.node_id, ())
    if source.slot == slot or all(_is_split(graph, Slot(use.node_id, use.input)) for use in uses):
        return source.slot
    return None


def _find_steps(graph: Graph, slot: Slot) -> Slot | None:
    """The number of all steps that a split belongs to: beside it, or where its sigmas are made."""
    name = slot.input.rpartition(".")[2].lower()
    links = graph.links_of(slot.node_id, "SIGMAS") if name == CUT else {}
    behind = [node for link in links for node in walk_type(graph, slot.node_id, link, "SIGMAS")]
    for node_id in behind or [slot.node_id]:
        own = [n for n in graph.node(node_id).inputs if n.rpartition(".")[2].lower() in STEPS]
        if source := find_number(graph, Slot(node_id, own[0])) if own else None:
            return source.slot
    return None


def _write_share(graph: Graph, slot: Slot, source: Slot, steps: Slot) -> str:
    """The formula of a split by the number of all steps; "" for the very beginning or end."""
    split, count, spec = graph.value(source), graph.value(steps), graph.spec(slot)
    most = spec.maximum if spec else None
    if not (_is_count(split) and _is_count(count)) or (most is not None and split >= most):
        return ""
    share = Fraction(split, count)
    if share == 1:
        return "value"
    if EXACT % share.denominator == 0:
        return f"value * {float(share)}"
    return f"value * {share.numerator} / {share.denominator}"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _find_least(computed: Mapping[Slot, str], count: int) -> int:
    """The fewest steps with which each part between two splits still has one."""
    formulas = [Formula.parse(text) for text in dict.fromkeys(computed.values())]
    inner = [formula for formula in formulas if formula.work_out(count) < count]
    for steps in range(1, count):
        places = [0, *sorted(round_half_up(one.work_out(steps)) for one in inner), steps]
        if all(one < other for one, other in pairwise(places)):
            return steps
    return count
