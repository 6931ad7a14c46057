"""Exempt values: the workflow's own value of an input, accepted although a person may not enter
it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from comfygradio.forms.field import Field
from comfygradio.forms.kinds.text import MAX_TEXT
from comfygradio.forms.kinds.value import InvalidValue

STAND_IN = re.compile(r"\[the workflow's own text of [0-9,]{1,15} characters\]")


def format_stand_in(text: str) -> str:
    """Short text that replaces one too long to send to pages and to store with every picture."""
    return f"[the workflow's own text of {len(text):,} characters]"


def has_stand_in(field: Field, value: Any) -> bool:
    """Whether this value is the workflow's own text and so long that `format_stand_in` stands for
    it.
    """
    if field.exempt_value is None or not field.kind.is_text:
        return False
    if not isinstance(value, str) or len(value) <= MAX_TEXT:
        return False
    return bool(value == field.exempt_value)


def find_exempt(field: Field, value: Any) -> Any:
    """What the workflow itself has here, if this value stands for it; else None.

    Raises InvalidValue for what stands for the text of another workflow.
    """
    kept = field.exempt_value
    if isinstance(value, str) and field.kind.is_text:
        if isinstance(kept, str) and _is_exempt_text(value, kept):
            return kept
        if STAND_IN.fullmatch(value):
            raise InvalidValue(
                "this stands for the text of another workflow; write the text itself."
            )
        return None
    if kept is None:
        return None
    return kept if _is_exempt_value(field, value) else None


def _is_exempt_text(text: str, kept: str) -> bool:
    plain = text.replace("\r\n", "\n")  # line ends may have changed on the way
    return plain in (kept.replace("\r\n", "\n"), format_stand_in(kept))


def _is_exempt_value(field: Field, value: Any) -> bool:
    """Whether a value that is no text is the workflow's own, as people and programs write it."""
    kept = field.exempt_value
    if field.widget == "size":
        return _write_size(value) == _write_size(kept)
    if isinstance(kept, int | float):
        return str(value).strip() in (str(kept), f"{kept}.0")
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(kept, tuple):
        kept = list(kept)
    return type(value) is type(kept) and bool(value == kept)


def _write_size(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        value = (value.get("width"), value.get("height"))
    if not isinstance(value, list | tuple):
        return ""
    # A third side is written as well, so that three sides equal no size.
    sides = [str(side) if isinstance(side, int) else "?" for side in value[:3]]
    return "x".join(sides)
