"""Wildcards: `__colours__` in a text stands for one of the choices that a list of this name has.

A choice may name further wildcards and hold `{a|b}`, since its author writes it, and not whoever
fills in a form. Everything is drawn from a key: the same text, key and lists give the same result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import NamedTuple

from comfygradio.forms.kinds.value import InvalidValue, shorten
from comfygradio.forms.text_expansion import expand_dynamic

NAME = r"__([^\W_][\w/-]{0,99}?)__"
"""Letters, digits, `_` and `-`; `/` leads into a folder. No name holds a point, so that none leads
out of one.
"""

MARK = "\1([0-9]{1,6})\1"
"""Stands for a wildcard while `{a|b}` around it is expanded; it shares no character with the marks
of templates.
"""

MAX_GROWTH = 100_000
"""Maximum number of characters that the wildcards of one text may become."""

MAX_DEPTH = 10
"""Maximum number of wildcards that may lead from one to the next."""

MAX_SHOWN = 3
"""Maximum number of names in a sentence."""

Wildcards = Mapping[str, Sequence[str]]
"""Name → its choices, at least one. Looking one up may raise InvalidValue: its file is no list."""


NO_WILDCARDS: Wildcards = {}


class _Extent(NamedTuple):
    """How many characters a wildcard may become, and how many lead from one to the next."""

    length: int
    depth: int


def describe_unknown(texts: Iterable[str], wildcards: Wildcards) -> str:
    """Say which wildcards are named in texts and are none, so that these names stay; "" if there is
    no such name.
    """
    unknown: list[str] = []
    for text in texts:
        unknown += [name for name in re.findall(NAME, text) if name not in wildcards]
    names = [f"__{name}__" for name in dict.fromkeys(unknown)]
    if not names:
        return ""
    shown = " and ".join(shorten(name) for name in names[:MAX_SHOWN])
    if len(names) > MAX_SHOWN:
        shown += f" and {len(names) - MAX_SHOWN} more"
    if len(names) == 1:
        return f"There is no wildcard {shown}, so it is posted as it is written."
    return f"There are no wildcards {shown}, so they are posted as they are written."


def names_wildcard(text: str, wildcards: Wildcards) -> bool:
    """Whether a text names a wildcard that there is."""
    return any(name in wildcards for name in re.findall(NAME, text))


def check_wildcards(text: str, wildcards: Wildcards) -> None:
    """Check that every wildcard of a text can be drawn, whatever is drawn.

    Raises InvalidValue for one whose file is no list, for a circle, and for texts that may become
    too long.
    """
    measuring = _Measuring(wildcards)
    if measuring.measure_text(text, ()).length > MAX_GROWTH:
        raise InvalidValue(
            f"its wildcards may become more than {MAX_GROWTH:,} characters; use fewer of them."
        )


def draw_text(text: str, wildcards: Wildcards, key: str, *, is_dynamic: bool) -> str:
    """Draw a choice for each wildcard of a text that `check_wildcards` accepts, and with
    `is_dynamic` an option for each `{a|b}`. Names of no wildcard stay.

    What is drawn is not searched for `{a|b}` once more, nor are the words around it changed.
    """
    marked, names = _mark(text, wildcards)
    if is_dynamic:
        # Random hashes a text by SHA-512: the same on every machine, unlike hash().
        marked = expand_dynamic(marked, Random(key))

    def replace(match: re.Match[str]) -> str:
        # Whoever writes marks into a text gets no more draws than it has names.
        name = names.pop(int(match[1]), None)
        if name is None:
            return match[0]
        # Each occurrence has a generator of its own, so that a further one changes nothing for
        # those before it.
        return _draw(name, wildcards, Random(f"{key}/wildcard/{match[1]}"))

    return re.sub(MARK, replace, marked)


def _draw(name: str, wildcards: Wildcards, random: Random) -> str:
    choices = wildcards[name]
    # Of all methods only random() is promised to give the same numbers in every version of Python.
    choice = choices[int(random.random() * len(choices))]
    marked, names = _mark(choice, wildcards)
    drawn = expand_dynamic(marked, random)

    def replace(match: re.Match[str]) -> str:
        return _draw(names[int(match[1])], wildcards, random)

    return re.sub(MARK, replace, drawn)


def _mark(text: str, wildcards: Wildcards) -> tuple[str, dict[int, str]]:
    """Replace each wildcard by a mark with its number; also return the names by number."""
    names: dict[int, str] = {}

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name not in wildcards:
            return match[0]
        number = len(names)
        names[number] = name
        return f"\1{number}\1"

    return re.sub(NAME, replace, text), names


class _Measuring:
    """Measures what wildcards may become, each of them once."""

    def __init__(self, wildcards: Wildcards) -> None:
        self._wildcards = wildcards
        self._extents: dict[str, _Extent] = {}

    def measure_text(self, text: str, path: tuple[str, ...]) -> _Extent:
        """Measure the wildcards of a text, to which those of `path` have led."""
        length = 0
        depth = 0
        for name in re.findall(NAME, text):
            if name in self._wildcards:
                extent = self._measure(name, path)
                length += extent.length
                depth = max(depth, extent.depth)
        return _Extent(length, depth)

    def _measure(self, name: str, path: tuple[str, ...]) -> _Extent:
        known = self._extents.get(name)
        depth = len(path) + (known.depth if known else 1)
        if name in path:
            circle = " → ".join((*path[path.index(name) :], name))
            raise InvalidValue(f"wildcards lead in a circle: {circle}.")
        if depth > MAX_DEPTH:
            first = shorten(path[0])
            raise InvalidValue(
                f"the wildcard {first} leads to more than {MAX_DEPTH} others, one after the other."
            )
        if known is None:
            known = self._measure_choices(name, (*path, name))
            self._extents[name] = known
        return known

    def _measure_choices(self, name: str, path: tuple[str, ...]) -> _Extent:
        length = 0
        depth = 0
        for choice in self._wildcards[name]:
            inner = _Extent(0, 0)
            # Most choices name nothing, and this is quicker than to search them.
            if "__" in choice:
                inner = self.measure_text(choice, path)
            length = max(length, len(choice) + inner.length)
            depth = max(depth, inner.depth)
        return _Extent(length, depth + 1)
