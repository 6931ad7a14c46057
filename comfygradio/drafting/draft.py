"""Drafts: suggest a preset for a workflow, as data.

`writer` renders a draft as YAML, and the author page edits it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.binding.lora_binding import list_stack_classes
from comfygradio.comfy.object_info import FetchObjectInfo, ObjectInfo
from comfygradio.comfy.workflow import Link, Workflow
from comfygradio.drafting.annotated_fields import apply_annotations
from comfygradio.drafting.detector import detect_fields
from comfygradio.drafting.draft_field import DraftField, make_fields, sort_detections
from comfygradio.drafting.examples import make_examples, make_notes
from comfygradio.drafting.graph import Graph, build_graph
from comfygradio.drafting.leftovers import find_leftovers
from comfygradio.drafting.listed_models import collect_models
from comfygradio.drafting.workflow_kind import find_medium, find_workflow_kind
from comfygradio.drafting.workflow_source import WorkflowSource
from comfygradio.forms.model_entry import ModelEntry
from comfygradio.forms.preset_file import PresetFile
from comfygradio.importers.annotation import AnnotatedWorkflow
from comfygradio.importers.importer import import_annotations

SHOWN_TYPES = ("IMAGE", "VIDEO", "AUDIO", "MASK", "LATENT", "MESH")
"""Types of results that the page shows."""


@dataclass(frozen=True)
class Draft:
    """A suggested preset. `fields` are the form; `left_out` are further lines that could be added.

    `workflow` has to be stored beside the preset and may differ from the one that was loaded.
    `outputs` are node ids, empty for every output node. `models` are the model files that the
    workflow names with an address. `notes` say what is uncertain and what was not found.
    `saved` is the same workflow in UI format, or None; it is stored beside, too.
    """

    title: str
    description: str
    icon: str
    workflow: Workflow
    fields: tuple[DraftField, ...]
    left_out: tuple[DraftField, ...] = ()
    outputs: tuple[str, ...] = ()
    examples: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    saved: Mapping[str, Any] | None = None
    models: tuple[ModelEntry, ...] = ()

    def to_file(self, workflow_file: str) -> PresetFile:
        """Build the preset file of this draft, with its workflow at this path."""
        return PresetFile(
            title=self.title,
            description=self.description,
            icon=self.icon,
            workflow=workflow_file,
            fields={field.name: field.entry for field in self.fields},
            outputs=list(self.outputs),
            examples=[dict(example) for example in self.examples],
            models=list(self.models),
        )


def draft_for_server(source: WorkflowSource, fetch: FetchObjectInfo) -> tuple[Draft, ObjectInfo]:
    """Draft a preset for the workflow of a file; return it with what the server says about its node
    classes. Raises what `fetch` raises.
    """
    classes = _list_classes(source.workflow)
    object_info = fetch(classes)
    draft = _draft_source(source, object_info)
    drafted_classes = _list_classes(draft.workflow)
    if drafted_classes <= classes:
        return draft, object_info
    # Annotations have brought in classes that the source did not have.
    object_info = fetch(classes | drafted_classes)
    return _draft_source(source, object_info), object_info


def _list_classes(workflow: Workflow) -> frozenset[str]:
    """List the node classes that a preset of this workflow needs to know."""
    return workflow.class_types | list_stack_classes(workflow)


def _draft_source(source: WorkflowSource, object_info: ObjectInfo) -> Draft:
    """Draft a preset for the workflow of a file, which the draft keeps in UI format, too, if there
    is the same.
    """
    draft = draft_preset(source.workflow, object_info, source.saved)
    if not source.is_kept:
        return draft
    return replace(draft, saved=source.saved)


def draft_preset(
    workflow: Workflow, object_info: ObjectInfo, saved: Mapping[str, Any] | None = None
) -> Draft:
    """Draft a preset for a workflow.

    `saved` is the same workflow in UI format, which may hold annotations for other front ends, and
    the addresses of its models.
    """
    marked = import_annotations(workflow, object_info, saved)
    draft = draft_annotated(marked, object_info)
    # It comes out of a foreign file.
    if not isinstance(saved, dict):
        return draft
    listed = collect_models(saved, draft.workflow)
    return replace(draft, models=listed.models, notes=(*draft.notes, *listed.notes))


def draft_annotated(marked: AnnotatedWorkflow, object_info: ObjectInfo) -> Draft:
    """Draft a preset for a workflow whose annotations were imported."""
    graph = build_graph(marked.workflow, object_info)
    detected = detect_fields(graph)
    kind = find_workflow_kind(graph, detected.detections)
    annotated = apply_annotations(graph, detected, marked.annotations)
    others, offered = find_leftovers(graph, detected.detections, detected.ranks)
    if annotated.fields:
        # The author chose the fields, so everything else is only offered.
        offered = [*others, *offered]
        others = []
    labels = {
        "prompt": kind.question,
        "size": "Video size" if find_medium(graph) == "video" else "Picture size",
    }
    names = [field.name for field in annotated.fields]
    found = [*sort_detections(annotated.detections), *others]
    fields = [*annotated.fields, *make_fields(graph, found, labels, names)]
    # The sort is stable: the order stays within both halves.
    fields.sort(key=lambda field: field.entry.advanced)
    names = [field.name for field in fields]
    # These lines can be added later, so that their names must be free.
    left_out = make_fields(graph, [*detected.left_out, *offered], {}, names)
    notes = [
        *marked.workflow.notes,
        *marked.notes,
        *annotated.notes,
        *make_notes(graph, detected, fields, left_out),
    ]
    return Draft(
        title=kind.title,
        description=kind.description,
        icon=kind.icon,
        workflow=replace(marked.workflow, notes=()),
        fields=tuple(fields),
        left_out=tuple(left_out),
        outputs=marked.outputs or _find_shown_outputs(graph),
        examples=make_examples(graph, fields),
        notes=tuple(notes),
    )


def _find_shown_outputs(graph: Graph) -> tuple[str, ...]:
    """List the output nodes to show: all except previews of what another node saves.

    Returns () if no node is left out.
    """
    saved: set[Link] = set()
    for node_id in graph.outputs:
        if not _is_preview(graph, node_id):
            saved |= _find_shown_links(graph, node_id)
    kept = []
    for node_id in graph.outputs:
        if not _is_repeated_preview(graph, node_id, saved):
            kept.append(node_id)
    if len(kept) == len(graph.outputs):
        return ()
    return tuple(kept)


def _is_repeated_preview(graph: Graph, node_id: str, saved: set[Link]) -> bool:
    """Whether a node only previews what another node saves."""
    if not _is_preview(graph, node_id):
        return False
    shown = _find_shown_links(graph, node_id)
    return bool(shown) and shown <= saved


def _is_preview(graph: Graph, node_id: str) -> bool:
    """Whether a node shows results without saving them, by the name of its class."""
    class_type = graph.node(node_id).class_type.lower()
    return "preview" in class_type or "compare" in class_type


def _find_shown_links(graph: Graph, node_id: str) -> set[Link]:
    """Find the links into what an output node shows. Texts do not count, since the page does not
    show a saved text.
    """
    links = graph.links_of(node_id, *SHOWN_TYPES)
    return set(links.values())
