"""Search in long lists: what a person typed against tens of thousands of names."""

from __future__ import annotations

from collections.abc import Sequence

from comfygradio.forms.field import Choice

SHOWN = 100
"""Choices that an answer holds at most."""


def search_choices(
    choices: Sequence[Choice], query: str, limit: int = SHOWN
) -> tuple[list[Choice], int]:
    """The choices that hold every word of the query, whatever the case, and how many there are in
    all.

    At most `limit` of them: names that begin with the query first, otherwise in the order of the
    list.
    """
    words = query.casefold().split()
    if not words:
        return list(choices[:limit]), len(choices)
    found = [choice for choice in choices if all(word in choice.label.casefold() for word in words)]
    return sorted(found, key=lambda choice: not _begins(choice.label, words[0]))[:limit], len(found)


def _begins(label: str, word: str) -> bool:
    """Whether the name, or the file name after its folders, begins with a word."""
    name = label.casefold()
    return name.startswith(word) or name.replace("\\", "/").rsplit("/", 1)[-1].startswith(word)
