"""Step grids: the whole numbers that an input accepts if its step is larger than one.

ComfyUI's page rounds a whole number to the steps of its input, counted from the minimum (a length
of 4n + 1 has the minimum 1 and the step 4). Its server does not round, and the node then makes
something else than requested: a picture of 96 pixels for a width of 100 (ComfyUI v0.33.0).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from comfygradio.comfy.object_info import InputSpec, is_whole_number


class StepGrid(NamedTuple):
    """Evenly spaced whole numbers: `start`, `start + step` and so on, in both directions."""

    step: int
    start: int

    def contains(self, number: int | float) -> bool:
        """Whether a number is on the grid."""
        distance = number - self.start
        return distance % self.step == 0

    def floor(self, number: int | float) -> int:
        """Return the largest number on the grid up to this one."""
        whole = math.floor(number)
        beyond = (whole - self.start) % self.step
        return whole - beyond

    def ceil(self, number: int | float) -> int:
        """Return the smallest number on the grid from this one on."""
        whole = math.ceil(number)
        lacking = (self.start - whole) % self.step
        return whole + lacking


def build_step_grid(spec: InputSpec) -> StepGrid | None:
    """Build the grid of an input. Returns None if it accepts every whole number.

    Decimal numbers have no grid, since their step is only a convenience of ComfyUI's page. The
    default of some nodes is not on the grid that starts at their minimum (1, steps of 8, default
    512). Then the grid starts at 0, or, if the default is not on that either, there is none.
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
    if from_zero.contains(default):
        return from_zero
    return None


def intersect_grids(grids: Iterable[StepGrid | None]) -> StepGrid | None:
    """Intersect grids. A grid that shares no number with those before it is ignored. Returns None
    for steps of one.
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
    # The start of `one` is moved along its own steps until it lies on the other as well: by the
    # Chinese remainder theorem, `moved` steps.
    own = one.step // shared
    period = other.step // shared
    inverse = pow(own, -1, period)
    moved = distance // shared * inverse % period
    start = one.start + one.step * moved
    return StepGrid(one.step * period, start)
