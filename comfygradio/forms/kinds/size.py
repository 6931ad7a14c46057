"""Size fields: width and height in pixels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comfygradio.forms.kinds.axis_text import Item
from comfygradio.forms.kinds.axis_values import AxisContext, AxisValues, find_choices
from comfygradio.forms.kinds.kind import Kind, is_short
from comfygradio.forms.kinds.number import SIDES, describe_off_step, parse_number
from comfygradio.forms.kinds.value import InvalidValue, list_choices, shorten

if TYPE_CHECKING:
    from comfygradio.forms.field import Field
    from comfygradio.forms.slots import Slot

MAX_SIDE = 999_999
"""Pixels of a side; no picture has more."""

SIZE_PATTERN = re.compile(r"([0-9]{1,6})(?:\s*[x×*,]\s*|\s+)([0-9]{1,6})", re.IGNORECASE)
"""Two sides; what stands between them is either a sign or space, so that there is one way to read
it.
"""

COMMA_SIZE = re.compile(r"[0-9]+,0[0-9]+")
"""`1,024` is a number and no size; `768,512` is one."""

SIZE_SPELLINGS = (
    "write the size as width x height in pixels, for example 768x512.",
    "write the size as width x height in whole pixels, for example 768x512.",
)
"""What is wrong with a size that is none, and with one that is no whole number."""


@dataclass(frozen=True)
class SizeKind(Kind):
    """Width and height, from a list or typed."""

    input_types: frozenset[str] = frozenset({"INT"})
    keys: frozenset[str] = frozenset({"choices", "min", "max", "step"})
    syntax: str = "512x512, 768x512"
    names_resource: bool = False

    def check(self, field: Field, value: Any) -> tuple[int, int]:
        """Width and height in pixels. Raises InvalidValue."""
        return check_size(field, value)

    def to_json(self, value: Any) -> Any:
        """Both sides as "768x512"."""
        if not isinstance(value, tuple):
            return value
        width, height = value
        return f"{width}x{height}"

    def list_inputs(self, field: Field, value: Any) -> list[tuple[Slot, Any]]:
        """Each side fills the inputs of its own part."""
        filled: list[tuple[Slot, Any]] = []
        for part, pixels in zip(SIDES, value, strict=True):
            filled.extend((slot, pixels) for slot in field.slots[part])
        return filled

    def parse_axis_item(self, axis: AxisContext, items: Sequence[Item], index: int) -> AxisValues:
        """Parse a size in pixels, or find sizes of the list by label or pattern.

        Raises InvalidValue.
        """
        item = items[index]
        if axis.field.choices is None:
            return AxisValues([axis.check(item.text)])
        try:
            found = find_choices(axis, item)
        except InvalidValue:
            return AxisValues([axis.check(item.text)])
        sizes = [axis.check(value) for value in found.values]
        return AxisValues(sizes, found.is_open)


def check_size(field: Field, value: Any) -> tuple[int, int]:
    """(width, height) in pixels, given as "768x512", a pair or a mapping."""
    for choice in field.choices or ():
        if choice.label == value:
            value = choice.value
            break
    width, height = parse_size(value)
    if field.choices is not None:
        offered = [parse_size(choice.value) for choice in field.choices]
        if (width, height) not in offered:
            size = f"{shorten(width)}x{shorten(height)}"
            raise InvalidValue(f"{size} is not in the list; {list_choices(field.choices)}")
    low = field.minimum or 0
    high = MAX_SIDE if field.maximum is None else min(field.maximum, MAX_SIDE)
    for side, pixels in zip(SIDES, (width, height), strict=True):
        if not low <= pixels <= high:
            raise InvalidValue(f"the {side} {shorten(pixels)} is not possible; {field.allowed}.")
    if field.choices is None:
        between = describe_off_step(field, (width, height))
        if between:
            raise InvalidValue(f"{width}x{height} is not possible: {between}")
    return width, height


def parse_size(value: Any) -> tuple[int, int]:
    """(width, height) of "768x512", a pair or a mapping. Raises InvalidValue."""
    if isinstance(value, Mapping):
        value = (value.get("width"), value.get("height"))
    if isinstance(value, str):
        value = _split_size(value)
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise InvalidValue(SIZE_SPELLINGS[0])
    width, height = (parse_number(side) for side in value)
    if width is None or width != int(width):
        raise InvalidValue(SIZE_SPELLINGS[1])
    if height is None or height != int(height):
        raise InvalidValue(SIZE_SPELLINGS[1])
    return int(width), int(height)


def _split_size(text: str) -> tuple[str, ...]:
    """The two sides of "768x512", nothing where a text is no size."""
    if not is_short(text):
        return ()
    text = text.strip()
    match = SIZE_PATTERN.fullmatch(text)
    if match is None or COMMA_SIZE.fullmatch(text):
        return ()
    return match.groups()


SIZE = SizeKind()
