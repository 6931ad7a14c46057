"""The next smaller picture size that a form offers, for a job whose picture was too large."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from comfygradio.forms.field import Field, InvalidValue
from comfygradio.forms.kinds.size import parse_size

SHRINK = 0.75
"""What each side is multiplied by where any size may be typed: a little more than half the pixels.
"""


def find_smaller_size(
    fields: Mapping[str, Field], values: Mapping[str, Any]
) -> tuple[str, str] | None:
    """The field of a picture size and what to put there, "WIDTHxHEIGHT"; None where a form has no
    such field, or nothing smaller. `fields` are the form's, `values` the job's.
    """
    for field in fields.values():
        if field.widget != "size":
            continue
        try:
            size = parse_size(values.get(field.name))
        except InvalidValue:
            continue
        if min(size) <= 0:
            continue
        smaller = _choose_smaller(field, size) if field.choices else _shrink(field, size)
        if smaller:
            return field.name, smaller
    return None


def _choose_smaller(field: Field, size: tuple[int, int]) -> str:
    """The largest choice with fewer pixels; of two, the one whose shape is more alike."""
    pixels = size[0] * size[1]
    shape = math.log(size[0] / size[1])
    found = ""
    best = (0, -math.inf)
    for choice in field.choices or ():
        width, height = parse_size(choice.value)
        if min(width, height) <= 0 or width * height >= pixels:
            continue
        likeness = -abs(math.log(width / height) - shape)
        rank = (width * height, likeness)
        if rank > best:
            found = str(choice.value)
            best = rank
    return found


def _shrink(field: Field, size: tuple[int, int]) -> str:
    grid = field.size_grid
    lowest = max(int(field.minimum or 0), grid.step)
    sides = [grid.floor(side * SHRINK) for side in size]
    if min(sides) < lowest:
        return ""
    return f"{sides[0]}x{sides[1]}"
