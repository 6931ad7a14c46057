"""Detect the role of each input, and decide which inputs a simple form has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
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
    catch = Detections()
    catch.add(*find_media(graph), *find_texts(graph))
    _add_loose_texts(graph, catch, samplers)
    _add_loras(graph, catch)
    models = find_models(graph, ranks)
    sizes = find_sizes(graph, ranks, catch.has("prompt", "tags"))
    seeds = find_seeds(graph, samplers)
    catch.add(*models, *sizes, *seeds)
    known = find_known_inputs(graph, ranks)
    catch.add(*attach_splits(graph, known))
    catch.add(*find_titled_values(graph, catch))
    left_out = _sort_out(graph, catch, samplers)
    catch.found += list(find_variant_texts(graph, catch.found))
    return DetectionResult(catch, tuple(left_out), ranks, samplers)


def _add_loose_texts(graph: Graph, detections: Detections, samplers: tuple[str, ...]) -> None:
    """Add texts that are recognised by name. They are secondary to texts that samplers read."""
    traced = detections.has("prompt", "tags")
    for found in find_texts_by_name(graph, bool(samplers)):
        detections.add(replace(found, is_secondary=found.is_secondary or traced))


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
    detections.found = _name_strength(graph, detections, starts_from_picture(graph, samplers))
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
    """Mark, role by role, what people rarely need first."""
    _mark_role_secondary(detections, "prompt", lambda place: place >= MAX_PROMPTS)
    _mark_role_secondary(detections, "text", lambda place: place >= MAX_PROMPTS)
    roles = [found.role for found in detections.found]
    has_models = roles.count("checkpoint") + roles.count("model") > 1
    _mark_role_secondary(detections, "checkpoint", lambda place: place > 0)
    _mark_role_secondary(detections, "model", lambda place: has_models)
    has_prompt = detections.has("prompt")
    _mark_role_secondary(detections, "upscale_model", lambda place: samples or has_prompt)
    has_size = detections.has("size")
    _mark_role_secondary(detections, "shape", lambda place: has_size or place >= MAX_SHAPES)
    has_seconds = detections.has("seconds")
    _mark_role_secondary(detections, "frames", lambda place: has_seconds or medium != "video")
    has_length = medium in ("video", "audio")
    _mark_role_secondary(detections, "seconds", lambda place: place > 0 or not has_length)
    _mark_role_secondary(detections, "seed", lambda place: place > 0)


def _mark_surplus(detections: list[Detection]) -> Iterator[tuple[Detection, bool]]:
    """Yield each detection, and whether its role has reached its limit before it."""
    counts: Counter[str] = Counter()
    for found in detections:
        counts[found.role] += 1
        most = MAX_REQUIRED_PER_ROLE if found.role in REQUIRED_ROLES else MAX_PER_ROLE
        yield found, counts[found.role] > most


def _name_strength(graph: Graph, detections: Detections, from_picture: bool) -> list[Detection]:
    """If the workflow starts from a picture, give the first denoise the role "strength" unless it
    is 1.
    """
    findings = list(detections.found)
    if not from_picture:
        return findings
    for index, found in enumerate(findings):
        if found.role != "denoise":
            continue
        if graph.value(found.first) != 1:
            findings[index] = replace(found, role="strength")
        break
    return findings


def _mark_role_secondary(detections: Detections, role: str, is_side: Callable[[int], bool]) -> None:
    """Mark detections of a role as secondary, in place, by how many of them came before."""
    place = 0
    for index, found in enumerate(detections.found):
        if found.role == role and not found.is_secondary:
            detections.found[index] = replace(found, is_secondary=is_side(place))
            place += 1


def _is_useless(graph: Graph, found: Detection, medium: str) -> bool:
    """Whether a setting makes no sense for this workflow, such as several videos at once."""
    if found.role == "denoise":
        return bool(graph.value(found.first) == 1)
    return found.role == "pictures" and medium != "image"
