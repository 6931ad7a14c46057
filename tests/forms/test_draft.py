from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.object_info import ObjectInfo
from tests.forms.draft_graph import (
    bind_draft,
    draft,
    find,
    info,
    list_basic_fields,
    list_filled_slots,
    node,
    sample,
    slots,
    text_to_image,
)


def test_the_usual_workflow(tmp_path: Path) -> None:
    made = draft(text_to_image())
    assert (made.title, made.icon, made.outputs) == ("Text to image", "🎨", ())
    assert list_basic_fields(made) == ["prompt", "size", "checkpoint", "seed"]
    assert slots(made) == {
        "prompt": ["6.text"],
        "size": ["5.width", "5.height"],
        "checkpoint": ["4.ckpt_name"],
        "seed": ["3.seed"],
        "negative_prompt": ["7.text"],
        "steps": ["3.steps"],
        "cfg": ["3.cfg"],
        "sampler": ["3.sampler_name"],
        "scheduler": ["3.scheduler"],
        "pictures": ["5.batch_size"],
    }
    assert find(made, "prompt").entry.label == "What do you want to see?"
    assert find(made, "prompt").why == "feeds positive of KSampler (node 3)"
    assert find(made, "denoise") in made.left_out
    form = bind_draft(made, tmp_path)
    assert form.problems == () and form.fields["size"].default == "512x768"
    assert form.fill({"prompt": "a fox", "seed": 3}).graph["6"]["inputs"]["text"] == "a fox"


def test_its_example_gives_the_authors_picture(tmp_path: Path) -> None:
    made = draft(text_to_image())
    assert made.examples == ({"title": "Example", "prompt": "a lighthouse", "seed": 7},)
    values = {name: value for name, value in made.examples[0].items() if name != "title"}
    assert bind_draft(made, tmp_path).fill(values).graph == made.workflow.to_json()


def test_positive_and_negative_are_told_apart_by_the_way_to_the_sampler() -> None:
    """Through a node with both conditionings, and whatever the nodes are called."""
    graph = text_to_image(
        n3=sample(positive=["20", 0], negative=["20", 1]),
        n6=node("CLIPTextEncode", "Negative", text="wanted", clip=["4", 1]),
        n7=node("CLIPTextEncode", "Positive", text="unwanted", clip=["4", 1]),
        n20=node(
            "ControlNetApplyAdvanced",
            positive=["6", 0],
            negative=["7", 0],
            strength=0.8,
            image=["21", 0],
        ),
        n21=node("LoadImage", image="pose.png"),
    )
    made = draft(graph)
    assert (slots(made)["prompt"], slots(made)["negative_prompt"]) == (["6.text"], ["7.text"])
    assert find(made, "image").role == "image"


def test_a_text_for_both_conditionings_is_positive() -> None:
    made = draft(
        text_to_image(
            n3=sample(negative=["20", 0]), n20=node("ConditioningZeroOut", conditioning=["6", 0])
        )
    )
    assert slots(made)["prompt"] == ["6.text"] and "negative_prompt" not in slots(made)


def test_the_text_behind_an_empty_conditioning_is_none() -> None:
    made = draft(
        text_to_image(
            n3=sample(positive=["20", 0]), n20=node("ConditioningZeroOut", conditioning=["6", 0])
        )
    )
    assert "prompt" not in slots(made) and made.notes[0].startswith("No text that can be set")


def test_texts_of_one_encoder_are_one_field_with_a_note_if_they_differ() -> None:
    encoder = node(
        "CLIPTextEncodeFlux", clip=["4", 1], clip_l="fox", t5xxl="a fox in the snow", guidance=3.5
    )
    made = draft(text_to_image(n6=encoder))
    assert slots(made)["prompt"] == ["6.clip_l", "6.t5xxl"] and slots(made)["guidance"] == [
        "6.guidance"
    ]
    assert any("had different texts in clip_l, t5xxl" in note for note in made.notes)


def test_a_linked_text_is_found_where_it_stands() -> None:
    graph = text_to_image(
        n6=node("CLIPTextEncode", text=["20", 0], clip=["4", 1]),
        n20=node("StringConcatenate", string_a=["21", 0], string_b="oil painting", delimiter=", "),
        n21=node("PrimitiveStringMultiline", "Motif", value="a fox"),
    )
    made = draft(graph)
    assert slots(made)["prompt"] == ["21.value"] and find(made, "prompt").entry.label == "Motif"
    assert slots(made)["prompt_2"] == ["20.string_b"] and find(made, "prompt_2").entry.advanced


def test_the_same_text_twice_is_one_field() -> None:
    second = sample(latent_image=["3", 0], positive=["20", 0], seed=8)
    graph = text_to_image(
        n20=node("CLIPTextEncode", text="a lighthouse", clip=["4", 1]), n30=second, n8=decode("30")
    )
    made = draft(graph)
    assert slots(made)["prompt"] == ["6.text", "20.text"] and slots(made)["seed"] == [
        "3.seed",
        "30.seed",
    ]


def decode(source: str) -> dict[str, Any]:
    return node("VAEDecode", samples=[source, 0], vae=["4", 2])


def test_all_samplers_share_one_seed_and_equal_settings() -> None:
    second = sample("Refine", latent_image=["3", 0], seed=99, steps=10, denoise=0.5)
    made = draft(text_to_image(n30=second, n8=decode("30")))
    assert slots(made)["seed"] == ["3.seed", "30.seed"] and slots(made)["cfg"] == [
        "3.cfg",
        "30.cfg",
    ]
    assert (slots(made)["steps"], slots(made)["steps_2"]) == (["3.steps"], ["30.steps"])
    assert find(made, "steps_2").entry.label == "Steps (Refine)"
    assert slots(made)["denoise"] == ["30.denoise"] and "strength" not in slots(made)


def test_numbers_of_primitive_nodes_keep_the_limits_of_what_they_feed(tmp_path: Path) -> None:
    graph = text_to_image(
        n3=sample(steps=["20", 0], seed=["21", 0]),
        n5=node("EmptyLatentImage", width=["22", 0], height=["23", 0], batch_size=1),
        n20=node("PrimitiveInt", "Steps", value=25),
        n21=node("PrimitiveInt", "Seed", value=5),
        n22=node("PrimitiveInt", "Width", value=640),
        n23=node("PrimitiveInt", "Height", value=480),
    )
    made = draft(graph)
    assert (slots(made)["steps"], slots(made)["seed"]) == (["20.value"], ["21.value"])
    assert slots(made)["size"] == ["22.value", "23.value"]
    form = bind_draft(made, tmp_path)
    assert (
        form.fields["steps"].widget,
        form.fields["steps"].minimum,
        form.fields["steps"].maximum,
    ) == (
        "slider",
        1,
        60,
    )
    assert form.fields["seed"].widget == "seed" and form.fields["seed"].minimum == 0


def test_a_size_is_filled_wherever_it_stands() -> None:
    graph = text_to_image(
        n3=sample(model=["20", 0]),
        n20=node(
            "ModelSamplingFlux",
            model=["4", 0],
            max_shift=1.15,
            base_shift=0.5,
            width=512,
            height=768,
        ),
    )
    assert slots(draft(graph))["size"] == ["5.width", "20.width", "5.height", "20.height"]


def test_a_size_that_is_worked_out_is_none() -> None:
    graph = text_to_image(
        n5=node("EmptyLatentImage", width=["20", 0], height=["20", 1], batch_size=1),
        n20=node("GetImageSize", image=["21", 0]),
        n21=node("LoadImage", image="a.png"),
    )
    made = draft(graph)
    assert "size" not in slots(made) and any(
        note.startswith("No width and height") for note in made.notes
    )


def test_the_branch_that_a_switch_leaves_out_is_not_asked_for() -> None:
    switch = node("ComfySwitchNode", switch=["22", 0], on_false=["20", 0], on_true=["21", 0])
    graph = text_to_image(
        n3=sample(steps=["23", 0]),
        n20=node("PrimitiveInt", "Fine", value=30),
        n21=node("PrimitiveInt", "Fast", value=4),
        n22=node("PrimitiveBoolean", "Hurry", value=True),
        n23=switch,
    )
    made = draft(graph)
    assert slots(made)["steps"] == ["21.value"] and slots(made)["hurry"] == ["22.value"]
    assert "20.value" not in list_filled_slots(made)


def test_lora_loaders_in_a_chain_are_one_list(tmp_path: Path) -> None:
    spec = info().spec("LoraLoader", "lora_name")
    names = list((spec.choices or ())[:2]) if spec else []
    graph = text_to_image(
        n3=sample(model=["21", 0]),
        n20=_lora(names[0], 0.8, ["4", 0], ["4", 1]),
        n21=_lora(names[1], 0.5, ["20", 0], ["20", 1]),
    )
    made = draft(graph)
    assert slots(made)["loras"] == [
        "20.lora_name",
        "21.lora_name",
    ] and "strength_model" not in slots(made)
    rows = bind_draft(made, tmp_path).fields["loras"].default
    assert [(row["name"], row["strength"]) for row in rows] == [(names[0], 0.8), (names[1], 0.5)]


def _lora(name: Any, strength: float, model: list[Any], clip: list[Any]) -> dict[str, Any]:
    return node(
        "LoraLoader",
        lora_name=name,
        strength_model=strength,
        strength_clip=strength,
        model=model,
        clip=clip,
    )


def test_a_picture_whose_mask_is_used_is_painted_on(tmp_path: Path) -> None:
    graph = text_to_image(
        n5=node(
            "VAEEncodeForInpaint", pixels=["20", 0], mask=["20", 1], vae=["4", 2], grow_mask_by=6
        ),
        n20=node("LoadImage", image="a.png"),
    )
    made = draft(graph)
    assert (made.title, find(made, "image").entry.widget) == ("Repaint a part", "mask")
    assert bind_draft(made, tmp_path).fields["image"].widget == "mask"


def test_a_mask_that_only_restores_transparency_is_not_painted() -> None:
    graph = {
        "1": node("LoadImage", image="a.png"),
        "2": node("InvertMask", mask=["1", 1]),
        "3": node("JoinImageWithAlpha", image=["1", 0], alpha=["2", 0]),
        "4": node("SaveImage", filename_prefix="x", images=["3", 0]),
    }
    assert find(draft(graph), "image").entry.widget is None


def test_image_to_image_asks_how_much_may_change() -> None:
    graph = text_to_image(
        n3=sample(denoise=0.6),
        n5=node("VAEEncode", pixels=["20", 0], vae=["4", 2]),
        n20=node("LoadImage", image="a.png"),
    )
    made = draft(graph)
    assert (made.title, list_basic_fields(made)) == (
        "Change a picture",
        ["image", "prompt", "strength", "checkpoint", "seed"],
    )
    assert find(made, "prompt").entry.label == "What should it become?"


@pytest.mark.parametrize(
    ("saver", "title"),
    [
        (
            node("SaveVideo", filename_prefix="v", format="auto", codec="auto", video=["9", 0]),
            "Text to video",
        ),
        (node("SaveAnimatedWEBP", filename_prefix="v", fps=6, images=["8", 0]), "Text to video"),
        (node("SaveAudio", filename_prefix="a", audio=["8", 0]), "Text to audio"),
    ],
    ids=["video", "webp", "audio"],
)
def test_what_comes_out_decides_the_kind(saver: dict[str, Any], title: str) -> None:
    made = draft(text_to_image(n9=node("CreateVideo", images=["8", 0], fps=24.0), n10=saver))
    assert made.title == title and "pictures" not in slots(made)


def test_previews_of_what_is_saved_are_not_shown() -> None:
    graph = text_to_image(n10=node("PreviewImage", images=["8", 0]))
    assert draft(graph).outputs == ("9",)
    graph["10"]["inputs"]["images"] = ["11", 0]
    graph["11"] = node("ImageScaleBy", image=["8", 0], upscale_method="area", scale_by=0.5)
    assert draft(graph).outputs == ()


def test_titles_become_labels_and_names() -> None:
    graph = text_to_image(
        n3=sample(positive=["20", 0]),
        n6=node("CLIPTextEncode", "The left half", text="a fox", clip=["4", 1]),
        n20=node("ConditioningCombine", conditioning_1=["6", 0], conditioning_2=["21", 0]),
        n21=node("CLIPTextEncode", "The right half", text="a hare", clip=["4", 1]),
    )
    made = draft(graph)
    assert slots(made)["prompt"] == ["6.text"] and slots(made)["the_right_half"] == ["21.text"]
    labels = [find(made, name).entry.label for name in ("prompt", "the_right_half")]
    assert labels == ["The left half", "The right half"]


def test_names_are_unique_and_speak_python() -> None:
    nodes = {
        f"n{n}": node("PrimitiveString", "title" if n % 2 else "class", value="x")
        for n in range(20, 24)
    }
    shown = {f"n{n}": node("PreviewAny", source=[str(n - 20), 0]) for n in range(40, 44)}
    made = draft(text_to_image(**nodes, **shown))
    names = [field.name for field in (*made.fields, *made.left_out)]
    assert len(names) == len(set(names)) and not {"title", "class"} & set(names)


def test_what_is_left_over_is_capped_and_offered() -> None:
    extras = {
        f"n{n}": node(
            "ImageBlur",
            image=[str(n - 1) if n > 100 else "8", 0],
            blur_radius=n % 31 + 1,
            sigma=n / 100,
        )
        for n in range(100, 120)
    }
    made = draft(
        text_to_image(**extras, n9=node("SaveImage", filename_prefix="x", images=["119", 0]))
    )
    assert sum(field.role == "other" for field in made.fields) == 12
    assert len(made.left_out) > 20 and any(
        "further inputs were left out" in note for note in made.notes
    )
    assert "filename_prefix" not in [field.name for field in made.left_out]


def test_a_choice_that_calls_for_other_inputs_is_left_alone() -> None:
    resize = {
        **{"input": ["8", 0], "resize_type": "scale dimensions", "resize_type.width": 640},
        **{"resize_type.height": 480, "resize_type.crop": "center", "scale_method": "area"},
    }
    graph = text_to_image(
        n20={"class_type": "ResizeImageMaskNode", "inputs": resize},
        n9=node("SaveImage", filename_prefix="x", images=["20", 0]),
    )
    made = draft(graph)
    assert slots(made)["size_2"] == ["20.resize_type.width", "20.resize_type.height"]
    assert "resize_type" not in [field.name for field in (*made.fields, *made.left_out)]


def test_a_server_that_knows_nothing_still_gives_a_draft() -> None:
    graph = text_to_image()
    made = draft(graph, ObjectInfo({}))
    found = slots(made)
    assert (found["prompt"], found["negative_prompt"], found["seed"]) == (
        ["6.text"],
        ["7.text"],
        ["3.seed"],
    )
    assert found["size"] == ["5.width", "5.height"] and found["checkpoint"] == ["4.ckpt_name"]
    assert (
        made.notes[0] == "This ComfyUI has no node class CLIPTextEncode; its inputs were guessed."
    )


def test_nodes_that_lead_nowhere_and_circles_do_no_harm() -> None:
    graph = text_to_image(
        n20=node("CLIPTextEncode", text="nobody reads this", clip=["4", 1]),
        n21=node("ImageScaleBy", image=["22", 0], upscale_method="area", scale_by=1.0),
        n22=node("ImageScaleBy", image=["21", 0], upscale_method="area", scale_by=1.0),
        n23=node("PreviewImage", images=["22", 0]),
        n24=node("PreviewImage", images=["99", 0]),
    )
    made = draft(graph)
    assert slots(made)["prompt"] == ["6.text"]
    assert (
        "1 node leads to no result, or a switch leaves them out; their inputs were not looked at."
        in made.notes
    )
