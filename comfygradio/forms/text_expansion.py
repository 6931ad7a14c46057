"""Expansion of texts: templates that take the values of fields, and dynamic prompts.

A template holds `{value}` for the field's own value and `{NAME}` for another field's. In a dynamic
prompt, `{a|b|{c|d}}` becomes one of its options, as on ComfyUI's own page. That page also drops
comments, lone braces and whatever follows a `//`. Here nothing is cut: JSON and web addresses in a
text stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from comfygradio.forms.field import Field

NAME = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")

MARK = re.compile("\0([0-9]+)\0")
"""Stands for a name while the options of a template are chosen; no preset file can hold NUL."""

TOKEN = re.compile(r"\\.|[{}|]|[^\\{}|]+|\\", re.DOTALL)
ESCAPED = re.compile(r"\\([{}|])")


def find_placeholders(template: str) -> list[str]:
    """The names that a template uses, each once."""
    names = NAME.findall(template)
    return list(dict.fromkeys(names))


def list_templates(field: Field) -> list[str]:
    """The texts of a field that may take the values of others: its template, and those that its
    choices set.
    """
    texts = [field.template] if field.template else []
    for choice in field.choices or ():
        texts.extend(text for _, text in choice.sets if isinstance(text, str))
    return texts


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """The template with every known name replaced; what is filled in is not looked at again."""

    def replace(match: re.Match[str]) -> str:
        return values.get(match[1], match[0])

    return NAME.sub(replace, template)


def expand_template(template: str, values: Mapping[str, str], random: Random) -> str:
    """The template with one option of each of its own `{a|b}` and every known name replaced; what
    is filled in is not looked at again.
    """
    names = [name for name in find_placeholders(template) if name in values]
    marks = {name: f"\0{place}\0" for place, name in enumerate(names)}
    drawn = expand_dynamic(fill_template(template, marks), random)

    def replace(match: re.Match[str]) -> str:
        name = names[int(match[1])]
        return values[name]

    return MARK.sub(replace, drawn)


def invert_template(template: str, text: str) -> str | None:
    """The value that the template turned into this text, or None: it does not fit, or uses the
    value not just once.
    """
    before, found, after = template.partition("{value}")
    if not found or "{value}" in after or find_placeholders(template) != ["value"]:
        return None
    is_framed = text.startswith(before) and text.endswith(after)
    end = len(text) - len(after)
    if not is_framed or end < len(before):
        return None
    return text[len(before) : end]


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
