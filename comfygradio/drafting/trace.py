"""Trace a linked input back to the literals that decide it, and a node forward to the samplers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from comfygradio.comfy.workflow import Link
from comfygradio.drafting.graph import WILDCARD_TYPES, Graph
from comfygradio.forms.slots import TEXT_CONTROLS, Slot

NUMBERS = ("INT", "FLOAT")

NOT_TEXTS = TEXT_CONTROLS | {"replace", "expression", "prefix", "suffix", "filename_prefix"}
"""Inputs whose own literal is not the text. A link into them may still lead to one."""

CALCULATION_INPUTS = frozenset({"expression", "operation", "operator", "formula"})
"""Inputs of nodes that calculate."""

VALUE_INPUTS = frozenset(
    {"value", "number", "int", "float", "string", "text", "boolean", "a", "input", "switch"}
)
"""Inputs of nodes that pass a value on unchanged."""


@dataclass(frozen=True)
class TracedValue:
    """A literal behind an input. `is_same` tells that it arrives there unchanged, as far
    as known.
    """

    slot: Slot
    is_same: bool = True


def find_sources(graph: Graph, slot: Slot, *types: str) -> list[TracedValue]:
    """Find the literals of these types that decide an input: its own, or those of the nodes that
    feed it.
    """
    first = graph.links.get(slot.node_id, {}).get(slot.input)
    if first is None:
        return [TracedValue(slot)] if graph.is_settable(slot) else []
    found: list[TracedValue] = []
    seen: set[str] = {slot.node_id}
    stack = [(first.node_id, True)]
    while stack:
        node_id, is_same = stack.pop()
        if node_id in seen:
            continue
        seen.add(node_id)
        slots = [own for own in graph.list_settable(node_id) if _is_wanted(graph, own, types)]
        links = graph.links_of(node_id, *types, wild=True)
        is_same = is_same and _hands_on(graph, node_id, slots, links)
        for own in slots:
            found.append(TracedValue(own, is_same))
        # Reversed, so that the stack gives the first link back first.
        for name, link in reversed(links.items()):
            # What a text is searched for, or split at, is no part of it.
            if name not in TEXT_CONTROLS:
                stack.append((link.node_id, is_same))
    return found


def find_number(graph: Graph, slot: Slot, word: str = "") -> TracedValue | None:
    """Find the number behind an input. Of several, the one whose node's title contains `word`."""
    sources = find_sources(graph, slot, *NUMBERS)
    if len(sources) > 1 and word:
        sources = [source for source in sources if _is_titled(graph, source, word)]
    if len(sources) != 1:
        return None
    return sources[0]


def _is_titled(graph: Graph, source: TracedValue, word: str) -> bool:
    """Whether the title of a source's node contains a word."""
    node = graph.node(source.slot.node_id)
    return word in node.title.lower()


def find_samplers(graph: Graph) -> tuple[str, ...]:
    """Find the nodes that sample, in the order in which they run: conditionings or a guider in,
    latents out.
    """
    return tuple(node_id for node_id in graph.order if _samples(graph, node_id))


def rank_nodes(graph: Graph, samplers: tuple[str, ...]) -> Mapping[str, int]:
    """Map each node to the number of the first sampler that it leads to (or is). Nodes that lead to
    none are missing.
    """
    ranks: dict[str, int] = {}
    for rank, sampler in enumerate(samplers):
        queue = [sampler]
        while queue:
            node_id = queue.pop()
            if node_id in ranks:
                continue
            ranks[node_id] = rank
            links = graph.links[node_id]
            queue += [link.node_id for link in links.values()]
    return ranks


def get_rank(ranks: Mapping[str, int], node_id: str) -> int:
    """Return the rank of a node (see `rank_nodes`). Nodes that lead to no sampler come last."""
    return ranks.get(node_id, len(ranks))


def walk_type(graph: Graph, node_id: str, name: str, kind: str) -> Iterator[str]:
    """Yield the nodes behind an input along links of one type, nearest first."""
    link = graph.links.get(node_id, {}).get(name)
    queue: list[Link] = [link] if link else []
    seen: set[str] = set()
    while queue:
        found = queue.pop(0).node_id
        if found in seen:
            continue
        seen.add(found)
        yield found
        queue += graph.links_of(found, kind, wild=True).values()


def _is_wanted(graph: Graph, slot: Slot, types: tuple[str, ...]) -> bool:
    """Whether an input takes a literal of these types, and is no mere setting of its node."""
    spec = graph.spec(slot)
    if spec is None or spec.choices is not None:
        return False
    return not spec.types.isdisjoint(types) and slot.input not in NOT_TEXTS


def _hands_on(graph: Graph, node_id: str, slots: list[Slot], links: Mapping[str, Link]) -> bool:
    """Whether a node passes one of these values and links on unchanged."""
    if not CALCULATION_INPUTS.isdisjoint(graph.node(node_id).inputs):
        return False
    names = [slot.input for slot in slots]
    names += links
    # The two values of a switch, on_true and on_false, arrive unchanged as well.
    values = [name for name in names if not name.startswith("on_")]
    if len(values) <= 1:
        return True
    return len(slots) <= 1 and VALUE_INPUTS.issuperset(values)


def _samples(graph: Graph, node_id: str) -> bool:
    """Whether a node samples, see `find_samplers`."""
    makes = set(graph.output_types(node_id))
    if not makes:
        # The server lacks the class, so that only the names of the inputs tell.
        links = graph.links.get(node_id, {})
        return {"positive", "negative", "model"} <= links.keys()
    if makes & {"CONDITIONING", "MODEL", "GUIDER"} or makes <= WILDCARD_TYPES:
        return False
    if graph.links_of(node_id, "GUIDER"):
        return True
    has_conditioning = bool(graph.links_of(node_id, "CONDITIONING"))
    has_model = bool(graph.links_of(node_id, "MODEL"))
    return has_conditioning and has_model
