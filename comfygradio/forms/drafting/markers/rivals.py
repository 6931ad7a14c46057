"""The rivals whose markers are read, and what all of them together say about one workflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.drafting.hint import Hint, Marked
from comfygradio.forms.drafting.markers.app_mode import read_app_mode
from comfygradio.forms.drafting.markers.comfy_pack import read_comfy_pack
from comfygradio.forms.drafting.markers.comfydeploy import read_comfydeploy
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.krita import read_krita
from comfygradio.forms.drafting.markers.mcww import read_mcww
from comfygradio.forms.drafting.markers.placeholders import read_placeholders
from comfygradio.forms.drafting.markers.saved import SavedWorkflow
from comfygradio.forms.drafting.markers.swarm import read_swarm
from comfygradio.forms.drafting.markers.tidying import tidy_hints
from comfygradio.forms.drafting.markers.viewcomfy import read_viewcomfy

BY_NODES: tuple[Callable[[Graph], list[Hint]], ...] = (
    read_swarm,
    read_comfydeploy,
    read_krita,
    read_comfy_pack,
)
"""Rivals that mark a workflow with nodes of their own; they come first, since they change the
workflow.
"""

BY_WORDS: tuple[Callable[[Graph, SavedWorkflow | None], list[Hint]], ...] = (
    read_mcww,
    read_viewcomfy,
    read_app_mode,
    read_placeholders,
)
"""Rivals that mark a workflow with titles, or beside the graph."""


def read_markers(
    workflow: Workflow, object_info: ObjectInfo, saved: Mapping[str, Any] | None
) -> Marked:
    """What other front ends were told about a workflow, and the workflow as a ComfyUI without them
    can run it.

    `workflow` is in API format; `saved` is the same in UI format, if it is known: only there are
    the inputs picked for App mode and the primitives that carry titles. Whatever cannot be
    understood is left out, with a note.
    """
    graph = Graph(workflow, object_info)
    page = SavedWorkflow(saved) if isinstance(saved, dict) else None
    hints: list[Hint] = []
    for read in BY_NODES:
        hints += read(graph)
    for read_words in BY_WORDS:
        hints += read_words(graph, page)
    # Inputs that a removed node fed lose their link.
    for node_id in sorted(graph.removed):
        graph.rewire(graph.follow(node_id), {})
    tidied = tidy_hints(graph, hints)
    outputs = [node_id for node_id in graph.outputs if node_id in graph.nodes]
    return Marked(
        workflow=graph.to_workflow(),
        hints=tuple(tidied),
        outputs=tuple(dict.fromkeys(outputs)),
        notes=tuple(dict.fromkeys(graph.notes)),
    )
