"""Odd preset files and odd servers: whatever they say, a sentence comes out or it is
passed over.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.errors import PresetError
from comfygradio.forms.preset_yaml import load_preset_file

from .preset_folder import PresetFolder, load_object_info

HEAD = "title: T\nworkflow: w.json\n"


def refuse(presets: PresetFolder, text: str) -> str:
    path = presets.write(text)
    with pytest.raises(PresetError) as caught:
        load_preset_file(path)
    return str(caught.value).removeprefix(f"{path}")


@pytest.mark.parametrize(
    "value",
    ["!!timestamp 2024-13-45", "!!int x", "!!int ''", "!!bool maybe", "!!timestamp x", "9" * 5000],
)
def test_values_that_yaml_cannot_read(presets: PresetFolder, value: str) -> None:
    text = refuse(presets, f"{HEAD}fields: {{a: {{slot: 3.steps, default: {value}}}}}")
    assert text.startswith(": a value cannot be read (") and text.endswith("); put it in quotes.")


@pytest.mark.parametrize("value", ["2024-12-24", "!!binary aGk=", "!!set {a}", "null", "[a: b]"])
def test_values_of_other_types(presets: PresetFolder, value: str) -> None:
    text = refuse(presets, f"{HEAD}fields: {{a: {{slot: 3.steps, fixed: [{value}]}}}}")
    assert "fields.a.fixed: " in text or "in quotes" in text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("fields: &a {x: *a}", 3),
        (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]\n"
                for before, after in zip("abcdef", "bcdefg", strict=True)
            ),
            7,
        ),
    ],
)
def test_aliases_that_grow_without_end(presets: PresetFolder, text: str, line: int) -> None:
    assert refuse(presets, HEAD + text).startswith(f":{line}: this repeats too much, by anchors")


def test_aliases_that_are_meant_well(presets: PresetFolder) -> None:
    text = HEAD + "fields:\n  a: &a {slot: 3.steps, max: 9}\n  b: {<<: *a, max: 5}\n"
    file = load_preset_file(presets.write(text))
    assert (file.fields["a"].max, file.fields["b"].max, file.fields["b"].slot) == (9, 5, "3.steps")


@pytest.mark.parametrize("text", ["[" * 5000, "a: " + "{b: " * 900 + "1" + "}" * 900, "- " * 5000])
def test_deep_nesting(presets: PresetFolder, text: str) -> None:
    assert refuse(presets, text)


def test_a_byte_order_mark(presets: PresetFolder) -> None:
    path = presets.write("\ufeff" + HEAD)
    assert load_preset_file(path).title == "T"


def read_spec(spec: list[Any], **more: Any) -> InputSpec:
    data = {"A": {"input": {"required": {"x": spec}}, **more}}
    return ObjectInfo.from_json(data).nodes["A"].inputs["x"]


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), float("-inf"), "0", None, True, [0]])
def test_limits_that_are_none(limit: Any) -> None:
    spec = read_spec(["FLOAT", {"min": limit, "max": limit}])
    assert (spec.minimum, spec.maximum) == (None, None)


def test_limits_of_any_size() -> None:
    assert read_spec(["INT", {"max": 10**400}]).maximum == 10**400


@pytest.mark.parametrize("order", [["x", ["y"], None, {"a": 1}, "z"], "x", None, {"required": 1}])
def test_odd_orders(order: Any) -> None:
    assert read_spec(["INT", {}], input_order={"required": order}).name == "x"


def test_names_of_files_that_are_no_text_are_not_offered() -> None:
    spec = read_spec(
        [
            ["a.pt", "caf\udce9.pt", [["x"]], {}, None, 7],
            {"tooltip": "caf\udce9", "display_name": "\ud800"},
        ]
    )
    assert (spec.choices, spec.tooltip, spec.label) == (("a.pt", 7), "caf?", "?")


@pytest.mark.parametrize(
    "spec",
    [[], None, "INT", 7, [None], [{}], [["a"], None], [["a"], []], ["COMBO", {"options": 7}]],
)
def test_odd_specs(presets: PresetFolder, spec: Any) -> None:
    data = copy.deepcopy(load_object_info("v0.33.0"))
    data["KSampler"]["input"]["required"]["scheduler"] = spec
    form = presets.bind("f: {slot: 3.steps}", ObjectInfo.from_json(data))
    assert all(problem.input == "scheduler" for problem in form.problems)


@pytest.mark.parametrize(
    "answer", [None, [], "x", {"KSampler": None}, {"KSampler": {"input": []}}, {7: {}}]
)
def test_odd_answers(presets: PresetFolder, answer: Any) -> None:
    problems = presets.bind("f: {slot: 3.steps}", ObjectInfo.from_json(answer)).problems
    assert problems and all(str(problem).endswith(".") for problem in problems)


@pytest.mark.parametrize(
    "text",
    [
        "description: " + "x" * 300_000,
        "description: '" + "ü" * 130_000 + "'",
        "fields:\n" + "".join(f"  f{n}: {{slot: 6.text}}\n" for n in range(20_000)),
        "#" * 50_000_000,
    ],
    ids=["text", "bytes", "fields", "comment"],
)
def test_a_file_that_is_too_long_is_not_read(presets: PresetFolder, text: str) -> None:
    assert "is too long; at most 256 kB are read." in refuse(presets, HEAD + text)


def test_more_keys_than_a_preset_can_need_are_counted_and_refused(presets: PresetFolder) -> None:
    told = refuse(presets, HEAD + "sweep: [" + "a," * 30_000 + "]")
    assert "there are more than 20,000 keys and values; write less." in told


@pytest.mark.deep
def test_many_problems_are_counted_and_some_are_told(presets: PresetFolder) -> None:
    told = refuse(presets, HEAD + "".join(f"k{number}: 1\n" for number in range(5000)))
    assert told.count("unknown key") == 20 and told.endswith("There are 4,980 more problems.")
