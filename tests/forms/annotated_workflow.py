"""Workflows that carry the markers of rivals, on servers with and without the rivals'
node classes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfygradio.binding.form_binding import bind_form
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.form import Form
from comfygradio.forms.preset_file import PresetFile
from comfygradio.importers.annotation import AnnotatedWorkflow, Annotation
from comfygradio.importers.importer import import_annotations

DATA = Path(__file__).parent.parent / "data"
STOCK: Mapping[str, Any] = {
    **json.loads((DATA / "object_info" / "corpus-v0.33.0.json").read_text(encoding="utf-8")),
    **json.loads((DATA / "object_info" / "v0.33.0.json").read_text(encoding="utf-8")),
}
RIVAL: Mapping[str, Any] = json.loads(
    (DATA / "markers" / "rival_classes.json").read_text(encoding="utf-8")
)

PLAIN = ObjectInfo.from_json(STOCK)
"""A ComfyUI without any custom node."""

FULL = ObjectInfo.from_json({**STOCK, **RIVAL})
"""A ComfyUI on which every rival's nodes are installed."""


def load_workflow(name: str) -> tuple[Workflow, Any]:
    """One workflow of tests/data/markers, and its UI format if there is one."""
    data = json.loads((DATA / "markers" / f"{name}.json").read_text(encoding="utf-8"))
    return Workflow.from_json(data.get("workflow", data)), data.get("saved")


def import_file(name: str, info: ObjectInfo = PLAIN) -> AnnotatedWorkflow:
    """What the markers of one workflow of tests/data/markers say."""
    workflow, saved = load_workflow(name)
    return import_annotations(workflow, info, saved)


def import_nodes(
    nodes: Mapping[str, Any], info: ObjectInfo = PLAIN, saved: Any = None
) -> AnnotatedWorkflow:
    """What the markers of a workflow say, whose nodes are (class, inputs) or (class, inputs,
    title).
    """
    graph = {
        key: {
            "class_type": node[0],
            "inputs": node[1],
            "_meta": {"title": node[2] if len(node) > 2 else ""},
        }
        for key, node in nodes.items()
    }
    return import_annotations(Workflow.from_json(graph), info, saved)


def list_slots(hint: Annotation) -> list[str]:
    """The slots of a hint as NODE.INPUT."""
    return [str(slot) for slot in hint.slots]


def list_dangling(workflow: Workflow) -> list[str]:
    """The ids of nodes that are not there, but would feed others."""
    links = (link for node in workflow for link in node.links.values())
    return sorted({link.node_id for link in links if link.node_id not in workflow.nodes})


def bind(marked: AnnotatedWorkflow, info: ObjectInfo) -> Form:
    """A form with one field for each hint that says all that the hint says."""
    fields = {f"f{number}": _draft(hint) for number, hint in enumerate(marked.annotations)}
    file = PresetFile.model_validate(
        {"title": "Marked", "workflow": "w.json", "fields": fields, "outputs": list(marked.outputs)}
    )
    return bind_form("marked", file, marked.workflow, info)


def _draft(hint: Annotation) -> dict[str, Any]:
    said = {
        "slot": [{"node": slot.node_id, "input": slot.input} for slot in hint.slots],
        "label": hint.label,
        "help": hint.help,
        "advanced": hint.advanced,
        "widget": hint.widget,
        "default": hint.default,
        "min": hint.minimum,
        "max": hint.maximum,
        "step": hint.step,
        "choices": list(hint.choices) or None,
    }
    return {key: value for key, value in said.items() if value not in (None, "")}
