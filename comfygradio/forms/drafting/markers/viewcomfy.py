"""ViewComfy: nodes whose title begins with VC_BASIC or VC_ADV show their inputs."""

from __future__ import annotations

from collections.abc import Mapping

from comfygradio.comfy.object_info import InputSpec
from comfygradio.forms.drafting.hint import Hint
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.saved import SavedWorkflow
from comfygradio.forms.drafting.markers.titles import Titled, list_inputs, list_titles
from comfygradio.forms.slots import Slot

SOURCE = "ViewComfy"
BASIC, ADVANCED = "VC_BASIC", "VC_ADV"


def read_viewcomfy(graph: Graph, saved: SavedWorkflow | None) -> list[Hint]:
    """A hint for each input of the marked nodes; several inputs of one node form a group."""
    hints: list[Hint] = []
    for titled in list_titles(graph, saved):
        if not titled.title.startswith((BASIC, ADVANCED)):
            continue
        found = _list_slots(graph, titled)
        if not found:
            graph.notes.append(
                f"{graph.call(titled.node_id)} is marked for ViewComfy, but has no input to be set."
            )
        advanced = titled.title.startswith(ADVANCED)
        title = titled.title.removeprefix(BASIC).removeprefix(ADVANCED).strip(" :-_")
        for slots, label in found:
            hint = Hint(SOURCE, slots, label=title, advanced=advanced, order=len(hints))
            several = Hint(
                SOURCE, slots, label=label, group=title, advanced=advanced, order=len(hints)
            )
            hints.append(hint if len(found) == 1 else several)
    return hints


def _list_slots(graph: Graph, titled: Titled) -> list[tuple[tuple[Slot, ...], str]]:
    if titled.slots:
        return [(titled.slots, "")]
    node = graph.nodes.get(titled.node_id)
    inputs: Mapping[str, InputSpec] = list_inputs(graph, node) if node else {}
    files = {name: spec for name, spec in inputs.items() if spec.media}
    return [((Slot(titled.node_id, name),), spec.label) for name, spec in (files or inputs).items()]
