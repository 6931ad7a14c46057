"""Help for axes: one line that says what may be typed for a field."""

from __future__ import annotations

from comfygradio.forms.field import Field


def describe_syntax(field: Field) -> str:
    """Describe what can be typed as the values of an axis over this field, in one line."""
    line = field.kind.describe_syntax(field)
    if field.kind.offers_none(field):
        line += "; none for no value"
    return line
