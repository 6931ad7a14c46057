"""Number fields, typed or set with a slider."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comfygradio.comfy.object_info import is_number
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.numerals import (
    describe_thousands,
    parse_numeral,
    parse_thousands,
    suggest_numerals,
)
from comfygradio.forms.kinds.value import InvalidValue, is_huge, shorten

if TYPE_CHECKING:
    from comfygradio.forms.field import Field
    from comfygradio.forms.plain_scalar import PlainScalar

WHOLE = "1-10 (+3) is 1, 4, 7, 10; 1-10 [4] is four values with both ends; also 1, 2, .., 10"
REAL = "1-3 (+0.5) goes by 0.5; 1-10 [4] is four values with both ends; also 0.1, 0.2, .., 1"


EXACT_LIMIT = 2**53
"""Floats from here on are no longer exact."""

SIDES = ("width", "height")
"""The parts of a size."""


@dataclass(frozen=True)
class NumberKind(Kind):
    """A whole or a real number."""

    input_types: frozenset[str] = frozenset({"INT", "FLOAT"})
    keys: frozenset[str] = frozenset({"min", "max", "step"})
    names_resource: bool = False
    is_number: bool = True
    has_step_grid: bool = True

    def check(self, field: Field, value: Any) -> int | float:
        """A number within the field's limits. Raises InvalidValue."""
        return check_number(field, value)

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """A number, or the text of one that is spelled in an unusual way."""
        if scalar.is_null and field.optional:
            return None
        return scalar.typed_number

    def find_near(self, field: Field, value: Any, keeps_zero: bool) -> Any:
        """The number itself, or the limit that it lies beyond."""
        if not is_number(value) or not math.isfinite(value):
            return None
        return clamp_number(field, value)

    def find_python_type(self, field: Field) -> type:
        """`int` where the input takes whole numbers only."""
        return int if field.is_integer else float

    def describe_syntax(self, field: Field) -> str:
        """Ranges, by a step of one or of less."""
        return WHOLE if field.is_integer else REAL


def check_number(field: Field, value: Any) -> int | float:
    """A number within the field's limits; whole where the server wants an INT.

    Texts of digits are read exactly.
    """
    if value is None or value == "":
        raise InvalidValue(f"a number is missing; {field.allowed}.")
    number = parse_number(value)
    if number is None or not _is_possible(field, number):
        raise InvalidValue(_describe_no_number(field, value))
    check_thousands(field, value)
    if field.is_integer and isinstance(number, float) and abs(number) >= EXACT_LIMIT:
        raise InvalidValue(
            f"{shorten(value)} is a rounded number; send one of this size as a whole number or its "
            "digits."
        )
    if not is_within(field, number):
        raise InvalidValue(_describe_no_number(field, value))
    if "" in field.grids:
        between = describe_off_step(field, number)
        if between:
            raise InvalidValue(f"{shorten(value)} is not possible: {between}")
    return int(number) if field.is_integer else number


def describe_off_step(field: Field, value: int | float | tuple[int, int]) -> str:
    """Explain why a number or size is off the field's steps, and name the nearest allowed values.

    Returns "" if the value is on a step.
    """
    sides: tuple[int | float, ...] = value if isinstance(value, tuple) else (value,)
    parts = SIDES if len(sides) == 2 else ("",)
    grids = [field.grids.get(part) for part in parts]
    pairs = list(zip(sides, grids, strict=True))
    if all(grid is None or grid.contains(side) for side, grid in pairs):
        return ""
    lower: list[int] = []
    upper: list[int] = []
    for side, grid in pairs:
        if grid is None:
            lower.append(int(side))
            upper.append(int(side))
        else:
            lower.append(grid.floor(side))
            upper.append(grid.ceil(side))
    near = []
    for found in (lower, upper):
        if all(is_within(field, side) for side in found):
            near.append("x".join(map(str, found)))
    step = max(grid.step for grid in grids if grid is not None)
    told = f"it goes in steps of {step}"
    if near:
        told += f"; write {' or '.join(near)}"
    return f"{told}."


def check_thousands(field: Field, value: Any) -> None:
    """Raises InvalidValue for a text such as `1.000`, where the field takes a thousand as well."""
    if not isinstance(value, str):
        return
    told = describe_thousands(value, field.minimum, field.maximum, field.is_integer)
    if told:
        raise InvalidValue(told)


def is_within(field: Field, number: int | float) -> bool:
    """Whether a number is within the field's limits."""
    is_large_enough = field.minimum is None or number >= field.minimum
    is_small_enough = field.maximum is None or number <= field.maximum
    return is_large_enough and is_small_enough


def clamp_number(field: Field, number: int | float) -> int | float:
    """The number itself, or the limit that it lies beyond; whole if the field takes whole ones."""
    low = field.minimum
    high = field.maximum
    if field.is_integer:
        low = None if low is None else math.ceil(low)
        high = None if high is None else math.floor(high)
        number = int(number)
    if low is not None and number < low:
        return low
    if high is not None and number > high:
        return high
    return number


def suggest_numbers(field: Field, text: str) -> list[str]:
    """Spellings of the numbers that a text may mean, limited to those the field accepts."""
    return [numeral for numeral in _suggest_more(text) if _fits(field, numeral)]


def parse_number(value: Any) -> int | float | None:
    """The number that a value is or spells, None where it is no finite one."""
    if isinstance(value, str):
        return parse_numeral(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _is_possible(field: Field, number: int | float) -> bool:
    """Whether a number is one that the field could take if it were within the limits."""
    if is_huge(number):
        return False
    return not field.is_integer or number == int(number)


def _describe_no_number(field: Field, value: Any) -> str:
    advice = field.allowed
    fitting = suggest_numbers(field, value) if isinstance(value, str) else []
    if fitting:
        advice = f"write {' or '.join(fitting)}"
    return f"{shorten(value)} is not possible; {advice}."


def _suggest_more(text: str) -> tuple[str, ...]:
    """Numbers that a text may mean: `2.048` is not a whole number, so 2048 may be meant."""
    thousands = parse_thousands(text)
    if thousands is None:
        return suggest_numerals(text)
    return (str(thousands),)


def _fits(field: Field, numeral: str) -> bool:
    number = parse_numeral(numeral)
    if number is None or not _is_possible(field, number):
        return False
    return is_within(field, number)


NUMBER = NumberKind()
