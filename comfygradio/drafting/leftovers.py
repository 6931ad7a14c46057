"""Leftovers: inputs that no detector claimed, and values whose node has a title by the author."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from comfygradio.comfy.object_info import InputSpec
from comfygradio.drafting.detection import Detection, Detections, make_detection
from comfygradio.drafting.graph import Graph
from comfygradio.drafting.node_title import find_author_title
from comfygradio.drafting.trace import NUMBERS, VALUE_INPUTS, get_rank
from comfygradio.forms.slots import Slot

TITLE_ROLES: Mapping[str, str] = {
    "duration": "seconds",
    "seconds": "seconds",
    "fps": "fps",
    "frame rate": "fps",
    "length": "frames",
    "frames": "frames",
    "steps": "steps",
    "cfg": "cfg",
    "seed": "seed",
    "prompt": "prompt",
    "positive prompt": "prompt",
    "negative prompt": "negative_prompt",
    "batch size": "pictures",
}
"""Title of a node with a single value → role."""

SELDOM_SET = frozenset(
    {
        "weight_dtype",
        "device",
        "type",
        "dtype",
        "precision",
        "crop",
        "upscale_method",
        "scale_method",
        "interpolation",
        "resize_type",
        "resolution_steps",
        "multiple",
        "divisible_by",
        "tile_size",
        "overlap",
        "temporal_size",
        "temporal_overlap",
        "add_noise",
        "start_at_step",
        "end_at_step",
        "color",
        "channel",
        "return_with_leftover_noise",
        "expression",
        "delimiter",
        "find",
        "replace",
        "regex_pattern",
        "key",
        "index",
        "batch_index",
        "compare_view",
        "watermark",
        "bit_depth",
        "control_after_generate",
        "x",
        "y",
        "left",
        "top",
        "right",
        "bottom",
        "sigmas",
        "normalize",
        "mode",
        "method",
        "operation",
        "group_index",
        "case_insensitive",
        "multiline",
        "dotall",
        "count",
        "output",
        "format",
        "codec",
        "crf",
        "quality",
        "lossless",
        "pre_cfg",
        "reference_latents_method",
        "response_modalities",
        "img_compression",
        "noise_mask",
        "stretch",
        "terminal",
    }
)
"""Inputs that forms rarely have. They are only offered."""

NEVER_FIELDS = frozenset({"filename_prefix", "upload", "control_after_generate"})

MAX_LEFTOVERS = 12
"""Maximum number of leftover inputs that become fields of a draft."""


def find_titled_values(graph: Graph, detections: Detections) -> Iterator[Detection]:
    """Detect values of single-value nodes whose title names a role."""
    sides: dict[str, Slot] = {}
    for slot in _list_free(graph, detections):
        spec = graph.spec(slot)
        if spec is None or not is_value_node(graph, slot):
            continue
        title = find_author_title(graph, slot.node_id).lower()
        takes_text = "STRING" in spec.types
        role = TITLE_ROLES.get(title, "")
        names_text = "prompt" in role
        if title in ("width", "height") and "INT" in spec.types:
            sides[title] = slot
        elif role and names_text == takes_text:
            # A prompt is a text, all other roles are numbers.
            why = f"the title of {graph.describe(slot.node_id)} says so"
            yield make_detection(role, [slot], why)
    if len(sides) == 2:
        width = sides["width"].node_id
        height = sides["height"].node_id
        yield Detection(
            role="size",
            parts={side: (slot,) for side, slot in sides.items()},
            why=f"the titles of nodes {width} and {height} say so",
            is_secondary=detections.has("size"),
        )


def find_leftovers(
    graph: Graph, detections: Detections, ranks: Mapping[str, int]
) -> tuple[list[Detection], list[Detection]]:
    """Find further fields for a draft, the most likely first, and what is only offered."""

    def place(slot: Slot) -> tuple[int, int]:
        return -_weigh(graph, slot), get_rank(ranks, slot.node_id)

    free = [slot for slot in _list_free(graph, detections) if _can_change(graph, slot)]
    free.sort(key=place)
    found = _join_alike(graph, free)
    likely = [detection for detection in found if _weigh(graph, detection.first) > 0]
    # The likely ones stand first in `found`.
    count = min(MAX_LEFTOVERS, len(likely))
    unlisted = _find_unlisted(graph, detections)
    return found[:count], [*found[count:], *unlisted]


def _find_unlisted(graph: Graph, detections: Detections) -> list[Detection]:
    """Detect values that the server does not list. They may be left over from another version of a
    node, so they are only offered.
    """
    found = []
    for slot in graph.unlisted:
        if slot not in detections.claimed:
            why = f"{graph.describe_slots([slot])}, which the server does not list"
            found.append(make_detection("other", [slot], why))
    return found


def _join_alike(graph: Graph, slots: list[Slot]) -> list[Detection]:
    """Join equal inputs of nodes of one class with the same value into one detection."""
    groups: dict[tuple[str, ...], list[Slot]] = {}
    for slot in slots:
        # A node that only holds a value stays by itself: each may stand for something else.
        apart = slot.node_id if is_value_node(graph, slot) else ""
        class_type = graph.node(slot.node_id).class_type
        key = (class_type, slot.input, str(graph.value(slot)), apart)
        group = groups.setdefault(key, [])
        group.append(slot)
    found = []
    for group in groups.values():
        found.append(make_detection("other", group, graph.describe_slots(group)))
    return found


def is_value_node(graph: Graph, slot: Slot) -> bool:
    """Whether a node only provides this one value."""
    if slot.input not in VALUE_INPUTS or graph.links.get(slot.node_id):
        return False
    names = {own.input for own in graph.list_settable(slot.node_id)}
    names.discard("control_after_generate")
    return len(names) == 1


def _list_free(graph: Graph, detections: Detections) -> list[Slot]:
    """List the inputs that nothing claimed, in the order in which their nodes run."""
    free = []
    for node_id in graph.order:
        for slot in graph.list_settable(node_id):
            if slot not in detections.claimed and slot.input not in NEVER_FIELDS:
                free.append(slot)
    return free


def _can_change(graph: Graph, slot: Slot) -> bool:
    """Whether an input has other possible values, none of which needs other inputs."""
    spec = graph.spec(slot)
    if spec is None or spec.choices == () or "control_after" in slot.input:
        return False
    if "COMFY_DYNAMICCOMBO_V3" not in spec.types:
        return True
    return len(_list_shapes(spec)) == 1


def _list_shapes(spec: InputSpec) -> set[tuple[str, ...]]:
    """List the sets of inputs that the choices of a dynamic combo add."""
    options: Any = spec.options.get("options")
    if not isinstance(options, list):
        return set()
    shapes = set()
    for option in options:
        if isinstance(option, dict):
            names = _list_names(option.get("inputs"))
            shapes.add(tuple(sorted(names)))
    return shapes


def _list_names(inputs: Any) -> list[str]:
    """List the names of the inputs in all groups, required and optional."""
    names: list[str] = []
    if not isinstance(inputs, dict):
        return names
    for group in inputs.values():
        if isinstance(group, dict):
            names += [str(name) for name in group]
    return names


def _weigh(graph: Graph, slot: Slot) -> int:
    """Rate from 0 to 3 how likely a person wants to set an input."""
    spec = graph.spec(slot)
    if spec is None:
        return 0
    if is_value_node(graph, slot):
        return 3 if find_author_title(graph, slot.node_id) else 1
    # Where results are saved or shown, there are names of files and formats.
    if slot.node_id in graph.outputs:
        return 0
    name = slot.last_part.lower()
    if name in SELDOM_SET or spec.options.get("advanced"):
        return 0
    is_number = not spec.types.isdisjoint(NUMBERS)
    return 2 if is_number and spec.choices is None else 1
