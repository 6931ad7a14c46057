"""Find the preset that a file was made with: by what comfygradio wrote into it, else by
its graph.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from comfygradio.binding.lora_binding import list_chain_classes
from comfygradio.binding.preset import Preset
from comfygradio.comfy.workflow import Link, Workflow
from comfygradio.errors import PresetError
from comfygradio.forms.preset_file import FieldEntry, list_direct_slots
from comfygradio.forms.slots import find_node, find_slot
from comfygradio.metadata.inversion import is_same_literal
from comfygradio.metadata.load import Metadata
from comfygradio.metadata.match import Match, estimate_max_score, match_nodes

MIN_SCORE = 0.75
"""Minimum score at which a preset is named.

Chosen with 96 workflows of all kinds, each compared with the others.
"""

MIN_OWN_SCORE = 0.5
"""Minimum score at which a preset counts as the one that comfygradio wrote into the file, rather
than another one of the same name.
"""


@dataclass(frozen=True)
class _Candidate:
    preset: Preset
    match: Match
    titles: int
    literals: int

    @property
    def rank(self) -> tuple[bool, float, int, int]:
        # Smaller differences are left to titles and literals.
        score = round(self.match.score, 2)
        return self.match.is_same, score, self.titles, self.literals


def find_preset(metadata: Metadata, presets: Iterable[Preset]) -> tuple[Preset | None, str]:
    """Find the preset that a file was made with, or None.

    Also returns a sentence that says how it was found, and how certain that is.
    """
    presets = list(presets)
    graph = Workflow.from_json(metadata.prompt) if metadata.prompt else None
    stored = metadata.comfygradio or {}
    own = stored.get("preset")
    named = next((preset for preset in presets if preset.name == own), None)
    if named and _is_maker(named, graph):
        return named, f"comfygradio made this file with the form {named.title}."
    if graph is None:
        return None, _describe_absent(metadata, own)
    found = _find_likely(presets, graph)
    if found:
        reason = _describe(found, graph)
    else:
        reason = f"None of the {len(presets)} forms resembles the workflow of this file."
    if isinstance(own, str) and own:
        there = "whose workflow is another one here" if named else "which is not here"
        reason = f"It was made with a form called {own[:60]}, {there}. {reason}"
    if not found:
        return None, reason
    return found[0].preset, reason


def _is_maker(preset: Preset, graph: Workflow | None) -> bool:
    """Whether a preset made a graph in which comfygradio stored its name."""
    if graph is None:
        return True
    candidate = _compare(preset, graph)
    return candidate.match.score >= MIN_OWN_SCORE


def _find_likely(presets: Iterable[Preset], graph: Workflow) -> list[_Candidate]:
    """Find the presets whose workflow resembles a graph, the most similar first."""
    found: list[_Candidate] = []
    for preset in presets:
        # Comparing the whole graphs is slow: most presets are ruled out by their classes.
        bound = estimate_max_score(preset.workflow, graph, _list_optional(preset))
        if bound < MIN_SCORE:
            continue
        candidate = _compare(preset, graph)
        if candidate.match.score >= MIN_SCORE:
            found.append(candidate)
    return sorted(found, key=lambda one: one.rank, reverse=True)


def _compare(preset: Preset, graph: Workflow) -> _Candidate:
    match = match_nodes(preset.workflow, graph, _list_optional(preset), _list_added(preset))
    titles = 0
    literals = 0
    for key, partner in match.pairs.items():
        mine = preset.workflow.nodes[key]
        other = graph.nodes[partner]
        if mine.title == other.title:
            titles += 1
        for name, value in mine.inputs.items():
            if name not in other.inputs or Link.parse(value) is not None:
                continue
            if is_same_literal(value, other.inputs[name]):
                literals += 1
    return _Candidate(preset, match, titles, literals)


def _list_optional(preset: Preset) -> set[str]:
    """List the ids of the nodes that the form may bypass."""
    found = set()
    for entry in preset.file.fields.values():
        for node in _list_bypassed(entry):
            try:
                found.add(find_node(preset.workflow, node).id)
            except PresetError:
                continue
    return found | _list_loaders(preset)


def _list_bypassed(entry: FieldEntry) -> list[str | int]:
    """List the nodes that a field may bypass, as the preset names them."""
    if entry.bypass is None:
        return []
    return entry.bypass if isinstance(entry.bypass, list) else [entry.bypass]


def _list_loaders(preset: Preset) -> set[str]:
    """List the ids of the loaders that a LoRA list of the form fills."""
    found = set()
    for entry in preset.file.fields.values():
        if not entry.is_lora_list:
            continue
        for address in list_direct_slots(entry):
            try:
                found.add(find_slot(preset.workflow, address).node_id)
            except PresetError:
                continue
    return found


def _list_added(preset: Preset) -> set[str]:
    """List the classes that the form may add to its workflow."""
    added: set[str] = set()
    for key in _list_loaders(preset):
        loader = preset.workflow.nodes[key]
        added.add(loader.class_type)
    for entry in preset.file.fields.values():
        added |= list_chain_classes(entry)
    return added


def _describe(found: list[_Candidate], graph: Workflow) -> str:
    best = found[0]
    title = best.preset.title
    if best.match.is_same:
        text = f"Its workflow is that of the form {title}."
    else:
        text = (
            f"Its workflow resembles that of the form {title}, but is not the "
            f"same{_differ(best, graph)}."
        )
    rivals: list[str] = []
    for other in found[1:]:
        # The graph is as similar; titles and literals only put one before the other.
        if other.rank[:2] == best.rank[:2]:
            rivals.append(other.preset.title)
    if rivals:
        text += f" {', '.join(rivals[:3])} would fit as well."
    return text


def _differ(best: _Candidate, graph: Workflow) -> str:
    """Name the nodes that only one of the two has."""
    own = best.preset.workflow.nodes
    more = [graph.nodes[key].title for key in best.match.added]
    lacking = [own[key].title for key in best.match.missing]
    parts = []
    if more:
        parts.append(f"it has {_list_first(more)}")
    if lacking:
        parts.append(f"it lacks {_list_first(lacking)}")
    if not parts:
        return ""
    told = " and ".join(parts)
    return f": {told}"


def _list_first(titles: list[str]) -> str:
    """Join the first four titles, each once."""
    distinct = dict.fromkeys(titles)
    first = list(distinct)[:4]
    return ", ".join(first)


def _describe_absent(metadata: Metadata, own: object) -> str:
    if isinstance(own, str) and own:
        return f"It was made with a form called {own[:60]}, which is not here."
    if metadata.workflow is not None:
        return (
            "The file holds only ComfyUI's own workflow (UI format), which cannot be compared "
            "with the forms."
        )
    return "The file holds no prompt that could be compared with the forms."
