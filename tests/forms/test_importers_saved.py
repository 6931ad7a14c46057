"""Annotations beside the graph and in titles: App mode of ComfyUI, MCWW and ViewComfy."""

from __future__ import annotations

from typing import Any

import pytest

from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import AnnotatedWorkflow
from comfygradio.importers.mcww import parse_title
from comfygradio.importers.ui_workflow import UiWorkflow
from tests.forms.annotated_workflow import import_file, import_nodes, list_slots, load_workflow

LINK = {"id": 2, "origin_id": -10, "origin_slot": "0", "target_id": 5, "target_slot": 0}

ROOT, SUB = "0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def pick_inputs(*entries: Any) -> AnnotatedWorkflow:
    """What App mode says about the stored workflow with these entries instead of its own."""
    workflow, saved = load_workflow("app_mode")
    saved["extra"]["linearData"] = {"inputs": list(entries), "outputs": []}
    nodes = {node.id: (node.class_type, dict(node.inputs), node.title) for node in workflow}
    saved["nodes"] = [node for node in saved["nodes"] if node["id"] != 40]
    return import_nodes(nodes, saved=saved)


@pytest.mark.parametrize(
    ("entry", "slots"),
    [
        (["1", "image"], ["1.image"]),
        ([1, "image", {"height": 300}], ["1.image"]),
        ([f"{ROOT}:1:image", "image"], ["1.image"]),
        ([f"{ROOT}:20:text", "text"], ["20:6.text"]),
        ([f"{SUB}:6:text", "text"], ["20:6.text"]),
        ([f"{SUB}:15:seed", "seed"], ["20:15:3.seed"]),
        (["20", "ckpt_name"], ["20:4.ckpt_name"]),
        (["20:6", "text"], ["20:6.text"]),
        (["20:15:3", "cfg"], ["20:15:3.cfg"]),
        (["20:15", "steps"], ["20:15:3.steps"]),
        ([f"{SUB}:7", "text"], ["20:7.text"]),
        ([f"{ROOT}:20%3A15:steps", "steps"], ["20:15:3.steps"]),
        ([f"{ROOT}:30:resize_type%2Ewidth", "resize_type.width"], ["30.resize_type.width"]),
        (["30", "resize_type.height"], ["30.resize_type.height"]),
        # A bare id inside of a subgraph, as the first frontends wrote it.
        (["6", "text"], ["20:6.text"]),
        ([3, "denoise"], ["20:15:3.denoise"]),
        ([15, "steps"], ["20:15:3.steps"]),
        # A copy of a workflow keeps ids that name the one it was copied from.
        (["00000000-0000-4000-8000-000000000001:1:image", "image"], ["1.image"]),
    ],
)
def test_every_form_of_id_is_found_in_the_api_workflow(entry: list[Any], slots: list[str]) -> None:
    marked = pick_inputs(entry)
    assert [list_slots(hint) for hint in marked.annotations] == [slots] and marked.notes == ()


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (["42", "image"], "may be muted"),
        (["77", "image"], "no such node"),
        (["99:1", "image"], "no such node"),
        (["1", "no_such"], "no such input"),
        (["20:10", "pixels"], "another node feeds it"),
        (["text"], "no such node"),
        ([], "names no node"),
        ({"id": 1}, "names no node"),
        ([None, "image"], "names no node"),
        (f"{ROOT}:1:image", "names no node"),
    ],
)
def test_what_cannot_be_found_is_left_out_with_a_note(entry: Any, why: str) -> None:
    marked = pick_inputs(entry)
    assert marked.annotations == () and len(marked.notes) == 1 and why in marked.notes[0]


def test_app_mode_keeps_order_labels_and_help() -> None:
    hints = [hint for hint in import_file("app_mode").annotations if hint.source == "App mode"]
    assert [list_slots(hint)[0] for hint in hints] == [
        "1.image",
        "20:6.text",
        "20:7.text",
        "20:15:3.cfg",
        "20:15:3.steps",
        "20:4.ckpt_name",
        "30.resize_type.width",
        "30.resize_type.height",
    ]
    assert hints[0].label == "Your photo" and hints[1].label == "What to paint"
    assert (hints[1].name, hints[1].help) == ("what_to_paint", "In plain words.")
    assert import_file("app_mode").outputs == ("9",)


def test_a_subgraph_that_is_used_twice() -> None:
    """Its own graph names the inputs of both; a bare id inside of it could be either and is left
    out.
    """
    loader = ("CheckpointLoaderSimple", {"ckpt_name": "tiny-a.safetensors"})
    saved = {
        "nodes": [{"id": 1, "type": SUB}, {"id": 2, "type": SUB}],
        "definitions": {"subgraphs": [{"id": SUB, "nodes": [{"id": 5, "type": loader[0]}]}]},
        "extra": {
            "linearData": {"inputs": [[f"{SUB}:5", "ckpt_name"], ["5", "ckpt_name"]], "outputs": []}
        },
    }
    marked = import_nodes({"1:5": loader, "2:5": loader}, saved=saved)
    assert [list_slots(hint) for hint in marked.annotations] == [["1:5.ckpt_name", "2:5.ckpt_name"]]
    assert len(marked.notes) == 1 and "more than one" in marked.notes[0]


def test_a_primitive_stands_for_everything_that_it_feeds() -> None:
    sampler = ("KSampler", {"seed": 5})
    saved = {
        "nodes": [
            {"id": 1, "type": "PrimitiveNode"},
            {"id": 2, "type": "Reroute", "inputs": [{"name": "", "link": 10}]},
            {
                "id": 3,
                "type": "KSampler",
                "inputs": [{"name": "seed", "widget": {"name": "seed"}, "link": 11}],
            },
            {
                "id": 4,
                "type": "KSampler",
                "inputs": [{"name": "seed", "widget": {"name": "seed"}, "link": 12}],
            },
        ],
        "links": [[10, 1, 0, 2, 0, "INT"], [11, 2, 0, 3, 0, "INT"], [12, 1, 0, 4, 0, "INT"]],
        "extra": {"linearData": {"inputs": [[1, "value"]], "outputs": []}},
    }
    marked = import_nodes({"3": sampler, "4": sampler}, saved=saved)
    assert [list_slots(hint) for hint in marked.annotations] == [["3.seed", "4.seed"]]


def test_widgets_that_an_instance_shows_by_proxy() -> None:
    """Frontends 1.32 to 1.45 list them as pairs of inner node and widget."""
    instance = {
        "id": 8,
        "type": SUB,
        "properties": {"proxyWidgets": [["5", "ckpt_name"], ["5", 7], "odd"]},
    }
    saved = {
        "nodes": [instance],
        "definitions": {
            "subgraphs": [{"id": SUB, "nodes": [{"id": 5, "type": "CheckpointLoaderSimple"}]}]
        },
        "extra": {"linearData": {"inputs": [["8", "ckpt_name"]], "outputs": ["8", 9]}},
    }
    nodes = {"8:5": ("CheckpointLoaderSimple", {"ckpt_name": "x"}), "8:6": ("SaveImage", {})}
    marked = import_nodes(nodes, saved=saved)
    assert [list_slots(hint) for hint in marked.annotations] == [["8:5.ckpt_name"]]
    assert marked.outputs == ("8:6",) and len(marked.notes) == 1 and "output 9" in marked.notes[0]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("<Prompt:prompt:1>", ("Prompt", "prompt", "", 1, None, "")),
        ("<Image 2:prompts/Image 2:2>", ("Image 2", "prompt", "Image 2", 2, None, "")),
        (
            "<CFG:Advanced/General:2/3> 1, 10, 0.1",
            ("CFG", "advanced", "General", 2, 3, "1, 10, 0.1"),
        ),
        ("<A -> B:ControlNet:7>json", ("A -> B", "other", "", 7, None, "json")),
    ],
)
def test_titles_of_mcww(title: str, expected: tuple[object, ...]) -> None:
    marker = parse_title(title)
    assert marker is not None
    found = (marker.label, marker.category, marker.tab, marker.row, marker.column, marker.arguments)
    assert found == expected


@pytest.mark.parametrize(
    "title",
    [
        "Prompt",
        "<Prompt:prompt>",
        "<:prompt:1>",
        "<a::1>",
        "<a:b/:1>",
        "<a:b/c/d:1>",
        "<a:b:x>",
        "<a:b:1",
        "x<a:b:1>",
    ],
)
def test_titles_that_say_nothing_to_mcww(title: str) -> None:
    assert parse_title(title) is None


def test_mcww_titles_become_fields_in_its_order() -> None:
    marked = import_file("mcww")
    assert [
        (hint.label, hint.group, hint.advanced, list_slots(hint)) for hint in marked.annotations
    ] == [
        ("What to paint", "", False, ["6.text"]),
        ("First picture", "Picture", False, ["90.image"]),
        ("Fit it", "Finish", False, ["94.value"]),
        ("Seed", "General", True, ["91.value"]),
        ("Guidance", "General", True, ["93.value"]),
        ("Steps", "General", True, ["92.value"]),
        ("Not this", "General", True, ["7.text"]),
    ]
    seed, guidance = marked.annotations[3], marked.annotations[4]
    assert (seed.widget, guidance.widget) == ("seed", "slider")
    assert (guidance.minimum, guidance.maximum, guidance.step) == (1.0, 12.5, 0.5)
    assert marked.outputs == ("9", "96")
    assert any("<Broken:prompt>" in note for note in marked.notes)


def test_mcww_titles_of_primitives_are_in_the_saved_workflow_only() -> None:
    seed = import_file("app_mode").annotations[0]
    assert (seed.source, seed.label, seed.widget, list_slots(seed)) == (
        "MCWW",
        "Seed",
        "seed",
        ["20:15:3.seed"],
    )


def test_titles_come_from_the_saved_workflow_where_the_api_format_has_none() -> None:
    saved = {"nodes": [{"id": 6, "type": "CLIPTextEncode", "title": "<Scene:prompt:1>"}]}
    assert [
        hint.label
        for hint in import_nodes(
            {"6": ("CLIPTextEncode", {"text": "sea"})}, saved=saved
        ).annotations
    ] == ["Scene"]


def test_viewcomfy_titles() -> None:
    hints = import_file("viewcomfy").annotations
    assert [
        (hint.label, hint.group, hint.advanced) for hint in hints if hint.group != "Sampling"
    ] == [
        ("What to paint", "", False),
        ("Your picture", "", False),
    ]
    sampling = [list_slots(hint)[0] for hint in hints if hint.group == "Sampling" and hint.advanced]
    assert sampling == [
        f"3.{name}" for name in ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise")
    ]


def test_an_input_is_in_one_field_only() -> None:
    saved = {
        "nodes": [{"id": 6, "type": "CLIPTextEncode"}],
        "extra": {"linearData": {"inputs": [["6", "text"]], "outputs": []}},
    }
    marked = import_nodes(
        {"6": ("CLIPTextEncode", {"text": "sea"}, "<Scene:prompt:1>")}, saved=saved
    )
    assert [hint.source for hint in marked.annotations] == ["MCWW"]


def test_the_saved_graph_is_read_as_the_converter_reads_it() -> None:
    """Of nodes and definitions with one id the first counts, of links the last, and links may
    stand in an object.
    """
    definition = {
        "id": "g",
        "nodes": [{"id": 5, "type": "A", "inputs": [{"name": "text", "link": 2}]}],
        "links": {"0": {**LINK, "target_id": 4}, "1": LINK},
        "inputs": [{"name": "words"}],
    }
    saved = {
        "nodes": [{"id": 1, "type": "g"}, {"id": 1, "type": "Other"}],
        "definitions": {"subgraphs": [definition, {**definition, "nodes": []}]},
    }
    workflow = UiWorkflow(saved)
    assert workflow.resolve(workflow.root, "1", "words") == (Slot("1:5", "text"),)


def test_instances_of_a_saved_graph_do_not_multiply() -> None:
    definition = {"id": "g", "nodes": [{"id": number} for number in range(1000)]}
    nodes = [{"id": number, "type": "g"} for number in range(900)]
    workflow = UiWorkflow({"nodes": nodes, "definitions": {"subgraphs": [definition]}})
    assert len(workflow.scopes) == 21
