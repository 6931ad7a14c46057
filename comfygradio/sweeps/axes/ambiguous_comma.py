"""Commas on axes of numbers: `6, 5` are two values, while `6,5` may be one, with a comma for its
point. What may be either is refused, with both ways to write it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from comfygradio.forms.field import Choice, Field
from comfygradio.forms.kinds.numerals import parse_numeral
from comfygradio.sweeps.axes.axis_text import Item

WHOLE = re.compile(r"[+-]?[0-9]+")
DECIMALS = re.compile(r"([0-9]|0[0-9]+)(?![0-9])")
"""What may stand behind a comma that is a point: one digit, or digits that begin with a zero, as no
number does. More may follow, such as the rest of a range.
"""

ONLY_DIGITS = re.compile(r"[0-9]+")
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})*,0[0-9]{2}(?:,[0-9]{3})*")
"""Groups of three digits of which one begins with a zero; `100,200` is a list."""

STRENGTH = re.compile(r"[^,]*:([+-]?[0-9]+)")


def find_ambiguous(field: Field, text: str, items: Sequence[Item]) -> tuple[int, str] | None:
    """The place of the first item that may go together with the next ones, and how to write what
    is meant; None where everything is clear.
    """
    kind = field.kind
    if not (kind.is_number or kind.is_list or field.widget in ("seed", "loras")):
        return None
    for first, last in _find_runs(text, items):
        parts = [item.text for item in items[first : last + 1]]
        if field.widget == "loras":
            told = _describe_strength(parts)
        elif kind.is_list:
            told = _describe_entry(parts, field.choices or ())
        else:
            told = _describe_number(parts, field.is_integer)
        if told:
            return first, told
    return None


def _find_runs(text: str, items: Sequence[Item]) -> list[tuple[int, int]]:
    """First and last place of the items that have nothing but a comma between them."""
    runs: list[tuple[int, int]] = []
    for place in range(1, len(items)):
        before = items[place - 1]
        after = items[place]
        is_plain = not (before.is_quoted or after.is_quoted or before.is_skipped)
        if not is_plain or text[before.end : after.start] != ",":
            continue
        if runs and runs[-1][1] == place - 1:
            first, _ = runs.pop()
            runs.append((first, place))
        else:
            runs.append((place - 1, place))
    return runs


def _describe_number(parts: Sequence[str], is_whole: bool) -> str:
    joined = ",".join(parts)
    if THOUSANDS.fullmatch(joined):
        number = joined.replace(",", "")
        listed = [str(int(part)) for part in parts]
        return _ask(joined, number, listed)
    if is_whole or len(parts) != 2 or not WHOLE.fullmatch(parts[0]):
        return ""
    whole, decimals = parts
    is_below_one = whole.lstrip("+-") == "0" and ONLY_DIGITS.match(decimals)
    if DECIMALS.match(decimals) or is_below_one:
        return _ask(joined, f"{whole}.{decimals}", parts)
    return ""


def _describe_entry(parts: Sequence[str], choices: Sequence[Choice]) -> str:
    """What to write where a list of numbers has the one with the comma for a point."""
    if len(parts) != 2:
        return ""
    joined = ".".join(parts)
    listed = [choice.value for choice in choices if not isinstance(choice.value, bool | str)]
    if parse_numeral(joined) not in listed:
        return ""
    return _ask(",".join(parts), joined, parts)


def _describe_strength(parts: Sequence[str]) -> str:
    strength = STRENGTH.fullmatch(parts[0])
    decimals = parts[1]
    if strength is None or not ONLY_DIGITS.fullmatch(decimals):
        return ""
    whole = strength[1]
    return f"write the strength {whole},{decimals} as {whole}.{decimals}."


def _ask(joined: str, number: str, parts: Sequence[str]) -> str:
    listed = ", ".join(parts)
    meant = f"{', '.join(parts[:-1])} and {parts[-1]}"
    return (
        f"{joined} may mean {number}, or {meant}; write {number}, or {listed} with a space behind "
        "the comma."
    )
