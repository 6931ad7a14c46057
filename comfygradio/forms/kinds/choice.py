"""Choice fields: a value, or several, of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from comfygradio.forms.kinds.kind import Kind

if TYPE_CHECKING:
    from comfygradio.forms.field import Field

MAX_CHOICE_TEXT = 10_000
"""Characters of a choice, or of all LoRAs written as one text."""


@dataclass(frozen=True)
class ChoiceKind(Kind):
    """An entry of a list, or several where the field takes more than one."""

    max_length: int = MAX_CHOICE_TEXT
    keys: frozenset[str] = frozenset({"choices", "min", "max", "step", "dynamic", "template"})
    syntax: str = "choices with commas between them; * for all, or a pattern such as {pattern}"
    is_list: bool = True

    def find_python_type(self, field: Field) -> type:
        """A list where the field takes several choices."""
        return list if field.is_multiple else str


CHOICE = ChoiceKind()
