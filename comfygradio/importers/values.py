"""Read values of marker nodes tolerantly: a value of the wrong type or range counts as missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from comfygradio.comfy.object_info import InputSpec, is_number

MAX_NUMBER = 10**300
"""Numbers beyond this count as missing. Python can neither round nor format all of them."""


def get_text(inputs: Mapping[str, Any], *names: str) -> str:
    """Return the first non-blank text among these inputs, stripped; else ""."""
    for name in names:
        value = inputs.get(name)
        text = value.strip() if isinstance(value, str) else ""
        if text:
            return text
    return ""


def get_number(inputs: Mapping[str, Any], name: str) -> int | float | None:
    """Return a finite number, also from its text, or None."""
    value = inputs.get(name)
    return to_number(value)


def get_limit(inputs: Mapping[str, Any], name: str, beyond: int) -> int | float | None:
    """Return a limit, or None if it is missing or at least `beyond` from 0, which means
    "no limit".
    """
    limit = get_number(inputs, name)
    return drop_far_limit(limit, beyond)


def get_flag(inputs: Mapping[str, Any], name: str) -> bool:
    """Whether an input is on."""
    value = inputs.get(name)
    return to_flag(value)


def to_list(value: Any) -> list[Any]:
    """Return a list as it is; [] for anything else."""
    if not isinstance(value, list):
        return []
    return value


def to_number(value: Any) -> int | float | None:
    """Convert a number or its text to a finite number, or None."""
    if isinstance(value, str):
        value = _parse_number(value.strip())
    if not is_number(value):
        return None
    # Not a number, which compares as False, is None as well.
    is_within = -MAX_NUMBER < value < MAX_NUMBER
    return value if is_within else None


def to_int(value: Any) -> int | None:
    """Convert a number or its text to the nearest whole number, or None."""
    number = to_number(value)
    if number is None:
        return None
    return round(number)


def to_flag(value: Any) -> bool:
    """Whether a value means on: true, a number other than 0, or a word for it."""
    if isinstance(value, str):
        return value.strip().lower() in ("true", "yes", "on", "1")
    if isinstance(value, bool | int | float):
        return bool(value)
    return False


def to_text(value: Any) -> str:
    """Convert a text or a number to text; "" for anything else."""
    if isinstance(value, bool | str):
        return str(value)
    number = to_number(value)
    return "" if number is None else str(number)


def drop_far_limit(limit: int | float | None, beyond: int | float) -> int | float | None:
    """Return a limit, or None if it is at least `beyond` from 0, which means "no limit"."""
    if limit is None or abs(limit) >= beyond:
        return None
    return limit


def slugify(text: str) -> str:
    """Make a field name (lower case letters, digits and _) from an id; "" if nothing is left."""
    joined = re.sub(r"[^a-z0-9]+", "_", text.lower())
    name = joined.strip("_")[:60]
    if not name[:1].isalpha():
        return ""
    return name


def fit_literal(spec: InputSpec | None, value: Any) -> Any:
    """Convert a marker's value to the input that it was linked to. Returns the server's default if
    that is impossible.
    """
    if spec is None:
        return value if isinstance(value, str | int | float | bool) else to_text(value)
    if spec.choices is not None:
        return _fit_choice(spec, value)
    takes_text = "STRING" in spec.types
    takes_flag = "BOOLEAN" in spec.types
    takes_number = not spec.types.isdisjoint({"INT", "FLOAT"})
    if takes_number and not takes_text and not takes_flag:
        return _fit_number(spec, value)
    stays_text = takes_text and isinstance(value, str)
    if takes_flag and not stays_text:
        return to_flag(value)
    return to_text(value)


def _fit_choice(spec: InputSpec, value: Any) -> Any:
    choices = spec.choices or ()
    text = to_text(value)
    for choice in choices:
        if choice == value or str(choice) == text:
            return choice
    # A name that the server lacks stays, so that the problem is told instead of hidden.
    if isinstance(value, str) and value:
        return value
    return choices[0] if choices else ""


def _fit_number(spec: InputSpec, value: Any) -> int | float:
    if isinstance(value, bool):
        value = int(value)
    low = to_number(spec.minimum)
    high = to_number(spec.maximum)
    chosen = to_number(value)
    if chosen is None:
        chosen = to_number(spec.default)
    if chosen is None:
        chosen = 0 if low is None else low
    if "FLOAT" not in spec.types:
        chosen = round(chosen)
    if low is not None and chosen < low:
        return low
    if high is not None and chosen > high:
        return high
    return chosen


def _parse_number(text: str) -> int | float | None:
    # Longer ones would not be finite, and Python refuses to parse thousands of digits.
    if re.fullmatch(r"[+-]?[0-9]{1,300}", text):
        return int(text)
    try:
        return float(text)
    except ValueError:
        return None
