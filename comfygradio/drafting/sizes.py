"""Detect sizes: the width and height of the result, and whatever else decides them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.object_info import is_whole_number
from comfygradio.drafting.detection import Detection, make_detection
from comfygradio.drafting.graph import Graph
from comfygradio.drafting.trace import find_number, walk_type
from comfygradio.forms.slots import Slot

PAIRS = (("width", "height"), ("target_width", "target_height"), ("custom_width", "custom_height"))

SIZE_LISTS = frozenset(
    {
        "aspect_ratio",
        "ratio",
        "size",
        "resolution",
        "size_preset",
        "target_resolution",
        "orientation",
    }
)
"""Lists that decide a size."""

SIZE_NUMBERS = frozenset(
    {"megapixels", "longer_edge", "longer_size", "largest_size", "shorter_edge", "max_dimension"}
)
"""Single numbers that decide a size."""

MAKES, DRAWS, RESIZES = range(3)


@dataclass(frozen=True)
class SizeInputs:
    """The width and height of one node: their inputs and values, and what the node uses
    them for.
    """

    node_id: str
    width: Slot
    height: Slot
    size: tuple[int, int]
    use: int
    is_main_name: bool


def find_sizes(graph: Graph, ranks: Mapping[str, int], has_words: bool) -> list[Detection]:
    """Detect the size of the result first. Further sizes are secondary.

    Inputs with the same size are filled together. The size that a picture is scaled to is the main
    size if the workflow has no prompt.
    """

    def place(pair: SizeInputs) -> tuple[int, int]:
        return pair.use, ranks.get(pair.node_id, len(ranks))

    pairs = sorted(_find_pairs(graph), key=place)
    found: list[Detection] = []
    while pairs and pairs[0].is_main_name:
        main, *others = pairs
        same = [main]
        for pair in others:
            if pair.size == main.size and _share_limits(graph, main, pair):
                same.append(pair)
        taken = _slots(same)
        pairs = [pair for pair in others if taken.isdisjoint((pair.width, pair.height))]
        is_side = bool(found) or (main.use == RESIZES and has_words)
        found.append(_join(graph, same, is_side))
    return [*found, *_find_shapes(graph)]


def _find_pairs(graph: Graph) -> Iterator[SizeInputs]:
    for node_id in graph.order:
        if _takes_file(graph, node_id):
            continue
        for prefix in {name.rpartition(".")[0] for name in graph.node(node_id).inputs}:
            start = f"{prefix}." if prefix else ""
            for names in PAIRS:
                width, height = names
                pair = _read_pair(graph, node_id, f"{start}{width}", f"{start}{height}")
                if pair:
                    yield replace(pair, is_main_name=names == PAIRS[0])


def _takes_file(graph: Graph, node_id: str) -> bool:
    for slot in graph.list_settable(node_id):
        spec = graph.spec(slot)
        if spec is not None and spec.media:
            return True
    return False


def _read_pair(graph: Graph, node_id: str, width_name: str, height_name: str) -> SizeInputs | None:
    if not {width_name, height_name} <= graph.node(node_id).inputs.keys():
        return None
    width = _find_side(graph, Slot(node_id, width_name), "width")
    height = _find_side(graph, Slot(node_id, height_name), "height")
    if width is None or height is None or width == height:
        return None
    size = (graph.value(width), graph.value(height))
    if not all(_is_length(value) for value in size):
        return None
    pair = SizeInputs(node_id, width, height, size, _find_use(graph, node_id), False)
    return pair if _share_limits(graph, pair, pair) else None


def _is_length(value: Any) -> bool:
    return is_whole_number(value) and value > 0


def _find_side(graph: Graph, slot: Slot, word: str) -> Slot | None:
    """Find the number behind one side. If a node measures a picture, find that picture's side."""
    source = find_number(graph, slot, word)
    if source is None:
        is_linked = slot.input in graph.links.get(slot.node_id, {})
        return _measure(graph, slot, word) if is_linked else None
    spec = graph.spec(source.slot)
    return source.slot if spec and "INT" in spec.types else None


def _measure(graph: Graph, slot: Slot, word: str) -> Slot | None:
    for node_id in walk_type(graph, slot.node_id, slot.input, "IMAGE"):
        names = graph.node(node_id).inputs
        slots = [Slot(node_id, name) for name in names]
        own = [slot for slot in slots if slot.last_part == word]
        if not own:
            continue
        found = find_number(graph, own[0], word)
        if found:
            return found.slot
    return None


def _find_use(graph: Graph, node_id: str) -> int:
    if "LATENT" in graph.output_types(node_id) and not graph.links_of(node_id, "LATENT"):
        return MAKES
    if graph.links_of(node_id, "IMAGE", "LATENT", "MASK", "VIDEO"):
        return RESIZES
    return DRAWS


def _share_limits(graph: Graph, main: SizeInputs, pair: SizeInputs) -> bool:
    """Whether one value can fill both: no limit of the other is narrower than the size itself."""
    for slot, value in zip((pair.width, pair.height), main.size, strict=True):
        spec = graph.spec(slot)
        if spec is None or (spec.minimum is not None and value < spec.minimum):
            return False
        if spec.maximum is not None and value > spec.maximum:
            return False
    return True


def _slots(pairs: list[SizeInputs]) -> set[Slot]:
    slots: set[Slot] = set()
    for pair in pairs:
        slots.update((pair.width, pair.height))
    return slots


def _join(graph: Graph, pairs: list[SizeInputs], is_side: bool) -> Detection:
    widths = dict.fromkeys(pair.width for pair in pairs)
    heights = dict.fromkeys(pair.height for pair in pairs)
    why = f"width and height of {graph.describe(pairs[0].node_id)}"
    if len(widths) > 1:
        why += f" and {len(widths) - 1} more"
    parts = {"width": tuple(widths), "height": tuple(heights)}
    return Detection("size", parts, why, {}, is_side)


def _find_shapes(graph: Graph) -> list[Detection]:
    """Detect lists and single numbers that decide a size. Those of one class with the same value
    are filled together.
    """
    groups: dict[tuple[str, str, str, str], list[Slot]] = {}
    for node_id in graph.order:
        class_type = graph.node(node_id).class_type
        for slot in graph.list_settable(node_id):
            role = _find_shape(graph, slot)
            if role is not None:
                key = (role, class_type, slot.input, str(graph.value(slot)))
                groups.setdefault(key, []).append(slot)
    found = []
    for (role, *_), slots in groups.items():
        found.append(
            make_detection(role, slots, graph.describe_slots(slots), is_secondary=role != "shape")
        )
    return found


def _find_shape(graph: Graph, slot: Slot) -> str | None:
    spec = graph.spec(slot)
    name = slot.last_part.lower()
    if name in SIZE_LISTS and spec and spec.choices and "COMFY_DYNAMICCOMBO_V3" not in spec.types:
        return "shape"
    if name == "megapixels":
        return "megapixels"
    return "edge" if name in SIZE_NUMBERS else None
