"""Regular expressions that take more than linear time on one repeated character, found by looking
at their structure.

Of a pattern only what the character matches is kept. Where two repeats without an end stand next to
each other then, or one inside of another, every way to divide the text between them is tried: that
is what takes time. A search begins anew at every place, as if a repeat stood before the pattern.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

NEW = sys.version_info >= (3, 11)

# `re` keeps its parser to itself; in Python 3.10 it is a module of its own.
constants: Any = importlib.import_module("re._constants" if NEW else "sre_constants")
parser: Any = importlib.import_module("re._parser" if NEW else "sre_parse")

UNBOUNDED = 1000
"""Repeats of so many count as having no end."""

ALPHABET = [*map(chr, range(256)), "×", "…", "–", "字", "\u2028", "\ud800", "\u0663"]


def find_ambiguous(pattern: str, flags: int, is_search: bool) -> str | None:
    """A character that takes the pattern more than linear time when repeated, or None."""
    parsed = parser.parse(pattern, flags)
    for char in ALPHABET:
        restarts = is_search and not _begins_at_start(parsed)
        if any(_is_slow(items, char, flags, restarts) for items in _list_sequences(parsed)):
            return char
    return None


def _begins_at_start(items: Sequence[Any]) -> bool:
    return bool(items) and items[0][0] is constants.AT


def _list_sequences(items: Sequence[Any]) -> Iterator[list[Any]]:
    """The pattern without groups and branches: each way through it."""
    ways: list[list[Any]] = [[]]
    for op, argument in items:
        inner: list[list[Any]]
        if op is constants.SUBPATTERN:
            inner = list(_list_sequences(argument[3]))
        elif op is constants.BRANCH:
            inner = [way for branch in argument[1] for way in _list_sequences(branch)]
        elif op in (constants.ASSERT, constants.ASSERT_NOT, constants.AT):
            inner = [[]]
        else:
            inner = [[(op, argument)]]
        ways = [[*way, *more] for way in ways for more in inner]
        assert len(ways) < 5000, "this pattern has too many branches to be looked at"
    yield from ways


def _is_slow(items: Sequence[Any], char: str, flags: int, restarts: bool) -> bool:
    """Whether two endless repeats of the character stand next to each other, or in one another.

    With `restarts` one stands before them all; then what comes last is harmless, since nothing
    makes it give anything back.
    """
    run = int(restarts)
    for place, (op, argument) in enumerate(items):
        if op not in (constants.MAX_REPEAT, constants.MIN_REPEAT):
            run = run if _takes((op, argument), char, flags) else 0
            continue
        low, high, body = argument
        ways = list(_list_sequences(body))
        takes = any(all(_takes(item, char, flags) for item in way) for way in ways)
        copies = 3 if high >= UNBOUNDED else 1
        if any(_is_slow(way * copies, char, flags, restarts=False) for way in ways):
            return True
        if not takes:
            run = 0 if low > 0 else run
        elif high >= UNBOUNDED:
            run += 1
            if run > 1 and (not restarts or any(map(_may_fail, items[place + 1 :]))):
                return True
    return False


def _may_fail(item: Any) -> bool:
    """Whether an item has to be there."""
    op, argument = item
    return not (op in (constants.MAX_REPEAT, constants.MIN_REPEAT) and argument[0] == 0)


def _takes(item: Any, char: str, flags: int) -> bool:
    """Whether an item matches a text of this character alone, or nothing."""
    op, argument = item
    if op in (constants.MAX_REPEAT, constants.MIN_REPEAT):
        ways = _list_sequences(argument[2])
        return argument[0] == 0 or any(all(_takes(one, char, flags) for one in way) for way in ways)
    if op is constants.LITERAL:
        other = chr(argument)
        return char == other or bool(flags & re.IGNORECASE and char.lower() == other.lower())
    if op is constants.NOT_LITERAL:
        return char != chr(argument)
    if op is constants.ANY:
        return char != "\n" or bool(flags & re.DOTALL)
    if op is constants.IN:
        return _is_in(argument, char)
    return True


CATEGORIES = {
    constants.CATEGORY_DIGIT: r"\d",
    constants.CATEGORY_NOT_DIGIT: r"\D",
    constants.CATEGORY_SPACE: r"\s",
    constants.CATEGORY_NOT_SPACE: r"\S",
    constants.CATEGORY_WORD: r"\w",
    constants.CATEGORY_NOT_WORD: r"\W",
}


def _is_in(choices: Sequence[Any], char: str) -> bool:
    is_negated = choices[0][0] is constants.NEGATE
    found = False
    for op, argument in choices:
        if op is constants.LITERAL:
            found = found or char == chr(argument)
        elif op is constants.RANGE:
            found = found or argument[0] <= ord(char) <= argument[1]
        elif op is constants.CATEGORY:
            found = found or re.fullmatch(CATEGORIES[argument], char) is not None
    return found != is_negated
