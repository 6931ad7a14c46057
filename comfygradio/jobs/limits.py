"""Limits that whoever runs the app may set, and what a filled graph asks for beyond them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from comfygradio.comfy.limited_download import MAX_RESULT_MB
from comfygradio.comfy.object_info import ObjectInfo, is_number
from comfygradio.comfy.workflow import Link
from comfygradio.jobs.naming import DEFAULT_PATTERN

DEFAULT_JOBS_PER_PERSON = 100
"""Jobs of one person that may wait."""

DEFAULT_JOBS_IN_ALL = 1000
"""Jobs of everybody that may wait."""

DEFAULT_SWEEP_POINTS = 10_000
"""Points of one sweep."""

DEFAULT_JOB_STREAMS = 200
"""Gradio runs only 400 events at once and lets further ones wait, clicks included (`ui.serve`): a
crowd that watches leaves half of these places free. Further pages ask once a second.
"""

PIXELS_PER_MEGAPIXEL = 1_000_000
"""Pixels of a megapixel."""

IMAGE_TYPES = frozenset({"LATENT", "IMAGE"})
"""Outputs of nodes that make a picture of a size; elsewhere width and height say something about a
prompt or a mask.
"""


class Limits(NamedTuple):
    """`jobs_waiting` counts a person's waiting jobs, `jobs_in_all` everybody's; `megapixels` bounds
    a picture's size, `steps` a sampler's.

    `upload_mb` bounds each uploaded file; `names` is the pattern by which results are named (see
    `naming`). `sweep_points` bounds the points of a sweep, which do not count as waiting jobs; 0
    allows no sweeps. `result_mb` bounds each file that is fetched from a server. `streams` counts
    the pages that follow their jobs by a stream at the same time; further ones ask once
    a second.
    """

    jobs_waiting: int = DEFAULT_JOBS_PER_PERSON
    megapixels: float | None = None
    steps: int | None = None
    upload_mb: float | None = None
    names: str = DEFAULT_PATTERN
    sweep_points: int = DEFAULT_SWEEP_POINTS
    result_mb: float = MAX_RESULT_MB
    jobs_in_all: int = DEFAULT_JOBS_IN_ALL
    streams: int = DEFAULT_JOB_STREAMS


class ExceededLimit(NamedTuple):
    """A value beyond a limit: its inputs (node id, name), and a sentence for people."""

    inputs: tuple[tuple[str, str], ...]
    sentence: str


def find_exceeded(
    graph: Mapping[str, Any], limits: Limits, object_info: ObjectInfo
) -> Iterator[ExceededLimit]:
    """Find values beyond the limits in a graph in API format: picture sizes and steps."""
    for node_id, node in graph.items():
        for name in node["inputs"]:
            # A nested input counts too: `resize_type.width` goes with `resize_type.height`.
            before, _, last = name.rpartition(".")
            if last == "steps" and limits.steps is not None:
                yield from _exceed_steps(graph, node_id, name, limits.steps)
            if limits.megapixels is None:
                continue
            if not _makes_picture(str(node["class_type"]), object_info):
                continue
            # A height is checked together with its width.
            if last == "width":
                height = f"{before}.height" if before else "height"
                yield from _exceed_size(graph, node_id, (name, height), limits.megapixels)
            if last == "megapixels":
                yield from _exceed_megapixels(graph, node_id, name, limits.megapixels)


def _exceed_steps(
    graph: Mapping[str, Any], node_id: str, name: str, most: int
) -> Iterator[ExceededLimit]:
    steps, place = _find_number(graph, node_id, name)
    if steps is None or steps <= most:
        return
    sentence = f"{steps:g} steps are too many; at most {most} are allowed here."
    yield ExceededLimit((place,), sentence)


def _exceed_size(
    graph: Mapping[str, Any], node_id: str, names: tuple[str, str], most: float
) -> Iterator[ExceededLimit]:
    name_of_width, name_of_height = names
    width, place_of_width = _find_number(graph, node_id, name_of_width)
    height, place_of_height = _find_number(graph, node_id, name_of_height)
    if width is None or height is None:
        return
    is_too_large = width * height > most * PIXELS_PER_MEGAPIXEL
    if not is_too_large:
        return
    side = _suggest_side(most)
    sentence = (
        f"{width:g} × {height:g} is too large; at most {most:g} megapixels are allowed here, "
        f"for example {side} × {side}."
    )
    yield ExceededLimit((place_of_width, place_of_height), sentence)


def _exceed_megapixels(
    graph: Mapping[str, Any], node_id: str, name: str, most: float
) -> Iterator[ExceededLimit]:
    size, place = _find_number(graph, node_id, name)
    if size is None or size <= most:
        return
    sentence = f"{size:g} megapixels are too many; at most {most:g} are allowed here."
    yield ExceededLimit((place,), sentence)


def _makes_picture(class_type: str, object_info: ObjectInfo) -> bool:
    """Whether a node makes a picture; an unknown node counts as one that does."""
    definition = object_info.get(class_type)
    if definition is None:
        return True
    return not IMAGE_TYPES.isdisjoint(definition.output_types)


def _find_number(
    graph: Mapping[str, Any], node_id: str, name: str
) -> tuple[float | None, tuple[str, str]]:
    """The number in an input and the address of its value, which may be in a linked primitive node.
    None if it is not a number.
    """
    inputs = graph[node_id]["inputs"]
    value = inputs.get(name)
    link = Link.parse(value)
    if link is not None:
        source = graph.get(link.node_id)
        if source and _is_primitive(source):
            held = source["inputs"]["value"]
            return _parse_number(held), (link.node_id, "value")
    return _parse_number(value), (node_id, name)


def _parse_number(value: Any) -> float | None:
    """A number as JSON or as text; None if it is anything else."""
    # ComfyUI converts texts with int() and float(), so that they count as well.
    if isinstance(value, str):
        is_numeric = re.fullmatch(r"\s*\d{1,18}(\.\d*)?\s*", value) is not None
    else:
        is_numeric = is_number(value)
    return float(value) if is_numeric else None


def _is_primitive(node: Mapping[str, Any]) -> bool:
    """Whether a node only holds a value for other nodes."""
    class_type = str(node["class_type"])
    if not class_type.startswith("Primitive"):
        return False
    return "value" in node["inputs"]


def _suggest_side(megapixels: float) -> int:
    """The side of the largest square in pixels, a multiple of 64 where that leaves anything."""
    side = int((megapixels * PIXELS_PER_MEGAPIXEL) ** 0.5)
    if side >= 64:
        return side // 64 * 64
    return max(side, 1)
