"""Number fields, typed or set with a slider."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from comfygradio.comfy.object_info import is_number
from comfygradio.forms.kinds.axis_text import Item
from comfygradio.forms.kinds.axis_values import AxisContext, AxisValues
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.number_range import (
    DASHES,
    MAX_RANGE_LENGTH,
    NUMBER_PATTERN,
    expand_numbers,
    format_number,
    to_float,
)
from comfygradio.forms.kinds.numerals import (
    describe_thousands,
    explain_comma,
    format_short,
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

WHOLE_NUMBER = r"[+-]?[0-9]+"

DECIMALS = r"([0-9]|0[0-9]+)(?![0-9])"
"""What may stand behind a decimal comma: one digit, or digits that begin with a zero, as no number
does. More may follow, such as the rest of a range.
"""

ONLY_DIGITS = r"[0-9]+"

THOUSANDS = r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})*,0[0-9]{2}(?:,[0-9]{3})*"
"""Groups of three digits of which one begins with a zero; `100,200` is a list."""


class NumberKind(Kind):
    """A whole or a real number."""

    input_types = frozenset({"INT", "FLOAT"})
    keys = frozenset({"min", "max", "step"})
    names_resource = False
    is_number = True
    has_step_grid = True

    def check(self, field: Field, value: Any) -> int | float:
        """Convert to a number within the field's limits. Raises InvalidValue."""
        return check_number(field, value)

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """Return a number, or the text of one that is spelled in an unusual way."""
        if scalar.is_null and field.optional:
            return None
        return scalar.typed_number

    def find_near(self, field: Field, value: Any, keeps_zero: bool) -> Any:
        """Return the number itself, or the limit that it is beyond."""
        if not is_number(value) or not math.isfinite(value):
            return None
        return clamp_number(field, value)

    def describe(self, field: Field, value: Any) -> str:
        """Describe a number. Browsers do not tell 7.0 from 7, so both are written alike."""
        if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_LIMIT:
            value = int(value)
        return super().describe(field, value)

    def find_python_type(self, field: Field) -> type:
        """`int` if the input takes whole numbers only, else `float`."""
        return int if field.is_integer else float

    def describe_syntax(self, field: Field) -> str:
        """Ranges, by a step of one or of less."""
        return WHOLE if field.is_integer else REAL

    def explain_comma(self, field: Field, parts: Sequence[str]) -> str:
        """Explain items that may be one number with a decimal comma, or with thousands."""
        return explain_number_comma(field, parts)

    def parse_axis_item(self, axis: AxisContext, items: Sequence[Item], index: int) -> AxisValues:
        """Parse one number, a range, or what dots stand for. Raises InvalidValue."""
        return parse_axis_numbers(axis.field, items, index)

    def parse_axis_value(self, axis: AxisContext, value: Any) -> Any:
        """Check a number; no zero has a sign. Raises InvalidValue."""
        checked = axis.check(value)
        if checked is None or axis.field.is_integer:
            return checked
        # Adding zero takes the sign off a zero.
        return float(checked) + 0.0

    def format_axis_label(self, axis: AxisContext, value: Any) -> str:
        """Format a number without trailing zeros."""
        if axis.field.choices is None and isinstance(value, float):
            return format_short(value)
        return super().format_axis_label(axis, value)

    def format_axis_item(self, axis: AxisContext, value: Any) -> str:
        """Format a number exactly."""
        if isinstance(value, float):
            return repr(value).removesuffix(".0")
        return super().format_axis_item(axis, value)


def check_number(field: Field, value: Any) -> int | float:
    """Convert a value to a number within the field's limits: to an int if the server expects an
    INT, else to an int or a float.

    Digits in a text are parsed exactly. Raises InvalidValue.
    """
    if value is None or value == "":
        raise InvalidValue(f"a number is missing; {field.allowed}.")
    number = parse_number(value)
    if number is None or not _is_possible(field, number):
        raise InvalidValue(_describe_refused(field, value))
    check_thousands(field, value)
    # A program that reads JSON numbers as floats has changed a long seed by now, unnoticed.
    if field.is_integer and _is_rounded(number):
        raise InvalidValue(
            f"{shorten(value)} is a rounded number; send one of this size as a whole number or its "
            "digits."
        )
    if not is_within(field, number):
        raise InvalidValue(_describe_refused(field, value))
    between = describe_off_step(field, number)
    if between:
        raise InvalidValue(f"{shorten(value)} is not possible: {between}")
    return int(number) if field.is_integer else number


def _is_rounded(number: int | float) -> bool:
    """Whether a number may not be the one that was meant, since floats of its size have gaps."""
    return isinstance(number, float) and abs(number) >= EXACT_LIMIT


def describe_off_step(field: Field, value: int | float | tuple[int, int]) -> str:
    """Explain why a number or size is off the field's steps, and name the nearest allowed values.

    Returns "" if the value is on a step, or if the field has none.
    """
    if not field.grids:
        return ""
    numbers = _name_sides(value)
    lower: list[int] = []
    upper: list[int] = []
    step = 0
    is_off = False
    for part, number in numbers.items():
        grid = field.grids.get(part)
        if grid is None:
            lower.append(int(number))
            upper.append(int(number))
            continue
        lower.append(grid.floor(number))
        upper.append(grid.ceil(number))
        step = max(step, grid.step)
        if not grid.contains(number):
            is_off = True
    if not is_off:
        return ""
    near: list[str] = []
    # The step below and the one above, as far as the limits allow them.
    for found in (lower, upper):
        if all(is_within(field, number) for number in found):
            near.append("x".join(map(str, found)))
    told = f"it goes in steps of {step}"
    if near:
        told += f"; write {' or '.join(near)}"
    return f"{told}."


def _name_sides(value: int | float | tuple[int, int]) -> Mapping[str, int | float]:
    """Map the parts of a value to their numbers; a number alone has the part ""."""
    if isinstance(value, tuple):
        return dict(zip(SIDES, value, strict=True))
    return {"": value}


def check_thousands(field: Field, value: Any) -> None:
    """Raise InvalidValue for a text such as `1.000` if the field also takes 1000."""
    if not isinstance(value, str):
        return
    told = describe_thousands(value, field.minimum, field.maximum, field.is_integer)
    if told:
        raise InvalidValue(told)


def parse_axis_numbers(field: Field, items: Sequence[Item], index: int) -> AxisValues:
    """Parse the item at `index` as one number, a range, or what dots stand for.

    Raises InvalidValue.
    """
    text = items[index].text
    _check_all_thousands(field, text)
    # Dots stand for what lies between the two items before them and the one after.
    first = max(0, index - 2)
    around = [item.text for item in items[first : index + 2]]
    numbers = expand_numbers(around, index - first, field.is_integer)
    return AxisValues([_convert_exact(field, number) for number in numbers])


def explain_number_comma(field: Field, parts: Sequence[str]) -> str:
    """Explain how to write items with commas between them that may be one number. Returns "" if
    they cannot.
    """
    joined = ",".join(parts)
    if re.fullmatch(THOUSANDS, joined):
        number = joined.replace(",", "")
        listed = [str(int(part)) for part in parts]
        return explain_comma(joined, number, listed)
    if field.is_integer or len(parts) != 2:
        return ""
    whole, decimals = parts
    if not re.fullmatch(WHOLE_NUMBER, whole):
        return ""
    # Of a zero and another number the comma is hardly a separator: 0,25.
    is_below_one = whole.lstrip("+-") == "0" and re.match(ONLY_DIGITS, decimals)
    if re.match(DECIMALS, decimals) or is_below_one:
        return explain_comma(joined, f"{whole}.{decimals}", parts)
    return ""


def is_within(field: Field, number: int | float) -> bool:
    """Whether a number is within the field's limits."""
    if field.minimum is not None and number < field.minimum:
        return False
    return field.maximum is None or number <= field.maximum


def clamp_number(field: Field, number: int | float) -> int | float:
    """Return the number itself, or the limit that it is beyond; an int if the field is an
    integer.
    """
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
    """Suggest the numbers that a text may mean and that the field accepts."""
    suggested = _suggest_any(text)
    return [numeral for numeral in suggested if _fits(field, numeral)]


def parse_number(value: Any) -> int | float | None:
    """Parse a number, or the text of one. Returns None for what is no finite number."""
    if isinstance(value, str):
        return parse_numeral(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _convert_exact(field: Field, number: Fraction) -> int | float:
    """Convert an exact number to an int for an INT, else to the nearest float.

    Raises InvalidValue.
    """
    is_whole = number.denominator == 1
    if field.is_integer and not is_whole:
        raise InvalidValue(f"{format_number(number)} is not possible; {field.allowed}.")
    is_exact = is_whole and (field.is_integer or abs(number) < EXACT_LIMIT)
    plain = int(number) if is_exact else to_float(number)
    checked = check_number(field, plain)
    return checked if field.is_integer else float(checked)


def _check_all_thousands(field: Field, text: str) -> None:
    """Raise InvalidValue if a number in a text, also in a range, may be meant as thousands:
    `1.000`.
    """
    start = text.translate(DASHES)[:MAX_RANGE_LENGTH]
    for match in NUMBER_PATTERN.finditer(start):
        digits = match[0].lstrip("+- ")
        check_thousands(field, digits)


def _is_possible(field: Field, number: int | float) -> bool:
    """Whether the field could take a number if it were within the limits."""
    if is_huge(number):
        return False
    return not field.is_integer or number == int(number)


def _describe_refused(field: Field, value: Any) -> str:
    """Explain that a value is not accepted, and what may be meant or is allowed."""
    advice = field.allowed
    fitting = suggest_numbers(field, value) if isinstance(value, str) else []
    if fitting:
        advice = f"write {' or '.join(fitting)}"
    return f"{shorten(value)} is not possible; {advice}."


def _suggest_any(text: str) -> tuple[str, ...]:
    """Suggest the numbers that a text may mean: of `2.048`, 2048."""
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
