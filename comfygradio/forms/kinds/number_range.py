"""Parses numbers and ranges of axes, in exact fractions."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction

from comfygradio.forms.kinds.axis_text import MAX_VALUES, TOO_MANY
from comfygradio.forms.kinds.numerals import suggest_numerals
from comfygradio.forms.kinds.value import InvalidValue, shorten

DIGITS = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
NUMBER_PATTERN = re.compile(rf"(?:[+-]\s*)?{DIGITS}")
RANGE = re.compile(
    rf"(?P<start>{NUMBER_PATTERN.pattern})\s*-\s*(?P<end>{NUMBER_PATTERN.pattern})"
    rf"\s*(?:\(\s*(?P<step>{NUMBER_PATTERN.pattern})\s*\)|\[\s*(?P<count>[0-9]{{1,9}})\s*\])?"
)
ELLIPSES = ("..", "...", "…")
DASHES = str.maketrans("‐‑‒–—−", "------")

MAX_RANGE_LENGTH = 200
"""Characters of a number or a range; no field takes numbers of more than 60 digits."""


def is_number(text: str) -> bool:
    """Whether a text is one plain number."""
    return _parse(text) is not None


def is_range(text: str) -> bool:
    """Whether a text stands for several numbers: a range, or the dots of a row."""
    if text in ELLIPSES:
        return True
    if is_number(text):
        return False
    return _match(RANGE, text) is not None


def expand_numbers(texts: Sequence[str], index: int, is_whole: bool = False) -> list[Fraction]:
    """List the numbers that the text at `index` stands for, exactly.

    `1-10` goes by one. `1-10 (+3)` goes by three as long as it stays within the end: 1, 4, 7, 10.
    `1-10 [5]` are five numbers at equal distances, with both ends; they are rounded if `is_whole`.
    Dots stand for what lies between the two numbers before and the one after: `1, 2, .., 10`.
    Raises InvalidValue, at once also for a range of a million numbers.
    """
    text = texts[index]
    if text in ELLIPSES:
        return _expand_ellipsis(texts, index)
    number = _parse(text)
    if number is not None:
        return [number]
    match = _match(RANGE, text)
    if match is None:
        meant = suggest_numerals(text)
        advice = f"; write {' or '.join(meant)}" if meant else ""
        raise InvalidValue(
            f"{shorten(text)} is neither a number nor a range such as 1-10, 1-10 (+3) or 1-10 [5]"
            f"{advice}."
        )
    start = _to_fraction(match["start"])
    end = _to_fraction(match["end"])
    if match["count"]:
        return _space_evenly(start, end, int(match["count"]), is_whole)
    step = _find_step(start, end, match["step"])
    return _step_range(start, end, step)


def format_number(number: Fraction) -> str:
    """Format a number in digits, with as many decimals as a float needs."""
    if number.denominator == 1:
        return str(number.numerator)
    return repr(to_float(number))


def to_float(number: Fraction) -> float:
    """Return the nearest float. Raises InvalidValue for a number that is too large for one."""
    try:
        return float(number)
    except OverflowError:
        raise InvalidValue("this huge number is not possible.") from None


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    if len(text) > MAX_RANGE_LENGTH:
        return None
    plain = text.translate(DASHES).strip()
    return pattern.fullmatch(plain)


def _parse(text: str) -> Fraction | None:
    match = _match(NUMBER_PATTERN, text)
    return _to_fraction(match[0]) if match else None


def _to_fraction(text: str) -> Fraction:
    # A sign may stand apart from its digits.
    return Fraction("".join(text.split()))


def _find_step(start: Fraction, end: Fraction, text: str | None) -> Fraction:
    """Find the step of a range, with its sign.

    Raises InvalidValue if it does not lead from the start to the end.
    """
    sign = -1 if end < start else 1
    if text is None:
        if (end - start).denominator != 1:
            raise InvalidValue(
                "this range needs a step or a count, for example (+0.1) or [5] behind it."
            )
        return Fraction(sign)
    step = _to_fraction(text)
    if step == 0:
        raise InvalidValue("a step of 0 leads nowhere.")
    # Without a sign, the step goes wherever the end lies.
    is_signed = text[0] in "+-"
    leads_away = start != end and (step > 0) != (sign > 0)
    if is_signed and leads_away:
        needed = "+" if sign > 0 else "-"
        size = text[1:].strip()
        raise InvalidValue(f"the step leads away from the end; write ({needed}{size}).")
    return sign * abs(step)


def _step_range(start: Fraction, end: Fraction, step: Fraction) -> list[Fraction]:
    steps = (end - start) // step
    if steps >= MAX_VALUES:
        raise InvalidValue(TOO_MANY)
    return [start + step * i for i in range(int(steps) + 1)]


def _space_evenly(start: Fraction, end: Fraction, count: int, is_whole: bool) -> list[Fraction]:
    if count > MAX_VALUES:
        raise InvalidValue(TOO_MANY)
    if count < 2:
        raise InvalidValue("a range with both its ends has at least 2 values; write [2] or more.")
    length = end - start
    numbers = [start + length * i / (count - 1) for i in range(count)]
    if not is_whole:
        return numbers
    half = Fraction(1, 2)
    whole = [Fraction(math.floor(number + half)) for number in numbers]
    if len(set(whole)) < count:
        raise InvalidValue(
            f"there are no {count} different whole numbers in this range; ask for fewer."
        )
    # The ends stay as they were typed: the field refuses one that is not whole.
    return [start, *whole[1:-1], end]


def _expand_ellipsis(texts: Sequence[str], index: int) -> list[Fraction]:
    """List the numbers between the one before the dots and the one after, in steps of the two
    before.
    """
    first = _parse_at(texts, index - 2)
    second = _parse_at(texts, index - 1)
    last = _parse_at(texts, index + 1)
    if first is None or second is None or last is None:
        raise InvalidValue(
            "two numbers are needed before the dots and one after them, for example 1, 2, .., 10."
        )
    step = second - first
    if step == 0 or (last - second) * step <= 0:
        raise InvalidValue("the numbers before the dots do not lead to the one after them.")
    numbers = _step_range(second, last, step)
    # The numbers around the dots are items of their own.
    return [number for number in numbers[1:] if number != last]


def _parse_at(texts: Sequence[str], place: int) -> Fraction | None:
    """Parse the number at a place, or return None if there is none, or no such place."""
    if not 0 <= place < len(texts):
        return None
    return _parse(texts[place])
