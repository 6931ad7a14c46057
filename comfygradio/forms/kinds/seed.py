"""Seed fields: exact 64-bit numbers that may be left to chance."""

from __future__ import annotations

import math
import random
import re
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from comfygradio.comfy.object_info import is_number, is_whole_number
from comfygradio.forms.kinds.axis_text import MAX_VALUES, TOO_MANY, Item
from comfygradio.forms.kinds.axis_values import AxisContext, AxisValues
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.number import (
    check_number,
    explain_number_comma,
    parse_axis_numbers,
)
from comfygradio.forms.kinds.value import InvalidValue, shorten

if TYPE_CHECKING:
    from comfygradio.forms.field import Field
    from comfygradio.forms.plain_scalar import PlainScalar


RANDOM_SEEDS = 2**50
"""Random seeds stay below what ComfyUI's own page draws (frontend 1.58), so that a browser does not
round them.
"""

RANDOM = re.compile(r"random(?:\s*[x×*]\s*([0-9]{1,9}))?", re.IGNORECASE)
COUNT_ON = r"\+\s*([0-9]{1,9})"


class SeedKind(Kind):
    """A random seed; programs get it as text, since many round long numbers."""

    input_types = frozenset({"INT"})
    keys = frozenset({"min", "max", "step"})
    syntax = "1, 2, 3 or 1-10; random x4 draws four; +3 is the form's seed and the three after it"
    names_resource = False
    is_seed = True

    def check(self, field: Field, value: Any) -> int:
        """Convert to an exact seed, or draw a random one. Raises InvalidValue."""
        return check_seed(field, value)

    def is_open(self, value: Any) -> bool:
        """Whether a value asks for a random seed: None, "", -1 or "random"."""
        return is_open_seed(value)

    def describe_empty(self) -> str:
        """Say that each job gets a random seed."""
        return "new every time"

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """Return a number, or None for a random seed."""
        if scalar.is_null:
            return None
        return scalar.typed_number

    def check_inferred(self, value: Any) -> Any:
        """Return a seed. Raises InvalidValue for one below 0, which some nodes take for random."""
        if not is_number(value) or value < 0:
            raise InvalidValue(f"{shorten(value)} is not a seed that names a picture.")
        return value

    def check_stored(self, value: Any) -> Any:
        """Return a seed. Raises InvalidValue for one that stands for a new random one."""
        if not is_whole_number(value) or value < 0:
            raise InvalidValue(f"the seed {shorten(value)} names no picture.")
        return value

    def explain_comma(self, field: Field, parts: Sequence[str]) -> str:
        """Explain items that may be one number with a decimal comma, or with thousands."""
        return explain_number_comma(field, parts)

    def parse_axis_item(self, axis: AxisContext, items: Sequence[Item], index: int) -> AxisValues:
        """Parse numbers, `random x4` for four that are drawn, or `+3` for the form's seed and the
        three after it.

        Raises InvalidValue.
        """
        text = items[index].text
        drawn = RANDOM.fullmatch(text)
        if drawn or is_open_seed(text):
            count = int(drawn[1] or 1) if drawn else 1
            seeds = draw_seeds(axis.field, count, axis.rng)
            return AxisValues(seeds, is_open=True)
        onwards = re.fullmatch(COUNT_ON, text)
        if onwards:
            seeds = _count_on(axis, int(onwards[1]))
            return AxisValues(seeds, is_open=True)
        found = parse_axis_numbers(axis.field, items, index)
        if any(is_open_seed(value) for value in found.values):
            raise InvalidValue(
                "-1 stands for a random seed and cannot be part of a range; write random x4 for "
                "four of them."
            )
        return found

    def parse_axis_value(self, axis: AxisContext, value: Any) -> Any:
        """Check a seed; one that is left to chance is drawn, unless it is missing.

        Raises InvalidValue.
        """
        if not is_open_seed(value):
            return axis.check(value)
        is_missing = value is None or (isinstance(value, str) and not value.strip())
        if not is_missing:
            return draw_seeds(axis.field, 1, axis.rng)[0]
        if axis.field.optional:
            return None
        # A word that is no number: its refusal tells what is allowed.
        return axis.check("nothing")


def check_seed(field: Field, value: Any) -> int:
    """Convert a value to an exact 64-bit seed, or draw one for None, -1 and "random".

    Raises InvalidValue.
    """
    if is_open_seed(value):
        return _draw_seed(field)
    return int(check_number(field, value))


def is_open_seed(value: object) -> bool:
    """Whether a value asks for a random seed: None, "", -1 or "random"."""
    if isinstance(value, str):
        return value.strip().lower() in ("", "-1", "random")
    return value is None or value == -1


def offset_seed(field: Field, value: Any, number: int) -> Any:
    """Return the seed `number` places after this one, as text. The smallest one follows the
    largest.

    A value that is not a seed is returned unchanged.
    """
    try:
        seed = check_seed(field, value)
    except InvalidValue:
        # The check of the first job reports it.
        return value
    low = int(field.minimum or 0)
    high = 2**64 - 1 if field.maximum is None else int(field.maximum)
    count = high - low + 1
    following = low + (seed - low + number) % count
    return str(following)


def allowed_seeds(field: Field) -> range:
    """Return the range of random seeds within a field's limits; it starts at 0 or above if these
    allow it, and may be empty.
    """
    high = None if field.maximum is None else math.floor(field.maximum)
    low = 0
    # An input that takes only numbers below zero.
    if high is not None and high < 0:
        low = high - RANDOM_SEEDS + 1
    if field.minimum is not None:
        low = max(low, math.ceil(field.minimum))
    span = RANDOM_SEEDS
    if high is not None:
        span = min(RANDOM_SEEDS, high - low + 1)
    return range(low, low + span)


def draw_seeds(field: Field, count: int, rng: random.Random) -> list[int]:
    """Draw different random seeds out of those that are allowed. Raises InvalidValue."""
    if count > MAX_VALUES:
        raise InvalidValue(TOO_MANY)
    seeds = allowed_seeds(field)
    if not 1 <= count <= len(seeds):
        raise InvalidValue(f"{count} different seeds are not possible; {field.allowed}.")
    return rng.sample(seeds, count)


def _count_on(axis: AxisContext, count: int) -> list[int]:
    """List the form's seed, or a random one, and as many after it. Raises InvalidValue."""
    if count >= MAX_VALUES:
        raise InvalidValue(TOO_MANY)
    if isinstance(axis.start, int) and not is_open_seed(axis.start):
        first = axis.start
    else:
        [first] = draw_seeds(axis.field, 1, axis.rng)
    seeds = range(first, first + count + 1)
    return [int(axis.check(seed)) for seed in seeds]


def _draw_seed(field: Field) -> int:
    seeds = allowed_seeds(field)
    # randbelow(0) would raise.
    count = max(1, len(seeds))
    return seeds.start + secrets.randbelow(count)


SEED = SeedKind()
