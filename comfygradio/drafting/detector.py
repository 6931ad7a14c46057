"""Detect the role of each input, and decide which inputs a simple form has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from comfygradio.drafting.detection import Detection, Detections
from comfygradio.drafting.graph import Graph
from comfygradio.drafting.leftovers import find_titled_values
from comfygradio.drafting.loaders import find_loras, find_media, find_models, list_strengths
from comfygradio.drafting.numbers import find_known_inputs, find_seeds
from comfygradio.drafting.sizes import find_sizes
from comfygradio.drafting.splits import attach_splits
from comfygradio.drafting.texts import find_texts, find_texts_by_name, find_variant_texts
from comfygradio.drafting.trace import find_samplers, rank_nodes
from comfygradio.drafting.workflow_kind import find_medium, starts_from_picture

MAX_PROMPTS = 3
"""Maximum number of text fields that are not advanced."""

MAX_PER_ROLE = 6
"""Maximum number of fields of one role in a draft. Further ones are only offered."""

MAX_REQUIRED_PER_ROLE = 24
"""The same limit for roles that a workflow cannot do without (REQUIRED_ROLES)."""

REQUIRED_ROLES = frozenset(
    {"image", "mask", "video", "audio", "file", "prompt", "text", "tags", "lyrics"}
)

MAX_SHAPES = 2
"""Maximum number of lists such as aspect ratio and resolution that are not advanced."""


@dataclass(frozen=True)
class DetectionResult:
    """What was detected: `detections` for the form, `left_out` for what is only offered, and the
    `ranks` of `rank_nodes`.
    """

    detections: Detections
    left_out: tuple[Detection, ...]
    ranks: Mapping[str, int]
    samplers: tuple[str, ...]


def detect_fields(graph: Graph) -> DetectionResult:
    """Detect prompt, seed, size, models, files and the other roles of a workflow."""
    samplers = find_samplers(graph)
    ranks = rank_nodes(graph, samplers)
    # The first detection that claims an input keeps it, so that the order decides.
    detections = Detections()
    detections.add(*find_media(graph))
    detections.add(*find_texts(graph))
    _add_loose_texts(graph, detections, samplers)
    _add_loras(graph, detections)
    detections.add(*find_models(graph, ranks))
    has_words = detections.has("prompt", "tags")
    detections.add(*find_sizes(graph, ranks, has_words))
    detections.add(*find_seeds(graph, samplers))
    known = find_known_inputs(graph, ranks)
    detections.add(*attach_splits(graph, known))
    detections.add(*find_titled_values(graph, detections))
    left_out = _sort_out(graph, detections, samplers)
    # Not by `add`: their inputs are claimed by the text whose variants they are.
    detections.found += list(find_variant_texts(graph, detections.found))
    return DetectionResult(detections, tuple(left_out), ranks, samplers)


def _add_loose_texts(graph: Graph, detections: Detections, samplers: tuple[str, ...]) -> None:
    """Add texts that are recognised by name. They are secondary to texts that samplers read."""
    has_traced = detections.has("prompt", "tags")
    for found in find_texts_by_name(graph, bool(samplers)):
        is_secondary = found.is_secondary or has_traced
        detections.add(replace(found, is_secondary=is_secondary))


def _add_loras(graph: Graph, detections: Detections) -> None:
    """Add the LoRAs. The strengths of a list belong to it and become no fields."""
    for found in find_loras(graph):
        detections.add(found)
        if found.role == "loras":
            for slot in found.slots:
                detections.claim(*list_strengths(graph, slot))


def _sort_out(graph: Graph, detections: Detections, samplers: tuple[str, ...]) -> list[Detection]:
    """Mark secondary detections in place. Returns those that the form should leave out."""
    medium = find_medium(graph)
    if starts_from_picture(graph, samplers):
        _name_strength(graph, detections)
    _mark_secondary(detections, medium, bool(samplers))
    left_out: list[Detection] = []
    kept: list[Detection] = []
    for found, is_surplus in _mark_surplus(detections.found):
        if is_surplus or _is_useless(graph, found, medium):
            left_out.append(found)
        else:
            kept.append(found)
    detections.found = kept
    return left_out


def _mark_secondary(detections: Detections, medium: str, samples: bool) -> None:
    """Mark, role by role, what people rarely need first: all but the first few of a role."""
    roles = [found.role for found in detections.found]
    has_one_model = roles.count("checkpoint") + roles.count("model") <= 1
    only_upscales = not samples and not detections.has("prompt")
    is_frames_main = medium == "video" and not detections.has("seconds")
    has_length = medium in ("video", "audio")
    _keep_first(detections, "prompt", MAX_PROMPTS)
    _keep_first(detections, "text", MAX_PROMPTS)
    _keep_first(detections, "checkpoint", 1)
    _keep_first(detections, "model", None if has_one_model else 0)
    _keep_first(detections, "upscale_model", None if only_upscales else 0)
    _keep_first(detections, "shape", 0 if detections.has("size") else MAX_SHAPES)
    _keep_first(detections, "frames", None if is_frames_main else 0)
    _keep_first(detections, "seconds", 1 if has_length else 0)
    _keep_first(detections, "seed", 1)


def _mark_surplus(detections: list[Detection]) -> Iterator[tuple[Detection, bool]]:
    """Yield each detection, and whether its role has reached its limit before it."""
    counts: Counter[str] = Counter()
    for found in detections:
        counts[found.role] += 1
        most = MAX_REQUIRED_PER_ROLE if found.role in REQUIRED_ROLES else MAX_PER_ROLE
        yield found, counts[found.role] > most


def _name_strength(graph: Graph, detections: Detections) -> None:
    """Give the first denoise the role "strength", in place, unless it is 1."""
    for index, found in enumerate(detections.found):
        if found.role != "denoise":
            continue
        if graph.value(found.first) != 1:
            detections.found[index] = replace(found, role="strength")
        return


def _keep_first(detections: Detections, role: str, count: int | None) -> None:
    """Mark the detections of a role as secondary, in place, except this many; None: except all."""
    if count is None:
        return
    kept = 0
    for index, found in enumerate(detections.found):
        if found.role != role or found.is_secondary:
            continue
        if kept < count:
            kept += 1
        else:
            detections.found[index] = replace(found, is_secondary=True)


def _is_useless(graph: Graph, found: Detection, medium: str) -> bool:
    """Whether a setting makes no sense for this workflow, such as several videos at once."""
    if found.role == "pictures":
        return medium != "image"
    # At 1 a sampler keeps nothing of what it starts from, as usual for text to image.
    return found.role == "denoise" and bool(graph.value(found.first) == 1)
