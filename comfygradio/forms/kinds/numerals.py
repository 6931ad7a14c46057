"""Parse numerals, and guess what people meant by texts that are nearly numbers.

A number is written with digits, a sign, one point and an exponent. Everything else is refused, with
a suggestion of what to write instead if possible.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from decimal import Context, Decimal

NUMERAL = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
WHOLE = r"[+-]?[0-9]{1,100}"
MAX_LENGTH = 100
"""Maximum number of characters of a number. No field accepts more than 60 digits."""

THOUSANDS = r"([+-]?[1-9][0-9]{0,2})\.([0-9]{3})"
"""Matches a number with a point that many languages use as thousands separator."""

GROUPED = r"([+-]?[0-9]{1,3})([., '’])([0-9]{3}(?:\2[0-9]{3})*)([.,][0-9]+)?"
"""Matches groups of three digits, and what follows a point or comma."""

COMMA = r"[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]{1,3})?"
UNDERSCORES = r"[+-]?[0-9]+(?:_[0-9]+)+(?:\.[0-9]*)?"
OTHER_BASE = r"([+-]?)(0[xX][0-9a-fA-F]{1,60}|0[oO][0-7]{1,60}|0[bB][01]{1,60})"

MAX_LABEL_DIGITS = 10
"""Characters; longer floats, such as a third, are rounded where people read them."""

LOOKALIKES = str.maketrans("‐‑‒–—−﹣－＋．，٫＿\u00a0\u2009\u202f", "--------+.,,_   ")
"""Characters of other scripts and keyboards → ours."""


def parse_numeral(text: str) -> int | float | None:
    """Parse a text as a number, exactly if it is whole. Returns None for anything else, and for
    what is too large for a float.
    """
    text = text.strip()
    if len(text) > MAX_LENGTH or not re.fullmatch(NUMERAL, text):
        return None
    if re.fullmatch(WHOLE, text):
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else None


def suggest_numerals(text: str) -> tuple[str, ...]:
    """Suggest how to write the number that a text may stand for, the most likely first.

    `7,5` is 7.5, `1_000` and `1 000` are 1000, `1,000` is 1000 or 1, `0x1f` is 31.
    """
    if len(text) > MAX_LENGTH:
        return ()
    text = _normalise(text)
    if parse_numeral(text) is not None:
        return (text,)
    if match := re.fullmatch(OTHER_BASE, text):
        sign, digits = match.groups()
        return (f"{sign}{int(digits, 0)}",)
    if re.fullmatch(UNDERSCORES, text):
        return (text.replace("_", ""),)
    if match := re.fullmatch(GROUPED, text):
        return _parse_groups(text, match)
    if re.fullmatch(COMMA, text):
        numeral = _strip_zeros(text.replace(",", "."))
        return (re.sub(r"^([+-]?)\.", r"\g<1>0.", numeral),)
    return ()


def parse_thousands(text: str) -> int | None:
    """Parse a numeral whose point may be a thousands separator: 1000 for `1.000`. Returns None if
    it cannot be one, as in `0.500` and `12.5`.
    """
    match = re.fullmatch(THOUSANDS, text.strip())
    if match is None:
        return None
    return int(match[1] + match[2])


def describe_thousands(
    text: str, low: int | float | None, high: int | float | None, is_whole: bool
) -> str | None:
    """Explain how to write what a numeral such as `1.000` means, if both meanings are within the
    limits. Returns None for others.

    `14.615` is unambiguous if decimals are allowed: thousands are unlikely there, and its last
    digit is not 0.
    """
    text = text.strip()
    thousands = parse_thousands(text)
    if thousands is None:
        return None
    if not is_whole and not text.endswith("0"):
        return None
    # Outside of the limits, the thousands cannot be meant.
    if low is not None and thousands < low:
        return None
    if high is not None and thousands > high:
        return None
    short = _strip_zeros(text)
    return f"{text} may mean {thousands} or {short}; write {thousands} or {short}."


def explain_comma(text: str, number: str, parts: Sequence[str]) -> str:
    """Explain how to write what may mean one number with a comma, or several numbers."""
    listed = ", ".join(parts)
    meant = f"{', '.join(parts[:-1])} and {parts[-1]}"
    return (
        f"{text} may mean {number}, or {meant}; write {number}, or {listed} with a space behind "
        "the comma."
    )


def format_short(number: float) -> str:
    """Format a float without trailing zeros; long ones are rounded to six digits, or to the point.

    No zero has a sign.
    """
    # -0.0 + 0.0 is 0.0.
    text = repr(number + 0.0)
    if len(text) > MAX_LABEL_DIGITS and "e" not in text:
        before = len(text.lstrip("-").partition(".")[0])
        context = Context(prec=max(6, before))
        rounded = context.create_decimal(Decimal(text))
        text = format(rounded, "f")
        if "." in text:
            text = text.rstrip("0")
    return text.removesuffix(".0").removesuffix(".")


def _normalise(text: str) -> str:
    """Replace digits and signs of other scripts by ours, and put the sign next to the number."""
    plain = ""
    # `decimal` knows the digits of every script, and leaves all other letters alone.
    for letter in text.translate(LOOKALIKES):
        plain += str(unicodedata.decimal(letter, letter))
    return re.sub(r"^([+-])\s+", r"\1", plain.strip())


def _parse_groups(text: str, match: re.Match[str]) -> tuple[str, ...]:
    """Parse a number in groups. With a single comma it may also have decimals."""
    first, mark, groups, rest = match.groups("")
    # One mark cannot part both the thousands and the decimals: 1,000,5.
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
    """Remove zeros without meaning from a numeral."""
    mantissa, mark, exponent = numeral.partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").removesuffix(".")
    return f"{mantissa or '0'}{mark}{exponent}"
