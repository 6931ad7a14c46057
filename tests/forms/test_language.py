"""The preset language: what lines say about slots, about each other, and about what is bypassed."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.errors import PresetError, ValuesRefused
from comfygradio.metadata.load import Metadata
from comfygradio.metadata.restore import restore_values

from .preset_folder import RESIZE, WORKFLOW, PresetFolder, change_workflow

PHOTO, COMIC = (
    "{3.cfg: 6, 6.text: 'photo of {prompt}, 35mm'}",
    "{3.cfg: 8, 6.text: '{prompt}, ink'}",
)
LOOK = f"look: {{choices: {{Photo: {PHOTO}, Comic: {COMIC}}}}}"
PICTURE = {"class_type": "LoadImage", "inputs": {"image": "base.png"}}
LORA = {
    "class_type": "LoraLoader",
    "inputs": {
        "model": ["4", 0],
        "clip": ["4", 1],
        "lora_name": "tiny-lora.safetensors",
        "strength_model": 1.0,
        "strength_clip": 1.0,
    },
}
WITH_LORA = change_workflow(n20=LORA)
WITH_LORA["3"]["inputs"]["model"] = ["20", 0]
WITH_LORA["6"]["inputs"]["clip"] = ["20", 1]


def text(form: Any, **values: Any) -> str:
    return str(form.fill(values).graph["6"]["inputs"]["text"])


def read(form: Any, place: str, **values: Any) -> Any:
    node, _, name = place.partition(".")
    return form.fill(values).graph[node]["inputs"][name]


@pytest.mark.parametrize(
    "lines", [f"prompt: {{slot: 6.text}}\n{LOOK}", f"{LOOK}\nprompt: {{slot: 6.text}}"]
)
def test_a_choice_sets_several_slots_wherever_it_stands(
    presets: PresetFolder, info: ObjectInfo, lines: str
) -> None:
    form = presets.bind(lines, info)
    assert form.problems == () and form.fields["look"].widget == "radio"
    assert text(form, prompt="a fox", look="Photo") == "photo of a fox, 35mm"
    assert text(form, prompt="a fox", look="Comic") == "a fox, ink"
    assert (read(form, "3.cfg", look="Photo"), read(form, "3.cfg", look="Comic")) == (6, 8)
    assert form.fields["look"].default == "Photo"
    with pytest.raises(ValuesRefused, match="Oil is not in the list; allowed: Photo, Comic"):
        form.check({"look": "Oil"})


def test_many_choices_that_set_slots_become_a_dropdown(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    choices = ", ".join(f"C{index}: {{3.cfg: {index}}}" for index in range(1, 8))
    assert presets.field(f"{{choices: {{{choices}}}}}", info).widget == "dropdown"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("{3.cfg: 900}", "the choice A sets 3.cfg, but cfg is at most 100.0, not 900."),
        ("{3.steps: 7.5}", "the choice A sets 3.steps, but steps takes a whole number, not 7.5."),
        ("{3.steps: true}", "the choice A sets 3.steps, but steps takes a whole number, not True."),
        (
            "{11.value: 'yes'}",
            "the choice A sets 11.value, but value takes true or false, not yes.",
        ),
        ("{3.sampler_name: gone}", "gone is not in the server's list for sampler_name."),
        ("{3.model: x}", "slot 3.model is fed by node 4"),
        ("{3.nope: 1}", "has no input nope"),
        ("{99.x: 1}", "no node 99"),
    ],
)
def test_settings_that_do_not_fit(
    presets: PresetFolder, info: ObjectInfo, choice: str, expected: str
) -> None:
    assert expected in presets.problem(f"{{choices: {{A: {choice}, B: {{3.cfg: 1}}}}}}", info)


def test_settings_of_a_dynamic_combo_and_of_what_it_brings(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    flow = change_workflow(
        n20=RESIZE, n10=PICTURE, n21={"class_type": "PreviewImage", "inputs": {"images": ["20", 0]}}
    )
    choices = (
        "{A: {20.resize_type: scale by multiplier, 20.resize_type.multiplier: 2}, B: {3.cfg: 1}}"
    )
    form = presets.bind(f"f: {{choices: {choices}}}", new_info, flow)
    assert form.problems == ()
    assert read(form, "20.resize_type.multiplier", f="A") == 2
    assert read(form, "20.resize_type.width", f="B") == 640


@pytest.mark.parametrize(
    "choice", ["scale by multiplier", "scale longer dimension", "scale total pixels"]
)
def test_another_choice_of_a_dynamic_combo_brings_its_defaults(
    presets: PresetFolder, new_info: ObjectInfo, choice: str
) -> None:
    flow = change_workflow(
        n20=RESIZE, n10=PICTURE, n21={"class_type": "PreviewImage", "inputs": {"images": ["20", 0]}}
    )
    form = presets.bind("f: {slot: 20.resize_type}", new_info, flow)
    node = form.fill({"f": choice}).graph["20"]
    needed = [
        spec.name
        for spec in new_info.active_specs(node["class_type"], node["inputs"])
        if spec.group == "required"
    ]
    assert node["inputs"]["resize_type"] == choice and set(needed) <= node["inputs"].keys()


def test_a_choice_of_a_dynamic_combo_that_needs_other_nodes_is_left_out(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    flow = change_workflow(n20=RESIZE)
    form = presets.bind("f: {slot: 20.resize_type}", new_info, flow)
    offered = {choice.value for choice in form.fields["f"].choices or ()}
    assert "match size" not in offered and "scale dimensions" in offered
    assert "F: match size is left out: it needs inputs from other nodes." in form.notes


def test_templates(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind(
        "subject: {slot: 6.text, template: 'photo of {value}, {mood}, {steps} steps'}\n"
        "mood: {slot: 7.text}\nsteps: {slot: 3.steps}",
        info,
    )
    assert form.problems == ()
    assert text(form, subject="a cat", mood="dark", steps=9) == "photo of a cat, dark, 9 steps"
    assert text(form, subject="{mood}", mood="{steps}") == "photo of {mood}, {steps}, 20 steps"


@pytest.mark.parametrize(
    ("own", "default"),
    [("photo of a cat, 35mm", "a cat"), ("a cat", "a cat"), ("photo of , 35mm", ""), ("", "")],
)
def test_a_template_is_taken_off_the_workflows_own_text(
    presets: PresetFolder, info: ObjectInfo, own: str, default: str
) -> None:
    flow = change_workflow(
        n6={"class_type": "CLIPTextEncode", "inputs": {"text": own, "clip": ["4", 1]}}
    )
    form = presets.bind("f: {slot: 6.text, template: 'photo of {value}, 35mm'}", info, flow)
    assert form.fields["f"].default == default
    assert text(form) == f"photo of {default}, 35mm"


def test_a_list_may_fill_a_template(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind(
        "f: {slot: 6.text, choices: {Dog: a dog, Cat: a cat}, template: 'photo of {value}'}", info
    )
    assert form.problems == () and text(form, f="Cat") == "photo of a cat"


def test_a_fixed_text_may_use_fields(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind(
        "f: {slot: 6.text, fixed: ink, template: '{value} of {g}'}\ng: {slot: 7.text}", info
    )
    assert form.problems == () and text(form, g="a fox") == "ink of a fox"
    form = presets.bind("f: {slot: 6.text, fixed: 'photo of {g}'}\ng: {slot: 7.text}", info)
    assert text(form, g="a fox") == "photo of a fox"


def test_unknown_names_in_texts_are_problems(presets: PresetFolder, info: ObjectInfo) -> None:
    expected = "Field f: the text uses {mood}, and there is no field of that name; there are f."
    assert presets.problem("{slot: 6.text, template: '{value}, {mood}'}", info) == expected
    assert "the text uses {value}" in presets.problem("{choices: {A: {6.text: '{value}'}}}", info)


def test_a_line_that_did_not_bind_is_not_blamed_twice(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    lines = (
        "gone: {slot: 99.x}\na: {slot: 6.text, template: '{value} {gone}'}\nb: {slot: 3.cfg, "
        "show_if: {gone: 1}}"
    )
    assert [problem.field for problem in presets.bind(lines, info).problems] == ["gone"]


def test_labels_stand_for_values(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind("f: {slot: 3.steps, choices: {Fast: 8, Good: 30}}", info)
    assert (
        read(form, "3.steps", f="Good"),
        read(form, "3.steps", f=8),
        read(form, "3.steps", f="8"),
    ) == (30, 8, 8)
    assert form.fields["f"].default == 8


def test_several_inputs_offer_what_they_have_in_common(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    flow = change_workflow(
        n21={"class_type": "KSamplerAdvanced", "inputs": {"add_noise": "enable"}}
    )
    assert "no choice in common" in presets.problem(
        "{slot: [3.sampler_name, 21.add_noise]}", info, flow
    )
    field = presets.field("{slot: [3.sampler_name, 12.sampler_name]}", info, flow)
    assert [c.value for c in field.choices or ()] == list(
        info.nodes["KSampler"].inputs["sampler_name"].choices or ()
    )
    assert "steps takes a whole number, not euler" in presets.problem(
        "{slot: [3.sampler_name, 3.steps]}", info
    )


def test_a_whole_number_among_the_slots_keeps_the_field_whole(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    form = presets.bind("f: {slot: [3.cfg, 3.steps]}", info)
    assert form.fields["f"].is_integer and (form.fields["f"].minimum, form.fields["f"].maximum) == (
        1,
        100.0,
    )
    with pytest.raises(ValuesRefused, match=r"7\.5 is not possible; whole numbers"):
        form.check({"f": 7.5})


def test_choices_of_a_switch_are_true_and_false(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind("f: {slot: 11.value, choices: {Warm: true, Cold: false}}", info)
    assert read(form, "11.value", f="Cold") is False
    assert "value takes true or false, not warm" in presets.problem(
        "{slot: 11.value, choices: [warm, cold]}", info
    )


@pytest.mark.parametrize(
    ("line", "note"),
    [
        (
            "{slot: 4.ckpt_name, choices: [TINY-A.safetensors, gone]}",
            "F: TINY-A.safetensors is called tiny-a.safetensors",
        ),
        (
            "{slot: 4.ckpt_name, choices: [tiny-a.safetensors, gone]}",
            "F: this ComfyUI does not have gone; it is left out",
        ),
        (
            "{slot: 4.ckpt_name, default: x/tiny-b.safetensors}",
            "F: x/tiny-b.safetensors is called tiny-b.safetensors",
        ),
        (
            "{slot: 4.ckpt_name, fixed: 'x\\tiny-b.safetensors'}",
            r"F: x\tiny-b.safetensors is called tiny-b.safetensors",
        ),
        (
            "{choices: {A: {4.ckpt_name: Tiny-B.safetensors}}}",
            "F: Tiny-B.safetensors is called tiny-b.safetensors",
        ),
        (
            "{slots: {width: 5.width, height: 5.height}, choices: [64x64, 9x9]}",
            "F: the size 9 × 9 is not possible here",
        ),
    ],
)
def test_nothing_is_adjusted_in_silence(
    presets: PresetFolder, info: ObjectInfo, line: str, note: str
) -> None:
    form = presets.bind(f"f: {line}", info)
    assert form.problems == () and len(form.notes) >= 1
    assert any(found.startswith(note) for found in form.notes), form.notes


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "{slot: 6.text, choices: [a, b], widget: text}",
            "a text widget has no use for choices; remove it.",
        ),
        ("{slot: 6.text, max: 9}", "a textarea widget has no use for max; remove it."),
        ("{slot: 11.value, step: 2}", "a checkbox widget has no use for step; remove it."),
        ("{slot: 3.steps, max_mb: 9}", "a number widget has no use for max_mb; remove it."),
        (
            "{slot: 10.image, default: x.png}",
            "an image widget starts empty; remove default, or write fixed instead.",
        ),
        ("{slot: 10.image, fixed: 7}", "write the file's name as the server has it."),
        (
            "{slot: 10.image, bypass: 10}",
            "bypass is for fields that may stay empty; add optional: true.",
        ),
        (
            "{slot: 3.seed, fixed: random}",
            "a fixed seed is a number; for a new one each time, leave out fixed.",
        ),
        (
            "{slot: 3.steps, template: '{value}'}",
            "a template makes a text; input steps is of type INT.",
        ),
        (
            "{widget: slider, bypass: 10}",
            "a slider widget needs a slot; only a checkbox can do with bypass alone.",
        ),
        (
            "{widget: slider, choices: {A: {3.cfg: 1}}}",
            "a slider widget does not suit choices that set several slots.",
        ),
    ],
)
def test_keys_that_say_nothing_are_problems(
    presets: PresetFolder, info: ObjectInfo, line: str, expected: str
) -> None:
    assert presets.problem(line, info).endswith(expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "{slot: 3.steps, widget: size}",
            "a size, and nothing else, has slots for width and height.",
        ),
        ("{slots: {width: 5.width, height: 5.height}, widget: slider}", "a size, and nothing else"),
        (
            "{slots: {model: 3.model}, widget: dropdown}",
            "is a LoRA list, by its slots, and no dropdown.",
        ),
        (
            "{slot: 3.steps, fixed: 9, optional: true}",
            "is fixed and never shown; remove optional, or fixed.",
        ),
        (
            "{slot: 3.steps, fixed: 9, show_if: {a: 1}, bypass: 9}",
            "remove show_if and bypass, or fixed.",
        ),
        ("{slot: 4.ckpt_name, widget: loras, fixed: x}", "is a LoRA list and cannot be fixed"),
        (
            "{slots: {width: 5.width, height: 5.height}, template: x}",
            "needs a slot for its template.",
        ),
    ],
)
def test_lines_that_contradict_themselves_are_not_read(
    presets: PresetFolder, line: str, expected: str
) -> None:
    with pytest.raises(PresetError, match=r"test\.yaml:4: fields\.f: ") as caught:
        presets.load(f"f: {line}")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "a: {slot: 6.text}\nb: {slot: 6.text}",
            "Field b: slot 6.text is filled by a as well; remove one of both.",
        ),
        (
            "a: {slot: 6.text, fixed: x}\nb: {slot: 6.text}",
            "Field b: slot 6.text is fixed as well; remove one of both.",
        ),
        (
            "a: {slot: 6.text, fixed: x}\nb: {slot: 6.text, fixed: y}",
            "slot 6.text is fixed twice; remove one of both.",
        ),
    ],
)
def test_lines_that_contradict_each_other(
    presets: PresetFolder, info: ObjectInfo, lines: str, expected: str
) -> None:
    assert [str(problem) for problem in presets.bind(lines, info).problems] == [expected]


def test_of_two_fields_for_one_input_the_shown_one_counts(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    form = presets.bind(
        "mode: {slot: 3.sampler_name, choices: [euler, dpmpp_2m]}\n"
        "fast: {slot: 3.steps, max: 8, show_if: {mode: euler}}\n"
        "slow: {slot: 3.steps, min: 20, default: 30, show_if: {mode: dpmpp_2m}}",
        info,
    )
    assert form.problems == ()
    assert read(form, "3.steps", mode="euler", fast=5, slow=50) == 5
    assert read(form, "3.steps", mode="dpmpp_2m", fast=5, slow=50) == 50


@pytest.mark.parametrize(
    ("line", "empty", "value"),
    [
        ("{slot: 6.text, optional: true, bypass: 20}", "  ", "a fox"),
        ("{slot: 9.filename_prefix, optional: true, bypass: 20}", None, "x"),
        ("{slot: 3.steps, optional: true, bypass: 20}", "", 9),
        ("{slot: 3.denoise, optional: true, bypass: 20}", None, 0.0),
        ("{slot: 3.seed, optional: true, bypass: 20}", "", 0),
        ("{slot: 3.sampler_name, optional: true, bypass: 20}", "", "euler"),
        ("{slot: 3.sampler_name, widget: radio, optional: true, bypass: 20}", None, "euler"),
        ("{slot: 11.value, bypass: 20}", False, True),
        ("{bypass: 20}", False, True),
        ("{slots: {width: 5.width, height: 5.height}, optional: true, bypass: 20}", None, "64x64"),
        ("{choices: {A: {3.cfg: 1}}, optional: true, bypass: 20}", None, "A"),
    ],
)
def test_an_empty_field_bypasses_nodes(
    presets: PresetFolder, info: ObjectInfo, line: str, empty: Any, value: Any
) -> None:
    form = presets.bind(f"f: {line}", info, WITH_LORA)
    assert form.problems == ()
    with_it, without = form.fill({"f": value}).graph, form.fill({"f": empty}).graph
    assert with_it["3"]["inputs"]["model"] == ["20", 0] and with_it["6"]["inputs"]["clip"] == [
        "20",
        1,
    ]
    assert "20" not in without
    assert without["3"]["inputs"]["model"] == ["4", 0] and without["6"]["inputs"]["clip"] == [
        "4",
        1,
    ]


def test_an_empty_field_leaves_the_workflows_own_value(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    form = presets.bind("f: {slot: 3.steps, optional: true, default: 9}", info)
    assert (
        read(form, "3.steps"),
        read(form, "3.steps", f=None),
        read(form, "3.steps", f=0.0 + 5),
    ) == (9, 20, 5)


def test_an_empty_field_never_leaves_a_value_that_the_server_lacks(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    flow = change_workflow(
        n4={"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "gone.safetensors"}}
    )
    form = presets.bind(
        "f: {slot: 4.ckpt_name, optional: true, default: tiny-b.safetensors}", info, flow
    )
    assert form.problems == () and read(form, "4.ckpt_name", f=None) == "tiny-b.safetensors"


def test_an_optional_picture_is_bypassed_or_has_to_be_there(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    picture = presets.folder / "a.png"
    Image.new("RGB", (9, 9)).save(picture)
    flow = change_workflow(
        n10={"class_type": "LoadImage", "inputs": {"image": "gone.png"}},
        n21={"class_type": "ImageBatch", "inputs": {"image1": ["8", 0], "image2": ["10", 0]}},
        n9={"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["21", 0]}},
    )
    form = presets.bind("f: {slot: 10.image, optional: true, bypass: [10, 21]}", info, flow)
    assert form.problems == ()
    assert read(form, "9.images", f=None) == ["8", 0] and form.fill({}).uploads == ()
    assert (
        read(form, "9.images", f=picture) == ["21", 0]
        and len(form.fill({"f": picture}).uploads) == 1
    )
    missing = (
        "LoadImage needs the file gone.png for image, which this ComfyUI does not have; "
        "upload it there"
    )
    assert missing in presets.problem("{slot: 10.image, optional: true}", info, flow)
    assert "bypass node 21 too" in presets.problem(
        "{slot: 10.image, optional: true, bypass: 10}", info, flow
    )


def test_nodes_are_bypassed_by_title_or_class_too(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind("f: {bypass: LoraLoader}", info, WITH_LORA)
    assert form.fields["f"].bypass == ("20",) and "20" not in form.fill({"f": False}).graph
    assert "more than one node is called CLIPTextEncode" in presets.problem(
        "{bypass: CLIPTextEncode}", info
    )
    assert "the workflow has no node 77" in presets.problem("{bypass: 77}", info)


def test_zero_is_not_empty(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind("f: {slot: 20.strength_model, optional: true, bypass: 20}", info, WITH_LORA)
    assert read(form, "20.strength_model", f=0) == 0


def test_an_upload_for_two_nodes_stays_while_one_is_left(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    picture = presets.folder / "a.png"
    Image.new("RGB", (9, 9)).save(picture)
    load = {"class_type": "LoadImage", "inputs": {"image": "example.png"}}
    form = presets.bind(
        "f: {slot: [10.image, 22.image]}\ng: {bypass: 22}", info, change_workflow(n22=load)
    )
    assert form.fill({"f": picture, "g": True}).uploads[0].slots == (
        ("10", "image"),
        ("22", "image"),
    )
    assert form.fill({"f": picture, "g": False}).uploads[0].slots == (("10", "image"),)


def test_dynamic_prompts_follow_the_seed(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind("prompt: {slot: 6.text, dynamic: true}\nseed: {slot: 3.seed}", info)
    wild = "{red|green|blue|gold|pink} {cat|dog|fox|owl}"
    drawn = {seed: text(form, prompt=wild, seed=seed) for seed in range(30)}
    assert all(text(form, prompt=wild, seed=seed) == drawn[seed] for seed in drawn)
    assert len(set(drawn.values())) > 8 and not any("{" in found for found in drawn.values())
    assert "_drawn" not in form.check({"prompt": wild})


def test_dynamic_prompts_without_a_seed_remember_what_was_drawn(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    form = presets.bind("prompt: {slot: 6.text, dynamic: true}", info)
    wild = "{" + "|".join(map(str, range(1000))) + "}"
    prompt = form.fill({"prompt": wild})
    values = prompt.extra_pnginfo["comfygradio"]["values"]
    assert values["prompt"] == wild and isinstance(values["_drawn"], int)
    assert text(form, **values) == prompt.graph["6"]["inputs"]["text"] != text(form, prompt=wild)
    assert form.check({"prompt": "plain"}) == {"prompt": "plain"}


@pytest.mark.parametrize(
    "lines",
    [
        "f: {choices: {A: {6.text: '{a|b|c|d|e|f|g|h}'}}}",
        "f: {slot: 7.text, fixed: '{a|b}'}\ng: {slot: 6.text, fixed: '{a|b|c|d|e|f|g|h}'}",
        "f: {slot: 6.text, default: '1', template: '{a|b|c|d|e|f|g|h}'}",
    ],
)
def test_the_presets_own_texts_are_drawn_too(
    presets: PresetFolder, info: ObjectInfo, lines: str
) -> None:
    form = presets.bind(lines, info)
    assert len({text(form) for _ in range(60)}) > 3 and "{" not in text(form)


def test_one_field_draws_once_for_all_its_inputs(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind("f: {slot: [6.text, 7.text], dynamic: true}", info)
    for _ in range(10):
        graph = form.fill({"f": "{a|b|c|d|e|f|g|h}"}).graph
        assert graph["6"]["inputs"]["text"] == graph["7"]["inputs"]["text"]


def test_only_inputs_that_say_so_are_drawn(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind("f: {slot: 9.filename_prefix}", info)
    assert read(form, "9.filename_prefix", f="{a|b} // x") == "{a|b} // x"


def test_texts_that_no_field_fills_stay_as_they_are(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    flow = change_workflow(
        n7={"class_type": "CLIPTextEncode", "inputs": {"text": "{a|b} // c", "clip": ["4", 1]}}
    )
    form = presets.bind("f: {slot: 6.text}", info, flow)
    assert read(form, "7.text", f="{a|b}") == "{a|b} // c"


def test_a_file_prefix_takes_dates_and_values(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind("f: {slot: 9.filename_prefix}\nsteps: {slot: 3.steps}", info)
    prefix = read(form, "9.filename_prefix", f="%date:yyyy%/%KSampler.steps%-%width%", steps=33)
    year, _, rest = prefix.partition("/")
    assert year.isdigit() and rest == "33-%width%"


def test_odd_values_for_every_field_at_once_are_refused_or_taken(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    form = presets.bind(
        "a: {slot: 6.text}\nb: {slot: 3.steps}\nc: {slot: 3.sampler_name}\nd: {slot: "
        "11.value}\ne: {slot: 3.seed}\n"
        "f: {slots: {width: 5.width, height: 5.height}}\ng: {slot: 10.image}\nh: {slot: "
        "20.lora_name, widget: loras}\n"
        "i: {slot: 9.filename_prefix, show_if: {d: true}}",
        info,
        WITH_LORA,
    )
    assert form.problems == ()
    deep: list[Any] = []
    for _ in range(2000):
        deep = [deep]
    odd = [
        *(
            None,
            True,
            0,
            -1,
            10**5000,
            -(10**5000),
            1e308,
            float("nan"),
            float("inf"),
            "",
            "\0",
            "\ud800",
            "x" * 200_000,
        ),
        *(
            [],
            {},
            (),
            [None],
            [[]],
            [10**5000],
            [{}],
            {"name": []},
            [{"name": {}}],
            deep,
            {1: 2},
            object(),
            b"x",
            {1, 2},
        ),
    ]
    for value in odd:
        try:
            form.check(dict.fromkeys(form.fields, value))
        except ValuesRefused as refused:
            assert "\ud800" not in str(refused) and len(str(refused)) < 3000
        assert set(form.find_visible(dict.fromkeys(form.fields, value))) == set(form.fields)


def test_the_workflow_is_never_changed(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind(f"prompt: {{slot: 6.text}}\n{LOOK}\nn: {{bypass: 7}}", info)
    before = form.workflow.to_json()
    for look in ("Photo", "Comic"):
        form_values = {"look": look, "prompt": "{a|b}"}
        presets.bind(f"prompt: {{slot: 6.text}}\n{LOOK}", info).fill(form_values)
    assert (
        form.workflow.to_json() == before
        and form.workflow.to_json()["6"]["inputs"] == WORKFLOW["6"]["inputs"]
    )


def test_nothing_is_cut_from_a_value_in_a_text(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind(f"prompt: {{slot: 6.text}}\n{LOOK}", info)
    assert text(form, prompt="a fox // {not} a dog", look="Photo") == (
        "photo of a fox // {not} a dog, 35mm"
    )
    form = presets.bind("f: {slot: 6.text, template: '{value}, {a|a}, high detail // end'}", info)
    assert text(form, f="see http://example.org") == "see http://example.org, a, high detail // end"
    form = presets.bind("f: {slot: 9.filename_prefix, template: '{value}//{value}'}", info)
    assert read(form, "9.filename_prefix", f="a//b") == "a//b//a//b"


WILD = "{dune|reef} at {dawn|noon} // see https://example.org/{x}"


@pytest.mark.parametrize(
    ("keys", "by_program", "by_person"),
    [("", False, True), (", dynamic: true", True, True), (", dynamic: false", False, False)],
)
def test_who_draws(
    presets: PresetFolder, info: ObjectInfo, keys: str, by_program: bool, by_person: bool
) -> None:
    form = presets.bind(f"f: {{slot: 6.text{keys}}}\nseed: {{slot: 3.seed}}", info)
    assert (text(form, f=WILD, seed=5) != WILD) == by_program
    assert (text(form, f=WILD, seed=5, _written=True) != WILD) == by_person
    assert text(form, f=WILD, seed=5, _written=True).endswith("https://example.org/{x}")
    # What is kept with the picture makes the same picture again.
    values = form.fill({"f": WILD, "seed": 5, "_written": True}).extra_pnginfo["comfygradio"]
    assert text(form, **values["values"]) == text(form, f=WILD, seed=5, _written=True)
    assert ("_written" in values["values"]) == (by_person and not by_program)
    assert "_written" not in form.check({"f": "plain", "_written": True})


def test_a_programs_text_stays_within_the_presets_own(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    form = presets.bind(
        "f: {slot: 6.text, template: '{x|y} of {value}'}\nseed: {slot: 3.seed}", info
    )
    found = {text(form, f='{"a|b"}', seed=seed) for seed in range(40)}
    assert found == {'x of {"a|b"}', 'y of {"a|b"}'}


def test_an_input_may_be_drawn_because_the_preset_says_so(
    presets: PresetFolder, info: ObjectInfo
) -> None:
    form = presets.bind("f: {slot: 9.filename_prefix, dynamic: true}\nseed: {slot: 3.seed}", info)
    found = {read(form, "9.filename_prefix", f="{p|q}_", seed=seed) for seed in range(40)}
    assert found == {"p_", "q_"}
    assert "dynamic is for texts" in presets.problem("{slot: 3.sampler_name, dynamic: true}", info)
    assert "has no use for dynamic" in presets.problem("{slot: 3.steps, dynamic: false}", info)
    with pytest.raises(PresetError, match="remove dynamic"):
        presets.load("f: {slot: 6.text, fixed: a, dynamic: true}")


def test_the_workflows_own_signs_are_no_choices(presets: PresetFolder, info: ObjectInfo) -> None:
    flow = change_workflow(
        n6={"class_type": "CLIPTextEncode", "inputs": {"text": "{u|v} w", "clip": ["4", 1]}}
    )
    form = presets.bind("f: {slot: 6.text}", info, flow)
    assert text(form) == text(form, _written=True) == "{u|v} w"
    assert "sent as they stand; write dynamic: true" in form.notes[0]


@pytest.mark.parametrize(
    "lines", [f"prompt: {{slot: 6.text}}\n{LOOK}", f"{LOOK}\nprompt: {{slot: 6.text}}"]
)
def test_what_was_filled_can_be_read_again(
    presets: PresetFolder, info: ObjectInfo, lines: str
) -> None:
    form = presets.bind(lines, info)
    prompt = form.fill({"prompt": "a fox", "look": "Comic"})
    assert restore_values(form, Metadata("png", prompt=prompt.graph)).values == {
        "prompt": "a fox",
        "look": "Comic",
    }
