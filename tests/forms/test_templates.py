"""Texts that take the values of fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.forms.text_expansion import fill_template, find_placeholders, invert_template


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("photo of {prompt}, {mood}, {prompt}", ["prompt", "mood"]),
        ("{a|b} {1a} { a } {} {{a}} \\{a}", ["a"]),
        ("", []),
    ],
)
def test_names(template: str, names: list[str]) -> None:
    assert find_placeholders(template) == names


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    assert fill_template("{a} {b} {c}", {"a": "{b}", "b": "x"}) == "{b} x {c}"


@pytest.mark.parametrize(
    ("template", "text", "expected"),
    [
        ("photo of {value}, ink", "photo of a cat, ink", "a cat"),
        ("{value}", "", ""),
        ("a{value}a", "a", None),
        ("a{value}a", "aa", ""),
        ("photo of {value}", "a cat", None),
        ("{value} {value}", "a a", None),
        ("{mood} {value}", "x y", None),
        ("no value", "no value", None),
    ],
)
def test_inversion(template: str, text: str, expected: str | None) -> None:
    assert invert_template(template, text) == expected


@given(st.text("ab{}", max_size=6), st.text("ab{}", max_size=6), st.text(max_size=9))
def test_inversion_undoes_filling(before: str, after: str, value: str) -> None:
    template = f"{before}{{value}}{after}"
    found = invert_template(template, fill_template(template, {"value": value}))
    assert found == value or find_placeholders(template) != ["value"]
