"""Dynamic prompts: `{a|b|{c|d}}` becomes one of its options, as in ComfyUI's own page before it
posts a prompt.
"""

from __future__ import annotations

import re
from random import Random

COMMENT = re.compile("//[^\n\r\u2028\u2029]*|/\\*")
TOKEN = re.compile(r"\\.|[{}|]|[^\\{}|]+|\\", re.DOTALL)
ESCAPED = re.compile(r"\\([{}|])")


def expand_dynamic(text: str, random: Random) -> str:
    r"""The text with an option chosen in each `{…}`, comments removed, and `\{`, `\}`, `\|` freed
    of their backslash.

    Comments are `/*…*/` and `//…` to the end of the line, so a web address loses its end, as it
    does in ComfyUI. A `{` that is never closed reaches to the end of the text; a `}` or `|` outside
    of braces stays. Each option is as likely as the others and may be empty. The same text and
    state of `random` give the same result. Never raises; takes time in proportion to the text.
    """
    tokens: list[str] = TOKEN.findall(strip_comments(text))
    groups = _find_groups(tokens)
    chosen: list[str] = []
    spans = [(0, len(tokens))]
    while spans:
        position, end = spans.pop()
        while position < end:
            if bounds := groups.get(position):
                spans.append((bounds[-1] + 1, end))
                option = int(random.random() * (len(bounds) - 1))
                position, end = bounds[option] + 1, bounds[option + 1]
            else:
                chosen.append(tokens[position])
                position += 1
    return ESCAPED.sub(r"\1", "".join(chosen))


def has_choices(text: str) -> bool:
    """Whether `expand_dynamic` changes this text: it holds braces, escapes of them, or comments."""
    return "{" in text or ESCAPED.search(text) is not None or strip_comments(text) != text


def _find_groups(tokens: list[str]) -> dict[int, list[int]]:
    """For each opening brace the places of itself, of its bars, and of its closing brace."""
    groups: dict[int, list[int]] = {}
    opened: list[list[int]] = []
    for place, token in enumerate(tokens):
        if token == "{":
            groups[place] = [place]
            opened.append(groups[place])
        elif token == "|" and opened:
            opened[-1].append(place)
        elif token == "}" and opened:
            opened.pop().append(place)
    for bounds in opened:
        bounds.append(len(tokens))
    return groups


def strip_comments(text: str) -> str:
    """The text without `/*…*/` and `//…` to the end of the line; a `/*` that is never
    closed stays.
    """
    kept: list[str] = []
    kept_to = scan = 0
    last_end = text.rfind("*/")
    while match := COMMENT.search(text, scan):
        scan = match.end()
        if match[0] == "/*":
            if last_end < scan:
                continue
            scan = text.index("*/", scan) + 2
        kept.append(text[kept_to : match.start()])
        kept_to = scan
    return "".join([*kept, text[kept_to:]])
