"""Import ViewComfy: nodes whose title starts with VC_BASIC or VC_ADV show their inputs."""

from __future__ import annotations

from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation
from comfygradio.importers.titled_node import TitledNode, list_settable_inputs, list_titles
from comfygradio.importers.ui_workflow import UiWorkflow
from comfygradio.importers.workflow_editor import WorkflowEditor

SOURCE = "ViewComfy"
BASIC = "VC_BASIC"
ADVANCED = "VC_ADV"


def import_viewcomfy(editor: WorkflowEditor, ui_workflow: UiWorkflow | None) -> list[Annotation]:
    """Import an annotation for each input of the marked nodes. Several inputs of one node form a
    group.
    """
    hints: list[Annotation] = []
    for titled in list_titles(editor, ui_workflow):
        if not titled.title.startswith((BASIC, ADVANCED)):
            continue
        found = _list_slots(editor, titled)
        if not found:
            editor.notes.append(
                f"{editor.describe_node(titled.node_id)} is marked for ViewComfy, but has no "
                "input to be set."
            )
        advanced = titled.title.startswith(ADVANCED)
        rest = titled.title.removeprefix(BASIC).removeprefix(ADVANCED)
        title = rest.strip(" :-_")
        for slots, input_label in found:
            # The title names the one input, or the group of several.
            label = title if len(found) == 1 else input_label
            group = "" if len(found) == 1 else title
            order = len(hints)
            hint = Annotation(
                SOURCE, slots, label=label, group=group, advanced=advanced, order=order
            )
            hints.append(hint)
    return hints


def _list_slots(editor: WorkflowEditor, titled: TitledNode) -> list[tuple[tuple[Slot, ...], str]]:
    """List the inputs for each field of a marked node, with the server's label."""
    if titled.slots:
        return [(titled.slots, "")]
    node = editor.nodes.get(titled.node_id)
    if node is None:
        return []
    inputs = list_settable_inputs(editor, node)
    files = {name: spec for name, spec in inputs.items() if spec.media}
    found: list[tuple[tuple[Slot, ...], str]] = []
    for name, spec in (files or inputs).items():
        slot = Slot(node.id, name)
        found.append(((slot,), spec.label))
    return found
