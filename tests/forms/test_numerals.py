"""Numbers as people type them: digits, a sign, one point and an exponent; what is near gets the
number to write.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.forms.field import Field
from comfygradio.forms.kinds.numerals import parse_numeral, parse_thousands, suggest_numerals
from comfygradio.forms.kinds.value import Choice, InvalidValue
from comfygradio.forms.value_check import check_value

from .test_checks import make_field

STEPS = make_field("slider", minimum=1, maximum=10_000, is_integer=True)
FEW = make_field("number", minimum=1, maximum=60, is_integer=True)
CFG = make_field("number", minimum=0.0, maximum=100.0)
FREE = make_field("number")
SEED = make_field("seed", minimum=0, maximum=2**64 - 1, is_integer=True)
LORAS = make_field("loras", minimum=-2, maximum=2, choices=(Choice("film", "film.pt"),))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("8", 8),
        (" -3 ", -3),
        ("+12", 12),
        ("0042", 42),
        ("8.", 8.0),
        (".75", 0.75),
        ("-0.50", -0.5),
        ("2e3", 2000.0),
        ("1.5E-2", 0.015),
        ("18446744073709551615", 2**64 - 1),
    ],
)
def test_numbers(text: str, number: float) -> None:
    found = parse_numeral(text)
    assert found == number and type(found) is type(number)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("8,25", ("8.25",)),
        ("-0,5", ("-0.5",)),
        (",5", ("0.5",)),
        ("2,5e3", ("2.5e3",)),
        ("2_0", ("20",)),
        ("1_234_567", ("1234567",)),
        ("4 096", ("4096",)),
        ("4\u202f096", ("4096",)),
        ("1'500", ("1500",)),
        ("2,048", ("2048", "2.048")),
        ("3,000", ("3000", "3")),
        ("3.000.000", ("3000000",)),
        ("3,000,000", ("3000000",)),
        ("1.234,5", ("1234.5",)),
        ("1,234.50", ("1234.5",)),
        ("0x20", ("32",)),
        ("0b101", ("5",)),
        ("−7", ("-7",)),
        ("- 7", ("-7",)),
        ("１２．５", ("12.5",)),
        ("٤٢", ("42",)),
        *((text, ()) for text in ("", "x", "1,2,3", "5²", "½", "1__0", "nan", "inf", "5 %", "1 2")),
        *((text, ()) for text in ("1,000.5,5", "0x", "_1", "1_", "9" * 101, "1e", "--1", "1e9999")),
    ],
)
def test_what_is_near(text: str, meant: tuple[str, ...]) -> None:
    assert parse_numeral(text) is None and suggest_numerals(text) == meant
    assert all(parse_numeral(numeral) is not None for numeral in meant)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        (CFG, "8,5", "8,5 is not possible; write 8.5."),
        (CFG, "400,5", "400,5 is not possible; numbers from 0.0 to 100.0 are allowed."),
        (FEW, "8,5", "8,5 is not possible; whole numbers from 1 to 60 are allowed."),
        (FEW, "2_0", "2_0 is not possible; write 20."),
        (STEPS, "2,048", "2,048 is not possible; write 2048."),
        (STEPS, "2.048", "2.048 is not possible; write 2048."),
        (FREE, "2,048", "2,048 is not possible; write 2048 or 2.048."),
        (STEPS, "3.000", "3.000 may mean 3000 or 3; write 3000 or 3."),
        (FREE, "3.500", "3.500 may mean 3500 or 3.5; write 3500 or 3.5."),
        (SEED, "7.000", "7.000 may mean 7000 or 7; write 7000 or 7."),
        (SEED, "1 000", "1 000 is not possible; write 1000."),
        (SEED, "0xff", "0xff is not possible; write 255."),
        (FEW, "１２", "１２ is not possible; write 12."),
        (CFG, "1e", "1e is not possible; numbers from 0.0 to 100.0 are allowed."),
        (LORAS, "film:0,8", "write the strength 0,8 as 0.8."),
        (LORAS, "<lora:film:0,8>", "write the strength 0,8 as 0.8."),
        (LORAS, [{"name": "film", "strength": "0,8"}], "the strength 0,8 is not possible; write"),
        (LORAS, [{"name": "film", "strength": "1_0"}], "1_0 is not possible; numbers from -2 to 2"),
        (LORAS, [["film", "nan"]], "the strength nan is not possible; numbers from -2 to 2 are"),
        (make_field("size"), ["1_0", 512], "in whole pixels"),
        (make_field("size"), "1,024", "write the size as width x height in pixels"),
        (make_field("size"), "1.024x768", "write the size as width x height in pixels"),
    ],
)
def test_a_refusal_says_what_to_write(field: Field, value: Any, told: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_value(field, value)
    assert str(caught.value).startswith(told) or told in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "number"),
    [
        (FEW, "3.000", 3),
        (CFG, "7.500", 7.5),
        (FREE, "14.615", 14.615),
        (FREE, "0.500", 0.5),
        (FREE, "1.0000", 1.0),
        (FREE, "1.00", 1.0),
        (FREE, 3.5, 3.5),
        (FREE, "1.000e0", 1.0),
    ],
)
def test_what_cannot_be_a_thousand_is_taken(field: Field, value: Any, number: float) -> None:
    assert check_value(field, value) == number


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**59), 10**59))
def test_what_python_writes_is_read_as_it_is(number: float) -> None:
    assert parse_numeral(repr(number)) == number
    assert math.copysign(1, parse_numeral(repr(number)) or 0.0) == math.copysign(1, number) or (
        number == 0
    )


@given(st.text(max_size=30) | st.text("0123456789.,_+-eExX '", max_size=12))
def test_any_text_is_a_number_or_gets_numbers_to_write(text: str) -> None:
    assert parse_numeral(text) is None or parse_thousands(text) is None or "." in text
    assert all(parse_numeral(numeral) is not None for numeral in suggest_numerals(text))
