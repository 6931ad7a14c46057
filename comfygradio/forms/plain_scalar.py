"""Plain (unquoted) YAML scalars, which YAML parsers interpret differently.

`007` is 7 for one parser and a text for another; `on` is true for one and a text for another. A
`PlainScalar` keeps both the text and the value until it is known which one is needed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.object_info import Scalar, is_number

NULL = re.compile(r"null|Null|NULL|~")
TRUE = re.compile(r"true|True|TRUE")
FALSE = re.compile(r"false|False|FALSE")
WHOLE = re.compile(r"[-+]?[0-9]+")
OCTAL = re.compile(r"0o[0-7]+")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
REAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
TRUE_WORDS = re.compile(r"yes|Yes|YES|on|On|ON")
FALSE_WORDS = re.compile(r"no|No|NO|off|Off|OFF")

PATTERNS = (NULL, TRUE, FALSE, WHOLE, OCTAL, HEXADECIMAL, REAL, INFINITE, TRUE_WORDS, FALSE_WORDS)
"""Patterns of what YAML 1.2's core schema does not read as text, and of the booleans of YAML 1.1,
which people still write.
"""

FIRST_CHARACTERS = frozenset("0123456789+-.~nNtTfFyYoO")

Value = bool | int | float | str | None


@dataclass(frozen=True, eq=False, repr=False)
class PlainScalar:
    """A scalar without quotes: `text` as its author wrote it, and `value` as YAML 1.2's core schema
    reads it.

    It equals what its value equals and is true if its value is, so that code can use it like the
    value.
    """

    text: str
    value: Value

    @classmethod
    def parse(cls, text: str) -> PlainScalar:
        """Parse the text of a scalar. Raises ValueError for a number of thousands of digits."""
        return cls(text, _parse_core(text))

    @property
    def is_null(self) -> bool:
        """Whether the text is `null`, or another word for it."""
        return self.value is None

    @property
    def number(self) -> int | float | None:
        """The value if it is a number, `.inf` and `.nan` included, or None."""
        if not is_number(self.value):
            return None
        return self.value

    @property
    def finite_number(self) -> int | float | None:
        """The value if it is a number that a prompt can contain, or None."""
        number = self.number
        if isinstance(number, float) and not math.isfinite(number):
            return None
        return number

    @property
    def is_decimal(self) -> bool:
        """Whether the text is a number in decimal digits, as people type one."""
        return REAL.fullmatch(self.text) is not None

    @property
    def typed_number(self) -> int | float | str:
        """The number if the text is its usual spelling, or one that only YAML knows (`0x1f`); else
        the text.

        Other spellings (`1.10`) stay texts, so that they are judged like those that people type.
        """
        number = self.finite_number
        if number is None:
            return self.text
        if self.is_decimal and str(self.value) != self.text:
            return self.text
        return number

    @property
    def boolean(self) -> bool | None:
        """The boolean that the text stands for, or None; 0 and 1 stand for none."""
        if isinstance(self.value, bool):
            return self.value
        if TRUE_WORDS.fullmatch(self.text):
            return True
        if FALSE_WORDS.fullmatch(self.text):
            return False
        return None

    def find_in(self, entries: Iterable[Scalar]) -> Scalar | None:
        """Find the entry with this text, else the number or boolean with this value, or None."""
        listed = list(entries)
        if self.text in listed:
            return self.text
        for entry in listed:
            # Python takes True for 1, a list does not.
            is_same_kind = isinstance(entry, bool) == isinstance(self.value, bool)
            if is_same_kind and not isinstance(entry, str) and entry == self.value:
                return entry
        return None

    def to_json(self) -> Value:
        """Return the value if its usual spelling is what the author wrote, else the text."""
        if self.value is None or isinstance(self.value, bool):
            return self.value
        if str(self.value) == self.text:
            return self.value
        return self.text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        """Return the text, since lists of values are shown to people."""
        return self.text

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PlainScalar):
            return self.value == other.value
        return self.value == other

    def __hash__(self) -> int:
        return hash(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)


def may_be_typed(text: str) -> bool:
    """Whether an unquoted scalar could be read as something other than a string."""
    # Settles most scalars, which are words.
    if text[:1] not in FIRST_CHARACTERS:
        return False
    return any(pattern.fullmatch(text) for pattern in PATTERNS)


def coerce_text(value: Any) -> Any:
    """Convert a plain scalar to its text, and `null` to None. Returns anything else unchanged."""
    if not isinstance(value, PlainScalar):
        return value
    return None if value.is_null else value.text


def coerce_number(value: Any) -> Any:
    """Convert a plain scalar to its number, else to its text, and `null` to None. Returns anything
    else unchanged.
    """
    if isinstance(value, PlainScalar) and value.number is not None:
        return value.number
    return coerce_text(value)


def coerce_boolean(value: Any) -> Any:
    """Convert a plain scalar to its boolean, else to its text, and `null` to None. Returns anything
    else unchanged.
    """
    if isinstance(value, PlainScalar) and value.boolean is not None:
        return value.boolean
    return coerce_text(value)


def null_to_none(value: Any) -> Any:
    """Convert `null` to None. Returns anything else unchanged."""
    if isinstance(value, PlainScalar) and value.is_null:
        return None
    return value


def reject_null(value: Any) -> Any:
    """Return the value. Raises ValueError for `null`, which may be meant as a word."""
    if isinstance(value, PlainScalar) and value.is_null:
        raise ValueError(
            f'{value} says nothing in YAML; leave the key out, or write "{value}" in quotes if '
            "the word is meant"
        )
    return value


def _parse_core(text: str) -> Value:
    if NULL.fullmatch(text):
        return None
    if TRUE.fullmatch(text):
        return True
    if FALSE.fullmatch(text):
        return False
    if WHOLE.fullmatch(text):
        return int(text)
    if OCTAL.fullmatch(text) or HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    if INFINITE.fullmatch(text):
        # float() knows inf and nan without the point.
        return float(text.replace(".", "", 1))
    if REAL.fullmatch(text):
        return float(text)
    return text
