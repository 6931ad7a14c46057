"""Annotations for other programs: Swarm inputs, External nodes of comfydeploy, parameters of Krita,
and inputs of comfy-pack.
"""

from __future__ import annotations

import pytest

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.importers.annotation import AnnotatedWorkflow, Annotation
from tests.forms.annotated_workflow import (
    FULL,
    PLAIN,
    bind,
    import_file,
    import_nodes,
    list_dangling,
    list_slots,
)

NAMES = ("swarm", "comfydeploy", "krita", "comfy_pack", "mcww", "viewcomfy", "app_mode")


def pick(marked: AnnotatedWorkflow, label: str) -> Annotation:
    """The one hint with this label, or else this name."""
    found = [hint for hint in marked.annotations if label in (hint.label or hint.name,)]
    assert len(found) == 1, [hint.label or hint.name for hint in marked.annotations]
    return found[0]


def say(marked: AnnotatedWorkflow, part: str) -> bool:
    """Whether a note holds these words."""
    return any(part in note for note in marked.notes)


@pytest.mark.parametrize("info", [PLAIN, FULL], ids=["stock", "rivals"])
@pytest.mark.parametrize("name", NAMES)
def test_every_marker_becomes_a_field_and_the_workflow_runs(name: str, info: ObjectInfo) -> None:
    marked = import_file(name, info)
    form = bind(marked, info)
    assert len(marked.annotations) >= 4 and form.problems == ()
    assert marked.workflow.class_types <= set(info.nodes) and list_dangling(marked.workflow) == []
    assert [
        hint.order for hint in marked.annotations if hint.source == marked.annotations[-1].source
    ] == sorted(
        hint.order for hint in marked.annotations if hint.source == marked.annotations[-1].source
    )


def test_swarm_inputs_go_by_group_and_priority() -> None:
    marked = import_file("swarm")
    assert [(hint.label, hint.group, hint.advanced) for hint in marked.annotations] == [
        ("Start picture", "", False),
        ("What to paint", "", False),
        ("Model", "", False),
        ("Seed", "", False),
        ("Sharpen", "", True),
        ("Strength", "Look", False),
        ("Steps", "Look", False),
        ("Sampler", "Deep settings", True),
        ("Ending", "Deep settings", True),
    ]
    assert {hint.source for hint in marked.annotations} == {"SwarmUI"}
    assert say(marked, "Paints over a picture.")


def test_swarm_nodes_give_way_on_a_stock_server() -> None:
    marked = import_file("swarm")
    nodes = marked.workflow.nodes
    assert not [node.id for node in marked.workflow if node.class_type.startswith("Swarm")]
    assert list_slots(pick(marked, "Seed")) == ["3.seed"] and nodes["3"].inputs["seed"] == 41
    assert nodes["3"].inputs["cfg"] == 6.5 and nodes["3"].inputs["sampler_name"] == "euler"
    assert nodes["28"].class_type == "LoadImage" and nodes["10"].inputs["pixels"] == ["28", 0]
    assert nodes["29"].class_type == "CheckpointLoaderSimple" and nodes["3"].inputs["model"] == [
        "29",
        0,
    ]
    assert nodes["29"].inputs == {"ckpt_name": "tiny-b.safetensors"}
    assert nodes["33"].inputs["switch"] is True


def test_swarm_hints_say_what_the_nodes_say() -> None:
    marked = import_file("swarm")
    steps, strength, seed = (pick(marked, label) for label in ("Steps", "Strength", "Seed"))
    assert (steps.widget, steps.minimum, steps.maximum, steps.step) == ("slider", 1, 40, 1)
    assert (strength.widget, strength.minimum, strength.maximum, strength.step) == (
        "number",
        1,
        12,
        0.5,
    )
    assert (seed.widget, seed.name, seed.maximum) == ("seed", "myseed", None)
    assert (
        pick(marked, "What to paint").widget == "textarea"
        and pick(marked, "What to paint").help == "In plain words."
    )
    assert pick(marked, "Sampler").choices == () and pick(marked, "Ending").choices == (
        "ink",
        "oil",
        "chalk",
    )
    assert say(marked, "ends at 40, but up to 60")


def test_swarm_nodes_stay_where_the_server_has_them() -> None:
    marked = import_file("swarm", FULL)
    assert list_slots(pick(marked, "What to paint")) == ["22.value"]
    assert list_slots(pick(marked, "Start picture")) == ["28.image"]
    assert marked.workflow.nodes["6"].inputs["text"] == ["32", 0] and "20" in marked.workflow.nodes
    # A text box in front of the server's own list would be the poorer field.
    assert (
        list_slots(pick(marked, "Sampler")) == ["3.sampler_name"]
        and "26" not in marked.workflow.nodes
    )


def test_a_default_image_keeps_its_own_loader() -> None:
    for info in (PLAIN, FULL):
        marked = import_file("comfydeploy", info)
        photo = pick(marked, "Your photo")
        assert (list_slots(photo), photo.widget, photo.name) == (["41.image"], "image", "photo")
        assert (
            marked.workflow.nodes["10"].inputs["pixels"] == ["41", 0]
            and "40" not in marked.workflow.nodes
        )


def test_comfydeploy_hints_say_what_the_nodes_say() -> None:
    marked = import_file("comfydeploy")
    guidance, seed = pick(marked, "Guidance"), pick(marked, "seed")
    assert (guidance.widget, guidance.minimum, guidance.maximum, guidance.default) == (
        "slider",
        1,
        15,
        5.5,
    )
    assert (seed.widget, seed.minimum, seed.maximum, seed.default) == ("seed", 1, 4294967295, None)
    assert marked.workflow.nodes["3"].inputs["seed"] == 1
    assert pick(marked, "main_prompt").help == "What to see."
    assert (
        pick(marked, "Ending").choices == ("ink", "chalk") and pick(marked, "Sampler").choices == ()
    )
    assert say(marked, "Sampler offered only euler, heun")
    assert list_slots(pick(marked, "Left")) == ["50.x", "50.y"]


def test_a_number_that_was_sent_counts_more_than_the_default() -> None:
    """comfydeploy puts what was sent into input_id, and its node then looks at nothing else."""
    assert pick(import_file("comfydeploy"), "Left").default == 12
    kept = import_file("comfydeploy", FULL).workflow.nodes["51"]
    assert kept.inputs["default_value"] == 12 and not str(kept.inputs["input_id"]).isdigit()


def test_comfydeploy_outputs_are_found_and_replaced() -> None:
    stock, full = import_file("comfydeploy"), import_file("comfydeploy", FULL)
    assert stock.outputs == full.outputs == ("9", "55")
    assert stock.workflow.nodes["9"].class_type == "SaveImage"
    assert stock.workflow.nodes["9"].inputs == {"images": ["50", 0], "filename_prefix": "deploy"}
    assert stock.workflow.nodes["55"].class_type == "PreviewAny"
    assert full.workflow.nodes["9"].class_type == "ComfyDeployOutputImage"


def test_twins_of_one_input_id_share_a_field() -> None:
    text = ("ComfyUIDeployExternalText", {"input_id": "prompt", "default_value": "a pier"})
    marked = import_nodes({"1": text, "2": text, "3": _encode(["1", 0]), "4": _encode(["2", 0])})
    assert [list_slots(hint) for hint in marked.annotations] == [["3.text", "4.text"]]


def test_a_frame_loader_becomes_two_nodes() -> None:
    video = (
        "ComfyUIDeployExternalVideo",
        {"input_id": "clip", "default_video": "walk.mp4", "force_rate": 0},
    )
    marked = import_nodes(
        {
            "1": video,
            "2": ("PreviewImage", {"images": ["1", 0]}),
            "3": ("SaveAudio", {"audio": ["1", 2]}),
        }
    )
    assert [(list_slots(hint), hint.widget) for hint in marked.annotations] == [
        (["1.file"], "video")
    ]
    nodes = marked.workflow.nodes
    assert nodes["1"].class_type == "LoadVideo" and nodes["1"].inputs == {"file": "walk.mp4"}
    assert nodes["2"].inputs["images"] == ["1_frames", 0] and nodes["3"].inputs["audio"] == [
        "1_frames",
        1,
    ]
    assert nodes["1_frames"].class_type == "GetVideoComponents"


def test_krita_parameters_go_by_group_and_number() -> None:
    marked = import_file("krita")
    assert [(hint.label, hint.group) for hint in marked.annotations] == [
        ("Picture", ""),
        ("Keep size", ""),
        ("Reference", ""),
        ("Sampler", ""),
        ("Scene", "Words"),
        ("Without", "Words"),
        ("Guidance", "Details"),
        ("Steps", "Details"),
        ("Seed", ""),
    ]
    steps, guidance = pick(marked, "Steps"), pick(marked, "Guidance")
    assert (steps.default, steps.minimum, steps.maximum) == (3, 1, 40)
    assert (guidance.default, guidance.minimum, guidance.maximum) == (6, None, None)
    assert pick(marked, "Keep size").default is True and pick(marked, "Scene").widget == "textarea"


@pytest.mark.parametrize("info", [PLAIN, FULL], ids=["stock", "rivals"])
def test_krita_nodes_never_stay(info: ObjectInfo) -> None:
    marked = import_file("krita", info)
    assert not [node.id for node in marked.workflow if node.class_type.startswith("ETN_")]
    nodes = marked.workflow.nodes
    assert nodes["60"].class_type == "LoadImage" and nodes["61"].class_type == "SaveImage"
    assert nodes["70"].inputs["width"] == ["60_size", 0] and nodes["70"].inputs["height"] == [
        "60_size",
        1,
    ]
    assert nodes["60_size"].inputs == {"image": ["60", 0]}
    # Krita's mask is the opaque part of a picture, that of ComfyUI's loader the transparent one.
    assert (
        nodes["73"].inputs["mask"] == ["60_mask", 0] and nodes["60_mask"].class_type == "InvertMask"
    )
    assert nodes["3"].inputs["seed"] == 0 and list_slots(pick(marked, "Seed")) == ["3.seed"]
    assert marked.outputs == ("61",)


def test_kritas_selection_is_painted_on_the_canvas() -> None:
    marked = import_file("krita")
    assert marked.workflow.nodes["68"].inputs["mask"] == ["60", 1]
    assert pick(marked, "Picture").widget == "mask" and say(marked, "selection")


def test_a_selection_without_a_canvas_brings_its_own_picture() -> None:
    marked = import_nodes(
        {
            "1": ("ETN_KritaSelection", {"context": "automatic", "padding": 0}),
            "2": ("MaskToImage", {"mask": ["1", 0]}),
            "3": ("ImageCompositeMasked", {"x": ["1", 2], "resize_source": ["1", 1]}),
        }
    )
    assert [(list_slots(hint), hint.widget) for hint in marked.annotations] == [
        (["1.image"], "mask")
    ]
    assert marked.workflow.nodes["2"].inputs["mask"] == ["1", 1]
    assert marked.workflow.nodes["3"].inputs == {"x": 0, "resize_source": True}


def test_a_krita_style_becomes_a_checkpoint_and_fields() -> None:
    marked = import_nodes(
        {
            "1": ("ETN_KritaStyle", {"name": "2. Look", "sampler_preset": "auto"}),
            "2": ("CLIPTextEncode", {"clip": ["1", 1], "text": ["1", 3]}),
            "3": ("KSampler", {"model": ["1", 0], "steps": ["1", 7], "sampler_name": ["1", 5]}),
            "4": ("ETN_KritaMaskLayer", {"name": "1. Before/Mask"}),
            "5": ("MaskToImage", {"mask": ["4", 0]}),
        }
    )
    assert [(hint.group, hint.label) for hint in marked.annotations] == [
        ("Before", "Mask"),
        ("Look", "Checkpoint"),
        ("Look", "Prompt"),
        ("Look", "Sampler"),
        ("Look", "Steps"),
    ]
    nodes = marked.workflow.nodes
    assert nodes["1"].class_type == "CheckpointLoaderSimple" and nodes["1"].inputs[
        "ckpt_name"
    ].endswith(".safetensors")
    assert nodes["2"].inputs == {"clip": ["1", 1], "text": ""} and nodes["3"].inputs["steps"] == 20
    assert nodes["4"].class_type == "LoadImageMask" and nodes["5"].inputs["mask"] == ["4", 0]


def test_krita_parameters_of_2024_and_of_the_same_name() -> None:
    whole = ("ETN_IntParameter", {"name": "Steps", "default": 12, "min": 1, "max": 30})
    marked = import_nodes(
        {"1": whole, "2": whole, "3": _sample(steps=["1", 0]), "4": _sample(steps=["2", 0])}
    )
    assert [(list_slots(hint), hint.default, hint.maximum) for hint in marked.annotations] == [
        (["3.steps", "4.steps"], 12, 30)
    ]


def test_comfy_pack_names_fields_by_title_or_target() -> None:
    for info in (PLAIN, FULL):
        hints = import_file("comfy_pack", info).annotations
        assert [(hint.name, hint.label) for hint in hints] == [
            ("pixels", ""),
            ("scene", "scene"),
            ("steps", ""),
            ("which_sampler", "Which sampler"),
        ]
    assert list_slots(import_file("comfy_pack", FULL).annotations[1]) == ["81.value"]
    assert (hints[2].minimum, hints[2].maximum) == (1, None)
    assert import_file("comfy_pack").workflow.nodes["9"].class_type == "SaveImage"


def test_sockets_without_a_widget_get_a_primitive() -> None:
    number = ("SwarmInputInteger", {"title": "How many", "value": 3, "min": 0, "max": 9})
    marked = import_nodes(
        {"1": number, "2": ("PreviewAny", {"source": ["1", 0]}), "3": _sample(steps=["1", 0])}
    )
    assert [list_slots(hint) for hint in marked.annotations] == [["3.steps", "1.value"]]
    assert marked.workflow.nodes["1"].class_type == "PrimitiveInt" and marked.workflow.nodes[
        "1"
    ].inputs == {"value": 3}
    assert (
        marked.workflow.nodes["2"].inputs["source"] == ["1", 0]
        and marked.workflow.nodes["3"].inputs["steps"] == 3
    )


def test_a_marker_that_another_node_feeds_is_passed_over() -> None:
    fed = ("ComfyUIDeployExternalText", {"input_id": "x", "default_value": ["2", 0]})
    marked = import_nodes(
        {"1": fed, "2": ("PrimitiveString", {"value": "sea"}), "3": _encode(["1", 0])}
    )
    assert (
        marked.annotations == ()
        and "1" not in marked.workflow.nodes
        and say(marked, "is fed by node 2")
    )
    assert marked.workflow.nodes["3"].inputs["text"] == ["2", 0]


def test_a_marker_that_feeds_a_marker_passes_its_value_on() -> None:
    inner = ("ComfyUIDeployExternalText", {"input_id": "in", "default_value": "sea"})
    outer = ("ComfyUIDeployExternalText", {"input_id": "out", "default_value": ["1", 0]})
    marked = import_nodes({"1": inner, "2": outer, "3": _encode(["2", 0])})
    assert [list_slots(hint) for hint in marked.annotations] == [["3.text"]]
    assert (
        marked.workflow.nodes["3"].inputs["text"] == "sea" and list_dangling(marked.workflow) == []
    )


def test_a_marker_that_feeds_nothing_goes_with_a_note() -> None:
    marked = import_nodes(
        {"1": ("SwarmInputText", {"title": "Idle", "value": "x"}), "2": _encode("sea")}
    )
    assert (
        marked.annotations == ()
        and list(marked.workflow.nodes) == ["2"]
        and say(marked, "feeds no other node")
    )


def test_limits_that_leave_nothing_are_ignored_with_a_note() -> None:
    odd = (
        "SwarmInputInteger",
        {"title": "Steps", "value": -5, "min": 50000, "max": 60000, "view_type": "small"},
    )
    marked = import_nodes({"1": odd, "2": _sample(steps=["1", 0])})
    assert (marked.annotations[0].minimum, marked.annotations[0].maximum) == (None, None) and say(
        marked, "leave no value"
    )
    assert marked.workflow.nodes["2"].inputs["steps"] == 1


def test_outputs_that_no_stock_node_replaces_are_taken_out() -> None:
    marked = import_nodes({"1": ("CPackOutputZipSwitch", {}), "2": _encode("sea")})
    assert (
        marked.outputs == () and list(marked.workflow.nodes) == ["2"] and say(marked, "taken out")
    )


def test_a_workflow_without_markers_stays_as_it_is() -> None:
    marked = import_nodes(
        {"1": _encode("sea"), "2": _sample(steps=3)}, FULL, {"nodes": [], "extra": {}}
    )
    assert (marked.annotations, marked.outputs, marked.notes) == ((), (), ())
    assert marked.workflow.nodes["1"].inputs == {"text": "sea"}


def _encode(text: object) -> tuple[str, dict[str, object]]:
    return "CLIPTextEncode", {"text": text}


def _sample(**inputs: object) -> tuple[str, dict[str, object]]:
    return "KSampler", inputs
