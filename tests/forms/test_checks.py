from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comfygradio.forms.field import Field
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.kinds.seed import RANDOM_SEEDS
from comfygradio.forms.kinds.value import Choice, InvalidValue, shorten
from comfygradio.forms.slots import Slot
from comfygradio.forms.value_check import check_value

SEED_MAX = 2**64 - 1


def make_field(widget: Widget, **keys: Any) -> Field:
    return Field(name="f", widget=widget, label="F", slots={"": (Slot("1", "x"),)}, **keys)


STEPS = make_field("number", minimum=1, maximum=60, is_integer=True)
CFG = make_field("slider", minimum=0.0, maximum=20.0, step=0.5)
FREE = make_field("number")
SEED = make_field("seed", minimum=0, maximum=SEED_MAX, is_integer=True)
TEXT = make_field("textarea")
SWITCH = make_field("checkbox")
MODEL = make_field(
    "dropdown", choices=(Choice("Photo", "sub/photo.safetensors"), Choice("ink", "ink"))
)
COUNT = make_field("radio", choices=(Choice("few", 5), Choice("many", 50)))
FLAG = make_field("dropdown", choices=(Choice("true", True), Choice("1", 1)))
SIZE = make_field("size", minimum=16, maximum=2048, is_integer=True)
SIZES = make_field(
    "size",
    minimum=16,
    is_integer=True,
    choices=(Choice("Square", "512x512"), Choice("Wide", "768x512")),
)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        (STEPS, 20, 20),
        (STEPS, "20", 20),
        (STEPS, " +20 ", 20),
        (STEPS, 20.0, 20),
        (STEPS, "20.0", 20),
        (STEPS, 1, 1),
        (STEPS, 60, 60),
        (CFG, 7, 7),
        (CFG, "7.25", 7.25),
        (CFG, 1e1, 10.0),
        (FREE, -1e300, -1e300),
        (SEED, 0, 0),
        (SEED, 7, 7),
        (SEED, "7", 7),
        (SEED, SEED_MAX, SEED_MAX),
        (SEED, str(SEED_MAX), SEED_MAX),
        (SEED, 2**53 + 1, 2**53 + 1),
        (SEED, float(2**53 - 1), 2**53 - 1),
        (TEXT, "a  b\n", "a  b\n"),
        (TEXT, "", ""),
        (TEXT, None, ""),
        (TEXT, 7, "7"),
        (TEXT, "x" * 100_000, "x" * 100_000),
        (SWITCH, True, True),
        (SWITCH, False, False),
        (SWITCH, "Yes", True),
        (SWITCH, "off", False),
        (SWITCH, 1, True),
        (SWITCH, "0", False),
        (MODEL, "sub/photo.safetensors", "sub/photo.safetensors"),
        (MODEL, "Photo", "sub/photo.safetensors"),
        (MODEL, "ink", "ink"),
        (COUNT, 5, 5),
        (COUNT, "5", 5),
        (COUNT, "many", 50),
        (FLAG, True, True),
        (FLAG, 1, 1),
        (SIZE, "768x512", (768, 512)),
        (SIZE, " 768 × 512 ", (768, 512)),
        (SIZE, "768X512", (768, 512)),
        (SIZE, (768, 512), (768, 512)),
        (SIZE, [768.0, "512"], (768, 512)),
        (SIZE, {"width": 768, "height": 512}, (768, 512)),
        (SIZE, "16x2048", (16, 2048)),
        (SIZES, "Wide", (768, 512)),
        (SIZES, "512x512", (512, 512)),
    ],
)
def test_values_that_are_taken(field: Field, value: Any, expected: Any) -> None:
    checked = check_value(field, value)
    assert checked == expected and type(checked) is type(expected)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        (STEPS, 0, "0 is not possible; whole numbers from 1 to 60 are allowed."),
        (STEPS, 61, "61 is not possible; whole numbers from 1 to 60 are allowed."),
        (STEPS, 20.5, "20.5 is not possible; whole numbers from 1 to 60 are allowed."),
        (STEPS, "many", "many is not possible; whole numbers"),
        (STEPS, "0x10", "0x10 is not possible"),
        (STEPS, True, "True is not possible"),
        (STEPS, [20], "[20] is not possible"),
        (STEPS, {"a": 1}, "is not possible"),
        (STEPS, None, "a number is missing; whole numbers from 1 to 60 are allowed."),
        (STEPS, "", "a number is missing"),
        (STEPS, float("nan"), "nan is not possible"),
        (STEPS, float("inf"), "inf is not possible"),
        (STEPS, "NaN", "NaN is not possible"),
        (STEPS, "-Infinity", "-Infinity is not possible"),
        (STEPS, "1e999", "1e999 is not possible"),
        (STEPS, 10**400, "this huge number is not possible"),
        pytest.param(STEPS, 10**5000, "this huge number is not possible", id="5000 digits"),
        (STEPS, "9" * 500, "is not possible"),
        (CFG, 20.01, "20.01 is not possible; numbers from 0.0 to 20.0 are allowed."),
        (CFG, float("nan"), "nan is not possible"),
        (FREE, "x", "x is not possible; numbers are allowed."),
        (SEED, 2**64, "whole numbers from 0 to 18446744073709551615 are allowed."),
        (SEED, str(2**64), "18446744073709551616 is not possible"),
        (SEED, -2, "-2 is not possible"),
        (
            SEED,
            float(2**53),
            "is a rounded number; send one of this size as a whole number or its digits.",
        ),
        (SEED, 1.8446744073709552e19, "is a rounded number"),
        (SEED, "9007199254740993.0", "is a rounded number"),
        (SEED, True, "True is not possible"),
        (SEED, 7.5, "7.5 is not possible"),
        (SEED, float("nan"), "nan is not possible"),
        (SEED, "dice", "dice is not possible"),
        pytest.param(SEED, 10**5000, "this huge number is not possible", id="seed of 5000 digits"),
        (TEXT, "x" * 100_001, "the text is too long: at most 100,000 characters are allowed."),
        (TEXT, ["a"], "text is expected."),
        (TEXT, {"a": 1}, "text is expected."),
        (TEXT, True, "text is expected."),
        (SWITCH, None, "None is neither on nor off; true or false is allowed."),
        (SWITCH, "maybe", "maybe is neither on nor off"),
        (SWITCH, 2, "2 is neither on nor off"),
        (MODEL, "gone", "gone is not in the list; allowed: Photo, ink."),
        (MODEL, None, "None is not in the list"),
        (MODEL, ["ink"], "['ink'] is not in the list"),
        (MODEL, {"a": 1}, "is not in the list"),
        (MODEL, "", " is not in the list"),
        (COUNT, 6, "6 is not in the list; allowed: few, many."),
        (make_field("dropdown", choices=()), "x", "the server offers nothing here."),
        (
            make_field("dropdown", choices=tuple(Choice(str(i), i) for i in range(40))),
            "x",
            "11 and 28 more.",
        ),
        (SIZE, "768", "write the size as width x height in pixels, for example 768x512."),
        (SIZE, "0x512", "the width 0 is not possible; whole numbers from 16 to 2048 are allowed."),
        (SIZE, "512x4096", "the height 4096 is not possible"),
        (SIZE, "axb", "write the size as"),
        (SIZE, None, "write the size as"),
        (SIZE, (512,), "write the size as"),
        (SIZE, (512, None), "write the size as"),
        (SIZE, (512.5, 512), "in whole pixels"),
        (SIZE, (True, 512), "in whole pixels"),
        (SIZE, (float("nan"), 512), "in whole pixels"),
        (SIZE, (10**400, 512), "the width this huge number is not possible"),
        (SIZE, {"width": 512}, "write the size as"),
        (SIZES, "640x640", "640x640 is not in the list; allowed: Square, Wide."),
    ],
)
def test_values_that_are_refused_with_a_sentence(field: Field, value: Any, expected: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_value(field, value)
    assert expected in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", [None, "", " ", -1, -1.0, "-1", " -1 ", "random", "Random"])
def test_an_open_seed_is_drawn(value: Any) -> None:
    drawn = {check_value(SEED, value) for _ in range(20)}
    assert len(drawn) == 20 and all(0 <= seed < RANDOM_SEEDS for seed in drawn)


@pytest.mark.parametrize(
    ("low", "high"),
    [(5, 6), (0, 0), (-9, 3), (-9, -2), (None, -5), (-9, None), (None, None), (2**60, SEED_MAX)],
)
def test_a_drawn_seed_is_within_the_limits(low: int | None, high: int | None) -> None:
    field = make_field("seed", minimum=low, maximum=high, is_integer=True)
    assert all(check_value(field, check_value(field, None)) is not None for _ in range(50))


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        (MODEL, "sub\\photo.safetensors", "sub/photo.safetensors"),
        (MODEL, "Sub/Photo.safetensors", "sub/photo.safetensors"),
        (MODEL, "PHOTO", "sub/photo.safetensors"),
        (MODEL, "INK", "ink"),
        (COUNT, "Many", 50),
    ],
)
def test_choices_are_known_by_another_spelling(field: Field, value: str, expected: Any) -> None:
    assert check_value(field, value) == expected


@pytest.mark.parametrize("value", ["photo.safetensors", "other/photo.safetensors", "MODEL"])
def test_another_folder_or_two_that_differ_in_capitals_are_no_spelling(value: str) -> None:
    files = ("sub/photo.safetensors", "a/Model", "model", "Model")
    field = make_field("dropdown", choices=tuple(Choice(name, name) for name in files))
    with pytest.raises(InvalidValue, match="is not in the list"):
        check_value(field, value)


def test_a_file_is_shown_without_its_folder() -> None:
    assert shorten(Path("/home/ann/secret/cat.png")) == "cat.png"
    with pytest.raises(InvalidValue, match=r"^cat.png is not in the list"):
        check_value(MODEL, Path("/home/ann/secret/cat.png"))


def test_long_values_are_shown_cut() -> None:
    with pytest.raises(InvalidValue, match=r"x{57}… is not in the list"):
        check_value(MODEL, "x" * 500)


def test_a_whole_number_reads_the_same_with_and_without_a_point() -> None:
    assert CFG.kind.describe(CFG, 7.0) == CFG.kind.describe(CFG, 7) == "7"
    assert CFG.kind.describe(CFG, 7.5) == "7.5"
    assert CFG.kind.describe(CFG, 1e300) == "1e+300"
