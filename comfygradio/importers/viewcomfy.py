"""Import ViewComfy: nodes whose title starts with VC_BASIC or VC_ADV show their inputs."""

from __future__ import annotations

from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation, number_annotations
from comfygradio.importers.titled_node import TitledNode, list_settable_inputs, list_titles
from comfygradio.importers.ui_workflow import UiWorkflow
from comfygradio.importers.workflow_editor import WorkflowEditor

SOURCE = "ViewComfy"
BASIC = "VC_BASIC"
ADVANCED = "VC_ADV"

LabelledSlots = tuple[tuple[Slot, ...], str]
"""The inputs that a field fills, and their label."""


def import_viewcomfy(editor: WorkflowEditor, ui_workflow: UiWorkflow | None) -> list[Annotation]:
    """Import an annotation for each input of the marked nodes. Several inputs of one node form a
    group.
    """
    annotations: list[Annotation] = []
    for titled in list_titles(editor, ui_workflow):
        if not titled.title.startswith((BASIC, ADVANCED)):
            continue
        found = _list_fields(editor, titled)
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
            is_only = len(found) == 1
            annotation = Annotation(
                source=SOURCE,
                slots=slots,
                label=title if is_only else input_label,
                group="" if is_only else title,
                advanced=advanced,
            )
            annotations.append(annotation)
    return number_annotations(annotations)


def _list_fields(editor: WorkflowEditor, titled: TitledNode) -> list[LabelledSlots]:
    """List the inputs for each field of a marked node, with the server's label."""
    if titled.slots:
        return [(titled.slots, "")]
    node = editor.nodes.get(titled.node_id)
    if node is None:
        return []
    inputs = list_settable_inputs(editor, node)
    files = {name: spec for name, spec in inputs.items() if spec.media}
    # A node that takes a file has further inputs that nobody wants to set.
    chosen = files or inputs
    found: list[LabelledSlots] = []
    for name, spec in chosen.items():
        slot = Slot(node.id, name)
        found.append(((slot,), spec.label))
    return found
