"""Color fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comfygradio.forms.kinds.kind import Kind


@dataclass(frozen=True)
class ColorKind(Kind):
    """A color, as text or as a number, whichever the input takes."""

    input_types: frozenset[str] = frozenset({"COLOR", "INT", "STRING"})
    syntax: str = "#ff8800, #0088ff"
    names_resource: bool = False

    def to_json(self, value: Any) -> Any:
        """A number as "#rrggbb"."""
        return f"#{value:06x}" if isinstance(value, int) else value


COLOR = ColorKind()
