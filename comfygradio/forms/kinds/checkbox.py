"""Checkbox fields: on or off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.value import InvalidValue, is_huge, shorten

if TYPE_CHECKING:
    from comfygradio.forms.field import Field
    from comfygradio.forms.plain_scalar import PlainScalar


@dataclass(frozen=True)
class CheckboxKind(Kind):
    """A switch."""

    input_types: frozenset[str] = frozenset({"BOOLEAN"})
    needs_slot: bool = False
    syntax: str = "on, off"

    def check(self, field: Field, value: Any) -> bool:
        """On or off. Raises InvalidValue."""
        return check_boolean(field, value)

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """A boolean, also for `on`, `off`, `yes` and `no`."""
        if scalar.boolean is not None:
            return scalar.boolean
        return super().resolve_scalar(field, scalar)

    def is_empty(self, field: Field, value: Any) -> bool:
        """No: a switch is always on or off."""
        return False

    def can_be_off(self, field: Field) -> bool:
        """Yes, always."""
        return True

    def get_off_value(self, field: Field) -> Any:
        """False."""
        return False

    def find_python_type(self, field: Field) -> type:
        """A boolean."""
        return bool

    def offers_none(self, field: Field) -> bool:
        """No: a switch is always on or off."""
        return False


def check_boolean(field: Field, value: Any) -> bool:
    """On or off; the usual words for both are understood."""
    word = ""
    if isinstance(value, bool | int | float | str) and not is_huge(value):
        word = str(value).strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise InvalidValue(f"{shorten(value)} is neither on nor off; true or false is allowed.")


CHECKBOX = CheckboxKind()
