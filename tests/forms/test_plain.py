"""What a preset says without quotes reaches the prompt as that text or that number, whatever YAML
makes of it.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.binding.form_binding import bind_form
from comfygradio.binding.preset import load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.errors import PresetError, ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.forms.plain_scalar import PlainScalar, may_be_typed
from comfygradio.forms.preset_file import PresetFile
from tests.effort import scale
from tests.forms.scalar_slot import (
    KNOWN,
    NULL,
    OTHER,
    REFUSED,
    SCALARS,
    expect,
    make_flow,
    make_info,
    parse_number,
)

from .preset_folder import PresetFolder

SLOTS = ("text", "real", "whole", "switch", "listed")


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> PresetFolder:
    return PresetFolder(tmp_path_factory.mktemp("presets"))


def bind(presets: PresetFolder, lines: str, info: ObjectInfo) -> Form:
    text = f"title: Test\nworkflow: workflow.json\n{lines}\n"
    return load_preset(presets.write(text, make_flow())).bind(info)


def read_posted(form: Form, slot: str, values: dict[str, Any]) -> Any:
    """What the prompt has in an input, REFUSED where the form does not take it."""
    try:
        return form.fill(values).graph["1"]["inputs"][slot]
    except (PresetError, ValuesRefused):
        return REFUSED


def post(presets: PresetFolder, key: str, slot: str, scalar: str) -> Any:
    """What is posted in an input for a scalar that stands at a key of a preset."""
    info = make_info(OTHER, scalar)
    field = f"slot: 1.{slot}"
    if key == "example":
        form = bind(presets, f"fields: {{f: {{{field}}}}}\nexamples: [{{f: {scalar}}}]", info)
        return read_posted(form, slot, dict(form.file.examples[0]))
    if key == "sets":
        lines = f"fields: {{f: {{choices: {{A: {{1.{slot}: {scalar}}}}}}}}}"
        return read_posted(bind(presets, lines, info), slot, {})
    if key == "choices":
        form = bind(presets, f"fields: {{f: {{{field}, choices: [{scalar}]}}}}", info)
    elif key == "labelled":
        form = bind(presets, f"fields: {{f: {{{field}, choices: {{A: {scalar}}}}}}}", info)
    elif key == "block":
        form = bind(presets, f"fields:\n  f:\n    {field}\n    default: {scalar}  # so", info)
    else:
        form = bind(presets, f"fields: {{f: {{{field}, {key}: {scalar}}}}}", info)
    return read_posted(form, slot, {})


def is_same(found: Any, expected: Any) -> bool:
    return bool(found == expected) and isinstance(found, bool) == isinstance(expected, bool)


KEYS = ("default", "block", "fixed", "example", "choices", "labelled", "sets")


@settings(deadline=None, max_examples=scale(600))
@given(SCALARS, st.sampled_from(SLOTS), st.sampled_from(KEYS))
def test_a_scalar_reaches_the_prompt_as_it_was_written(
    presets: PresetFolder, scalar: str, slot: str, key: str
) -> None:
    check_one(presets, scalar, slot, key)


@pytest.mark.deep
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("slot", SLOTS)
def test_known_scalars(presets: PresetFolder, slot: str, key: str) -> None:
    for scalar in KNOWN:
        check_one(presets, scalar, slot, key)


def check_one(presets: PresetFolder, scalar: str, slot: str, key: str) -> None:
    if scalar in NULL and key in ("default", "block", "fixed"):
        with pytest.raises(PresetError, match=r"test\.yaml:[36]: fields\.f\.\w+: .* says nothing"):
            post(presets, key, slot, scalar)
        return
    if "," in scalar and key != "block":
        return  # inside of braces a comma parts two keys, in brackets two values
    expected = expect(slot, scalar)
    if slot == "switch" and scalar in ("0", "1") and key in ("choices", "labelled", "sets"):
        expected = REFUSED  # a choice of a switch is true or false
    found = post(presets, key, slot, scalar)
    assert is_same(found, expected), (scalar, slot, key, found, expected)


@settings(deadline=None, max_examples=scale(100))
@given(SCALARS, st.sampled_from(["min", "max", "step"]))
def test_limits_are_the_number_or_refused_with_the_line(
    presets: PresetFolder, scalar: str, key: str
) -> None:
    number = parse_number(scalar)
    lines = f"fields:\n  f: {{slot: 1.real}}\n  g:\n    slot: 1.real\n    {key}: {scalar}"
    try:
        form = bind(presets, lines, make_info(OTHER))
    except PresetError as error:
        assert re.search(rf"test\.yaml:7: fields\.g\.{key}: this has to be ", str(error))
        assert number is None or abs(number) > 10**300 or key == "step"
    else:
        found = getattr(form.file.fields["g"], key)
        assert found is None if scalar in NULL else float(found) == float(number or 0)


@pytest.mark.parametrize(
    ("listed", "scalar", "posted"),
    [
        ((8, 12), "012", 12),
        ((0.5, 1.5), "1.50", 1.5),
        (("1.50", 1.5), "1.50", "1.50"),
        ((True, False), "false", False),
        (("on", "off"), "off", "off"),
        (("null", "a"), "null", "null"),
        ((1, "01"), "01", "01"),
        (("8x8",), "8x8", "8x8"),
    ],
)
def test_an_entry_is_found_by_its_letters_then_by_its_value(
    presets: PresetFolder, listed: tuple[Any, ...], scalar: str, posted: Any
) -> None:
    info = make_info(OTHER, *listed)
    form = bind(presets, f"fields: {{f: {{slot: 1.listed, choices: [{scalar}]}}}}", info)
    assert is_same(read_posted(form, "listed", {}), posted)
    assert is_same(read_posted(form, "listed", {"f": scalar}), posted), "typed on a command line"


def test_labels_of_a_list_are_what_is_written(presets: PresetFolder) -> None:
    info = make_info(OTHER)
    form = bind(presets, "fields: {f: {slot: 1.real, choices: [1.10, 2.50, 0x10]}}", info)
    choices = form.fields["f"].choices or ()
    assert [(choice.label, choice.value) for choice in choices] == [
        ("1.10", 1.1),
        ("2.50", 2.5),
        ("0x10", 16),
    ]
    assert [form.check({"f": typed})["f"] for typed in ("1.10", "1.1", 2.5, "02.5")] == [
        1.1,
        1.1,
        2.5,
        2.5,
    ]


def test_words_for_people_are_texts(presets: PresetFolder) -> None:
    keys = "label: 007, help: 1.10, placeholder: no, group: 12:30"
    form = bind(
        presets,
        f"icon: 08\ndescription: off\ngroup: 2024\nfields: {{f: {{slot: 1.text, {keys}}}}}\n"
        "examples: [{title: 1_000, f: yes}]\nsweep: {f: 010}",
        make_info(OTHER),
    )
    field = form.fields["f"]
    assert (field.label, field.help, field.placeholder, field.group) == (
        "007",
        "1.10",
        "no",
        "12:30",
    )
    file = form.file
    assert (file.icon, file.description, file.group) == ("08", "off", "2024")
    assert (file.examples, file.sweep) == ([{"title": "1_000", "f": "yes"}], {"f": "010"})
    path = presets.write("title: 007\nworkflow: workflow.json", make_flow())
    assert load_preset(path).title == "007"


def test_nodes_are_named_by_what_is_written(presets: PresetFolder) -> None:
    flow = make_flow()
    flow["1"]["_meta"] = {"title": "2024"}
    text = "title: T\nworkflow: workflow.json\noutputs: [2024]\nfields:\n"
    lines = "  a: {slot: {node: 1, input: text}}\n  b: {slot: {title: 2024, input: real}}\n"
    form = load_preset(presets.write(text + lines, flow)).bind(make_info(OTHER))
    assert form.problems == () and form.outputs == ("1",)


@pytest.mark.parametrize(
    ("word", "advanced"),
    [("yes", True), ("On", True), ("true", True), ("no", False), ("OFF", False)],
)
def test_words_for_switches_of_a_preset(presets: PresetFolder, word: str, advanced: bool) -> None:
    form = bind(presets, f"fields: {{f: {{slot: 1.text, advanced: {word}}}}}", make_info(OTHER))
    assert form.fields["f"].advanced is advanced


def test_conditions_are_what_the_other_field_takes(presets: PresetFolder) -> None:
    info = make_info(OTHER, "007", "on")
    lines = (
        "fields:\n"
        "  mode: {slot: 1.listed}\n"
        "  flag: {slot: 1.switch}\n"
        "  real: {slot: 1.real, show_if: {mode: [007, on]}}\n"
        "  whole: {slot: 1.whole, show_if: {flag: on}}\n"
    )
    form = bind(presets, lines, info)
    assert form.problems == ()
    assert form.find_visible({"mode": "007", "flag": True})["real"]
    shown = form.find_visible({"mode": OTHER, "flag": False})
    assert not shown["real"] and not shown["whole"]
    assert form.find_visible({"flag": True})["whole"]


def test_nothing_leaves_keys_without_a_slot_out(presets: PresetFolder) -> None:
    keys = "label: ~, help: null, min: Null, max: ~, choices: ~, group: ~, show_if: ~, default: "
    form = bind(presets, f"fields: {{f: {{slot: 1.whole, {keys}}}}}", make_info(OTHER))
    field = form.fields["f"]
    assert (field.label, field.minimum, field.choices, field.default) == ("F", None, None, 5)


def test_an_optional_field_is_empty_for_nothing_in_an_example(presets: PresetFolder) -> None:
    lines = "fields: {f: {slot: 1.whole, optional: true}}\nexamples: [{f: null}, {f: 007}]"
    form = bind(presets, lines, make_info(OTHER))
    assert [form.check(dict(example))["f"] for example in form.file.examples] == [None, 7]


def test_numbers_with_underscores_are_refused_with_the_number(presets: PresetFolder) -> None:
    with pytest.raises(PresetError) as caught:
        bind(presets, "fields: {f: {slot: 1.whole, max: 1_000}}", make_info(OTHER))
    assert str(caught.value).endswith(
        "test.yaml:3: fields.f.max: this has to be a valid number; write 1000."
    )


def test_quoted_texts_stay_texts(presets: PresetFolder) -> None:
    info = make_info(OTHER, "7")
    form = bind(presets, "fields: {f: {choices: {A: {1.whole: '7'}}}}", info)
    assert "whole takes a whole number, not 7" in str(form.problems[0])
    form = bind(presets, "fields: {f: {slot: 1.text, default: 'null'}}", info)
    assert form.fields["f"].default == "null"


@given(SCALARS)
def test_a_plain_scalar_equals_what_it_is_in_yaml(scalar: str) -> None:
    if may_be_typed(scalar):
        plain = PlainScalar.parse(scalar)
        assert (str(plain), repr(plain)) == (scalar, scalar)
        assert plain == plain.value or plain.value != plain.value
        assert bool(plain) is bool(plain.value)


def test_python_may_give_numbers_as_before() -> None:
    line = {"slot": "1.whole", "default": 7, "choices": [7, 9]}
    file = PresetFile.model_validate({"title": "T", "workflow": "w.json", "fields": {"f": line}})
    form = bind_form("t", file, Workflow.from_json(make_flow()), make_info(OTHER))
    assert form.fields["f"].default == 7 and form.check({"f": "9"}) == {"f": 9}


def test_a_file_is_json_again_as_it_was_written(presets: PresetFolder) -> None:
    lines = "fields: {f: {slot: 1.whole, default: 7, choices: [7, 08]}}"
    field = bind(presets, lines, make_info(OTHER)).file.model_dump(mode="json")["fields"]["f"]
    assert (field["default"], field["choices"]) == (7, [7, "08"])
