"""Axes: which values a sweep gives to which fields, one position after the other."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Index = tuple[int, ...]
"""A point of a sweep: the position on each axis, in the order in which the axes were typed."""

Entry = Mapping[str, Any]
"""Field → axis text, or list of values; several fields of one entry change together."""


@dataclass(frozen=True)
class Change:
    """What a position changes in one field.

    "set" puts a checked value there; "replace" replaces `search` in the text that is there.
    """

    field: str
    value: Any
    kind: Literal["set", "replace"] = "set"
    search: str = ""


@dataclass(frozen=True)
class Step:
    """One position on an axis: its label, and what it changes."""

    label: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Axis:
    """A title and the positions of an axis.

    `texts` maps each field to an axis text that parses to the same axis, with everything that was
    drawn or listed written out.
    """

    title: str
    texts: Mapping[str, str]
    steps: tuple[Step, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that the axis changes."""
        return tuple(self.texts)


def list_points(axes: Sequence[Axis]) -> Iterator[Index]:
    """List every point in the order as typed: the last axis runs fastest."""
    lengths = [len(axis.steps) for axis in axes]
    positions = [range(length) for length in lengths]
    return itertools.product(*positions)


def move_point(index: Index, axis: int, position: int) -> Index:
    """Return the point with another position on one axis."""
    positions = list(index)
    positions[axis] = position
    return tuple(positions)


def apply_point(axes: Sequence[Axis], base: Mapping[str, Any], index: Index) -> dict[str, Any]:
    """Build the values of a point: the base, then values that are set, then replacements."""
    values = dict(base)
    swaps: dict[str, dict[str, str]] = {}
    for axis, position in zip(axes, index, strict=True):
        step = axis.steps[position]
        for change in step.changes:
            if change.kind == "set":
                values[change.field] = change.value
            else:
                pairs = swaps.setdefault(change.field, {})
                pairs[change.search] = str(change.value)
    # Last, so that a text that another axis sets is searched as well.
    for field, pairs in swaps.items():
        value = values.get(field)
        if value is not None:
            values[field] = replace_texts(str(value), pairs)
    return values


def replace_texts(text: str, pairs: Mapping[str, str]) -> str:
    """Replace every search text, all at once, so that no replacement is searched again.

    Where search texts overlap, the first one counts, and of those that begin together the longest.
    """
    if len(pairs) == 1:
        # The usual case, which needs no pattern.
        [(search, replacement)] = pairs.items()
        return text.replace(search, replacement)
    longest_first = sorted(pairs, key=len, reverse=True)
    escaped = [re.escape(search) for search in longest_first]
    pattern = "|".join(escaped)

    def swap(match: re.Match[str]) -> str:
        return pairs[match[0]]

    return re.sub(pattern, swap, text)
