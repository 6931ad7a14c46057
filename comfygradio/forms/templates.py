"""Templates: texts that take the values of fields, `{value}` for the own one and `{NAME}` for
another's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from comfygradio.forms.field import Field
from comfygradio.forms.text_expansion import expand_dynamic

NAME = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")

MARK = re.compile("\0([0-9]+)\0")
"""Stands for a name while a template is drawn; no preset file can hold such a character."""


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
