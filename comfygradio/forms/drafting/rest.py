"""Everything else that a form could set: values that the author gave a title, and what is left
over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from comfygradio.comfy.object_info import InputSpec
from comfygradio.forms.drafting.finding import Catch, Finding, plain
from comfygradio.forms.drafting.graph import Graph
from comfygradio.forms.drafting.titles import find_title
from comfygradio.forms.drafting.trace import CARRIERS
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
"""Titles of nodes that only hold a value → role."""

BORING = frozenset(
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
"""Inputs that hardly anybody sets in a form; they are offered, but not taken by themselves."""

NEVER = frozenset({"filename_prefix", "upload", "control_after_generate"})

MOST = 12
"""So many other inputs go into a draft by themselves."""


def find_titled(graph: Graph, catch: Catch) -> Iterator[Finding]:
    """Values of nodes that only hold a value and whose title says what for."""
    sides: dict[str, Slot] = {}
    for slot in _list_free(graph, catch):
        spec = graph.spec(slot)
        if spec is None or not is_carrier(graph, slot):
            continue
        title = find_title(graph, slot.node_id).lower()
        role = TITLE_ROLES.get(title)
        if title in ("width", "height") and "INT" in spec.types:
            sides[title] = slot
        elif role and ("prompt" in role) == ("STRING" in spec.types):
            yield plain(role, [slot], f"the title of {graph.describe(slot.node_id)} says so")
    if len(sides) == 2:
        parts = {side: (slot,) for side, slot in sides.items()}
        why = f"the titles of nodes {sides['width'].node_id} and {sides['height'].node_id} say so"
        yield Finding("size", parts, why, {}, catch.has("size"))


def find_others(
    graph: Graph, catch: Catch, ranks: Mapping[str, int]
) -> tuple[list[Finding], list[Finding]]:
    """What else goes into a draft, the most telling first, and what is only offered."""

    def place(slot: Slot) -> tuple[int, int]:
        rank = ranks.get(slot.node_id, len(ranks))
        return -_weigh(graph, slot), rank

    free = [slot for slot in _list_free(graph, catch) if _can_change(graph, slot)]
    free.sort(key=place)
    found = _join_alike(graph, free)
    telling = [finding for finding in found if _weigh(graph, finding.first) > 0]
    taken = min(MOST, len(telling))
    offered = [*found[taken:], *_find_unlisted(graph, catch)]
    return found[:taken], offered


def _find_unlisted(graph: Graph, catch: Catch) -> list[Finding]:
    """Values of which the server says nothing: they may be left over from another version of a
    node, so they are only offered.
    """
    found = []
    for slot in graph.unlisted:
        if slot not in catch.claimed:
            why = f"{graph.tell([slot])}, which the server does not list"
            found.append(plain("other", [slot], why))
    return found


def _join_alike(graph: Graph, slots: list[Slot]) -> list[Finding]:
    """One finding for the same input of nodes of one class that hold the same value."""
    groups: dict[tuple[str, ...], list[Slot]] = {}
    for slot in slots:
        # A node that only holds a value stays by itself: each may stand for something else.
        apart = slot.node_id if is_carrier(graph, slot) else ""
        class_type = graph.node(slot.node_id).class_type
        key = (class_type, slot.input, str(graph.value(slot)), apart)
        groups.setdefault(key, []).append(slot)
    return [plain("other", group, graph.tell(group)) for group in groups.values()]


def is_carrier(graph: Graph, slot: Slot) -> bool:
    """Whether a node does nothing but hold this one value."""
    if slot.input not in CARRIERS or graph.links.get(slot.node_id):
        return False
    names = [found.input for found in graph.literals(slot.node_id)]
    values = [name for name in names if name != "control_after_generate"]
    return len(values) == 1


def _list_free(graph: Graph, catch: Catch) -> list[Slot]:
    """The inputs that nothing claimed, in the order in which their nodes run."""
    free = []
    for node_id in graph.order:
        for slot in graph.literals(node_id):
            if slot not in catch.claimed and slot.input not in NEVER:
                free.append(slot)
    return free


def _can_change(graph: Graph, slot: Slot) -> bool:
    """Whether other values are possible: there is a choice, and none that would call for other
    inputs.
    """
    spec = graph.spec(slot)
    if spec is None or spec.choices == () or "control_after" in slot.input:
        return False
    if "COMFY_DYNAMICCOMBO_V3" not in spec.types:
        return True
    return len(_list_shapes(spec)) == 1


def _list_shapes(spec: InputSpec) -> set[tuple[str, ...]]:
    """The sets of inputs that the choices of a dynamic combo call for."""
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
    """The names of the inputs in all groups: required, optional."""
    names: list[str] = []
    if isinstance(inputs, dict):
        for group in inputs.values():
            if isinstance(group, dict):
                names += [str(name) for name in group]
    return names


def _weigh(graph: Graph, slot: Slot) -> int:
    """How likely a person wants to set an input, from 0 to 3."""
    spec = graph.spec(slot)
    if spec is None:
        return 0
    if is_carrier(graph, slot):
        return 3 if find_title(graph, slot.node_id) else 1
    name = slot.input.rpartition(".")[2].lower()
    if name in BORING or spec.options.get("advanced") or slot.node_id in graph.outputs:
        return 0
    is_number = not spec.types.isdisjoint({"INT", "FLOAT"})
    return 2 if is_number and spec.choices is None else 1
