"""Detect numbers and lists by the names of their inputs: seed, steps, cfg, sampler, frames and the
like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.object_info import is_whole_number
from comfygradio.drafting.detection import Detection, make_detection
from comfygradio.drafting.graph import Graph
from comfygradio.drafting.trace import NUMBERS, TracedValue, find_number, get_rank
from comfygradio.forms.slots import Slot

COMBO = ("COMBO",)

MAX_COUNT = 10**15
"""Maximum of a number that counts something: steps, pictures."""


@dataclass(frozen=True)
class KnownInput:
    """A role and the inputs that have it. With `beside`, only on nodes with one of these inputs or
    outputs.
    """

    role: str
    names: tuple[str, ...]
    types: tuple[str, ...] = NUMBERS
    beside: frozenset[str] = frozenset()


KNOWN_INPUTS = (
    KnownInput("steps", ("steps", "num_inference_steps", "num_steps")),
    KnownInput("cfg", ("cfg", "guidance_scale", "cfg_conds", "cfg_scale")),
    KnownInput("guidance", ("guidance", "distilled_guidance")),
    KnownInput("sampler", ("sampler_name", "sampler"), COMBO),
    KnownInput("scheduler", ("scheduler",), COMBO),
    KnownInput("denoise", ("denoise", "denoise_strength")),
    KnownInput("frames", ("length", "frames"), beside=frozenset({"LATENT", "width"})),
    KnownInput("frames", ("num_frames", "video_frames", "frames_number", "frame_count")),
    KnownInput("fps", ("fps", "frame_rate")),
    KnownInput(
        "seconds", ("seconds", "duration", "duration_seconds", "seconds_total"), (*NUMBERS, *COMBO)
    ),
    KnownInput("pictures", ("batch_size",)),
    KnownInput("pictures", ("amount",), beside=frozenset({"LATENT"})),
    KnownInput("pictures", ("number_of_images", "num_images", "n")),
)
"""Names of inputs in ComfyUI's own nodes (v0.33.0) and in widespread packs."""


def find_seeds(graph: Graph, samplers: Iterable[str]) -> list[Detection]:
    """Detect the seeds of everything that samples as one seed, and each other seed separately."""
    reached = graph.reach_back(samplers)
    main: list[Slot] = []
    others: list[Slot] = []
    for node_id in graph.order:
        for name in graph.node(node_id).inputs:
            slot = Slot(node_id, name)
            if not _is_seed(graph, slot):
                continue
            if _feeds_noise(graph, slot, reached):
                main.append(slot)
            else:
                others.append(slot)
    # Nothing is known to sample, so that all seeds count as one.
    if not main:
        return _read_seeds(graph, others)
    detections = _read_seeds(graph, main)
    for slot in others:
        detections += _read_seeds(graph, [slot])
    return detections


def join_seeds(graph: Graph, detection: Detection, slots: Iterable[Slot]) -> Detection:
    """Join seeds into one detection. Seeds that differ from the first keep their distance to it.

    Without seeds, the detection has no parts.
    """
    listed = list(slots)
    if not listed:
        return replace(detection, parts={}, computed={})
    # With one seed for all of them, what were different pictures would become the same.
    start = graph.value(listed[0])
    same: list[Slot] = []
    computed: dict[Slot, str] = {}
    for slot in listed:
        value = graph.value(slot)
        if value == start:
            same.append(slot)
        else:
            computed[slot] = make_distance_formula(value - start)
    return replace(detection, parts={"": tuple(same)}, computed=computed)


def make_distance_formula(distance: int) -> str:
    """Make the formula of a number that keeps its distance to the value."""
    if distance < 0:
        return f"value - {-distance}"
    return f"value + {distance}"


def _read_seeds(graph: Graph, slots: list[Slot]) -> list[Detection]:
    """Detect the numbers behind these seeds as one seed. A value that names no result, such as -1,
    is a seed of its own.
    """
    if not slots:
        return []
    found: dict[Slot, None] = {}
    for slot in slots:
        source = find_number(graph, slot)
        if source is not None:
            found[source.slot] = None
    joined = [slot for slot in found if is_exact_seed(graph.value(slot))]
    groups = [joined] if joined else []
    groups += [[slot] for slot in found if slot not in joined]
    why = graph.describe_slots(slots)
    detections = []
    for group in groups:
        limits = _find_least(graph, group)
        bare = Detection("seed", {}, why, limits)
        detections.append(join_seeds(graph, bare, group))
    return detections


def is_exact_seed(value: Any) -> bool:
    """Whether a seed's value names one result. In many nodes -1 stands for a random seed."""
    return is_whole_number(value) and value >= 0


def is_count(value: Any) -> bool:
    """Whether a value is a whole number above 0, and one that a float can hold."""
    return is_whole_number(value) and 0 < value <= MAX_COUNT


def _find_least(graph: Graph, seeds: list[Slot]) -> dict[str, Any]:
    """Return the limit 0 if a node would accept less."""
    for slot in seeds:
        spec = graph.spec(slot)
        if spec is not None and spec.minimum is not None and spec.minimum < 0:
            return {"min": 0}
    return {}


def find_known_inputs(graph: Graph, ranks: Mapping[str, int]) -> list[Detection]:
    """Detect everything in KNOWN_INPUTS. Inputs of the same kind with the same value are filled
    together.
    """
    nodes = sorted(graph.order, key=lambda node_id: get_rank(ranks, node_id))
    detections: list[Detection] = []
    for known in KNOWN_INPUTS:
        found: list[Detection] = []
        for name in known.names:
            for node_id in nodes:
                found += _find_on_node(graph, node_id, known, name)
        detections += _merge(graph, found)
    return detections


def _find_on_node(
    graph: Graph, node_id: str, known: KnownInput, known_name: str
) -> list[Detection]:
    node = graph.node(node_id)
    neighbours = {*node.inputs, *graph.output_types(node_id)}
    if known.beside and not known.beside & neighbours:
        return []
    found = []
    for name in node.inputs:
        slot = Slot(node_id, name)
        if slot.last_part.lower() != known_name:
            continue
        spec = graph.spec(slot)
        if spec is None or spec.types.isdisjoint(known.types):
            continue
        source = _find_source(graph, slot, known.types)
        if source is None:
            continue
        why = graph.describe_slots([slot])
        limits = _find_limits(graph, slot, source)
        found.append(make_detection(known.role, [source.slot], why, **limits))
    return found


def _find_limits(graph: Graph, slot: Slot, source: TracedValue) -> dict[str, Any]:
    """Find an input's limits for the number behind it, since nodes with a single number accept
    nearly any.
    """
    if slot == source.slot or not source.is_same:
        return {}
    spec = graph.spec(slot)
    own = graph.spec(source.slot)
    if spec is None or own is None:
        return {}
    keys: dict[str, Any] = {}
    low = spec.minimum
    if low is not None and (own.minimum is None or own.minimum < low):
        keys["min"] = _shorten(low)
    high = spec.maximum
    if high is not None and (own.maximum is None or own.maximum > high):
        keys["max"] = _shorten(high)
    return keys


def _shorten(number: int | float) -> int | float:
    """Return 1 for 1.0, as a person would write it."""
    whole = int(number)
    return whole if number == whole else number


def _find_source(graph: Graph, slot: Slot, types: tuple[str, ...]) -> TracedValue | None:
    if slot.input not in graph.links.get(slot.node_id, {}):
        return TracedValue(slot) if graph.is_settable(slot) else None
    # A choice that comes from another node cannot be traced.
    if types == COMBO:
        return None
    return find_number(graph, slot)


def _is_seed(graph: Graph, slot: Slot) -> bool:
    """Whether an input takes a seed, by its name and what the server says about it."""
    spec = graph.spec(slot)
    if spec is None or "INT" not in spec.types:
        return False
    if "seed" not in slot.last_part.lower():
        return False
    return spec.is_seed or slot.input.endswith("seed")


def _feeds_noise(graph: Graph, slot: Slot, reached: frozenset[str]) -> bool:
    """Whether a seed belongs to a sampler, or to the noise that it starts from."""
    if slot.node_id not in reached:
        return False
    makes = graph.output_types(slot.node_id)
    return not makes or "NOISE" in makes or "LATENT" in makes


def _merge(graph: Graph, detections: list[Detection]) -> list[Detection]:
    """Join inputs of the same name, of one kind of node and with the same value into one
    detection.
    """
    groups: dict[tuple[str, ...], list[Detection]] = {}
    for detection in detections:
        slot = detection.first
        node = graph.node(slot.node_id)
        # Nodes that only hold a number hold the same thing only under the same title.
        title = node.title if "Primitive" in node.class_type else ""
        value = str(graph.value(slot))
        group = groups.setdefault((node.class_type, slot.input, value, title), [])
        group.append(detection)
    return [_join_alike(group) for group in groups.values()]


def _join_alike(detections: list[Detection]) -> Detection:
    """Join detections into one. A key that several have comes from the first of them."""
    slots: dict[Slot, None] = {}
    for detection in detections:
        slots |= dict.fromkeys(detection.slots)
    keys: dict[str, Any] = {}
    # The first of them comes last and overwrites the others.
    for detection in reversed(detections):
        keys |= detection.keys
    return replace(detections[0], parts={"": tuple(slots)}, keys=keys)
