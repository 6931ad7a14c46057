"""Inputs that an author marked for another front end win over detections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comfygradio.comfy.workflow import Workflow
from comfygradio.drafting.draft import draft_preset
from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation
from tests.forms.draft_graph import (
    bind_draft,
    draft,
    find,
    info,
    list_basic_fields,
    node,
    sample,
    slots,
    text_to_image,
)


def hint(*addresses: str, **said: Any) -> Annotation:
    """A hint of App mode for these inputs."""
    pairs = [address.split(".", 1) for address in addresses]
    return Annotation("App mode", tuple(Slot(node_id, name) for node_id, name in pairs), **said)


def test_marked_fields_are_the_form_in_their_order(tmp_path: Path) -> None:
    hints = (hint("3.steps", order=2, label="Patience"), hint("6.text", order=1))
    made = draft(text_to_image(), hints=hints)
    assert list_basic_fields(made) == ["prompt", "steps", "seed"]
    assert (
        find(made, "steps").entry.label == "Patience"
        and find(made, "steps").why == "marked for App mode"
    )
    assert {"size", "checkpoint", "negative_prompt", "cfg"} <= {
        f.name for f in made.fields if f.entry.advanced
    }
    assert bind_draft(made, tmp_path).problems == ()


def test_the_example_has_what_a_marked_default_replaced(tmp_path: Path) -> None:
    marks = (hint("3.steps", default=33), hint("3.cfg", default=7.5), hint("7.text", default="mud"))
    made = draft(text_to_image(), hints=marks)
    assert made.examples[0] == {
        **{"title": "Example", "steps": 20, "negative_prompt": "blurry", "seed": 7}
    }
    values = {name: value for name, value in made.examples[0].items() if name != "title"}
    assert bind_draft(made, tmp_path).fill(values).graph == made.workflow.to_json()


def test_a_marked_seed_leaves_no_other_first() -> None:
    made = draft(text_to_image(), hints=(hint("3.seed"), hint("6.text")))
    assert list_basic_fields(made) == ["seed", "prompt"]


def test_limits_groups_and_choices_are_taken_over(tmp_path: Path) -> None:
    hints = (
        hint(
            "3.steps",
            minimum=4,
            maximum=30,
            step=2,
            default=12,
            group="Quality",
            help="Be quick.",
            name="Patience!",
        ),
        hint("3.sampler_name", choices=("euler", "dpmpp_2m"), widget="radio"),
        hint("7.text", advanced=True, optional=True),
    )
    form = bind_draft(draft(text_to_image(), hints=hints), tmp_path)
    steps = form.fields["patience"]
    assert (steps.minimum, steps.maximum, steps.step, steps.default) == (4, 30, 2, 12)
    assert (steps.group, steps.help) == ("Quality", "Be quick.")
    assert [choice.value for choice in form.fields["sampler"].choices or ()] == [
        "euler",
        "dpmpp_2m",
    ]
    assert form.fields["negative_prompt"].advanced and form.fields["negative_prompt"].optional


def test_limits_that_do_not_fit_are_left_out_with_a_note(tmp_path: Path) -> None:
    hints = (
        hint("3.steps", minimum=20000, maximum=30000),
        hint("3.cfg", default="a lot"),
        hint("6.text", widget="slider"),
    )
    made = draft(text_to_image(), hints=hints)
    form = bind_draft(made, tmp_path)
    assert (
        form.problems == ()
        and form.fields["steps"].minimum == 1
        and form.fields["prompt"].widget == "textarea"
    )
    assert sum(note.startswith("The limits marked for") for note in made.notes) == 3


def test_width_and_height_marked_one_by_one_are_a_size() -> None:
    bare = draft(
        text_to_image(),
        hints=(hint("5.width", order=1), hint("6.text", order=2), hint("5.height", order=3)),
    )
    assert list_basic_fields(bare) == ["size", "prompt", "seed"] and slots(bare)["size"] == [
        "5.width",
        "5.height",
    ]
    limited = draft(text_to_image(), hints=(hint("5.width", maximum=1024), hint("5.height")))
    assert list_basic_fields(limited) == ["width", "height", "seed"]


def test_one_side_alone_stays_a_number_and_the_other_is_offered() -> None:
    made = draft(text_to_image(), hints=(hint("5.width"),))
    assert slots(made)["width"] == ["5.width"] and "size" not in slots(made)
    assert "height" in [field.name for field in made.left_out]


def test_a_marked_text_fills_all_parts_of_its_encoder() -> None:
    encoder = node("CLIPTextEncodeFlux", clip=["4", 1], clip_l="a fox", t5xxl="a fox", guidance=3.5)
    made = draft(text_to_image(n6=encoder), hints=(hint("6.t5xxl"),))
    assert slots(made)["prompt"] == ["6.t5xxl", "6.clip_l"]


def test_a_linked_input_is_set_where_its_value_stands() -> None:
    graph = text_to_image(n3=sample(steps=["20", 0]), n20=node("PrimitiveInt", "Steps", value=25))
    made = draft(graph, hints=(hint("3.steps"), hint("6.text", advanced=True)))
    assert slots(made)["steps"] == ["20.value"] and find(made, "steps").entry.max == 60
    limited = draft(graph, hints=(hint("3.steps", maximum=9),))
    assert (find(limited, "steps").entry.widget, find(limited, "steps").entry.max) == (None, 9)
    assert list_basic_fields(made) == ["steps", "seed"] == [field.name for field in made.fields[:2]]


def test_a_marked_strength_turns_the_list_of_loras_into_names() -> None:
    loader = node(
        "LoraLoaderModelOnly", lora_name="x.safetensors", strength_model=0.8, model=["4", 0]
    )
    graph = text_to_image(n3=sample(model=["20", 0]), n20=loader)
    made = draft(graph, hints=(hint("20.strength_model"),))
    assert slots(made)["strength_model"] == ["20.strength_model"]
    assert slots(made)["lora"] == ["20.lora_name"] and "loras" not in slots(made)


def test_marks_of_nothing_are_told() -> None:
    hints = (hint("99.text", label="Gone"), hint("3.model"), hint("6.text"))
    made = draft(text_to_image(), hints=hints)
    assert list_basic_fields(made) == ["prompt", "seed"]
    assert "Gone was marked for App mode, but no input that can be set belongs to it." in made.notes


def test_app_mode_is_read_from_the_saved_workflow() -> None:
    saved = {
        "nodes": [
            {"id": 6, "type": "CLIPTextEncode", "inputs": [], "widgets_values": ["a lighthouse"]}
        ],
        "links": [],
        "extra": {"linearData": {"inputs": [["6", "text"]], "outputs": ["9"]}},
    }
    made = draft_preset(Workflow.from_json(text_to_image()), info(), saved)
    assert list_basic_fields(made) == ["prompt", "seed"] and made.outputs == ("9",)


def test_a_marked_picture_whose_mask_is_used_is_painted_on() -> None:
    graph = text_to_image(
        n5=node(
            "VAEEncodeForInpaint", pixels=["20", 0], mask=["20", 1], vae=["4", 2], grow_mask_by=6
        ),
        n20=node("LoadImage", image="a.png"),
    )
    assert (
        find(draft(graph, hints=(hint("20.image", label="Photo"),)), "image").entry.widget == "mask"
    )
    assert (
        find(draft(graph, hints=(hint("20.image", widget="image"),)), "image").entry.widget
        == "image"
    )
