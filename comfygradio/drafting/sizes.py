"""Detect sizes: the width and height of the result, and whatever else decides them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

from comfygradio.drafting.detection import Detection, make_detection
from comfygradio.drafting.graph import Graph
from comfygradio.drafting.numbers import is_count
from comfygradio.drafting.trace import find_number, get_rank, walk_type
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


class SizeUse(IntEnum):
    """What a node uses a width and a height for. A lower one comes closer to the result's size."""

    MAKES = 0
    """It makes an empty latent."""

    DRAWS = 1
    """Anything else, such as drawing a picture or telling a model the size."""

    RESIZES = 2
    """It changes a picture that exists already."""


@dataclass(frozen=True)
class SizeInputs:
    """The width and height of one node: their inputs and values, and what the node uses
    them for.
    """

    node_id: str
    width: Slot
    height: Slot
    size: tuple[int, int]
    use: SizeUse
    is_main_name: bool

    @property
    def slots(self) -> tuple[Slot, Slot]:
        """The inputs of the width and the height."""
        return self.width, self.height


def find_sizes(graph: Graph, ranks: Mapping[str, int], has_words: bool) -> list[Detection]:
    """Detect the size of the result first. Further sizes are secondary.

    Inputs with the same size are filled together. The size that a picture is scaled to is the main
    size if the workflow has no prompt.
    """

    def place(pair: SizeInputs) -> tuple[SizeUse, int]:
        return pair.use, get_rank(ranks, pair.node_id)

    pairs = sorted(_find_pairs(graph), key=place)
    found: list[Detection] = []
    while pairs and pairs[0].is_main_name:
        # The first one left takes along all that can have its value.
        main, *others = pairs
        same = [main]
        for pair in others:
            if pair.size == main.size and _share_limits(graph, main, pair):
                same.append(pair)
        taken: set[Slot] = set()
        for pair in same:
            taken.update(pair.slots)
        pairs = [pair for pair in others if taken.isdisjoint(pair.slots)]
        is_side = bool(found) or (main.use == SizeUse.RESIZES and has_words)
        found.append(_join(graph, same, is_side))
    return [*found, *_find_shapes(graph)]


def _find_pairs(graph: Graph) -> Iterator[SizeInputs]:
    """Yield every pair of inputs with a width and a height, on the node itself or in one of its
    objects.
    """
    for node_id in graph.order:
        if _takes_file(graph, node_id):
            continue
        # Members of objects and inputs of dynamic combos have a prefix: resize_type.width.
        prefixes = {name.rpartition(".")[0] for name in graph.node(node_id).inputs}
        for prefix in prefixes:
            start = f"{prefix}." if prefix else ""
            for names in PAIRS:
                width, height = names
                pair = _read_pair(graph, node_id, f"{start}{width}", f"{start}{height}")
                if pair:
                    yield replace(pair, is_main_name=names == PAIRS[0])


def _takes_file(graph: Graph, node_id: str) -> bool:
    """Whether a file can be chosen on a node. Its width and height are those of the file."""
    for slot in graph.list_settable(node_id):
        spec = graph.spec(slot)
        if spec is not None and spec.media:
            return True
    return False


def _read_pair(graph: Graph, node_id: str, width_name: str, height_name: str) -> SizeInputs | None:
    names = graph.node(node_id).inputs.keys()
    if width_name not in names or height_name not in names:
        return None
    width = _find_side(graph, Slot(node_id, width_name), "width")
    height = _find_side(graph, Slot(node_id, height_name), "height")
    if width is None or height is None or width == height:
        return None
    size = (graph.value(width), graph.value(height))
    if not all(is_count(length) for length in size):
        return None
    pair = SizeInputs(
        node_id=node_id,
        width=width,
        height=height,
        size=size,
        use=_find_use(graph, node_id),
        is_main_name=False,
    )
    # A value that its own node refuses is no size.
    if not _share_limits(graph, pair, pair):
        return None
    return pair


def _find_side(graph: Graph, slot: Slot, word: str) -> Slot | None:
    """Find the number behind one side. If a node measures a picture, find that picture's side."""
    source = find_number(graph, slot, word)
    if source is None:
        return _measure(graph, slot, word)
    spec = graph.spec(source.slot)
    if spec is None or "INT" not in spec.types:
        return None
    return source.slot


def _measure(graph: Graph, slot: Slot, word: str) -> Slot | None:
    """Find the number behind this side of the pictures that an input is linked to."""
    for node_id in walk_type(graph, slot.node_id, slot.input, "IMAGE"):
        slots = [Slot(node_id, name) for name in graph.node(node_id).inputs]
        sides = [own for own in slots if own.last_part == word]
        if not sides:
            continue
        found = find_number(graph, sides[0], word)
        if found:
            return found.slot
    return None


def _find_use(graph: Graph, node_id: str) -> SizeUse:
    makes_latent = "LATENT" in graph.output_types(node_id)
    # A latent comes out and none goes in.
    if makes_latent and not graph.links_of(node_id, "LATENT"):
        return SizeUse.MAKES
    if graph.links_of(node_id, "IMAGE", "LATENT", "MASK", "VIDEO"):
        return SizeUse.RESIZES
    return SizeUse.DRAWS


def _share_limits(graph: Graph, main: SizeInputs, pair: SizeInputs) -> bool:
    """Whether one value can fill both: no limit of the other is narrower than the size itself."""
    for slot, value in zip(pair.slots, main.size, strict=True):
        spec = graph.spec(slot)
        if spec is None:
            return False
        if spec.minimum is not None and value < spec.minimum:
            return False
        if spec.maximum is not None and value > spec.maximum:
            return False
    return True


def _join(graph: Graph, pairs: list[SizeInputs], is_side: bool) -> Detection:
    """Join pairs into one size, each of their inputs once."""
    widths = dict.fromkeys(pair.width for pair in pairs)
    heights = dict.fromkeys(pair.height for pair in pairs)
    why = f"width and height of {graph.describe(pairs[0].node_id)}"
    if len(widths) > 1:
        why += f" and {len(widths) - 1} more"
    return Detection(
        role="size",
        parts={"width": tuple(widths), "height": tuple(heights)},
        why=why,
        is_secondary=is_side,
    )


def _find_shapes(graph: Graph) -> list[Detection]:
    """Detect lists and single numbers that decide a size. Those of one class with the same value
    are filled together.
    """
    groups: dict[tuple[str, str, str, str], list[Slot]] = {}
    for node_id in graph.order:
        class_type = graph.node(node_id).class_type
        for slot in graph.list_settable(node_id):
            role = _find_shape(graph, slot)
            if role is None:
                continue
            value = str(graph.value(slot))
            group = groups.setdefault((role, class_type, slot.input, value), [])
            group.append(slot)
    found = []
    for (role, _, _, _), slots in groups.items():
        is_side = role != "shape"
        found.append(make_detection(role, slots, graph.describe_slots(slots), is_side))
    return found


def _find_shape(graph: Graph, slot: Slot) -> str | None:
    """Return the role of an input that decides a size by itself, or None."""
    name = slot.last_part.lower()
    if name == "megapixels":
        return "megapixels"
    if name in SIZE_NUMBERS:
        return "edge"
    spec = graph.spec(slot)
    if name not in SIZE_LISTS or spec is None or not spec.choices:
        return None
    # The choices of a dynamic combo differ in the inputs that they add.
    return None if "COMFY_DYNAMICCOMBO_V3" in spec.types else "shape"
