"""Grids: the whole numbers that an input takes where its steps are larger than one.

ComfyUI's page rounds a whole number to the steps of its input, counted from the least value (a
length of 4n + 1 has the least value 1 and the step 4). Its server does not; the node then makes
something else than was asked for: a picture of 96 pixels for a width of 100 (ComfyUI v0.33.0).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from comfygradio.comfy.object_info import InputSpec, is_whole_number


@dataclass(frozen=True)
class StepGrid:
    """Whole numbers at even distances: `start`, `start + step` and so on, in both directions."""

    step: int
    start: int

    def contains(self, number: int | float) -> bool:
        """Whether a number is one of these."""
        return (number - self.start) % self.step == 0

    def floor(self, number: int | float) -> int:
        """The largest of these up to a number."""
        whole = math.floor(number)
        return whole - (whole - self.start) % self.step

    def ceil(self, number: int | float) -> int:
        """The least of these from a number on."""
        whole = math.ceil(number)
        return whole + (self.start - whole) % self.step


def build_step_grid(spec: InputSpec) -> StepGrid | None:
    """The grid of an input, None where it takes every whole number.

    A step of a decimal number is only a convenience of ComfyUI's page, so there is no grid. Some
    nodes state a least value that their own default does not count from (1, steps of 8, default
    512): then the steps count from 0, or, where the default fits neither, say nothing at all.
    """
    step = spec.step
    if spec.type != "INT" or spec.is_seed:
        return None
    if step is None or step != int(step) or step <= 1:
        return None
    least = spec.minimum or 0
    from_least = StepGrid(int(step), int(least))
    from_zero = StepGrid(int(step), 0)
    default = spec.default
    if not is_whole_number(default):
        return from_least
    if from_least.contains(default):
        return from_least
    return from_zero if from_zero.contains(default) else None


def intersect_grids(grids: Iterable[StepGrid | None]) -> StepGrid | None:
    """The grid of the numbers that lie on all of these grids.

    A grid that shares no number with those before it is ignored. Returns None for steps of one.
    """
    joined = StepGrid(1, 0)
    for grid in grids:
        if grid is not None:
            joined = _intersect(joined, grid) or joined
    return None if joined.step == 1 else joined


def _intersect(one: StepGrid, other: StepGrid) -> StepGrid | None:
    shared = math.gcd(one.step, other.step)
    distance = other.start - one.start
    if distance % shared:
        return None
    # The start of `one` is moved along its own steps until it lies on the other as well.
    apart = other.step // shared
    inverse = pow(one.step // shared, -1, apart)
    moved = distance // shared * inverse % apart
    return StepGrid(one.step * apart, one.start + one.step * moved)
