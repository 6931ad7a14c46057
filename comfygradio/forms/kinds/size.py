"""Size fields: width and height in pixels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from comfygradio.forms.kinds.axis_text import Item
from comfygradio.forms.kinds.axis_values import AxisContext, AxisValues, find_choices
from comfygradio.forms.kinds.kind import Kind, is_short
from comfygradio.forms.kinds.number import SIDES, clamp_number, describe_off_step, parse_number
from comfygradio.forms.kinds.value import InvalidValue, list_choices, shorten

if TYPE_CHECKING:
    from comfygradio.comfy.object_info import InputSpec
    from comfygradio.forms.field import Field
    from comfygradio.forms.slots import Slot

MAX_SIDE = 999_999
"""Maximum number of pixels of a side; no picture has more."""

SIZE_PATTERN = re.compile(r"([0-9]{1,6})(?:\s*[x×*,]\s*|\s+)([0-9]{1,6})", re.IGNORECASE)
"""Matches two sides with either a sign or space between them, so that each size has one reading.
"""

COMMA_SIZE = r"[0-9]+,0[0-9]+"
"""`1,024` is a number and no size; `768,512` is one."""

SIZE_SPELLINGS = (
    "write the size as width x height in pixels, for example 768x512.",
    "write the size as width x height in whole pixels, for example 768x512.",
)
"""The sentences for a value that is not a size, and for sides that are not whole numbers."""


class SizeKind(Kind):
    """Width and height, from a list or typed."""

    input_types = frozenset({"INT"})
    keys = frozenset({"choices", "min", "max", "step"})
    parts = SIDES
    syntax = "512x512, 768x512"
    names_resource = False
    has_step_grid = True

    def is_likely_for(self, spec: InputSpec, has_choices: bool) -> bool:
        """Never, since a size needs two inputs."""
        return False

    def check(self, field: Field, value: Any) -> tuple[int, int]:
        """Convert to width and height in pixels. Raises InvalidValue."""
        return check_size(field, value)

    def to_json(self, field: Field, value: Any) -> Any:
        """Write both sides as "768x512"."""
        if not isinstance(value, tuple):
            return value
        width, height = value
        return f"{width}x{height}"

    def find_near(self, field: Field, value: Any, keeps_zero: bool) -> Any:
        """Return the nearest sides that are possible, or None if both are possible already."""
        sides = [value.get(part) for part in SIDES]
        near: list[int | float] = []
        for side in sides:
            if type(side) is not int:
                return None
            # Some nodes take 0 for the size of the picture that feeds them.
            if keeps_zero and side <= 0:
                near.append(side)
            else:
                near.append(clamp_number(field, side))
        if near == sides:
            return None
        stepped: list[int | float] = []
        for part, side in zip(SIDES, near, strict=True):
            grid = field.grids.get(part)
            stepped.append(side if grid is None else grid.floor(side))
        return tuple(stepped)

    def make_exempt(self, field: Field, value: Any) -> Any:
        """Keep sides that are whole numbers of any size."""
        for side in value.values():
            if type(side) is not int:
                return None
        return value["width"], value["height"]

    def means_exempt(self, exempt: Any, value: Any) -> bool:
        """Whether both are written alike, as "768x512"."""
        return _write_sides(value) == _write_sides(exempt)

    def join_parts(self, values: Mapping[str, Any]) -> Any:
        """Return both sides, by name."""
        return dict(values)

    def list_inputs(self, field: Field, value: Any) -> list[tuple[Slot, Any]]:
        """List the inputs for the width, then those for the height."""
        width, height = value
        filled: list[tuple[Slot, Any]] = []
        for slot in field.slots["width"]:
            filled.append((slot, width))
        for slot in field.slots["height"]:
            filled.append((slot, height))
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
    """Convert "768x512", a pair or a mapping to (width, height) in pixels, within the field's
    limits.

    Raises InvalidValue.
    """
    # A label may be any words, such as Portrait.
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
    # A size out of the author's list may lie between the steps, which a note has told.
    if field.choices is None:
        between = describe_off_step(field, (width, height))
        if between:
            raise InvalidValue(f"{width}x{height} is not possible: {between}")
    return width, height


def parse_size(value: Any) -> tuple[int, int]:
    """Parse "768x512", a pair or a mapping into (width, height). Raises InvalidValue."""
    if isinstance(value, Mapping):
        value = (value.get("width"), value.get("height"))
    if isinstance(value, str):
        value = _split_size(value)
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise InvalidValue(SIZE_SPELLINGS[0])
    width = parse_number(value[0])
    height = parse_number(value[1])
    if width is None or width != int(width):
        raise InvalidValue(SIZE_SPELLINGS[1])
    if height is None or height != int(height):
        raise InvalidValue(SIZE_SPELLINGS[1])
    return int(width), int(height)


def _write_sides(value: Any) -> str:
    """Write a pair or a mapping as "768x512", with `?` for a side that is no whole number; "" for
    anything else.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        value = (value.get("width"), value.get("height"))
    if not isinstance(value, list | tuple):
        return ""
    # A third side is written as well, so that three sides equal no size.
    sides = [str(side) if isinstance(side, int) else "?" for side in value[:3]]
    return "x".join(sides)


def _split_size(text: str) -> tuple[str, ...]:
    """Split "768x512" into its sides. Returns () for a text that is no size."""
    if not is_short(text):
        return ()
    text = text.strip()
    match = SIZE_PATTERN.fullmatch(text)
    if match is None or re.fullmatch(COMMA_SIZE, text):
        return ()
    return match.groups()


SIZE = SizeKind()
