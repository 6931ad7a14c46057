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
    """What a position does to one field: `set` a checked value, or `replace` a search text in the
    text there.
    """

    field: str
    value: Any
    kind: Literal["set", "replace"] = "set"
    search: str = ""


@dataclass(frozen=True)
class Step:
    """One position on an axis: what people read, and what it changes."""

    label: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Axis:
    """A row of positions.

    `texts` is field → text that reads as this axis again, whatever is drawn or listed then.
    """

    title: str
    texts: Mapping[str, str]
    steps: tuple[Step, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it changes."""
        return tuple(self.texts)


def list_points(axes: Sequence[Axis]) -> Iterator[Index]:
    """Every point, the last axis running fastest: the order as typed."""
    positions = [range(len(axis.steps)) for axis in axes]
    return itertools.product(*positions)


def move_point(index: Index, axis: int, position: int) -> Index:
    """The point with another position on one axis."""
    positions = list(index)
    positions[axis] = position
    return tuple(positions)


def apply_point(axes: Sequence[Axis], base: Mapping[str, Any], index: Index) -> dict[str, Any]:
    """The values of a point: the base, then everything that is set, then everything that is
    replaced.
    """
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
    for field, pairs in swaps.items():
        value = values.get(field)
        if value is not None:
            values[field] = replace_texts(str(value), pairs)
    return values


def replace_texts(text: str, pairs: Mapping[str, str]) -> str:
    """The text with every search text replaced, all at once: what one puts in, no other finds.

    Where search texts overlap, the first one counts, and of those that begin together the longest.
    """
    if len(pairs) == 1:
        [(search, replacement)] = pairs.items()
        return text.replace(search, replacement)
    longest_first = sorted(pairs, key=len, reverse=True)
    escaped = [re.escape(search) for search in longest_first]
    pattern = "|".join(escaped)

    def swap(match: re.Match[str]) -> str:
        return pairs[match[0]]

    return re.sub(pattern, swap, text)
