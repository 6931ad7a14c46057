"""Size fields: width and height in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comfygradio.forms.kinds.kind import Kind


@dataclass(frozen=True)
class SizeKind(Kind):
    """Width and height, from a list or typed."""

    input_types: frozenset[str] = frozenset({"INT"})
    keys: frozenset[str] = frozenset({"choices", "min", "max", "step"})
    syntax: str = "512x512, 768x512"
    names_resource: bool = False

    def to_json(self, value: Any) -> Any:
        """Both sides as "768x512"."""
        return "x".join(map(str, value)) if isinstance(value, tuple) else value


SIZE = SizeKind()
