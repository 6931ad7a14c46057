"""Help for axes: one line that says what may be typed for a field."""

from __future__ import annotations

from comfygradio.forms.field import Field


def describe_syntax(field: Field) -> str:
    """What may be typed as the values of an axis over this field, in one line."""
    line = field.kind.describe_syntax(field).replace("{pattern}", _find_pattern(field))
    several = "; several at once in quotes" if field.is_multiple else ""
    none = "; none for no value" if field.kind.offers_none(field) else ""
    return f"{line}{several}{none}"


def _find_pattern(field: Field) -> str:
    """A pattern that fits some of the field's own choices: a folder's, or those that
    begin alike.
    """
    labels = [choice.label for choice in field.choices or ()]
    for label in labels:
        folder, slash, _ = label.rpartition("/")
        if slash:
            return f"{folder}/*"
    if labels:
        return f"{labels[0][:4]}*"
    return "a*"
