"""What graphs that something else has made say about the fields of a form."""

from __future__ import annotations

import copy
from pathlib import Path
from random import Random
from typing import Any

import pytest

from comfygradio.forms.text_expansion import expand_dynamic
from comfygradio.metadata.inversion import escape_dynamic, invert_text
from comfygradio.metadata.load import Metadata, load_metadata
from comfygradio.metadata.restore import restore_values
from tests.forms.graph_shuffle import renumber
from tests.forms.metadata_form import (
    WORKFLOW,
    load,
    make_changed_metadata,
    make_form,
    make_metadata,
    node,
    rows,
)

from .corpus import corpus_info

SIZE = "{slots: {width: 5.width, height: 5.height}}"
TEMPLATE = "{slot: 6.text, template: 'oil of {value}!'}"
LOOKS = "{choices: {A: {3.cfg: 6}, B: {3.cfg: 6, 3.steps: 9}, C: {3.cfg: 6}, D: {3.cfg: 7}}}"


@pytest.mark.parametrize(
    ("line", "inputs", "value", "told"),
    [
        ("{slot: 3.steps}", {"3.steps": 30}, 30, ""),
        ("{slot: 3.steps}", {"3.steps": "30"}, 30, ""),
        (
            "{slot: 3.steps, max: 25}",
            {"3.steps": 30},
            None,
            "does not fit this form: 30 is not possible",
        ),
        (
            "{slot: 3.steps}",
            {"3.steps": ["99", 0]},
            None,
            "steps of KSampler was fed by another node",
        ),
        ("{slot: 3.steps}", {"3.steps": float("nan")}, None, "nan is not possible"),
        ("{slot: 3.steps}", {"3.steps": {"a": 1}}, None, "is not possible"),
        ("{slot: 3.seed}", {"3.seed": -1}, None, "-1 is not a seed that names a picture"),
        ("{slot: 3.seed}", {"3.seed": None}, None, "not a seed that names a picture"),
        ("{slot: 3.seed}", {"3.seed": 2**64 - 1}, 2**64 - 1, ""),
        ("{slot: 3.seed}", {"3.seed": 1e19}, None, "is a rounded number"),
        (
            "{slot: 4.ckpt_name}",
            {"4.ckpt_name": "TINY-A.safetensors"},
            "tiny-a.safetensors",
            "is called",
        ),
        (
            "{slot: 4.ckpt_name}",
            {"4.ckpt_name": "sd\\tiny-b.safetensors"},
            "tiny-b.safetensors",
            "is called",
        ),
        (
            "{slot: 4.ckpt_name}",
            {"4.ckpt_name": "xl.safetensors"},
            None,
            "xl.safetensors is not in the list",
        ),
        (
            "{slot: 4.ckpt_name, choices: 'tiny-a*'}",
            {"4.ckpt_name": "tiny-b.safetensors"},
            None,
            "not in the list",
        ),
        (
            "{slot: 3.scheduler, choices: {normal: karras, karras: normal}}",
            {"3.scheduler": "karras"},
            "karras",
            "",
        ),
        (TEMPLATE, {"6.text": "oil of a cat!"}, "a cat", ""),
        (TEMPLATE, {"6.text": "a cat"}, None, "a cat does not fit the text oil of {value}!"),
        ("{slot: 6.text}", {"6.text": "{a|b} // c"}, "{a|b} // c", ""),
        (
            "{slot: 6.text, dynamic: true}",
            {"6.text": "{a|b} // c"},
            "\\{a\\|b\\} // c",
            "",
        ),
        ("{slot: 6.text}", {"6.text": ["6", 0]}, None, "text of Positive was fed by another node"),
        (
            "{slot: 20.image}",
            {"20.image": "cat.png"},
            None,
            "add it again (it was called cat.png).",
        ),
        ("{slot: 20.image}", {"20.image": "comfygradio-0a1b.png"}, None, "add it again."),
        (SIZE, {"5.width": 640}, "640x768", ""),
        (
            SIZE.replace("}}", "}, choices: [512x512]}"),
            {"5.width": 640},
            None,
            "640x768 is not in the list",
        ),
        (
            "{slot: [3.steps, 5.batch_size]}",
            {"5.batch_size": 3},
            20,
            "the picture used 20 and 3; the first is taken.",
        ),
        ("{slot: 30.tags}", {"30.tags": {"__value__": ["green", "red"]}}, ["green", "red"], ""),
        (
            "{slot: 30.tags}",
            {"30.tags": {"__value__": ["green", "pink"]}},
            None,
            "pink is not in the list",
        ),
        ("{slot: 30.color}", {"30.color": 0x00FF80}, "#00ff80", ""),
        (LOOKS, {"3.cfg": 7.0}, "D", ""),
        (LOOKS, {"3.cfg": 6.0, "3.steps": 9}, "B", ""),
        (
            LOOKS,
            {"3.cfg": 6.0, "3.steps": 8},
            "A",
            "other choices would have given the same picture.",
        ),
        (LOOKS, {"3.cfg": 9.5}, None, "none of its choices gives cfg 9.5 and steps 20."),
        (
            LOOKS,
            {"3.cfg": ["4", 0]},
            None,
            "cfg of KSampler was fed by another node in the picture.",
        ),
    ],
)
def test_fields_are_read_slot_by_slot(
    tmp_path: Path, line: str, inputs: Any, value: Any, told: str
) -> None:
    (row,) = restore_values(
        make_form(tmp_path, f"f: {line}"), make_changed_metadata(WORKFLOW, **inputs)
    ).fields
    assert row.value == value and told in row.note and bool(told) == bool(row.note)
    assert row.state == (
        "missing" if value is None else "repaired" if told == "is called" else "read"
    )


def test_a_file_that_a_server_wrote_is_read_back(tmp_path: Path) -> None:
    metadata = load_metadata(Path(__file__).parent.parent / "data" / "pictures" / "picture.png")
    flow = {
        "7": node("EmptyImage", width=8, height=8, batch_size=1, color=0),
        "8": node("SaveImage", filename_prefix="a", images=["7", 0]),
    }
    lines = "size: {slots: {width: 7.width, height: 7.height}}\ncolor: {slot: 7.color}"
    restored = restore_values(load(tmp_path, lines, flow).bind(corpus_info()), metadata)
    assert (restored.values, restored.notes) == ({"size": "64x64", "color": "#336699"}, ())


def test_a_link_to_a_primitive_node_is_followed(tmp_path: Path) -> None:
    metadata = make_changed_metadata(
        {**WORKFLOW, "50": node("PrimitiveInt", value=33)}, **{"3.steps": ["50", 0]}
    )
    assert restore_values(make_form(tmp_path, "steps: {slot: 3.steps}"), metadata).values == {
        "steps": 33
    }


def test_a_switch_is_off_where_its_nodes_are_absent_or_lead_nowhere(tmp_path: Path) -> None:
    form = make_form(tmp_path, "double: {bypass: 22, default: true}\nscale: {slot: 22.scale_by}")
    unused = make_changed_metadata(WORKFLOW, **{"30.image": ["21", 0]})
    absent = Metadata(
        "png", {key: one for key, one in (unused.prompt or {}).items() if key != "22"}
    )
    for metadata in (unused, absent):
        assert rows(restore_values(form, metadata))["double"].value is False
    told = "the picture was made without the node ImageScaleBy."
    assert rows(restore_values(form, absent))["scale"].note == told
    assert rows(restore_values(form, Metadata("png", WORKFLOW)))["double"].value is True


def test_what_bypassed_nodes_stand_for(tmp_path: Path) -> None:
    lines = """
    text: {slot: 22.scale_by, optional: true, bypass: 22}
    must: {slot: 22.upscale_method}
    """
    absent = make_changed_metadata(
        {key: one for key, one in WORKFLOW.items() if key != "22"}, **{"30.image": ["21", 0]}
    )
    found = rows(restore_values(make_form(tmp_path, lines), absent))
    assert (found["text"].value, found["text"].state) == (None, "read")
    assert found["must"].note == "the picture was made without the node ImageScaleBy."


def make_chain(flow: Any) -> Any:
    chain = copy.deepcopy(flow)
    chain.pop("14", None)
    one: dict[str, Any] = {
        "lora_name": "x/Tiny-Lora.safetensors",
        "strength_model": 0.5,
        "strength_clip": 0.5,
    }
    two: dict[str, Any] = {
        "lora_name": "tiny-lora.safetensors",
        "strength_model": -1,
        "strength_clip": 0.25,
    }
    chain["51"] = node("LoraLoader", model=["4", 0], clip=["4", 1], **one)
    chain["52"] = node("LoraLoader", model=["51", 0], clip=["51", 1], **two)
    chain["53"] = node("FreeU_V2", b1=1.3, model=["52", 0])
    for key, name, source in (("3", "model", "53"), ("6", "clip", "52"), ("7", "clip", "52")):
        chain[key]["inputs"][name] = [source, 1 if name == "clip" else 0]
    return chain


def without_loader() -> Any:
    flow = copy.deepcopy(WORKFLOW)
    del flow["14"]
    for key, name, slot in (("3", "model", 0), ("6", "clip", 1), ("7", "clip", 1)):
        flow[key]["inputs"][name] = ["4", slot]
    return flow


@pytest.mark.parametrize(
    ("line", "flow"),
    [
        ("loras: {slot: 14.lora_name, widget: loras}", WORKFLOW),
        ("loras: {slots: {model: 3.model, clip: [6.clip, 7.clip]}}", without_loader()),
    ],
)
def test_chains_of_loras_are_walked(tmp_path: Path, line: str, flow: Any) -> None:
    form = make_form(tmp_path, line, flow)
    assert restore_values(form, Metadata("png", flow)).values == form.values_to_json(form.check({}))
    chain = make_chain(flow)
    restored = restore_values(form, Metadata("png", renumber(chain)[0]))
    (row,) = restored.fields
    assert [*row.value] == [
        {"name": "tiny-lora.safetensors", "strength": 0.5},
        {"name": "tiny-lora.safetensors", "strength": -1.0},
    ]
    assert (
        row.state == "repaired"
        and "x/Tiny-Lora.safetensors is called tiny-lora.safetensors here." in row.note
    )
    assert "LoraLoader acted with -1 and 0.25; the first is taken." in row.note
    assert restored.notes == ("The picture was made with FreeU_V2, which this form does not have.",)
    chain["52"]["inputs"]["lora_name"] = "unknown.safetensors"
    (row,) = restore_values(form, Metadata("png", chain)).fields
    assert (row.state, row.note) == (
        "missing",
        "the LoRA unknown.safetensors is not in the list of this form.",
    )


@pytest.mark.parametrize("strength", [10**400, float("nan"), float("-inf")])
def test_a_strength_that_is_no_number_is_said(tmp_path: Path, strength: Any) -> None:
    flow = without_loader()
    form = make_form(tmp_path, "loras: {slots: {model: 3.model, clip: [6.clip, 7.clip]}}", flow)
    chain = make_chain(flow)
    chain["52"]["inputs"].update(strength_model=strength, strength_clip=strength)
    (row,) = restore_values(form, Metadata("png", chain)).fields
    assert row.value[1]["strength"] == 1.0
    assert "LoraLoader acted with a strength that is no number here; 1 is taken." in row.note


def test_what_no_field_covers_is_said(tmp_path: Path) -> None:
    lines = (
        "steps: {slot: 3.steps}\ncfg: {slot: 3.cfg, fixed: 4}\nlook: {choices: {A: {3.denoise: 1}}}"
    )
    flow = copy.deepcopy(WORKFLOW)
    flow["60"] = node("UpscaleModelLoader", model_name="x")
    flow["61"] = node("LatentUpscaleBy", "Larger", samples=["3", 0])
    flow["8"]["inputs"]["samples"] = ["61", 0]
    del flow["7"]
    flow["3"]["inputs"].update(
        sampler_name="euler_ancestral", steps=9, scheduler=["60", 0], negative=["6", 0]
    )
    flow["9"]["inputs"]["filename_prefix"] = "other"
    restored = restore_values(make_form(tmp_path, lines), Metadata("png", flow))
    assert restored.values == {"steps": 9, "look": "A"}
    assert restored.notes == (
        "The picture was made without Negative, which this form uses.",
        "The picture was made with UpscaleModelLoader, Larger, which this form does not have.",
        "KSampler: the picture used cfg 7.5, which no field sets; this form uses 4.",
        "KSampler: the picture used sampler_name euler_ancestral, which no field sets; this form "
        "uses euler.",
        "KSampler: scheduler came from another node in the picture; this form uses normal.",
    )


def test_there_are_never_too_many_notes(tmp_path: Path) -> None:
    flow = {**WORKFLOW, "40": node("SaveImage", images=["8", 0])}
    flow["40"]["inputs"].update({f"v{place}": place for place in range(50)})
    form = make_form(tmp_path, "steps: {slot: 3.steps}", flow)
    notes = restore_values(
        form, make_changed_metadata(flow, **{f"40.v{place}": -1 for place in range(50)})
    ).notes
    assert len(notes) == 21 and notes[-1] == "30 more values differ."


def test_carried_along_nodes_are_left_aside_and_said(tmp_path: Path) -> None:
    flow = {
        **WORKFLOW,
        "60": node("UpscaleModelLoader", "A model", model_name="x"),
        "61": node("PrimitiveInt"),
    }
    restored = restore_values(make_form(tmp_path, "steps: {slot: 3.steps}"), Metadata("png", flow))
    assert restored.notes == (
        "Nodes that had no part in the picture were left aside: A model, PrimitiveInt.",
    )


def test_without_a_prompt_every_row_says_why(tmp_path: Path) -> None:
    form = make_form(tmp_path, "steps: {slot: 3.steps}")
    (row,) = restore_values(form, Metadata("png", workflow={"nodes": []})).fields
    assert (row.value, row.state, row.note) == (
        None,
        "missing",
        "the file holds no prompt that could be read.",
    )


def test_templates_of_several_fields(tmp_path: Path) -> None:
    lines = """
    subject: {slot: 6.text}
    artist: {slot: 7.text}
    style: {slot: 6.text, default: x, template: "SUBJECT by {artist}, {value}"}
    """
    values = {"subject": "a cat", "artist": "Ann, by the sea", "style": "oil"}
    form = make_form(tmp_path, lines.replace("SUBJECT", "painted"))
    found = rows(restore_values(form, make_metadata(form.fill(values))))
    assert (found["artist"].value, found["style"].value) == ("Ann, by the sea", "oil")
    assert found["subject"].note == "another field stands in its place."
    form = make_form(tmp_path, lines.replace("SUBJECT", "{subject}"))
    assert rows(restore_values(form, make_metadata(form.fill(values))))["style"].state == "missing"
    form = make_form(tmp_path, lines.replace("SUBJECT", "painted").replace(", {value}", ""))
    told = rows(restore_values(form, make_metadata(form.fill(values))))["style"].note
    assert told == "the text painted by {artist} says nothing about it."


def test_of_fields_that_share_a_slot_the_one_that_is_shown_is_read(tmp_path: Path) -> None:
    lines = """
    mode: {slot: 3.scheduler, choices: [normal, karras]}
    first: {slot: 3.cfg, optional: true, show_if: {mode: normal}}
    second: {slot: 3.cfg, optional: true, show_if: {mode: karras}}
    """
    form = make_form(tmp_path, lines)
    for mode, shown in (("normal", "first"), ("karras", "second")):
        restored = restore_values(form, make_metadata(form.fill({"mode": mode, shown: 3.5})))
        assert {name: value for name, value in restored.values.items() if value is not None} == {
            "mode": mode,
            shown: 3.5,
        }


@pytest.mark.parametrize(
    ("template", "text", "known", "expected"),
    [
        ("a {x} b", "a cat b", {}, {"x": "cat"}),
        ("{x}", "", {}, {"x": ""}),
        ("{x}{x}", "catcat", {}, {"x": "cat"}),
        ("{x}-{x}", "cat-dog", {}, None),
        ("{x}{x}", "cat", {}, None),
        ("{x} by {y}", "a by b", {"y": "b"}, {"x": "a", "y": "b"}),
        ("{x} by {y}", "a by c", {"y": "b"}, None),
        ("{x} by {y}", "a by b", {}, None),
        ("aba{x}aba", "ababa", {}, None),
        ("no names", "no names", {"x": "y"}, {}),
        ("a {x}", 5, {}, None),
    ],
)
def test_templates_are_inverted_only_where_the_result_is_certain(
    template: str, text: Any, known: dict[str, str], expected: dict[str, str] | None
) -> None:
    assert invert_text(template, text, known) == expected


@pytest.mark.parametrize(
    "text", ["", "a (b:1.2) [c]", "{", "}", "{a|b}", "a|b}", "// x", "http://x", "/* x */", "\\n\\"]
)
def test_texts_are_escaped_so_that_they_expand_to_themselves(text: str) -> None:
    assert expand_dynamic(escape_dynamic(text), Random(0)) == text


def test_what_cannot_be_escaped_stays() -> None:
    assert escape_dynamic("\\{x\\|y\\}") == "\\{x\\|y\\}"
