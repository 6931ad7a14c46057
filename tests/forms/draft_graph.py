"""Small workflows for drafts, and what a draft made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.drafting.draft import Draft, draft_annotated, draft_preset
from comfygradio.drafting.draft_field import DraftField
from comfygradio.drafting.writer import write_draft
from comfygradio.forms.form import Form
from comfygradio.forms.preset_file import SlotEntry, list_addresses
from comfygradio.importers.annotation import AnnotatedWorkflow, Annotation
from tests.forms.corpus import corpus_info

Graph = dict[str, dict[str, Any]]

info = cache(corpus_info)


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    """A node in API format; a list is a link."""
    meta = {"_meta": {"title": title}} if title else {}
    return {"class_type": class_type, "inputs": inputs, **meta}


def text_to_image(**changes: Any) -> Graph:
    """The usual workflow; `n3` replaces or (None) removes node 3."""
    graph: Graph = {
        "4": node("CheckpointLoaderSimple", ckpt_name="sd_xl_base_1.0.safetensors"),
        "5": node("EmptyLatentImage", width=512, height=768, batch_size=1),
        "6": node("CLIPTextEncode", text="a lighthouse", clip=["4", 1]),
        "7": node("CLIPTextEncode", text="blurry", clip=["4", 1]),
        "3": sample(),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", filename_prefix="test", images=["8", 0]),
    }
    for name, change in changes.items():
        graph.pop(name[1:], None)
        if change is not None:
            graph[name[1:]] = change
    return graph


def sample(title: str = "", **changes: Any) -> dict[str, Any]:
    """A KSampler of that workflow."""
    inputs = {
        **{
            "seed": 7,
            "steps": 20,
            "cfg": 7.5,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
        },
        **{"model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]},
    }
    return node("KSampler", title, **{**inputs, **changes})


def draft(
    graph: Graph, known: ObjectInfo | None = None, hints: tuple[Annotation, ...] = ()
) -> Draft:
    """The draft of a graph; with hints, as if they had been read from it."""
    workflow = Workflow.from_json(graph)
    return (
        draft_annotated(AnnotatedWorkflow(workflow, hints), known or info())
        if hints
        else draft_preset(workflow, known or info())
    )


def bind_draft(made: Draft, folder: Path, known: ObjectInfo | None = None) -> Form:
    """The form of a draft that was written into a folder and read again; it says the same as the
    draft.
    """
    (folder / "graph.json").write_text(json.dumps(made.workflow.to_json()), encoding="utf-8")
    path = folder / "drafted.yaml"
    path.write_text(write_draft(made, "graph.json"), encoding="utf-8")
    preset = load_preset(path)
    assert preset.file == made.to_file("graph.json")
    return preset.bind(known or info())


def list_slots(field: DraftField) -> list[str]:
    """What a field fills, as NODE.INPUT; the sides of a size one after the other."""
    return [
        f"{address.node}.{address.input}"
        for address in list_addresses(field.entry)
        if isinstance(address, SlotEntry)
    ]


def slots(made: Draft) -> Mapping[str, list[str]]:
    """Field name → what it fills."""
    return {field.name: list_slots(field) for field in made.fields}


def list_filled_slots(made: Draft) -> set[str]:
    """Everything that the form fills."""
    return {slot for field in made.fields for slot in list_slots(field)}


def list_basic_fields(made: Draft) -> list[str]:
    """The names of the fields that stand first."""
    return [field.name for field in made.fields if not field.entry.advanced]


def find(made: Draft, name: str) -> DraftField:
    """The field of this name, left out or not."""
    return next(field for field in (*made.fields, *made.left_out) if field.name == name)
