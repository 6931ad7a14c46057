"""Drafts: a preset suggested for a workflow, as data; `writer` writes it as YAML, and the author's
page edits it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.drafting.examples import write_examples, write_notes
from comfygradio.forms.drafting.graph import read_graph
from comfygradio.forms.drafting.guess import guess_findings
from comfygradio.forms.drafting.hint import Marked
from comfygradio.forms.drafting.hinted import apply_hints
from comfygradio.forms.drafting.kinds import find_kind, find_medium
from comfygradio.forms.drafting.lines import DraftField, sort_findings, write_fields
from comfygradio.forms.drafting.markers import read_markers
from comfygradio.forms.drafting.outputs import find_shown
from comfygradio.forms.drafting.rest import find_others
from comfygradio.forms.preset_file import PresetFile


@dataclass(frozen=True)
class Draft:
    """A suggested preset. `fields` are the form; `left_out` are further lines that could be added
    to it.

    `workflow` is what has to be stored beside the preset: it may differ from the one that was read.
    `outputs` are node ids, empty for every output node. `notes` tell what was guessed and what was
    not found.
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

    def to_file(self, workflow_file: str) -> PresetFile:
        """The preset file that this draft stands for, with its workflow at this path."""
        return PresetFile(
            title=self.title,
            description=self.description,
            icon=self.icon,
            workflow=workflow_file,
            fields={field.name: field.line for field in self.fields},
            outputs=list(self.outputs),
            examples=[dict(example) for example in self.examples],
        )


def draft_preset(
    workflow: Workflow, object_info: ObjectInfo, saved: Mapping[str, Any] | None = None
) -> Draft:
    """A preset for a workflow; `saved` is what ComfyUI's page keeps of it (UI format), for the
    marks in it.
    """
    marked = read_markers(workflow, object_info, saved)
    return draft_marked(marked, object_info)


def draft_marked(marked: Marked, object_info: ObjectInfo) -> Draft:
    """A preset for a workflow whose marks were read."""
    graph = read_graph(marked.workflow, object_info)
    guess = guess_findings(graph)
    kind = find_kind(graph, guess.catch)
    hinted = apply_hints(graph, guess, marked.hints)
    others, offered = find_others(graph, guess.catch, guess.ranks)
    if hinted.fields:
        # The author said what the form is made of.
        offered = [*others, *offered]
        others = []
    labels = {
        "prompt": kind.question,
        "size": "Video size" if find_medium(graph) == "video" else "Picture size",
    }
    names = [field.name for field in hinted.fields]
    found = [*sort_findings(hinted.findings), *others]
    fields = [*hinted.fields, *write_fields(graph, found, labels, names)]
    fields.sort(key=lambda field: field.line.advanced)
    names = [field.name for field in fields]
    left_out = write_fields(graph, [*guess.left_out, *offered], {}, names)
    own_notes = write_notes(graph, guess, fields, left_out)
    notes = [*marked.workflow.notes, *marked.notes, *hinted.notes, *own_notes]
    return Draft(
        title=kind.title,
        description=kind.description,
        icon=kind.icon,
        workflow=replace(marked.workflow, notes=()),
        fields=tuple(fields),
        left_out=tuple(left_out),
        outputs=marked.outputs or find_shown(graph),
        examples=write_examples(graph, fields),
        notes=tuple(notes),
    )
