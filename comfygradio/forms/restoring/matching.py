"""Matching: which node of a picture's graph is which node of a preset's workflow, whatever their
ids are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from comfygradio.comfy.workflow import Link, Node, Workflow

ROUNDS = 6
"""How many links away another node still tells two nodes of one class apart."""

MOST_CANDIDATES = 24
MOST_CONSUMERS = 8
"""Bounds for hostile graphs; only the most similar nodes of a class are compared link by link."""

OUTPUT_WORDS = ("Save", "Preview", "Output", "Combine", "Show", "Display", "Viewer")

Pair = tuple[str, str]


@dataclass(frozen=True)
class Match:
    """How two graphs correspond: `pairs` maps ids of the workflow to ids of the picture's graph,
    one to one.

    `score` is 1 for the same graph and 0 for one without a common node. `missing` are ids of the
    workflow without a partner, `added` ids of the picture's graph without one that lead to an
    output, `loose` those that lead to none. `idle` are ids of the workflow whose partner leads to
    no output although they do. `is_same` means that nothing differs but literals, titles and what
    was forgiven.
    """

    pairs: Mapping[str, str]
    score: float
    missing: tuple[str, ...]
    added: tuple[str, ...]
    loose: tuple[str, ...]
    idle: frozenset[str]
    is_same: bool

    def find_live(self, node_id: str) -> str | None:
        """The partner of a node of the workflow if it had a part in the result, or None."""
        return None if node_id in self.idle else self.pairs.get(node_id)


def match_nodes(
    workflow: Workflow,
    graph: Workflow,
    may_miss: Collection[str] = (),
    may_add: Collection[str] = (),
) -> Match:
    """Pair nodes of the same class so that titles, literals and links agree as far as they can.

    The score forgives the absence of the nodes `may_miss` and the presence of nodes of the classes
    `may_add`.
    """
    chosen = _Comparison(workflow, graph).pair()
    pairs = {key: chosen[key] for key in workflow.nodes if key in chosen}
    found = frozenset(pairs.values())
    used, needed = (
        _find_used(graph, _name_sinks(workflow)),
        _find_used(workflow, _name_sinks(workflow)),
    )
    missing = tuple(key for key in workflow.nodes if key not in pairs)
    unmatched = [key for key in graph.nodes if key not in found]
    added = tuple(key for key in unmatched if key in used)
    strange = [key for key in added if graph.nodes[key].class_type not in may_add]
    lacking = [key for key in missing if key in needed and key not in may_miss]
    links = {key: _rate_links(workflow, graph, pairs, key) for key in pairs}
    agreement = sum(
        0.5 + 0.5 * sum(rated) / len(rated) if rated else 1.0 for rated in links.values()
    )
    total = 2 * len(pairs) + len(strange) + len(lacking)
    is_same = (
        bool(pairs)
        and not strange
        and not lacking
        and all(min(rated, default=1) > 0 for rated in links.values())
    )
    loose = tuple(key for key in unmatched if key not in used)
    idle = frozenset(key for key, partner in pairs.items() if key in needed and partner not in used)
    return Match(
        pairs, 2 * agreement / total if total else 0.0, missing, added, loose, idle, is_same
    )


def bound_score(workflow: Workflow, graph: Workflow, may_miss: Collection[str] = ()) -> float:
    """A score that `match_nodes` cannot exceed, told from the classes alone and quickly."""
    needed = _find_used(workflow, _name_sinks(workflow)) - frozenset(may_miss)
    others = Counter(node.class_type for node in graph)
    common = (Counter(node.class_type for node in workflow) & others).total()
    lacking = (Counter(workflow.nodes[key].class_type for key in needed) - others).total()
    return 2 * common / (2 * common + lacking) if common else 0.0


class _Comparison:
    """Compares two graphs node by node; similarity spreads along the links, as in Weisfeiler and
    Leman's colouring.
    """

    def __init__(self, workflow: Workflow, graph: Workflow) -> None:
        self.ours, self.theirs = workflow.nodes, graph.nodes
        self.our_consumers, self.their_consumers = _list_consumers(workflow), _list_consumers(graph)
        self.hints = self._find_candidates()
        self.similar = dict(self.hints)
        self.pairs: dict[str, str] = {}

    def pair(self) -> dict[str, str]:
        """The pairs: those that are beyond doubt first, so that they tell the others apart."""
        left = set(self.hints)
        while left:
            self._spread(left)
            chosen = self._choose_clear(left) or [max(left, key=self._rank)]
            for ours, theirs in chosen:
                self.pairs[ours] = theirs
                self.similar[ours, theirs] = 1.0
            taken = frozenset(self.pairs.values())
            left = {pair for pair in left if pair[0] not in self.pairs and pair[1] not in taken}
        return self.pairs

    def _find_candidates(self) -> dict[Pair, float]:
        by_class: dict[str, list[Node]] = defaultdict(list)
        for node in self.theirs.values():
            by_class[node.class_type].append(node)
        hints: dict[Pair, float] = {}
        for node in self.ours.values():
            rated = [(_hint(node, other), other.id) for other in by_class[node.class_type]]
            for hint, other_id in sorted(rated, key=lambda pair: -pair[0])[:MOST_CANDIDATES]:
                hints[node.id, other_id] = hint
        return hints

    def _spread(self, left: set[Pair]) -> None:
        for pair in self.hints.keys() - left:
            if self.pairs.get(pair[0]) != pair[1]:
                self.similar[pair] = 0.0
        for _ in range(2 if self.pairs else ROUNDS):
            fresh = {
                pair: 0.2 * self.hints[pair] + 0.8 * self._compare_links(*pair) for pair in left
            }
            self.similar.update(fresh)

    def _compare_links(self, ours: str, theirs: str) -> float:
        mine, others = self.ours[ours].links, self.theirs[theirs].links
        names = mine.keys() | others.keys()
        rated = [self._rate_source(mine.get(name), others.get(name)) for name in names]
        uses, other_uses = self.our_consumers[ours], self.their_consumers[theirs]
        rated += [
            self._rate_uses(uses.get(key, []), other_uses.get(key, []))
            for key in uses.keys() | other_uses.keys()
        ]
        return sum(rated) / len(rated) if rated else 1.0

    def _rate_source(self, mine: Link | None, other: Link | None) -> float:
        if mine is None or other is None or mine.slot != other.slot:
            return 0.0
        return self._rate(mine.node_id, other.node_id)

    def _rate_uses(self, mine: list[str], others: list[str]) -> float:
        return max((self._rate(a, b) for a in mine for b in others), default=0.0)

    def _rate(self, ours: str, theirs: str) -> float:
        near = self.similar.get((ours, theirs))
        return 0.1 if near is None else 0.3 + 0.7 * near

    def _choose_clear(self, left: set[Pair]) -> list[Pair]:
        """The pairs that are the best of both their nodes, by a margin."""
        best: dict[tuple[int, str], list[float]] = defaultdict(list)
        for pair in left:
            for side in (0, 1):
                best[side, pair[side]].append(self.similar[pair])
        tops = {key: sorted(rated, reverse=True)[:2] for key, rated in best.items()}

        def is_clear(pair: Pair) -> bool:
            rivals = [tops[side, pair[side]] for side in (0, 1)]
            return all(
                top[0] == self.similar[pair] and (len(top) == 1 or top[1] < top[0] - 0.02)
                for top in rivals
            )

        return [pair for pair in left if is_clear(pair)]

    def _rank(self, pair: Pair) -> tuple[float, float, bool, str, str]:
        return round(self.similar[pair], 2), self.hints[pair], pair[0] == pair[1], *pair


def _hint(ours: Node, theirs: Node) -> float:
    """How much two nodes of one class are alike, leaving aside their links: 0 to 1."""
    title = 0.5 if ours.title == theirs.title else 0.0
    literals = [name for name in ours.inputs if name in theirs.inputs and name not in ours.links]
    same = sum(ours.inputs[name] == theirs.inputs[name] for name in literals)
    return title + 0.2 * (ours.id == theirs.id) + 0.3 * (same / len(literals) if literals else 1.0)


def _list_consumers(workflow: Workflow) -> dict[str, dict[tuple[str, str, int], list[str]]]:
    """Node id → (class, input, output slot) → nodes that use it so."""
    found: dict[str, dict[tuple[str, str, int], list[str]]] = defaultdict(lambda: defaultdict(list))
    for node in workflow:
        for name, link in node.links.items():
            users = found[link.node_id][node.class_type, name, link.slot]
            if len(users) < MOST_CONSUMERS:
                users.append(node.id)
    return found


def _find_sinks(workflow: Workflow) -> list[Node]:
    """The nodes that feed no other; a node that is also fed by none is only carried along."""
    feeding = {link.node_id for node in workflow for link in node.links.values()}
    return [node for node in workflow if node.id not in feeding and node.links]


def _name_sinks(workflow: Workflow) -> frozenset[str]:
    return frozenset(node.class_type for node in _find_sinks(workflow))


def _find_used(workflow: Workflow, sink_classes: frozenset[str]) -> frozenset[str]:
    """Ids of the nodes that lead to an output: a node of one of these classes, or called Save,
    Preview or the like.
    """
    ends = _find_sinks(workflow)
    known = [
        n.id
        for n in ends
        if n.class_type in sink_classes or any(word in n.class_type for word in OUTPUT_WORDS)
    ]
    return workflow.find_upstream(known or [node.id for node in ends] or workflow.nodes)


def _rate_links(
    workflow: Workflow, graph: Workflow, pairs: Mapping[str, str], key: str
) -> list[float]:
    """Of each input whether what feeds it are partners: 1, 0, or 0.5 where one of the sources has
    no partner.
    """
    mine, others = workflow.nodes[key].links, graph.nodes[pairs[key]].links
    found = frozenset(pairs.values())
    rated = []
    for name in mine.keys() | others.keys():
        one, other = mine.get(name), others.get(name)
        is_same = (
            one and other and pairs.get(one.node_id) == other.node_id and one.slot == other.slot
        )
        is_open = one and other and (one.node_id not in pairs or other.node_id not in found)
        rated.append(1.0 if is_same else 0.5 if is_open else 0.0)
    return rated
