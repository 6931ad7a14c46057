"""Checks of field values: converts what people enter to what the prompt needs, or rejects it with
a sentence that says what is allowed.
"""

from __future__ import annotations

from typing import Any

from comfygradio.forms.field import Field
from comfygradio.forms.value_length import check_value_length


def check_value(field: Field, value: Any) -> Any:
    """The value as the prompt needs it, None where an optional field stays empty; open seeds are
    drawn.

    Raises InvalidValue.
    """
    # Before anything else: an exempt value may even be too long.
    exempt = field.kind.find_exempt(field, value)
    if exempt is not None:
        return exempt
    check_value_length(field, value)
    if field.kind.is_empty(field, value):
        return None
    checked = field.kind.check(field, value)
    for one in field.computed:
        one.compute(checked)  # raises InvalidValue where the number does not fit that input
    # A list whose rows are all blank is known to be empty only now.
    if field.optional and checked == ():
        return None
    return checked
