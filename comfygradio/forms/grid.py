"""Grids: the whole numbers that an input takes where its steps are larger than one.

ComfyUI's page rounds a whole number to the steps of its input, counted from the least value (a
length of 4n + 1 has the least value 1 and the step 4). Its server does not; the node then makes
something else than was asked for: a picture of 96 pixels for a width of 100 (ComfyUI v0.33.0).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from comfygradio.comfy.object_info import InputSpec


@dataclass(frozen=True)
class Grid:
    """Whole numbers at even distances: `start`, `start + step` and so on, in both directions."""

    step: int
    start: int

    def has(self, number: int | float) -> bool:
        """Whether a number is one of these."""
        return (number - self.start) % self.step == 0

    def floor(self, number: int | float) -> int:
        """The largest of these up to a number."""
        return math.floor(number) - (math.floor(number) - self.start) % self.step

    def ceil(self, number: int | float) -> int:
        """The least of these from a number on."""
        return math.ceil(number) + (self.start - math.ceil(number)) % self.step


def read_grid(spec: InputSpec) -> Grid | None:
    """The grid of an input, None where it takes every whole number.

    A step of a decimal number is only a convenience of ComfyUI's page, so there is no grid. Some
    nodes state a least value that their own default does not count from (1, steps of 8, default
    512): then the steps count from 0, or, where the default fits neither, say nothing at all.
    """
    step = spec.step
    if spec.type != "INT" or spec.is_seed or step is None or step != int(step) or step <= 1:
        return None
    least, default = spec.minimum or 0, spec.default
    counted = [Grid(int(step), int(least)), Grid(int(step), 0)]
    if isinstance(default, bool) or not isinstance(default, int):
        return counted[0]
    return next((grid for grid in counted if grid.has(default)), None)


def join_grids(grids: Iterable[Grid | None]) -> Grid | None:
    """The numbers that lie on all of these grids; one that has none in common with those before it
    is passed over.
    """
    joined = Grid(1, 0)
    for grid in grids:
        if grid is not None:
            joined = _join(joined, grid) or joined
    return None if joined.step == 1 else joined


def _join(one: Grid, other: Grid) -> Grid | None:
    shared = math.gcd(one.step, other.step)
    if (one.start - other.start) % shared:
        return None
    # The start of `one` is moved along its own steps until it lies on the other as well.
    apart = other.step // shared
    moved = (other.start - one.start) // shared * pow(one.step // shared, -1, apart) % apart
    return Grid(one.step * apart, one.start + one.step * moved)
