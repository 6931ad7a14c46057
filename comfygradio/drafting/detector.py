"""The detector: finds the role of each input and decides which ones a simple form asks for."""

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
"""Text fields shown at once; further ones go under More settings."""


MAX_PER_ROLE = 6
"""Fields of one role in a draft; further ones are only offered."""

MAX_REQUIRED_PER_ROLE = 24
"""The same limit for roles that a workflow needs (REQUIRED_ROLES)."""

REQUIRED_ROLES = frozenset(
    {"image", "mask", "video", "audio", "file", "prompt", "text", "tags", "lyrics"}
)

MAX_SHAPES = 2
"""Lists such as aspect ratio and resolution that are asked for at once."""


@dataclass(frozen=True)
class DetectionResult:
    """What was recognised: `detections` for the form, `left_out` what is only offered, `ranks` as
    `rank_nodes` has them.
    """

    detections: Detections
    left_out: tuple[Detection, ...]
    ranks: Mapping[str, int]
    samplers: tuple[str, ...]


def detect_fields(graph: Graph) -> DetectionResult:
    """Recognise prompt, seed, size, models, files and the other roles of a workflow."""
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
    """Add the texts known by their names; beside those that samplers read they stand aside."""
    traced = detections.has("prompt", "tags")
    for found in find_texts_by_name(graph, bool(samplers)):
        detections.add(replace(found, is_secondary=found.is_secondary or traced))


def _add_loras(graph: Graph, detections: Detections) -> None:
    """Add the LoRAs; the strengths of a list belong to it and become no fields of their own."""
    for found in find_loras(graph):
        detections.add(found)
        if found.role == "loras":
            for slot in found.slots:
                detections.claim(*list_strengths(graph, slot))


def _sort_out(graph: Graph, detections: Detections, samplers: tuple[str, ...]) -> list[Detection]:
    """Mark secondary detections in place; return those that the form should leave out."""
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
    """Set aside, role by role, what is not among the first things people ask for."""
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
    """Each detection, and whether there are too many of its role before it."""
    counts: Counter[str] = Counter()
    for found in detections:
        counts[found.role] += 1
        most = MAX_REQUIRED_PER_ROLE if found.role in REQUIRED_ROLES else MAX_PER_ROLE
        yield found, counts[found.role] > most


def _name_strength(graph: Graph, detections: Detections, from_picture: bool) -> list[Detection]:
    """The first denoise of a workflow that starts from a picture is how much of it may change."""
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
    """Set detections of a role aside, in place, by how many of them stood before."""
    place = 0
    for index, found in enumerate(detections.found):
        if found.role == role and not found.is_secondary:
            detections.found[index] = replace(found, is_secondary=is_side(place))
            place += 1


def _is_useless(graph: Graph, found: Detection, medium: str) -> bool:
    """Whether a setting makes no sense for this workflow: a pass that starts from noise, several
    videos at once.
    """
    if found.role == "denoise":
        return bool(graph.value(found.first) == 1)
    return found.role == "pictures" and medium != "image"
