"""The models that a workflow in UI format lists, in the preset that is drafted from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.workflow import Workflow
from comfygradio.drafting.draft import Draft, draft_preset
from comfygradio.drafting.listed_models import MAX_MODELS, collect_models
from comfygradio.ui.author.draft_rows import describe_draft, parse_edited_draft
from tests.forms.draft_graph import bind_draft, info, node, text_to_image

DIGITS = "0123456789abcdef" * 4
CHECKPOINT = "sd_xl_base_1.0.safetensors"


def entry(name: str = CHECKPOINT, directory: str = "checkpoints", **keys: Any) -> dict[str, Any]:
    """A model as ComfyUI's page writes it."""
    return {"name": name, "url": f"https://example.org/{name}", "directory": directory, **keys}


def holder(*models: Any) -> dict[str, Any]:
    """A node in UI format that lists these models."""
    return {"id": 4, "type": "CheckpointLoaderSimple", "properties": {"models": list(models)}}


def collect(saved: dict[str, Any], **changes: Any) -> tuple[list[str], list[str]]:
    """The paths of the models and the notes."""
    found = collect_models(saved, Workflow.from_json(text_to_image(**changes)))
    return [model.path for model in found.models], list(found.notes)


def draft(saved: dict[str, Any]) -> Draft:
    return draft_preset(Workflow.from_json(text_to_image()), info(), saved)


def test_the_models_of_all_nodes_are_collected_once() -> None:
    inner = {"id": "b", "nodes": [holder(entry("x.pt", "loras"))]}
    outer = {
        "id": "a",
        "nodes": [holder(entry(), entry("v.pt", "vae"))],
        "definitions": {"subgraphs": [inner]},
    }
    saved = {"nodes": [holder(entry())], "definitions": {"subgraphs": [outer]}}
    more = {
        "n20": node("LoraLoader", lora_name="sub\\x.pt"),
        "n21": node("VAELoader", vae_name={"__value__": ["v.pt"]}),
    }
    assert collect(saved, **more) == ([f"checkpoints/{CHECKPOINT}", "vae/v.pt", "loras/x.pt"], [])


def test_a_list_of_the_file_itself_counts_too() -> None:
    assert collect({"nodes": [], "models": [entry()]}) == ([f"checkpoints/{CHECKPOINT}"], [])


def test_models_that_the_workflow_does_not_use_are_left_out_with_a_note() -> None:
    paths, notes = collect({"nodes": [holder(entry(), entry("other.pt"))]})
    assert paths == [f"checkpoints/{CHECKPOINT}"]
    assert notes == ["The file lists models that this workflow does not use, left out: other.pt."]


def test_an_embedding_is_used_by_a_prompt_that_names_it() -> None:
    saved = {"nodes": [holder(entry("Good.pt", "embeddings"), entry("bad.pt", "embeddings"))]}
    text = node("CLIPTextEncode", text="a fox, (embedding:good:1.2)", clip=["4", 1])
    assert collect(saved, n6=text)[0] == ["embeddings/Good.pt"]


@pytest.mark.parametrize(
    ("prompt", "name", "folder", "is_used"),
    [
        ("embedding:badger", "bad.pt", "embeddings", False),
        ("embedding:bad-hands", "bad.pt", "embeddings", False),
        ("(embedding:bad:1.2)", "bad.pt", "embeddings", True),
        ("a, embedding:bad.pt, b", "bad.pt", "embeddings", True),
        ("embedding:sub/bad", "bad.pt", "embeddings/sub", True),
        ("embedding:sub\\BAD", "sub/bad.pt", "embeddings", True),
        ("embedding:bad", "bad.pt", "vae", False),
    ],
)
def test_an_embedding_is_told_from_those_of_other_names(
    prompt: str, name: str, folder: str, is_used: bool
) -> None:
    text = node("CLIPTextEncode", text=prompt, clip=["4", 1])
    paths, _ = collect({"nodes": [holder(entry(name, folder))]}, n6=text)
    assert paths == ([f"{folder}/{name}"] if is_used else [])


def test_the_entry_with_a_hash_counts() -> None:
    saved = {"nodes": [holder(entry()), holder(entry(hash=DIGITS, hash_type="SHA256"))]}
    made = draft(saved)
    assert [model.identity for model in made.models] == [("SHA256", DIGITS)]


def test_hostile_entries_are_left_out_with_a_note_each() -> None:
    saved = {
        "nodes": [
            holder(entry(), entry("../x.pt"), entry("y.pt", url="file:///etc/passwd"), 7, "z", {}),
            {"properties": {"models": {"a": 1}}},
            {"properties": 3},
            5,
        ],
        "models": "none",
        "definitions": {"subgraphs": [{"nodes": 3}, 4]},
    }
    paths, notes = collect(saved)
    assert paths == [f"checkpoints/{CHECKPOINT}"]
    first, second = notes
    assert first.startswith(
        "The model ../x.pt of the file is left out: name: this has to be a name"
    )
    assert second.startswith("The model y.pt of the file is left out: url: this has to be an addr")


def test_a_file_cannot_fill_a_preset() -> None:
    names = [f"{number}.pt" for number in range(MAX_MODELS + 50)]
    many = {f"n{100 + place}": node("VAELoader", vae_name=name) for place, name in enumerate(names)}
    paths, notes = collect({"nodes": [holder(*map(entry, names))]}, **many)
    assert len(paths) == MAX_MODELS
    assert notes == [
        "A preset lists at most 200 models; left out: 200.pt, 201.pt, 202.pt, 203.pt, 204.pt and "
        "45 more."
    ]


def test_no_refused_entry_is_left_unsaid() -> None:
    _, notes = collect({"nodes": [holder(*(entry(f"../{number}.pt") for number in range(9)))]})
    assert notes[4].startswith("The model ../4.pt of the file is left out: name: ")
    assert notes[5:] == ["So are 4 more models of the file, for such reasons."]


def test_a_drafted_preset_keeps_them(tmp_path: Path) -> None:
    odd = entry('it\'s; $(id) "a".pt', url="https://example.org/?a='b'&c={d},e#f")
    saved = {"nodes": [holder(entry(hash=DIGITS, hash_type="BLAKE3"), odd)]}
    graph = text_to_image(n20=node("VAELoader", vae_name=odd["name"]))
    made = draft_preset(Workflow.from_json(graph), info(), saved)
    # `bind_draft` writes the preset, reads it and compares.
    form = bind_draft(made, tmp_path)
    assert tuple(form.file.models) == made.models
    assert [model.name for model in made.models] == [CHECKPOINT, odd["name"]]
    assert made.models[0].identity == ("BLAKE3", DIGITS)


def test_the_page_of_authors_keeps_them() -> None:
    made = draft({"nodes": [holder(entry(hash=DIGITS))]})
    edited = parse_edited_draft(describe_draft(made, "mine", info()))
    assert edited.draft.models == made.models != ()
    assert f"models:\n  - {{name: {CHECKPOINT}, folder: checkpoints, url: " in edited.text
