"""Checkbox fields: on or off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from comfygradio.forms.kinds.kind import Kind

if TYPE_CHECKING:
    from comfygradio.forms.field import Field


@dataclass(frozen=True)
class CheckboxKind(Kind):
    """A switch."""

    input_types: frozenset[str] = frozenset({"BOOLEAN"})
    syntax: str = "on, off"

    def find_python_type(self, field: Field) -> type:
        """A boolean."""
        return bool

    def offers_none(self, field: Field) -> bool:
        """No: a switch is always on or off."""
        return False


CHECKBOX = CheckboxKind()
