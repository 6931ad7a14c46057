"""Checks of field values: converts what people enter to what the prompt needs, or rejects it with
a sentence that says what is allowed.
"""

from __future__ import annotations

from typing import Any

from comfygradio.forms.exempt_value import find_exempt
from comfygradio.forms.field import Field
from comfygradio.forms.value_length import check_value_length


def check_value(field: Field, value: Any) -> Any:
    """The value as the prompt needs it, None where an optional field stays empty; open seeds are
    drawn.

    Raises InvalidValue.
    """
    kept = find_exempt(field, value)
    if kept is not None:
        return kept
    check_value_length(field, value)
    if is_empty(field, value):
        return None
    checked = field.kind.check(field, value)
    for one in field.computed:
        one.compute(checked)  # raises InvalidValue where the number does not fit that input
    if field.optional and checked == ():
        return None
    return checked


def is_empty(field: Field, value: Any) -> bool:
    """Whether an optional field was left empty; a text counts as empty only where that bypasses
    nodes, or leaves the inputs to other fields.
    """
    if not field.optional or field.widget == "checkbox":
        return False
    if field.kind.is_text and not field.bypass and not field.defers_when_empty:
        return False
    if isinstance(value, str):
        return not value.strip()
    return value is None or value in ([], (), {})
