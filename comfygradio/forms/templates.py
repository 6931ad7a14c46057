"""Templates: texts that take the values of fields, `{value}` for the own one and `{NAME}` for
another's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from comfygradio.forms.dynamic_prompt import expand_dynamic
from comfygradio.forms.field import Field

NAME = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")

MARK = re.compile("\0([0-9]+)\0")
"""Stands for a name while a template is drawn; no preset file can hold such a character."""


def find_names(template: str) -> list[str]:
    """The names that a template uses, each once."""
    return list(dict.fromkeys(NAME.findall(template)))


def list_templates(field: Field) -> list[str]:
    """The texts of a field that may take the values of others: its template, and those that its
    choices set.
    """
    settings = [
        text for choice in field.choices or () for _, text in choice.sets if isinstance(text, str)
    ]
    return [field.template, *settings] if field.template else settings


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """The template with every known name replaced; what is filled in is not looked at again."""
    return NAME.sub(lambda match: values.get(match[1], match[0]), template)


def draw_template(template: str, values: Mapping[str, str], random: Random) -> str:
    """The template with one option of each of its own `{a|b}` and every known name replaced; what
    is filled in is not looked at again.
    """
    names = [name for name in find_names(template) if name in values]
    marks = {name: f"\0{place}\0" for place, name in enumerate(names)}
    drawn = expand_dynamic(fill_template(template, marks), random)
    return MARK.sub(lambda match: values[names[int(match[1])]], drawn)


def invert_template(template: str, text: str) -> str | None:
    """The value that the template turned into this text, or None: it does not fit, or uses the
    value not just once.
    """
    before, found, after = template.partition("{value}")
    if not found or "{value}" in after or find_names(template) != ["value"]:
        return None
    is_inside = (
        text.startswith(before) and text.endswith(after) and len(text) >= len(before) + len(after)
    )
    return text[len(before) : len(text) - len(after)] if is_inside else None
