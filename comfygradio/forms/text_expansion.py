"""Dynamic prompts: `{a|b|{c|d}}` becomes one of its options, as ComfyUI's own page does it before
it posts a prompt.

That page also drops comments, lone braces and whatever follows a `//`. Here nothing is cut: JSON
and web addresses in a text stay as they are.
"""

from __future__ import annotations

import re
from random import Random

TOKEN = re.compile(r"\\.|[{}|]|[^\\{}|]+|\\", re.DOTALL)
ESCAPED = re.compile(r"\\([{}|])")


def expand_dynamic(text: str, random: Random) -> str:
    r"""The text with an option chosen in each `{a|b}`, and `\{`, `\}`, `\|` freed of their
    backslash.

    Braces without a bar between them, and those that are never closed or opened, stay. Each option
    is as likely as the others and may be empty. The same text and state of `random` give the same
    result. Never raises; takes time in proportion to the text.
    """
    tokens: list[str] = TOKEN.findall(text)
    groups = _find_groups(tokens)
    chosen: list[str] = []
    # A stack of token ranges still to read: each chosen option, and the text that follows it.
    spans = [(0, len(tokens))]
    while spans:
        position, end = spans.pop()
        while position < end:
            bounds = groups.get(position)
            if bounds is None:
                chosen.append(tokens[position])
                position += 1
                continue
            spans.append((bounds[-1] + 1, end))
            option = int(random.random() * (len(bounds) - 1))
            position = bounds[option] + 1
            end = bounds[option + 1]
    return ESCAPED.sub(r"\1", "".join(chosen))


def has_alternatives(text: str) -> bool:
    """Whether `expand_dynamic` changes this text: it holds a `{a|b}`, or escapes of such signs."""
    if ESCAPED.search(text):
        return True
    tokens = TOKEN.findall(text)
    return bool(_find_groups(tokens))


def _find_groups(tokens: list[str]) -> dict[int, list[int]]:
    """For each opening brace of a choice the places of itself, of its bars, and of its closing
    brace.
    """
    groups: dict[int, list[int]] = {}
    opened: list[list[int]] = []
    for place, token in enumerate(tokens):
        if token == "{":
            opened.append([place])
        elif token == "|" and opened:
            opened[-1].append(place)
        elif token == "}" and opened:
            bounds = opened.pop()
            if len(bounds) > 1:
                groups[bounds[0]] = [*bounds, place]
    return groups
