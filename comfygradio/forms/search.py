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
    found = [choice for choice in choices if _holds_all(choice.label, words)]
    ranked = sorted(found, key=lambda choice: not _begins(choice.label, words[0]))
    return ranked[:limit], len(found)


def _holds_all(label: str, words: list[str]) -> bool:
    name = label.casefold()
    return all(word in name for word in words)


def _begins(label: str, word: str) -> bool:
    """Whether the name, or the file name after its folders, begins with a word."""
    name = label.casefold()
    file_name = name.replace("\\", "/").rsplit("/", 1)[-1]
    return name.startswith(word) or file_name.startswith(word)
