"""Text fields: one line, or several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comfygradio.forms.kinds.axis_text import Item, quote, split_texts
from comfygradio.forms.kinds.axis_values import AxisContext
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.value import InvalidValue, is_huge

if TYPE_CHECKING:
    from comfygradio.forms.field import Field

MAX_TEXT = 100_000
"""Characters of one text field: a prompt of 15,000 words."""


@dataclass(frozen=True)
class TextKind(Kind):
    """Free text."""

    max_length: int = MAX_TEXT
    input_types: frozenset[str] = frozenset({"STRING"})
    keys: frozenset[str] = frozenset({"dynamic", "template"})
    syntax: str = (
        'one text a line, or texts with || between them, or all in "quotes"; S/R: cat, dog, bird '
        "replaces cat in the text"
    )
    names_resource: bool = False
    is_text: bool = True

    def check(self, field: Field, value: Any) -> str:
        """A text; see `check_text`. Raises InvalidValue."""
        return check_text(field, value)

    def offers_none(self, field: Field) -> bool:
        """No: `none` is a text like any other."""
        return False

    def split_axis(self, text: str) -> tuple[list[Item], str]:
        """Split into texts, in which commas alone separate nothing. Raises InvalidValue."""
        return split_texts(text), ", "

    def is_axis_item_empty(self, axis: AxisContext, item: Item) -> bool:
        """Never: an empty text is a text like any other."""
        return False

    def format_axis_label(self, axis: AxisContext, value: Any) -> str:
        """Format a text whole."""
        if value == "":
            return "(empty)"
        return super().format_axis_label(axis, value)

    def format_axis_item(self, axis: AxisContext, value: Any) -> str:
        """Format a text in quotes."""
        return quote(value)


def check_text(field: Field, value: Any) -> str:
    """A text of at most 100,000 characters; a number is taken as text, half characters (cut emoji)
    become `?`.
    """
    if value is None:
        return ""
    is_writable = isinstance(value, str | int | float) and not isinstance(value, bool)
    if not is_writable or is_huge(value):
        raise InvalidValue("text is expected.")
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    if len(text) > MAX_TEXT:
        raise InvalidValue(f"the text is too long: at most {MAX_TEXT:,} characters are allowed.")
    return text


TEXT = TextKind(input_types=frozenset({"STRING", "COLOR"}))
TEXTAREA = TextKind()
