"""ViewComfy: nodes whose title begins with VC_BASIC or VC_ADV show their inputs."""

from __future__ import annotations

from comfygradio.forms.drafting.hint import Hint
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.saved import SavedWorkflow
from comfygradio.forms.drafting.markers.titles import Titled, list_inputs, list_titles
from comfygradio.forms.slots import Slot

SOURCE = "ViewComfy"
BASIC = "VC_BASIC"
ADVANCED = "VC_ADV"


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
        rest = titled.title.removeprefix(BASIC).removeprefix(ADVANCED)
        title = rest.strip(" :-_")
        for slots, input_label in found:
            # The title names the one input, or the group of several.
            label = title if len(found) == 1 else input_label
            group = "" if len(found) == 1 else title
            order = len(hints)
            hint = Hint(SOURCE, slots, label=label, group=group, advanced=advanced, order=order)
            hints.append(hint)
    return hints


def _list_slots(graph: Graph, titled: Titled) -> list[tuple[tuple[Slot, ...], str]]:
    """The inputs of each field of a marked node, and the server's label for it."""
    if titled.slots:
        return [(titled.slots, "")]
    node = graph.nodes.get(titled.node_id)
    if node is None:
        return []
    inputs = list_inputs(graph, node)
    files = {name: spec for name, spec in inputs.items() if spec.media}
    found: list[tuple[tuple[Slot, ...], str]] = []
    for name, spec in (files or inputs).items():
        slot = Slot(node.id, name)
        found.append(((slot,), spec.label))
    return found
