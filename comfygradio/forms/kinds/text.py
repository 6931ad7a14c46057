"""Text fields: one line, or several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from comfygradio.forms.kinds.kind import Kind

if TYPE_CHECKING:
    from comfygradio.forms.field import Field

MAX_TEXT = 100_000
"""Characters of one text field: a prompt of 15,000 words."""


@dataclass(frozen=True)
class TextKind(Kind):
    """Free text."""

    max_length: int = MAX_TEXT
    input_types: frozenset[str] = frozenset({"STRING"})
    keys: frozenset[str] = frozenset({"dynamic", "template"})
    syntax: str = (
        'one text a line, or texts with || between them, or all in "quotes"; S/R: cat, dog, bird '
        "replaces cat in the text"
    )
    names_resource: bool = False
    is_text: bool = True

    def offers_none(self, field: Field) -> bool:
        """No: `none` is a text like any other."""
        return False


TEXT = TextKind(input_types=frozenset({"STRING", "COLOR"}))
TEXTAREA = TextKind()
