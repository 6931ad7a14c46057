"""Run every importer on a workflow and combine their annotations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.importers.annotation import AnnotatedWorkflow, Annotation
from comfygradio.importers.app_mode import import_app_mode
from comfygradio.importers.comfy_pack import import_comfy_pack
from comfygradio.importers.comfydeploy import import_comfydeploy
from comfygradio.importers.krita import import_krita
from comfygradio.importers.mcww import import_mcww
from comfygradio.importers.normalise import normalise_annotations
from comfygradio.importers.placeholders import import_placeholders
from comfygradio.importers.swarm import import_swarm
from comfygradio.importers.ui_workflow import UiWorkflow
from comfygradio.importers.viewcomfy import import_viewcomfy
from comfygradio.importers.workflow_editor import WorkflowEditor

NODE_IMPORTERS: tuple[Callable[[WorkflowEditor], list[Annotation]], ...] = (
    import_swarm,
    import_comfydeploy,
    import_krita,
    import_comfy_pack,
)
"""Importers of marker nodes. They run first, since they replace these nodes in the workflow."""

TEXT_IMPORTERS: tuple[Callable[[WorkflowEditor, UiWorkflow | None], list[Annotation]], ...] = (
    import_mcww,
    import_viewcomfy,
    import_app_mode,
    import_placeholders,
)
"""Importers of titles, placeholders and data beside the graph."""


def import_annotations(
    workflow: Workflow, object_info: ObjectInfo, saved: Mapping[str, Any] | None
) -> AnnotatedWorkflow:
    """Collect the annotations for other front ends, and turn the workflow into one that a ComfyUI
    without their nodes can run.

    `workflow` is in API format. `saved` is the same in UI format or None: only the UI format has
    the inputs picked for App mode and the primitives that carry titles. What cannot be understood
    is left out and noted.
    """
    editor = WorkflowEditor(workflow, object_info)
    # `saved` comes out of a foreign file.
    ui_workflow = UiWorkflow(saved) if isinstance(saved, dict) else None
    annotations: list[Annotation] = []
    for import_nodes in NODE_IMPORTERS:
        annotations += import_nodes(editor)
    for import_texts in TEXT_IMPORTERS:
        annotations += import_texts(editor, ui_workflow)
    # Inputs that a removed node fed lose their link.
    for node_id in sorted(editor.removed):
        editor.rewire(editor.find_fed_inputs(node_id), {})
    normalised = normalise_annotations(editor, annotations)
    outputs = [node_id for node_id in editor.outputs if node_id in editor.nodes]
    return AnnotatedWorkflow(
        workflow=editor.to_workflow(),
        annotations=tuple(normalised),
        outputs=tuple(dict.fromkeys(outputs)),
        notes=tuple(dict.fromkeys(editor.notes)),
    )
