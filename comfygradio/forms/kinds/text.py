"""Text fields: one line, or several."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from comfygradio.forms.kinds.axis_text import Item, quote, split_texts
from comfygradio.forms.kinds.axis_values import AxisContext
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.value import InvalidValue, is_huge, is_sendable

if TYPE_CHECKING:
    from comfygradio.forms.field import Field

MAX_TEXT = 100_000
"""Maximum number of characters of a text: a prompt of 15,000 words."""

STAND_IN = r"\[the workflow's own text of [0-9,]{1,15} characters\]"


class TextKind(Kind):
    """Free text."""

    max_length = MAX_TEXT
    input_types = frozenset({"STRING"})
    keys = frozenset({"dynamic", "template"})
    syntax = (
        'one text a line, or texts with || between them, or all in "quotes"; S/R: cat, dog, bird '
        "replaces cat in the text"
    )
    names_resource = False
    is_text = True

    def check(self, field: Field, value: Any) -> str:
        """Convert to a text. Raises InvalidValue."""
        return check_text(field, value)

    def is_empty(self, field: Field, value: Any) -> bool:
        """Whether the field was left empty. An empty text is a value like any other, unless it
        bypasses nodes or leaves the inputs to other fields.
        """
        if not field.bypass and not field.defers_when_empty:
            return False
        return super().is_empty(field, value)

    def make_exempt(self, field: Field, value: Any) -> Any:
        """Keep a text of any length, if it can be sent."""
        if isinstance(value, str) and is_sendable(value):
            return value
        return None

    def find_exempt(self, field: Field, value: Any) -> Any:
        """Return the workflow's own text if this text is it or stands for it, else None.

        Raises InvalidValue for what stands for the text of another workflow.
        """
        if not isinstance(value, str):
            return super().find_exempt(field, value)
        exempt = field.exempt_value
        if isinstance(exempt, str) and _is_exempt_text(exempt, value):
            return exempt
        if re.fullmatch(STAND_IN, value):
            raise InvalidValue(
                "this stands for the text of another workflow; write the text itself."
            )
        return None

    def to_json(self, field: Field, value: Any) -> Any:
        """Return the text, or the stand-in for one that is too long to be sent to pages and stored
        with every picture.
        """
        if not isinstance(value, str) or len(value) <= MAX_TEXT:
            return value
        if value == field.exempt_value:
            return format_stand_in(value)
        return value

    def offers_none(self, field: Field) -> bool:
        """Never, since `none` is a text like any other."""
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
    """Convert a value to a text of at most 100,000 characters. Numbers become text, and halves of
    surrogate pairs (cut emoji) become `?`.

    Raises InvalidValue.
    """
    if value is None:
        return ""
    # A switch is no text, though Python takes it for a number.
    is_writable = isinstance(value, str | int | float) and not isinstance(value, bool)
    if not is_writable or is_huge(value):
        raise InvalidValue("text is expected.")
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    if len(text) > MAX_TEXT:
        raise InvalidValue(f"the text is too long: at most {MAX_TEXT:,} characters are allowed.")
    return text


def format_stand_in(text: str) -> str:
    """Make the stand-in for a workflow's own text of more than 100,000 characters."""
    return f"[the workflow's own text of {len(text):,} characters]"


def _is_exempt_text(exempt: str, text: str) -> bool:
    # Line ends may have changed on the way.
    sent = text.replace("\r\n", "\n")
    own = exempt.replace("\r\n", "\n")
    return sent in (own, format_stand_in(exempt))


class LineKind(TextKind):
    """One line of text."""

    # A COLOR is a text for the server, "#rrggbb".
    input_types = frozenset({"STRING", "COLOR"})


class LinesKind(TextKind):
    """Several lines of text, which may be a prompt."""

    keys = TextKind.keys | {"embeddings"}
    takes_embeddings = True


TEXT = LineKind()
TEXTAREA = LinesKind()
