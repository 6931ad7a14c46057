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
"""Rivals that mark a workflow with nodes of their own; they come first, since they change the
workflow.
"""

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
    """What other front ends were told about a workflow, and the workflow as a ComfyUI without them
    can run it.

    `workflow` is in API format; `saved` is the same in UI format, if it is known: only there are
    the inputs picked for App mode and the primitives that carry titles. Whatever cannot be
    understood is left out, with a note.
    """
    graph = WorkflowEditor(workflow, object_info)
    page = UiWorkflow(saved) if isinstance(saved, dict) else None
    hints: list[Annotation] = []
    for read in NODE_IMPORTERS:
        hints += read(graph)
    for read_words in TEXT_IMPORTERS:
        hints += read_words(graph, page)
    # Inputs that a removed node fed lose their link.
    for node_id in sorted(graph.removed):
        graph.rewire(graph.find_fed_inputs(node_id), {})
    tidied = normalise_annotations(graph, hints)
    outputs = [node_id for node_id in graph.outputs if node_id in graph.nodes]
    return AnnotatedWorkflow(
        workflow=graph.to_workflow(),
        annotations=tuple(tidied),
        outputs=tuple(dict.fromkeys(outputs)),
        notes=tuple(dict.fromkeys(graph.notes)),
    )
