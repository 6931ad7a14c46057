"""Number fields, typed or set with a slider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from comfygradio.forms.kinds.kind import Kind

if TYPE_CHECKING:
    from comfygradio.forms.field import Field

WHOLE = "1-10 (+3) is 1, 4, 7, 10; 1-10 [4] is four values with both ends; also 1, 2, .., 10"
REAL = "1-3 (+0.5) goes by 0.5; 1-10 [4] is four values with both ends; also 0.1, 0.2, .., 1"


@dataclass(frozen=True)
class NumberKind(Kind):
    """A whole or a real number."""

    input_types: frozenset[str] = frozenset({"INT", "FLOAT"})
    keys: frozenset[str] = frozenset({"min", "max", "step"})
    names_resource: bool = False
    is_number: bool = True

    def find_python_type(self, field: Field) -> type:
        """`int` where the input takes whole numbers only."""
        return int if field.is_integer else float

    def describe_syntax(self, field: Field) -> str:
        """Ranges, by a step of one or of less."""
        return WHOLE if field.is_integer else REAL


NUMBER = NumberKind()
