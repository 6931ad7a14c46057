"""Numbers on axes: exact, with both ends, in both directions, and nothing that only looks like a
range.
"""

from __future__ import annotations

import random
import time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.errors import AxisError
from comfygradio.forms.field import Field
from comfygradio.sweeps.axes.axis_parser import parse_axis

from .axis_form import BASE, FORM, list_labels, list_values, make_form, read

HALVES = st.integers(-200, 200).map(lambda number: Decimal(number) / 2)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1-10", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("1-10 (+3)", [1, 4, 7, 10]),
        ("1-10(+4)", [1, 5, 9]),
        ("1 - 10 ( 3 )", [1, 4, 7, 10]),
        ("10-5 (-3)", [10, 7]),
        ("10-5 (3)", [10, 7]),
        ("10-1 (-1)", [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("10-7", [10, 9, 8, 7]),
        ("5-5", [5]),
        ("1-10 [5]", [1, 3, 6, 8, 10]),
        ("10-1 [5]", [10, 8, 6, 3, 1]),
        ("1-10 [2]", [1, 10]),
        ("1-3, 7, 10-20 [3]", [1, 2, 3, 7, 10, 15, 20]),
        ("1, 2, .., 10", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("10, 8, ..., 2", [10, 8, 6, 4, 2]),
        ("1, 3, …, 10", [1, 3, 5, 7, 9, 10]),
        ("3, 1, 2, .., 4, 9", [3, 1, 2, 3, 4, 9]),
        ("1, 2, .., 3", [1, 2, 3]),
        ("1 || 2-4 || 9", [1, 2, 3, 4, 9]),
        ("1\n2\r\n3,", [1, 2, 3]),
        ("1–3, 9", [1, 2, 3, 9]),
        ("1e3, 2.0", [1000, 2]),
        ("1, SKIP:2, SKIP: 3-7, 8", [1, 8]),
        ("7, 7", [7, 7]),
        (7, [7]),
    ],
)
def test_whole_numbers(text: Any, values: list[int]) -> None:
    found = list_values(read("steps", text))
    assert found == values and all(type(value) is int for value in found)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1-2 (+0.3)", [1.0, 1.3, 1.6, 1.9]),
        ("2-1 (-0.3)", [2.0, 1.7, 1.4, 1.1]),
        ("0-1 (+0.1)", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        ("1-10 [5]", [1.0, 3.25, 5.5, 7.75, 10.0]),
        ("0-1 [4]", [0.0, 1 / 3, 2 / 3, 1.0]),
        ("-1 - 1 (+0.5)", [-1.0, -0.5, 0.0, 0.5, 1.0]),
        ("-1--2", [-1.0, -2.0]),
        ("-.5-.5", [-0.5, 0.5]),
        ("+1, -1, - 2", [1.0, -1.0, -2.0]),
        ("0.5-2.5", [0.5, 1.5, 2.5]),
        ("1e-2-1e-1 [2]", [0.01, 0.1]),
        ("1e-5", [1e-05]),
        ("0.1, 0.2, .., 0.7", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]),
        ("−2 — −1", [-2.0, -1.0]),
    ],
)
def test_numbers_with_decimals(text: str, values: list[float]) -> None:
    found = list_values(read("cfg", text))
    assert found == values and all(type(value) is float for value in found)


@given(HALVES, HALVES, st.integers(1, 40).map(lambda number: Decimal(number) / 10))
def test_a_step_is_walked_exactly_and_never_beyond_the_end(
    start: Decimal, end: Decimal, step: Decimal
) -> None:
    sign = "-" if end < start else "+"
    found = list_values(read("cfg", f"{start}-{end} ({sign}{step})"))
    signed = -step if end < start else step
    assert found == [float(start + signed * i) for i in range(len(found))]
    last = start + signed * (len(found) - 1)
    assert min(start, end) <= last <= max(start, end) and abs(end - last) < step


@given(HALVES, HALVES, st.integers(2, 50))
def test_a_count_has_both_ends_and_equal_distances(
    start: Decimal, end: Decimal, count: int
) -> None:
    found = list_values(read("cfg", f"{start}-{end} [{count}]"))
    width = Fraction(end) - Fraction(start)
    assert found == [float(Fraction(start) + width * i / (count - 1)) for i in range(count)]


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(2, 60))
def test_whole_numbers_of_a_count_are_different_and_keep_both_ends(
    start: int, end: int, count: int
) -> None:
    try:
        found = list_values(read("steps", f"{start}-{end} [{count}]"))
    except AxisError as error:
        assert abs(end - start) < count - 1 and "ask for fewer" in error.problem
    else:
        assert (found[0], found[-1], len(set(found))) == (start, end, count)
        assert all(
            abs(value - (start + (end - start) * i / (count - 1))) <= 0.5
            for i, value in enumerate(found)
        )


@pytest.mark.parametrize(
    ("name", "text", "place", "problem"),
    [
        ("steps", "1, abc", (2, 4, "abc"), "neither a number nor a range"),
        (
            "steps",
            "1, 2.5",
            (2, 4, "2.5"),
            "2.5 is not possible; whole numbers from 1 to 10000 are allowed.",
        ),
        ("steps", "1-2 (+0.5)", (1, 1, "1-2 (+0.5)"), "1.5 is not possible; whole numbers"),
        (
            "steps",
            "5-0",
            (1, 1, "5-0"),
            "0 is not possible; whole numbers from 1 to 10000 are allowed.",
        ),
        (
            "cfg",
            "7,\n 99-101",
            (2, 5, "99-101"),
            "101 is not possible; numbers from -100 to 100 are allowed.",
        ),
        ("cfg", "0.1-1", (1, 1, "0.1-1"), "needs a step or a count"),
        ("cfg", "10-1 (+3)", (1, 1, "10-1 (+3)"), "leads away from the end; write (-3)."),
        ("cfg", "1-10 (- 2)", (1, 1, "1-10 (- 2)"), "leads away from the end; write (+2)."),
        ("cfg", "1-10 (+0)", (1, 1, "1-10 (+0)"), "a step of 0"),
        ("cfg", "1-10 [1]", (1, 1, "1-10 [1]"), "at least 2 values"),
        ("cfg", "1-10 [0]", (1, 1, "1-10 [0]"), "at least 2 values"),
        ("steps", "1-3 [5]", (1, 1, "1-3 [5]"), "no 5 different whole numbers"),
        ("cfg", "1-10 [5] (+3)", (1, 1, "1-10 [5] (+3)"), "neither a number nor a range"),
        ("cfg", "1, .., 3", (2, 4, ".."), "two numbers are needed before the dots"),
        ("cfg", "1, 2, ..", (3, 7, ".."), "two numbers are needed before the dots"),
        ("cfg", "..", (1, 1, ".."), "two numbers are needed before the dots"),
        ("cfg", "1-2, 3, .., 5", (3, 9, ".."), "two numbers are needed before the dots"),
        ("cfg", "1, 1, .., 3", (3, 7, ".."), "do not lead"),
        ("cfg", "1, 2, .., 2", (3, 7, ".."), "do not lead"),
        ("cfg", "3, 2, .., 9", (3, 7, ".."), "do not lead"),
        ("cfg", "1, nan", (2, 4, "nan"), "neither a number nor a range"),
        ("cfg", '1, ""', (2, 4, ""), "a number is missing"),
        ("seed", "-3", (1, 1, "-3"), "-3 is not possible; whole numbers from 0"),
        ("seed", "5, 18446744073709551616", (2, 4, "18446744073709551616"), "is not possible"),
    ],
)
def test_what_cannot_be_read_is_named(
    name: str, text: str, place: tuple[int, int, str], problem: str
) -> None:
    with pytest.raises(AxisError) as caught:
        read(name, text)
    error = caught.value
    assert (error.field, error.position, error.place, error.item) == (name, *place)
    assert problem in error.problem and str(error).endswith(error.problem)
    assert str(error).startswith(f"{name}, value {place[0]} at character {place[1]}")


@pytest.mark.parametrize(
    "text",
    [
        "1-1e12",
        "1-1e999",
        "0-1 (+1e-999)",
        "1, 2, .., 1e300",
        "1-10 [10001]",
        "1-10 [999999999]",
        "random x10001",
        "random x999999999",
        "+999999999",
        "0-9999, 7",
        ",".join(["7"] * 10_001),
    ],
)
def test_too_many_values_are_refused_at_once(text: str) -> None:
    started = time.process_time()
    with pytest.raises(AxisError, match="at most 10,000 are allowed"):
        read("seed", text)
    assert time.process_time() - started < 5


def test_ten_thousand_values_are_taken() -> None:
    assert list_values(read("seed", "0-9999")) == [*range(10_000)]


@pytest.mark.parametrize("text", ["9" * 100, "9" * 5000, "1e999", "-1e999", "1" + "0" * 60])
def test_huge_numbers_are_refused(text: str) -> None:
    for name in ("steps", "cfg", "seed"):
        with pytest.raises(AxisError):
            read(name, text)


def test_a_number_beyond_all_floats_is_refused() -> None:
    assert list_values(read("free", "1e300")) == [1e300]
    with pytest.raises(AxisError, match="this huge number is not possible"):
        read("free", "1e309")


def test_labels_are_short() -> None:
    assert list_labels(read("cfg", "7.50, 8.0, 0-1 [4], 1e-9")) == [
        "7.5",
        "8",
        "0",
        "0.333333",
        "0.666667",
        "1",
        "1e-09",
    ]
    assert list_labels(read("free", "123456789.25, 0.1234567")) == ["123456789", "0.1234567"]
    assert list_labels(read("seed", str(2**64 - 1))) == ["18446744073709551615"]


def test_seeds_are_exact() -> None:
    assert list_values(read("seed", "18446744073709551613-18446744073709551615")) == [
        *range(2**64 - 3, 2**64)
    ]


def test_seeds_that_are_drawn_are_written_out() -> None:
    axis = read("seed", "1, random x4, random", rng=random.Random(5))
    values = list_values(axis)
    assert values[0] == 1 and len(set(values)) == 6 and all(0 <= value < 2**50 for value in values)
    assert dict(axis.texts) == {"seed": ", ".join(map(str, values))}
    assert list_values(read("seed", "1 || Random × 4 || -1", rng=random.Random(5))) == values
    assert list_values(read("seed", "random x4")) != list_values(read("seed", "random x4"))


def test_drawn_seeds_stay_within_the_limits() -> None:
    form = make_form(
        Field("s", "seed", "S", {}, default=1, minimum=10, maximum=13, is_integer=True)
    )
    assert sorted(list_values(parse_axis(form, {"s": "random x4"}, {}))) == [10, 11, 12, 13]
    with pytest.raises(
        AxisError, match="5 different seeds are not possible; whole numbers from 10 to 13"
    ):
        parse_axis(form, {"s": "random x5"}, {})


def test_a_seed_and_those_after_it() -> None:
    axis = read("seed", "+3")
    assert list_values(axis) == [7, 8, 9, 10] and dict(axis.texts) == {"seed": "7, 8, 9, 10"}
    first = parse_axis(FORM, {"seed": "+1"}, {**BASE, "seed": None}, random.Random(1))
    low, high = list_values(first)
    assert high == low + 1 and dict(first.texts) == {"seed": f"{low}, {high}"}
    with pytest.raises(AxisError, match="18446744073709551616 is not possible"):
        parse_axis(FORM, {"seed": "+1"}, {"seed": 2**64 - 1})


def test_a_random_seed_is_no_part_of_a_range() -> None:
    form = make_form(Field("s", "seed", "S", {}, default=1, minimum=-5, maximum=5, is_integer=True))
    with pytest.raises(AxisError, match="-1 stands for a random seed"):
        parse_axis(form, {"s": "-3-3"}, {})
    with pytest.raises(AxisError, match="whole numbers"):
        read("seed", '1, ""')
