"""Checkbox fields: on or off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from comfygradio.forms.kinds.axis_text import Item
from comfygradio.forms.kinds.axis_values import AxisContext, AxisValues
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.value import InvalidValue, is_huge, shorten

if TYPE_CHECKING:
    from comfygradio.forms.field import Field
    from comfygradio.forms.plain_scalar import PlainScalar


class CheckboxKind(Kind):
    """A switch."""

    input_types = frozenset({"BOOLEAN"})
    needs_slot = False
    syntax = "on, off"

    def check(self, field: Field, value: Any) -> bool:
        """Convert to a boolean. Raises InvalidValue."""
        return check_boolean(field, value)

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """Return a boolean, also for `on`, `off`, `yes` and `no`."""
        if scalar.boolean is not None:
            return scalar.boolean
        return super().resolve_scalar(field, scalar)

    def is_empty(self, field: Field, value: Any) -> bool:
        """Never, since a switch is always on or off."""
        return False

    def can_be_off(self, field: Field) -> bool:
        """Always."""
        return True

    def get_off_value(self, field: Field) -> Any:
        """False."""
        return False

    def find_python_type(self, field: Field) -> type:
        """`bool`."""
        return bool

    def offers_none(self, field: Field) -> bool:
        """Never, since a switch is always on or off."""
        return False

    def parse_axis_item(self, axis: AxisContext, items: Sequence[Item], index: int) -> AxisValues:
        """Parse on or off; `*` is both, off first. Raises InvalidValue."""
        text = items[index].text
        if text == "*":
            return AxisValues([False, True])
        return AxisValues([axis.check(text)])

    def format_axis_label(self, axis: AxisContext, value: Any) -> str:
        """Format a switch as on or off."""
        if axis.field.choices is not None:
            return super().format_axis_label(axis, value)
        return "on" if value else "off"

    def format_axis_item(self, axis: AxisContext, value: Any) -> str:
        """Format a switch as on or off."""
        return "on" if value else "off"


def check_boolean(field: Field, value: Any) -> bool:
    """Convert a value to a boolean; the usual words for on and off are understood.

    Raises InvalidValue.
    """
    word = ""
    if isinstance(value, bool | int | float | str) and not is_huge(value):
        word = str(value).strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise InvalidValue(f"{shorten(value)} is neither on nor off; true or false is allowed.")


CHECKBOX = CheckboxKind()
