"""Limits on the length of values, checked before any parser sees them.

A value that is longer than anything a person would enter is rejected at once, so that no parser
spends seconds on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.forms.field import Field
from comfygradio.forms.kinds.kind import MAX_SHORT_TEXT
from comfygradio.forms.kinds.value import InvalidValue, shorten

MAX_PARTS = 1000
"""Entries of a list or mapping, those inside of it included."""


def check_value_length(field: Field, value: Any) -> None:
    """Check only how large a value is. Raises InvalidValue if it is too large for its field."""
    longest = field.kind.max_length
    # A loop instead of recursion, which a deeply nested value would end with an error.
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
