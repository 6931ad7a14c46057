"""Match the nodes of a picture's graph with those of a preset's workflow, independent of ids."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from comfygradio.comfy.workflow import Link, Node, Workflow

ROUNDS = 6
"""Rounds of comparison, and so the number of links over which other nodes influence a pair."""

MAX_CANDIDATES = 24
MAX_CONSUMERS = 8
"""Limits for hostile graphs: only the most similar nodes of a class are compared link by link."""

OUTPUT_WORDS = ("Save", "Preview", "Output", "Combine", "Show", "Display", "Viewer")

Pair = tuple[str, str]

Use = tuple[str, str, int]
"""How one node uses another: the class and input of the user, and the output slot."""

Consumers = dict[str, dict[Use, list[str]]]


@dataclass(frozen=True)
class Match:
    """How two graphs correspond. `pairs` maps ids of the workflow to ids of the picture's graph,
    one to one.

    `score` is 1 for the same graph and 0 if no node matches. `missing` are ids of the workflow
    without a partner, `added` ids of the picture's graph without one that lead to an output, and
    `disconnected` those that lead to none. `inactive` are ids of the workflow that lead to an
    output while their partner does not. `is_same` means that nothing differs except literals,
    titles and what was forgiven.
    """

    pairs: Mapping[str, str]
    score: float
    missing: tuple[str, ...]
    added: tuple[str, ...]
    disconnected: tuple[str, ...]
    inactive: frozenset[str]
    is_same: bool

    def find_active(self, node_id: str) -> str | None:
        """Return the partner of a workflow's node, or None if it has none that contributed to the
        result.
        """
        if node_id in self.inactive:
            return None
        return self.pairs.get(node_id)


def match_nodes(
    workflow: Workflow,
    graph: Workflow,
    may_miss: Collection[str] = (),
    may_add: Collection[str] = (),
) -> Match:
    """Pair nodes of the same class so that titles, literals and links agree as far as possible.

    The score ignores missing nodes in `may_miss` and added nodes whose class is in `may_add`.
    """
    chosen = _Comparison(workflow, graph).pair()
    pairs = {key: chosen[key] for key in workflow.nodes if key in chosen}
    found = frozenset(pairs.values())
    missing = [key for key in workflow.nodes if key not in pairs]
    unmatched = [key for key in graph.nodes if key not in found]

    # Nodes that lead to no output did not contribute to the result.
    sinks = _name_sinks(workflow)
    needed = _find_used(workflow, sinks)
    used = _find_used(graph, sinks)
    added = [key for key in unmatched if key in used]
    loose = [key for key in unmatched if key not in used]
    idle = [key for key in pairs if key in needed and pairs[key] not in used]

    lacking = [key for key in missing if key in needed and key not in may_miss]
    strange = [key for key in added if graph.nodes[key].class_type not in may_add]
    # The score is Dice's: a pair stands for two nodes, any other node for itself.
    total = 2 * len(pairs) + len(strange) + len(lacking)
    links = [_rate_links(workflow, graph, pairs, key) for key in pairs]
    agreement = sum(_rate_pair(rated) for rated in links)
    score = 2 * agreement / total if total else 0.0
    has_same_nodes = bool(pairs) and not strange and not lacking
    # A link of 0.5 leads to a node without a partner, which is judged by itself.
    has_same_links = all(min(rated, default=1) > 0 for rated in links)
    is_same = has_same_nodes and has_same_links
    return Match(
        pairs,
        score,
        missing=tuple(missing),
        added=tuple(added),
        disconnected=tuple(loose),
        inactive=frozenset(idle),
        is_same=is_same,
    )


def _rate_pair(rated_links: list[float]) -> float:
    """Rate how well two partners agree: one half for being partners, the other half for their
    links.
    """
    if not rated_links:
        return 1.0
    return 0.5 + 0.5 * sum(rated_links) / len(rated_links)


def estimate_max_score(
    workflow: Workflow, graph: Workflow, may_miss: Collection[str] = ()
) -> float:
    """Compute quickly, from the classes alone, a score that `match_nodes` cannot exceed."""
    own_classes = Counter(node.class_type for node in workflow)
    other_classes = Counter(node.class_type for node in graph)
    common = (own_classes & other_classes).total()
    if not common:
        return 0.0
    sinks = _name_sinks(workflow)
    used = _find_used(workflow, sinks)
    needed = used.difference(may_miss)
    needed_classes = Counter(workflow.nodes[key].class_type for key in needed)
    lacking = (needed_classes - other_classes).total()
    # This is the score of `match_nodes` if all links agree and nothing was added.
    return 2 * common / (2 * common + lacking)


class _Comparison:
    """Compares two graphs node by node.

    The similarity of two nodes depends on that of the nodes that they are linked with, in several
    rounds, as in the Weisfeiler-Leman algorithm.
    """

    def __init__(self, workflow: Workflow, graph: Workflow) -> None:
        self.ours = workflow.nodes
        self.theirs = graph.nodes
        self.our_consumers = _list_consumers(workflow)
        self.their_consumers = _list_consumers(graph)
        self.likeness = self._find_candidates()
        self.similar = dict(self.likeness)
        self.pairs: dict[str, str] = {}

    def pair(self) -> dict[str, str]:
        """Pair the nodes, the clearest pairs first, so that they help to tell the others apart."""
        left = set(self.likeness)
        while left:
            self._spread(left)
            chosen = self._choose_clear(left)
            if not chosen:
                # Nothing leads clearly, as with equal nodes;
                # one pair then helps to tell the others apart.
                chosen = [max(left, key=self._rank)]
            for ours, theirs in chosen:
                self.pairs[ours] = theirs
                self.similar[ours, theirs] = 1.0
            left = self._list_left(left)
        return self.pairs

    def _list_left(self, candidates: set[Pair]) -> set[Pair]:
        """List the candidates neither of whose nodes has a partner yet."""
        taken = frozenset(self.pairs.values())
        left: set[Pair] = set()
        for ours, theirs in candidates:
            if ours not in self.pairs and theirs not in taken:
                left.add((ours, theirs))
        return left

    def _find_candidates(self) -> dict[Pair, float]:
        """Find nodes of the same class, the most similar ones of each, with their likeness."""
        by_class: dict[str, list[Node]] = defaultdict(list)
        for node in self.theirs.values():
            by_class[node.class_type].append(node)
        candidates: dict[Pair, float] = {}
        for node in self.ours.values():
            rated: list[tuple[str, float]] = []
            for other in by_class[node.class_type]:
                likeness = _rate_likeness(node, other)
                rated.append((other.id, likeness))
            rated.sort(key=lambda pair: -pair[1])
            for other_id, likeness in rated[:MAX_CANDIDATES]:
                candidates[node.id, other_id] = likeness
        return candidates

    def _spread(self, left: set[Pair]) -> None:
        """Compute the similarity of pairs from those they are linked with. It is 0 for pairs that
        have been ruled out.
        """
        for pair in self.likeness.keys() - left:
            ours, theirs = pair
            if self.pairs.get(ours) != theirs:
                self.similar[pair] = 0.0
        # Once there are pairs, only what is near a new one changes.
        for _ in range(2 if self.pairs else ROUNDS):
            # Each round is computed from the round before.
            fresh: dict[Pair, float] = {}
            for pair in left:
                links = self._compare_links(*pair)
                fresh[pair] = 0.2 * self.likeness[pair] + 0.8 * links
            self.similar.update(fresh)

    def _compare_links(self, ours: str, theirs: str) -> float:
        rated = []
        our_links = self.ours[ours].links
        their_links = self.theirs[theirs].links
        for name in our_links.keys() | their_links.keys():
            mine = our_links.get(name)
            other = their_links.get(name)
            rated.append(self._rate_source(mine, other))
        our_uses = self.our_consumers[ours]
        their_uses = self.their_consumers[theirs]
        for use in our_uses.keys() | their_uses.keys():
            users = our_uses.get(use, [])
            other_users = their_uses.get(use, [])
            rated.append(self._rate_uses(users, other_users))
        return sum(rated) / len(rated) if rated else 1.0

    def _rate_source(self, mine: Link | None, other: Link | None) -> float:
        if mine is None or other is None or mine.slot != other.slot:
            return 0.0
        return self._rate(mine.node_id, other.node_id)

    def _rate_uses(self, mine: list[str], others: list[str]) -> float:
        """Return the similarity of the most similar two of these nodes."""
        best = 0.0
        for ours in mine:
            for theirs in others:
                rate = self._rate(ours, theirs)
                if rate > best:
                    best = rate
        return best

    def _rate(self, ours: str, theirs: str) -> float:
        # Nodes of different classes are never compared; see `_find_candidates`.
        near = self.similar.get((ours, theirs))
        if near is None:
            return 0.1
        return 0.3 + 0.7 * near

    def _choose_clear(self, left: set[Pair]) -> list[Pair]:
        """Choose the pairs that are the best for both nodes, by a margin."""
        of_ours: dict[str, list[float]] = defaultdict(list)
        of_theirs: dict[str, list[float]] = defaultdict(list)
        for ours, theirs in left:
            near = self.similar[ours, theirs]
            of_ours[ours].append(near)
            of_theirs[theirs].append(near)
        for rated in (*of_ours.values(), *of_theirs.values()):
            rated.sort(reverse=True)

        clear: list[Pair] = []
        for ours, theirs in left:
            near = self.similar[ours, theirs]
            if _leads(near, of_ours[ours]) and _leads(near, of_theirs[theirs]):
                clear.append((ours, theirs))
        return clear

    def _rank(self, pair: Pair) -> tuple[float, float, bool, str, str]:
        ours, theirs = pair
        near = round(self.similar[pair], 2)
        # The ids come last, so that the same graphs always give the same pairs.
        return near, self.likeness[pair], ours == theirs, ours, theirs


def _leads(near: float, rated: list[float]) -> bool:
    """Whether `near` is the first of the sorted ratings, by a margin."""
    if near != rated[0]:
        return False
    return len(rated) == 1 or rated[1] < near - 0.02


def _rate_likeness(ours: Node, theirs: Node) -> float:
    """Rate how alike two nodes of one class are apart from their links, 0 to 1."""
    title = 0.5 if ours.title == theirs.title else 0.0
    node_id = 0.2 if ours.id == theirs.id else 0.0
    literals = 0.3 * _compare_literals(ours, theirs)
    return title + node_id + literals


def _compare_literals(ours: Node, theirs: Node) -> float:
    """Return the share of equal literals among those that both nodes have."""
    count = 0
    same = 0
    for name, value in ours.inputs.items():
        if name in ours.links or name not in theirs.inputs:
            continue
        count += 1
        if value == theirs.inputs[name]:
            same += 1
    return same / count if count else 1.0


def _list_consumers(workflow: Workflow) -> Consumers:
    """Map node id → use → nodes that use it in this way."""
    found: Consumers = defaultdict(lambda: defaultdict(list))
    for node in workflow:
        for name, link in node.links.items():
            use = (node.class_type, name, link.slot)
            users = found[link.node_id][use]
            if len(users) < MAX_CONSUMERS:
                users.append(node.id)
    return found


def _find_sinks(workflow: Workflow) -> list[Node]:
    """Find the nodes that feed no other node. Nodes without any link do not count."""
    feeding: set[str] = set()
    for node in workflow:
        for link in node.links.values():
            feeding.add(link.node_id)
    sinks: list[Node] = []
    for node in workflow:
        if node.links and node.id not in feeding:
            sinks.append(node)
    return sinks


def _name_sinks(workflow: Workflow) -> frozenset[str]:
    sinks = _find_sinks(workflow)
    return frozenset(node.class_type for node in sinks)


def _find_used(workflow: Workflow, sink_classes: frozenset[str]) -> frozenset[str]:
    """Find the nodes that lead to an output: a node of one of these classes, or with a name such as
    Save or Preview.

    Returns ids. Without such an output, all nodes that feed no other node count as outputs.
    """
    sinks = _find_sinks(workflow)
    outputs: list[str] = []
    for node in sinks:
        if node.class_type in sink_classes or _is_called_output(node.class_type):
            outputs.append(node.id)
    if outputs:
        return workflow.find_upstream(outputs)
    if sinks:
        return workflow.find_upstream([node.id for node in sinks])
    return workflow.find_upstream(workflow.nodes)


def _is_called_output(class_type: str) -> bool:
    return any(word in class_type for word in OUTPUT_WORDS)


def _rate_links(
    workflow: Workflow, graph: Workflow, pairs: Mapping[str, str], key: str
) -> list[float]:
    """Rate for each input whether its sources are partners: 1, 0, or 0.5 if one of the sources has
    no partner.
    """
    mine = workflow.nodes[key].links
    others = graph.nodes[pairs[key]].links
    found = frozenset(pairs.values())
    rated = []
    for name in mine.keys() | others.keys():
        one = mine.get(name)
        other = others.get(name)
        if one is None or other is None:
            rated.append(0.0)
        elif pairs.get(one.node_id) == other.node_id and one.slot == other.slot:
            rated.append(1.0)
        elif one.node_id not in pairs or other.node_id not in found:
            rated.append(0.5)
        else:
            rated.append(0.0)
    return rated
