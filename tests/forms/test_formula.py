from __future__ import annotations

from fractions import Fraction

import pytest

from comfygradio.forms.formula import Formula, FormulaError, round_half_up


@pytest.mark.parametrize(
    ("text", "number", "expected"),
    [
        ("steps * 0.5", 30, 15),
        ("value * 0.1", 30, 3),
        ("steps - 7", 3, -4),
        ("-(value + 1) * 2", 4, -10),
        ("value // 4 * 4 + 1", 83, 81),
        ("value % 7", 23, 2),
        ("value / 3", 1, Fraction(1, 3)),
        ("value + 18446744073709551615", 5, 18446744073709551620),
        ("value * 2", 0.1, Fraction(1, 5)),
    ],
)
def test_plain_arithmetic_is_exact(text: str, number: float, expected: Fraction) -> None:
    assert Formula.parse(text).evaluate(number) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "value *", "value ** 9", "value ** value", "(value", "value)", "value value"),
        *(
            "__import__('os')",
            "value.real",
            "value[0]",
            "abs(value)",
            "lambda: value",
            "value if 1",
        ),
        *("value < 3", "value and 1", "value; 2", "value = 3", "value, 2", "'value'", "[value]"),
        *("0x10 + value", "1_0 + value", "1e9 * value", "1j * value", "07 + value", ".5 * value"),
        *("value | 1", "value << 99", "~value", "value @ 2", "not value", "value\0", "{value}"),
        *("value" + " + 1" * 60, "(" * 90 + "value" + ")" * 90 + " * 123456789012345678901"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(FormulaError, match="is not a formula; write plain arithmetic"):
        Formula.parse(text)


def test_a_formula_that_has_no_number_in_it_is_none() -> None:
    with pytest.raises(FormulaError, match=r"3 \* 4 is always the same; it has to use value"):
        Formula.parse("3 * 4")


def test_divisions_by_zero_are_told() -> None:
    with pytest.raises(FormulaError, match="divides by zero"):
        Formula.parse("8 / (value - 2)").evaluate(2)


def test_halves_are_rounded_up() -> None:
    assert [round_half_up(Fraction(n, 2)) for n in (1, 3, 5, -1, 4)] == [1, 2, 3, 0, 2]
