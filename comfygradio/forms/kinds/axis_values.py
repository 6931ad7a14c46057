"""Axis values: what one item of an axis text stands for.

Each kind of field parses the items of its own axes; here is what these parsers share.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from comfygradio.forms.kinds.axis_text import MAX_VALUES, TOO_MANY, Item, split_values
from comfygradio.forms.kinds.choice_index import ChoiceIndex, is_pattern
from comfygradio.forms.kinds.file_pattern import AllowedFiles
from comfygradio.forms.kinds.value import InvalidValue

if TYPE_CHECKING:
    from comfygradio.forms.field import Field

MAX_COMBINED = 100
"""Maximum number of choices, or LoRAs, that make up one value."""

MAX_PARTS = 100_000
"""Maximum number of choices, or LoRAs, in all values of an axis: ten in each of 10,000 values."""

TOO_MANY_PARTS = (
    f"the values hold too many choices in all; at most {MAX_PARTS:,} are allowed on an axis."
)


class AxisValues(NamedTuple):
    """The checked values that an item stands for.

    `is_open` is true if the item may stand for others on another day, such as random seeds or the
    files that fit a pattern.
    """

    values: Sequence[Any]
    is_open: bool = False


@dataclass(frozen=True)
class AxisContext:
    """What the meaning of an item depends on, besides its text.

    `start` is the value of the field in the form, from which seeds count on. `rng` draws seeds.
    `files` may be named. `check_value` checks a value like the form does and raises InvalidValue.
    """

    field: Field
    start: Any
    rng: random.Random
    files: AllowedFiles
    check_value: Callable[[Field, Any], Any]

    @cached_property
    def choice_index(self) -> ChoiceIndex:
        """The field's choices, indexed."""
        return ChoiceIndex(self.field.choices or ())

    def check(self, value: Any) -> Any:
        """Check a value like the form does. Raises InvalidValue."""
        return self.check_value(self.field, value)


def find_choices(axis: AxisContext, item: Item) -> AxisValues:
    """Find the choice that an item names by value or label, or those that fit a pattern.

    Raises InvalidValue.
    """
    exact = axis.choice_index.find_exact(item.text)
    if exact is not None:
        return AxisValues([exact.value])
    if not item.is_quoted and is_pattern(item.text):
        choices = axis.choice_index.find_all(item.text)
        return AxisValues([choice.value for choice in choices], is_open=True)
    choice = axis.choice_index.find(item.text)
    return AxisValues([choice.value])


def combine_parts(item: Item, parse: Callable[[Item], AxisValues]) -> AxisValues:
    """Combine one value of each part of an item, in every way. Raises InvalidValue."""
    parts: list[AxisValues] = []
    items, _ = split_values(item.text)
    for one in items:
        parts.append(parse(one))
        if len(parts) > MAX_COMBINED:
            raise InvalidValue(f"at most {MAX_COMBINED} at once are possible.")
        # Counted before they are combined: ten patterns over a thousand files would fill the
        # memory.
        count = math.prod(len(part.values) for part in parts)
        if count > MAX_VALUES:
            raise InvalidValue(TOO_MANY)
        if count * len(parts) > MAX_PARTS:
            raise InvalidValue(TOO_MANY_PARTS)
    combinations = itertools.product(*(part.values for part in parts))
    is_open = any(part.is_open for part in parts)
    return AxisValues(list(combinations), is_open)
