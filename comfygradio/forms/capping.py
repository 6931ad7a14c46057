"""Capping: how much a value may be, looked at before anything tries to understand it.

Whatever is larger than anything that a person would put into a field is refused at once, so that
no parser ever meets a text that takes it seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.forms.field import MEDIA, Field, Refused, show
from comfygradio.forms.preset_file import Widget

MAX_TEXT = 100_000
"""Characters of one text field: a prompt of 15,000 words."""

MAX_SHORT = 100
"""Characters of a number, a size, a color, a seed, or a switch."""

MAX_NAMES = 10_000
"""Characters of a choice, or of all LoRAs written as one text."""

MAX_PATH = 100_000
"""Characters of the path of a file; the system itself takes far fewer, and says so at once."""

MAX_PARTS = 1000
"""Entries of a list or mapping, those inside of it included."""

LONGEST: Mapping[Widget, int] = {
    "text": MAX_TEXT,
    "textarea": MAX_TEXT,
    "number": MAX_SHORT,
    "slider": MAX_SHORT,
    "seed": MAX_SHORT,
    "size": MAX_SHORT,
    "color": MAX_SHORT,
    "checkbox": MAX_SHORT,
    "dropdown": MAX_NAMES,
    "radio": MAX_NAMES,
    "loras": MAX_NAMES,
    **dict.fromkeys(MEDIA, MAX_PATH),
}
"""Widget → characters of one text in its value."""


def cap_value(field: Field, value: Any) -> None:
    """Look at the size of a value alone. Raises Refused for one that is too large for its field."""
    longest = LONGEST[field.widget]
    waiting = [value]
    parts = 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and len(one) > longest:
            what = f"{show(one)} is not possible; it" if longest == MAX_SHORT else "the text"
            raise Refused(f"{what} is too long: at most {longest:,} characters are allowed.")
        if not isinstance(one, Mapping | list | tuple):
            continue
        parts += len(one)
        if parts > MAX_PARTS:
            raise Refused(f"the list is too long: at most {MAX_PARTS:,} entries are allowed.")
        waiting.extend(one)  # of a mapping its keys
        if isinstance(one, Mapping):
            waiting.extend(one.values())


def is_short(text: str) -> bool:
    """Whether a text may be a number, a size or a color at all."""
    return len(text) <= MAX_SHORT
