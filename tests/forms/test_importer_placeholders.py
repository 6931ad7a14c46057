"""Placeholders that another app replaces before it posts a workflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.forms.draft_graph import (
    Graph,
    bind_draft,
    draft,
    find,
    list_basic_fields,
    node,
    sample,
    slots,
    text_to_image,
)


def chat_workflow() -> Graph:
    """As chat programs keep it: every value that they set is a text between percent signs."""
    numbers = {"seed": "%seed%", "steps": "%steps%", "cfg": "%scale%", "denoise": "%denoise%"}
    lists = {"sampler_name": "%sampler%", "scheduler": "%scheduler%"}
    return text_to_image(
        n3=sample(**numbers, **lists),
        n4=node("CheckpointLoaderSimple", ckpt_name="%model%"),
        n5=node("EmptyLatentImage", width="%width%", height="%height%", batch_size=1),
        n6=node("CLIPTextEncode", text="%prompt%", clip=["4", 1]),
        n7=node("CLIPTextEncode", text="%negative_prompt%", clip=["4", 1]),
    )


def test_each_becomes_the_field_that_its_input_calls_for(tmp_path: Path) -> None:
    made = draft(chat_workflow())
    assert list_basic_fields(made) == ["prompt", "negative_prompt", "seed", "model", "size"]
    assert slots(made) == {
        **{"prompt": ["6.text"], "negative_prompt": ["7.text"], "seed": ["3.seed"]},
        **{"model": ["4.ckpt_name"], "size": ["5.width", "5.height"], "steps": ["3.steps"]},
        **{"scale": ["3.cfg"], "sampler": ["3.sampler_name"], "scheduler": ["3.scheduler"]},
        **{"denoise": ["3.denoise"], "pictures": ["5.batch_size"]},
    }
    assert find(made, "seed").why == "marked for another app, as %seed%"
    assert any(
        note.startswith("Placeholders of another app became fields: %seed%, %steps%,")
        for note in made.notes
    )
    form = bind_draft(made, tmp_path)
    assert form.problems == () and form.fields["seed"].widget == "seed"
    graph = form.fill({"prompt": "a fox", "seed": 5, "size": "640x512"}).graph
    assert "%" not in str([one["inputs"] for one in graph.values()])
    assert graph["6"]["inputs"]["text"] == "a fox" and graph["3"]["inputs"]["seed"] == 5
    assert graph["7"]["inputs"]["text"] == "" and graph["5"]["inputs"]["height"] == 512


@pytest.mark.parametrize(
    "written",
    ["{{prompt}}", "{{ Prompt }}", "${prompt}", "{prompt}", "__prompt__", "<prompt>", "@prompt@"],
)
def test_other_ways_to_write_them(written: str, tmp_path: Path) -> None:
    made = draft(text_to_image(n6=node("CLIPTextEncode", text=written, clip=["4", 1])))
    assert slots(made)["prompt"] == ["6.text"] and list_basic_fields(made)[0] == "prompt"
    graph = bind_draft(made, tmp_path).fill({}).graph
    assert graph["6"]["inputs"]["text"] == ""


def test_words_around_one_stay(tmp_path: Path) -> None:
    text = "film still of %subject%, 35mm"
    made = draft(text_to_image(n6=node("CLIPTextEncode", text=text, clip=["4", 1])))
    line = find(made, "subject").entry
    assert (line.template, line.default) == ("film still of {value}, 35mm", "")
    inputs = bind_draft(made, tmp_path).fill({"subject": "an owl"}).graph["6"]["inputs"]
    assert inputs["text"] == "film still of an owl, 35mm"


def test_its_example_posts_the_workflow_without_them(tmp_path: Path) -> None:
    text = "film still of %subject%, 35mm"
    made = draft(text_to_image(n6=node("CLIPTextEncode", text=text, clip=["4", 1])))
    assert made.examples == ({"title": "Example", "seed": 7},)
    assert bind_draft(made, tmp_path).fill({"seed": 7}).graph == made.workflow.to_json()


def test_one_name_in_several_inputs_is_one_field() -> None:
    made = draft(
        text_to_image(
            n3=sample(positive=["20", 0]),
            n6=node("CLIPTextEncode", text="%prompt%", clip=["4", 1]),
            n20=node("ConditioningCombine", conditioning_1=["6", 0], conditioning_2=["21", 0]),
            n21=node("CLIPTextEncode", text="%prompt%", clip=["4", 1]),
        )
    )
    assert slots(made)["prompt"] == ["6.text", "21.text"]


def test_several_in_one_text_are_told() -> None:
    text = "%prompt%, %style%, sharp"
    made = draft(text_to_image(n6=node("CLIPTextEncode", text=text, clip=["4", 1])))
    assert find(made, "prompt").entry.template == "{value}, , sharp"
    assert (
        "%style% stood beside %prompt% in text of node 6 (CLIPTextEncode) and was left out; "
        "the one field takes all words."
    ) in made.notes


def test_only_the_marked_input_of_an_encoder_is_meant(tmp_path: Path) -> None:
    encoder = node(
        "CLIPTextEncodeFlux", clip=["4", 1], clip_l="fine art", t5xxl="%prompt%", guidance=3.5
    )
    made = draft(text_to_image(n6=encoder))
    assert slots(made)["prompt"] == ["6.t5xxl"]
    inputs = bind_draft(made, tmp_path).fill({"prompt": "an oak"}).graph["6"]["inputs"]
    assert (inputs["clip_l"], inputs["t5xxl"]) == ("fine art", "an oak")


@pytest.mark.parametrize(
    "text",
    [
        *("a 50% grey wall, 30% fog", "100%cotton%wool", "{{masterpiece}}, a fox", "__animal__"),
        *("<lora:soft:0.8> a fox", "%%", "% prompt %", "a [text] on a wall", "{day|night} sky"),
    ],
)
def test_texts_that_hold_none(text: str) -> None:
    made = draft(text_to_image(n6=node("CLIPTextEncode", text=text, clip=["4", 1])))
    assert not any("Placeholders" in note for note in made.notes)
    assert made.workflow.nodes["6"].inputs["text"] == text


def test_what_the_workflow_replaces_itself_is_none() -> None:
    graph = text_to_image(
        n6=node("CLIPTextEncode", text=["20", 0], clip=["4", 1]),
        n20=node("StringReplace", string="Look at %topic%, {prompt}", find="%topic%", replace="x"),
        n21=node("StringReplace", string=["20", 0], find="{prompt}", replace="a fox"),
    )
    graph["6"]["inputs"]["text"] = ["21", 0]
    made = draft(graph)
    assert made.workflow.to_json()["20"]["inputs"] == graph["20"]["inputs"]
    assert made.workflow.to_json()["21"]["inputs"]["find"] == "{prompt}"


def test_names_of_files_belong_to_comfyui() -> None:
    saver = node("SaveImage", filename_prefix="%width%/%date:yyyy%_%seed%", images=["8", 0])
    made = draft(text_to_image(n9=saver))
    assert made.workflow.nodes["9"].inputs == saver["inputs"]
