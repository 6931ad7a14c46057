"""Spaces: everything that a sweep may run, a prompt for each of its points."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from comfygradio.comfy.workflow import Prompt
from comfygradio.forms.form import Form
from comfygradio.sweeps.axes.axis import Axis, Index, apply_point, list_points


class PromptSource(Protocol):
    """What planning needs to know of a sweep: how long its axes are, and the prompt of a point."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Positions on each axis."""
        ...

    def prompt(self, index: Index) -> Prompt:
        """The prompt of a point; the same whenever it is asked for."""
        ...


@dataclass(frozen=True)
class Space:
    """A form, the values that all points share, and the axes that change them.

    `base` are values as `form.check` takes them, with every seed drawn; `now` is what dates in file
    names say.
    """

    form: Form
    axes: tuple[Axis, ...]
    base: Mapping[str, Any]
    now: datetime.datetime = field(default_factory=datetime.datetime.now)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Positions on each axis."""
        return tuple(len(axis.steps) for axis in self.axes)

    def __len__(self) -> int:
        return math.prod(self.sizes)

    def __iter__(self) -> Iterator[Index]:
        """Every point, in the order as typed."""
        return list_points(self.axes)

    def describe(self, index: Index) -> dict[str, Any]:
        """The values of the whole form at a point, as JSON. Raises ValuesRefused."""
        checked = self.form.check(self.values(index))
        return self.form.values_to_json(checked)

    def values(self, index: Index) -> dict[str, Any]:
        """The values of a point, not checked yet."""
        return apply_point(self.axes, self.base, index)

    def prompt(self, index: Index) -> Prompt:
        """The prompt of a point. Raises ValuesRefused where the form refuses its values."""
        checked = self.form.check(self.values(index))
        return self.form.build(checked, self.now)
