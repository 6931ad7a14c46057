"""Axes as a whole: fields that change together, what two axes may not do, and whatever else people
may send.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from comfygradio.errors import AxisError
from comfygradio.forms.kinds.axis_text import quote, quote_if_split, split_texts, split_values
from comfygradio.sweeps.axes.axis import Axis, Change, Step, apply_point, list_points
from comfygradio.sweeps.axes.axis_parser import format_values, parse_all_axes, parse_axis
from tests.effort import scale

from .axis_form import BASE, FIELDS, FORM, LORAS, MODELS, SAMPLERS, list_values, read

PARTS = (
    *(
        "1",
        "-1",
        "10",
        "0.5",
        "1e3",
        " - ",
        "-",
        "(",
        ")",
        "(+3)",
        "[5]",
        "[",
        "]",
        ",",
        ", ",
        "||",
        " || ",
        "\n",
        "\r",
    ),
    *(
        '"',
        '""',
        "SKIP:",
        "S/R:",
        "..",
        "…",
        "*",
        "?",
        "random",
        " x4",
        "+3",
        "none",
        "euler",
        "euler*",
        "a cat",
        "cat",
    ),
    *(
        "=",
        "on",
        "512x512",
        "#ff0000",
        "rgb(1, 2, 3)",
        "red",
        "film-grain",
        ":",
        "<lora:",
        ">",
        "\0",
        "é",
        "\ud800",
        " ",
    ),
)
ODD = st.lists(st.sampled_from(PARTS), max_size=12).map("".join) | st.text(max_size=40)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | ODD
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ODD, inner, max_size=2)
)
NAMES = st.sampled_from([field.name for field in FIELDS])
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.lists(
    st.sampled_from(PARTS[:-2])
).map(lambda parts: "".join(parts).replace("\ud800", ""))


def refuse(entries: Any) -> AxisError:
    """What is said of these axes."""
    with pytest.raises(AxisError) as caught:
        parse_all_axes(FORM, entries, BASE)
    return caught.value


def test_axes_and_their_points() -> None:
    axes = parse_all_axes(
        FORM, [{"sampler": "euler, Heun", "steps": "20, 30"}, {"cfg": "1-2"}], BASE
    )
    assert axes[0] == Axis(
        "Sampler + Steps",
        {"sampler": "euler, Heun", "steps": "20, 30"},
        (
            Step("euler, 20", (Change("sampler", "euler"), Change("steps", 20))),
            Step("Heun, 30", (Change("sampler", "Heun"), Change("steps", 30))),
        ),
    )
    assert axes[0].fields == ("sampler", "steps") and axes[1].title == "CFG"
    points = [apply_point(axes, BASE, index) for index in list_points(axes)]
    assert [(point["sampler"], point["steps"], point["cfg"]) for point in points] == [
        ("euler", 20, 1.0),
        ("euler", 20, 2.0),
        ("Heun", 30, 1.0),
        ("Heun", 30, 2.0),
    ]
    assert all(point["prompt"] == BASE["prompt"] for point in points) and BASE["steps"] == 20
    assert parse_all_axes(FORM, [], BASE) == () and list(list_points(())) == [()]


def test_a_skipped_place_is_left_out_of_all_fields_that_change_together() -> None:
    axis = parse_axis(FORM, {"sampler": "euler, SKIP:broken, Heun", "steps": "10, 20, 30"}, BASE)
    assert [step.label for step in axis.steps] == ["euler, 10", "Heun, 30"]
    ranged = parse_axis(FORM, {"cfg": "SKIP:1-3, 4", "steps": "1-4"}, BASE)
    assert [step.label for step in ranged.steps] == ["4, 4"]
    assert parse_axis(FORM, dict(axis.texts), BASE) == axis


@pytest.mark.parametrize(
    ("entries", "field", "problem"),
    [
        (
            [{"sampler": "euler, Heun", "steps": "1-3"}],
            "steps",
            "sampler has 2 values and steps has 3; fields of one",
        ),
        ([{"cfg": "1"}, {"cfg": "2"}], "cfg", "two axes set this field"),
        ([{"cfg": "1"}, {"steps": "1", "cfg": "2"}], "cfg", "two axes set this field"),
        ([{"stepz": "1"}], "stepz", "Test has no such field; did you mean steps?"),
        ([{7: "1"}], "7", "Test has no such field; "),
        (
            [{"factor": "1-2"}],
            "factor",
            "this field is not used as long as upscale stays as it is.",
        ),
        ([{"cfg": ""}], "cfg", "there are no values here"),
        ([{"cfg": " ,, ,"}], "cfg", "there are no values here"),
        ([{"cfg": []}], "cfg", "there are no values here"),
        ([{"cfg": "SKIP:1, SKIP:"}], "cfg", "there are no values here"),
        ([{"prompt": " \n "}], "prompt", "there are no values here"),
        ([{"cfg": None}], "cfg", "None is neither a text nor a list of values."),
        ([{"cfg": {"from": 1}}], "cfg", "is neither a text nor a list of values."),
        ([{}], "", "an axis maps at least one field to its values"),
        (["cfg"], "", "an axis maps at least one field to its values"),
        ({"cfg": "1-3"}, "", "the axes are a list"),
        ("cfg", "", "the axes are a list"),
        (None, "", "the axes are a list"),
    ],
)
def test_what_makes_no_sweep_is_refused(entries: Any, field: str, problem: str) -> None:
    error = refuse(entries)
    assert (error.field, error.position) == (field, 0) and problem in error.problem
    assert str(error) == (f"{field}: " if field else "") + error.problem


def test_a_hidden_field_may_be_shown_by_another_axis() -> None:
    assert len(parse_all_axes(FORM, [{"factor": "1-2"}, {"upscale": "*"}], BASE)) == 2
    assert len(parse_all_axes(FORM, [{"factor": "1-2"}], {**BASE, "upscale": True})) == 1
    assert len(parse_axis(FORM, {"factor": "1-2"}, BASE).steps) == 2


def test_an_error_names_the_value_and_its_place() -> None:
    assert str(refuse([{"steps": "1, 20-99, 7, x"}])) == (
        "steps, value 4 at character 14 (x): x is neither a number nor a range such as 1-10, 1-10 "
        "(+3) or 1-10 [5]."
    )
    assert str(refuse([{"steps": [1, 0]}])) == (
        "steps, value 2 (0): 0 is not possible; whole numbers from 1 to 10000 are allowed."
    )


def test_texts_write_out_what_may_be_others_another_day() -> None:
    axis = read("model", "flux, sdxl/*, SKIP:sd15/*")
    assert axis.texts["model"] == f'flux, "{MODELS[0]}", "{MODELS[1]}", SKIP:sd15/*'
    assert read("model", axis.texts["model"]).steps == axis.steps
    assert read("vae", "* || none").texts["vae"] == '"a.pt" || "b.pt" || none'
    assert read("vae", "*\nnone").texts["vae"] == '"a.pt", "b.pt"\nnone'


@given(WORDS)
def test_what_is_quoted_is_read_as_it_is(text: str) -> None:
    assert [item.text for item in split_texts(quote(text))] == [text]
    assert [item.text for item in split_values(f"1, {quote(text)} ,2")[0]] == ["1", text, "2"]
    assert [item.text for item in split_values(f"{quote(text)} || 2")[0]] == [text, "2"]
    assert [item.text for item in split_values(quote_if_split(text))[0]] == [text]


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_lists_of_texts_are_read_from_what_is_written(texts: list[str]) -> None:
    written = format_values(FORM, "prompt", texts)
    assert list_values(read("prompt", written)) == texts == list_values(read("prompt", texts))


LISTED: dict[str, st.SearchStrategy[Any]] = {
    "prompt": WORDS,
    "words": WORDS,
    "steps": st.integers(1, 10_000),
    "cfg": st.floats(-100, 100),
    "free": st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**60), 2**60),
    "seed": st.integers(0, 2**64 - 1),
    "model": st.sampled_from(MODELS),
    "sampler": st.sampled_from(SAMPLERS),
    "speed": st.sampled_from([4, 40, "Fast"]),
    "look": st.sampled_from(["Photo", "Comic, ink"]),
    "vae": st.sampled_from(["a.pt", "b.pt", None]),
    "tags": st.lists(st.sampled_from(["red", "green", 'a, "b"', "x || y"]), max_size=4),
    "upscale": st.booleans(),
    "size": st.tuples(st.integers(64, 2048), st.integers(64, 2048)),
    "shape": st.sampled_from(["512x512", "Wide"]),
    "color": st.integers(0, 0xFFFFFF),
    "tint": st.integers(0, 0xFFFFFF),
    "loras": st.lists(
        st.tuples(st.sampled_from([one.value for one in LORAS]), st.floats(-2, 2)), max_size=3
    ),
}


@given(st.data())
@settings(max_examples=scale(300), deadline=None)
def test_lists_of_values_are_read_from_what_is_written(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(LISTED)))
    axis = read(name, data.draw(st.lists(LISTED[name], min_size=1, max_size=5)))
    assert read(name, axis.texts[name]) == axis


@pytest.mark.deep
@given(NAMES, ODD)
@example("tags", ",||")
@settings(max_examples=scale(400), deadline=None)
def test_whatever_is_typed_is_read_or_refused_and_reads_the_same_again(
    name: str, text: str
) -> None:
    try:
        axes = parse_all_axes(FORM, [{name: text}], BASE, random.Random(1))
    except AxisError as error:
        assert error.field == name and error.problem[-1] in ".?"
        return
    assert (
        parse_all_axes(FORM, [dict(axes[0].texts)], BASE, random.Random(2))[0].steps
        == axes[0].steps
    )
    for index in list_points(axes[:1]):
        point = apply_point(axes, BASE, index)
        if axes[0].steps[index[0]].changes[0].kind == "set":
            checked = FORM.check(point)[name]
            # A form takes an empty list of choices for no value.
            is_none = checked is None and point[name] == ()
            assert is_none or checked == point[name]


@pytest.mark.deep
@given(st.lists(st.dictionaries(NAMES | ODD, JSON, max_size=3) | JSON, max_size=4) | JSON)
@settings(max_examples=scale(150), deadline=None)
def test_whatever_is_sent_is_read_or_refused(entries: Any) -> None:
    try:
        axes = parse_all_axes(FORM, entries, BASE, random.Random(1))
    except AxisError:
        return
    assert parse_all_axes(FORM, [dict(axis.texts) for axis in axes], BASE) == axes


@given(
    st.lists(
        st.sampled_from(["*", "[!-~]*", "../*", "a.txt", '"a.txt"', ",", "||", "\0", "~", "/*"])
    ).map("".join)
)
def test_whatever_is_typed_as_a_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    root = tmp_path_factory.getbasetemp() / "files"
    root.mkdir(exist_ok=True)
    (root / "a.txt").write_text("a", encoding="utf-8")
    try:
        axis = read("note", text, root)
    except AxisError:
        return
    assert all(value is None or Path(value).parent == root for value in list_values(axis))
    assert read("note", axis.texts["note"], root).steps == axis.steps
