"""Numerals: texts that are numbers, and what people may have meant by texts that nearly are.

A number is written with digits, a sign, one point and an exponent. Everything else is refused, with
the number to write instead where it can be told.
"""

from __future__ import annotations

import math
import re
import unicodedata

NUMERAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
WHOLE = re.compile(r"[+-]?[0-9]{1,100}")
MAX_LENGTH = 100
"""Characters of a number; no field takes one of more than 60 digits."""

THOUSANDS = re.compile(r"([+-]?[1-9][0-9]{0,2})\.([0-9]{3})")
"""A number that is written like thousands in half of the world."""

GROUPED = re.compile(r"([+-]?[0-9]{1,3})([., '’])([0-9]{3}(?:\2[0-9]{3})*)([.,][0-9]+)?")
"""Groups of three digits, and what stands behind a point or comma."""

COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]{1,3})?")
UNDERSCORES = re.compile(r"[+-]?[0-9]+(?:_[0-9]+)+(?:\.[0-9]*)?")
OTHER_BASE = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]{1,60}|0[oO][0-7]{1,60}|0[bB][01]{1,60})")

LOOKALIKES = str.maketrans("‐‑‒–—−﹣－＋．，٫＿\u00a0\u2009\u202f", "--------+.,,_   ")
"""Signs of other scripts and keyboards."""


def parse_numeral(text: str) -> int | float | None:
    """The number that a text is, exactly where it is whole; None for anything else, and for what is
    too large for a float.
    """
    text = text.strip()
    if len(text) > MAX_LENGTH or not NUMERAL.fullmatch(text):
        return None
    if WHOLE.fullmatch(text):
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else None


def suggest_numerals(text: str) -> tuple[str, ...]:
    """How to write the numbers that a text may stand for which is none, the likeliest first.

    `7,5` is 7.5, `1_000` and `1 000` are 1000, `1,000` is 1000 or 1, `0x1f` is 31.
    """
    if len(text) > MAX_LENGTH:
        return ()
    text = _normalise(text)
    if parse_numeral(text) is not None:
        return (text,)
    if match := OTHER_BASE.fullmatch(text):
        sign, digits = match.groups()
        return (f"{sign}{int(digits, 0)}",)
    if UNDERSCORES.fullmatch(text):
        return (text.replace("_", ""),)
    if match := GROUPED.fullmatch(text):
        return _parse_groups(text, match)
    if COMMA.fullmatch(text):
        numeral = _strip_zeros(text.replace(",", "."))
        return (re.sub(r"^([+-]?)\.", r"\g<1>0.", numeral),)
    return ()


def parse_thousands(text: str) -> int | None:
    """The whole number that a numeral means where its point parts the thousands: 1000 for
    `1.000`. None where it cannot: `0.500`, `12.5`.
    """
    match = THOUSANDS.fullmatch(text.strip())
    if match is None:
        return None
    return int(match[1] + match[2])


def describe_thousands(
    text: str, low: int | float | None, high: int | float | None, is_whole: bool
) -> str | None:
    """How to write what a numeral such as `1.000` means, where a thousand is within the limits as
    well; None for all others.

    `14.615` is clear where numbers may have decimals: nobody parts thousands there, and its last
    digit says something.
    """
    text = text.strip()
    thousands = parse_thousands(text)
    if thousands is None:
        return None
    if not is_whole and not text.endswith("0"):
        return None
    if low is not None and thousands < low:
        return None
    if high is not None and thousands > high:
        return None
    short = _strip_zeros(text)
    return f"{text} may mean {thousands} or {short}; write {thousands} or {short}."


def _normalise(text: str) -> str:
    """The text with the digits and signs of other scripts as ours, and its sign beside it."""
    plain = ""
    for letter in text.translate(LOOKALIKES):
        plain += str(unicodedata.decimal(letter, letter))
    return re.sub(r"^([+-])\s+", r"\1", plain.strip())


def _parse_groups(text: str, match: re.Match[str]) -> tuple[str, ...]:
    """A number in groups: with a single comma it may as well be one with decimals."""
    first, mark, groups, rest = match.groups("")
    if mark in ".," and rest[:1] == mark:
        return ()
    whole = first + groups.replace(mark, "")
    number = _strip_zeros(whole + rest.replace(",", "."))
    may_have_decimals = mark == "," and not rest and mark not in groups
    if not may_have_decimals:
        return (number,)
    decimal = _strip_zeros(text.replace(",", "."))
    return (number, decimal)


def _strip_zeros(numeral: str) -> str:
    """A numeral without zeros that say nothing."""
    mantissa, mark, exponent = numeral.partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").removesuffix(".")
    return f"{mantissa or '0'}{mark}{exponent}"
