"""Which preset a file belongs to: by what comfygradio wrote into it, else by its graph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from comfygradio.comfy.workflow import Link, Workflow
from comfygradio.errors import PresetError
from comfygradio.forms.binding.lora_binding import list_classes
from comfygradio.forms.preset import Preset
from comfygradio.forms.preset_file import list_plain
from comfygradio.forms.restoring.inversion import is_same
from comfygradio.forms.restoring.matching import Match, bound_score, match_nodes
from comfygradio.forms.restoring.metadata import Metadata
from comfygradio.forms.slots import find_node, find_slot

LIKELY = 0.75
"""Least score: below it no preset is named.

Told from 96 workflows of all kinds, each compared with the others.
"""

OWN = 0.5
"""Least score at which a preset is believed to be the one that comfygradio wrote down, and not
another of its name.
"""


@dataclass(frozen=True)
class _Candidate:
    preset: Preset
    match: Match
    titles: int
    literals: int

    @property
    def rank(self) -> tuple[bool, float, int, int]:
        return self.match.is_same, round(self.match.score, 2), self.titles, self.literals


def find_preset(metadata: Metadata, presets: Iterable[Preset]) -> tuple[Preset | None, str]:
    """The preset that a file was made with, or None, and a sentence that says how it was found, and
    how surely.
    """
    presets = list(presets)
    graph = Workflow.from_json(metadata.prompt) if metadata.prompt else None
    own = (metadata.comfygradio or {}).get("preset")
    named = next((preset for preset in presets if preset.name == own), None)
    if named and (graph is None or _compare(named, graph).match.score >= OWN):
        return named, f"comfygradio made this file with the form {named.title}."
    if graph is None:
        return None, _describe_absent(metadata, own)
    found = [
        _compare(preset, graph)
        for preset in presets
        if bound_score(preset.workflow, graph, _list_optional(preset)) >= LIKELY
    ]
    found = sorted(
        (one for one in found if one.match.score >= LIKELY), key=lambda one: one.rank, reverse=True
    )
    reason = (
        f"None of the {len(presets)} forms resembles the workflow of this file."
        if not found
        else ""
    )
    if found:
        reason = _describe(found, graph)
    if isinstance(own, str) and own:
        there = "whose workflow is another one here" if named else "which is not here"
        reason = f"It was made with a form called {own[:60]}, {there}. {reason}"
    return (found[0].preset if found else None), reason


def _compare(preset: Preset, graph: Workflow) -> _Candidate:
    match = match_nodes(preset.workflow, graph, _list_optional(preset), _list_added(preset))
    pairs = [
        (preset.workflow.nodes[key], graph.nodes[partner]) for key, partner in match.pairs.items()
    ]
    titles = sum(mine.title == other.title for mine, other in pairs)
    literals = sum(
        is_same(value, other.inputs[name])
        for mine, other in pairs
        for name, value in mine.inputs.items()
        if name in other.inputs and Link.parse(value) is None
    )
    return _Candidate(preset, match, titles, literals)


def _list_optional(preset: Preset) -> set[str]:
    """Ids of the nodes that the form may bypass."""
    found = set()
    for line in preset.file.fields.values():
        named = (
            line.bypass
            if isinstance(line.bypass, list)
            else []
            if line.bypass is None
            else [line.bypass]
        )
        for node in named:
            try:
                found.add(find_node(preset.workflow, node).id)
            except PresetError:
                continue
    return found | _list_loaders(preset)


def _list_loaders(preset: Preset) -> set[str]:
    """Ids of the loaders that a LoRA list of the form fills."""
    found = set()
    for line in preset.file.fields.values():
        for address in list_plain(line) if line.widget == "loras" else []:
            try:
                found.add(find_slot(preset.workflow, address).node_id)
            except PresetError:
                continue
    return found


def _list_added(preset: Preset) -> set[str]:
    """Classes that the form may add to its workflow."""
    loaders = {preset.workflow.nodes[key].class_type for key in _list_loaders(preset)}
    return loaders.union(*(list_classes(line) for line in preset.file.fields.values()))


def _describe(found: list[_Candidate], graph: Workflow) -> str:
    best = found[0]
    rivals = [one.preset.title for one in found[1:] if one.rank[:2] == best.rank[:2]]
    if best.match.is_same:
        text = f"Its workflow is that of the form {best.preset.title}."
    else:
        text = (
            f"Its workflow resembles that of the form {best.preset.title}, but is not the "
            f"same{_differ(best, graph)}."
        )
    if rivals:
        text += f" {', '.join(rivals[:3])} would fit as well."
    return text


def _differ(best: _Candidate, graph: Workflow) -> str:
    """The nodes of which only one of the two has any."""
    more = list(dict.fromkeys(graph.nodes[key].title for key in best.match.added))
    lacking = list(
        dict.fromkeys(best.preset.workflow.nodes[key].title for key in best.match.missing)
    )
    parts = [f"it has {', '.join(more[:4])}"] if more else []
    parts += [f"it lacks {', '.join(lacking[:4])}"] if lacking else []
    return f": {' and '.join(parts)}" if parts else ""


def _describe_absent(metadata: Metadata, own: object) -> str:
    if isinstance(own, str) and own:
        return f"It was made with a form called {own[:60]}, which is not here."
    if metadata.workflow is not None:
        return (
            "The file holds only ComfyUI's own workflow (UI format), which cannot be compared "
            "with the forms."
        )
    return "The file holds no prompt that could be compared with the forms."
