"""LoRA lists: rows of a name and a strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comfygradio.forms.kinds.choice import MAX_CHOICE_TEXT
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.value import Lora

if TYPE_CHECKING:
    from comfygradio.forms.field import Field


@dataclass(frozen=True)
class LorasKind(Kind):
    """Rows of a LoRA file and its strength."""

    max_length: int = MAX_CHOICE_TEXT
    keys: frozenset[str] = frozenset({"choices", "min", "max", "step"})
    syntax: str = (
        'name:0.8, other:0.2-1 (+0.2); several at once in quotes ("name:0.8, other"); none '
        "for no LoRA"
    )

    def to_json(self, value: Any) -> Any:
        """Rows as objects with a name and a strength."""
        if value is None:
            return None
        rows = [row for row in value if isinstance(row, Lora)]
        return [{"name": row.name, "strength": row.strength} for row in rows]

    def find_python_type(self, field: Field) -> type:
        """A list of rows."""
        return list

    def offers_none(self, field: Field) -> bool:
        """No: the syntax says it already."""
        return False


LORAS = LorasKind()
