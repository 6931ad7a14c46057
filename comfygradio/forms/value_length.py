"""Limits on the length of values, checked before any parser sees them.

A value that is longer than anything a person would enter is rejected at once, so that no parser
spends seconds on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.forms.field import MEDIA, Field, InvalidValue, shorten
from comfygradio.forms.preset_file import Widget

MAX_TEXT = 100_000
"""Characters of one text field: a prompt of 15,000 words."""

MAX_SHORT_TEXT = 100
"""Characters of a number, a size, a color, a seed, or a switch."""

MAX_CHOICE_TEXT = 10_000
"""Characters of a choice, or of all LoRAs written as one text."""

MAX_PATH = 100_000
"""Characters of the path of a file; the system itself takes far fewer, and says so at once."""

MAX_PARTS = 1000
"""Entries of a list or mapping, those inside of it included."""

MAX_LENGTHS: Mapping[Widget, int] = {
    "text": MAX_TEXT,
    "textarea": MAX_TEXT,
    "number": MAX_SHORT_TEXT,
    "slider": MAX_SHORT_TEXT,
    "seed": MAX_SHORT_TEXT,
    "size": MAX_SHORT_TEXT,
    "color": MAX_SHORT_TEXT,
    "checkbox": MAX_SHORT_TEXT,
    "dropdown": MAX_CHOICE_TEXT,
    "radio": MAX_CHOICE_TEXT,
    "loras": MAX_CHOICE_TEXT,
    **dict.fromkeys(MEDIA, MAX_PATH),
}
"""Widget → characters of one text in its value."""


def check_value_length(field: Field, value: Any) -> None:
    """Check only how large a value is. Raises InvalidValue if it is too large for its field."""
    longest = MAX_LENGTHS[field.widget]
    waiting = [value]
    parts = 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and len(one) > longest:
            what = (
                f"{shorten(one)} is not possible; it" if longest == MAX_SHORT_TEXT else "the text"
            )
            raise InvalidValue(f"{what} is too long: at most {longest:,} characters are allowed.")
        if not isinstance(one, Mapping | list | tuple):
            continue
        parts += len(one)
        if parts > MAX_PARTS:
            raise InvalidValue(f"the list is too long: at most {MAX_PARTS:,} entries are allowed.")
        waiting.extend(one)  # of a mapping its keys
        if isinstance(one, Mapping):
            waiting.extend(one.values())


def is_short(text: str) -> bool:
    """Whether a text may be a number, a size or a color at all."""
    return len(text) <= MAX_SHORT_TEXT
