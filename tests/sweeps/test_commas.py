"""Commas on axes: what may be one number or two is asked for, with both ways to write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.errors import AxisError
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.value import Choice
from comfygradio.sweeps.axes.axis_parser import parse_axis

from .axis_form import list_values, make_form, read


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "cfg",
            "7,5",
            "7,5 may mean 7.5, or 7 and 5; write 7.5, or 7, 5 with a space behind the comma.",
        ),
        ("cfg", "4, 7,5", "7,5 may mean 7.5, or 7 and 5;"),
        ("cfg", "6,5, 8,5", "6,5 may mean 6.5, or 6 and 5;"),
        ("cfg", "-1,5\n2", "-1,5 may mean -1.5, or -1 and 5;"),
        ("cfg", "0,25", "0,25 may mean 0.25, or 0 and 25;"),
        ("cfg", "7,05", "7,05 may mean 7.05, or 7 and 05;"),
        ("free", "1,5-3", "1,5-3 may mean 1.5-3, or 1 and 5-3;"),
        ("free", "2,000", "2,000 may mean 2000, or 2 and 0; write 2000, or 2, 0 with a space"),
        ("seed", "1,000", "1,000 may mean 1000, or 1 and 0; write 1000, or 1, 0 with a space"),
        ("seed", "1,234,056", "1,234,056 may mean 1234056, or 1, 234 and 56;"),
        ("loras", "film-grain:0,8", "write the strength 0,8 as 0.8."),
        ("free", "2.000", "2.000 may mean 2000 or 2; write 2000 or 2."),
        ("steps", "1.000-5.000 (+1.000)", "1.000 may mean 1000 or 1;"),
        ("seed", "3-4.000", "4.000 may mean 4000 or 4;"),
        ("steps", "1_0", "1_0 is neither a number nor a range such as 1-10, 1-10 (+3) or 1-10 [5]"),
        ("steps", "1_0", "; write 10."),
        ("cfg", "2, ７", "; write 7."),
    ],
)
def test_what_is_unclear_is_refused_with_what_to_write(name: str, text: str, told: str) -> None:
    with pytest.raises(AxisError) as caught:
        read(name, text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("cfg", "7, 5", [7.0, 5.0]),
        ("cfg", "7.5", [7.5]),
        ("cfg", "1,2,3", [1.0, 2.0, 3.0]),
        ("cfg", "8,12", [8.0, 12.0]),
        ("cfg", "7 ,5", [7.0, 5.0]),
        ("cfg", '"7","5"', [7.0, 5.0]),
        ("cfg", "7.5,8.5", [7.5, 8.5]),
        ("cfg", "7\n5", [7.0, 5.0]),
        ("cfg", "7,-5", [7.0, -5.0]),
        ("steps", "6,5", [6, 5]),
        ("steps", "100,200", [100, 200]),
        ("seed", "1,2", [1, 2]),
        ("free", "100,250", [100.0, 250.0]),
        ("free", "14.615, 1.25", [14.615, 1.25]),
        ("speed", "4,40", [4, 40]),
        ("prompt", "6,5", ["6,5"]),
        ("size", "512x512,768x512", [(512, 512), (768, 512)]),
    ],
)
def test_what_is_clear_is_taken(name: str, text: str, values: list[object]) -> None:
    assert list_values(read(name, text)) == values


def test_a_list_of_numbers_asks_for_those_that_it_has() -> None:
    choices = tuple(Choice(str(value), value) for value in (5, 6, 6.5, 8))
    form = make_form(Field("f", "dropdown", "F", {}, default=5, choices=choices))
    with pytest.raises(AxisError, match=r"6,5 may mean 6\.5, or 6 and 5; write 6\.5, or"):
        parse_axis(form, {"f": "6,5"}, {})
    assert list_values(parse_axis(form, {"f": "6,8"}, {})) == [6, 8]
    assert list_values(parse_axis(form, {"f": "6.50, 5"}, {})) == [6.5, 5]


def test_the_place_is_told() -> None:
    with pytest.raises(AxisError) as caught:
        read("cfg", "1, 2, 3,5")
    assert (caught.value.field, caught.value.position, caught.value.place) == ("cfg", 3, 7)


@given(st.lists(st.integers(-99, 99), min_size=1, max_size=6))
def test_a_space_behind_each_comma_is_always_a_list(numbers: list[int]) -> None:
    assert list_values(read("cfg", ", ".join(map(str, numbers)))) == numbers


@given(st.integers(-99, 99), st.integers(0, 9))
def test_one_digit_behind_a_comma_is_never_taken_for_two_numbers(whole: int, digit: int) -> None:
    with pytest.raises(AxisError, match=f"write {whole}.{digit}, or"):
        read("cfg", f"{whole},{digit}")
