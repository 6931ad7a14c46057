"""Expansion of texts: templates that take the values of fields, and dynamic prompts.

A template holds `{value}` for the field's own value and `{NAME}` for another field's. In a dynamic
prompt, `{a|b|{c|d}}` becomes one of its options, as on ComfyUI's own page. That page also drops
comments, lone braces and whatever follows a `//`. Here nothing is cut: JSON and web addresses in a
text stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

from comfygradio.forms.field import Field

NAME = r"\{([A-Za-z][A-Za-z0-9_]*)\}"

MARK = "\0([0-9]+)\0"
"""Stands for a name while the options of a template are chosen; no preset file can hold NUL."""

TOKEN = re.compile(r"\\.|[{}|]|[^\\{}|]+|\\", re.DOTALL)
ESCAPED = r"\\([{}|])"


def find_placeholders(template: str) -> list[str]:
    """List the names that a template uses, each once."""
    names = re.findall(NAME, template)
    return list(dict.fromkeys(names))


def list_templates(field: Field) -> list[str]:
    """List the texts of a field that may hold placeholders: its template, and what its choices
    set.
    """
    texts = [field.template] if field.template else []
    for choice in field.choices or ():
        for _, setting in choice.sets:
            if isinstance(setting, str):
                texts.append(setting)
    return texts


def uses_other_fields(field: Field) -> bool:
    """Whether a text of this field takes the value of another field."""
    for template in list_templates(field):
        names = find_placeholders(template)
        if any(name != "value" for name in names):
            return True
    return False


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """Replace every known name in a template. Values are inserted as they are: braces in them are
    not expanded.
    """

    def replace(match: re.Match[str]) -> str:
        placeholder = match[0]
        name = match[1]
        return values.get(name, placeholder)

    return re.sub(NAME, replace, template)


def expand_template(template: str, values: Mapping[str, str], expand: Callable[[str], str]) -> str:
    """Expand the words of the template itself, and replace every known name.

    Values are inserted as they are: nothing in them is expanded.
    """
    names = [name for name in find_placeholders(template) if name in values]
    # Braces in a value are no options, so that the values come in only after the template is
    # expanded.
    marks = {name: f"\0{place}\0" for place, name in enumerate(names)}
    expanded = expand(fill_template(template, marks))

    def replace(match: re.Match[str]) -> str:
        name = names[int(match[1])]
        return values[name]

    return re.sub(MARK, replace, expanded)


def invert_template(template: str, text: str) -> str | None:
    """Return the value that the template turned into this text.

    Returns None if the text does not fit, or if the template holds anything but one `{value}`.
    """
    if find_placeholders(template) != ["value"]:
        return None
    before, _, after = template.partition("{value}")
    if "{value}" in after:
        return None
    is_framed = text.startswith(before) and text.endswith(after)
    end = len(text) - len(after)
    if not is_framed or end < len(before):
        return None
    return text[len(before) : end]


def expand_dynamic(text: str, random: Random) -> str:
    r"""Choose one option in each `{a|b}` of a text, and unescape `\{`, `\}` and `\|`.

    Braces without a bar between them and unmatched braces stay. Each option is equally likely and
    may be empty. The same text and state of `random` give the same result. Never raises; runs in
    linear time.
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
            # Of all methods only random() is promised to give the same numbers in every version of
            # Python.
            option = int(random.random() * (len(bounds) - 1))
            position = bounds[option] + 1
            end = bounds[option + 1]
    return re.sub(ESCAPED, r"\1", "".join(chosen))


def has_alternatives(text: str) -> bool:
    """Whether `expand_dynamic` changes this text: it holds an `{a|b}` or an escaped sign."""
    if re.search(ESCAPED, text):
        return True
    tokens = TOKEN.findall(text)
    return bool(_find_groups(tokens))


def _find_groups(tokens: list[str]) -> dict[int, list[int]]:
    """Map the position of each opening brace to the positions of itself, its bars and its closing
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
