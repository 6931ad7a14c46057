"""Search long lists: match what a person typed against tens of thousands of names."""

from __future__ import annotations

from collections.abc import Sequence

from comfygradio.forms.kinds.value import Choice

MAX_RESULTS = 100
"""Maximum number of choices in a result."""


def search_choices(
    choices: Sequence[Choice], query: str, limit: int = MAX_RESULTS
) -> tuple[list[Choice], int]:
    """Find the choices that contain every word of the query, ignoring case. Also returns how many
    there are in all.

    Returns at most `limit`: names that start with the query first, otherwise in the order of the
    list.
    """
    words = query.casefold().split()
    if not words:
        return list(choices[:limit]), len(choices)
    first: list[Choice] = []
    others: list[Choice] = []
    for choice in choices:
        name = choice.label.casefold()
        if not all(word in name for word in words):
            continue
        if _begins(name, words[0]):
            first.append(choice)
        else:
            others.append(choice)
    found = first + others
    return found[:limit], len(found)


def _begins(name: str, word: str) -> bool:
    """Whether the name, or the file name without folders, starts with a word."""
    if name.startswith(word):
        return True
    file_name = name.replace("\\", "/").rsplit("/", 1)[-1]
    return file_name.startswith(word)
