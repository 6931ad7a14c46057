"""Media fields: pictures, masks, videos, sound and other files that people hand in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfygradio.forms.kinds.kind import Kind

if TYPE_CHECKING:
    from comfygradio.forms.field import Field

MAX_PATH = 100_000
"""Characters of the path of a file; the system itself takes far fewer, and says so at once."""


@dataclass(frozen=True)
class MediaKind(Kind):
    """A file that is uploaded."""

    noun: str = "a file"
    max_length: int = MAX_PATH
    keys: frozenset[str] = frozenset({"max_mb"})
    syntax: str = "file names with commas between them, or a pattern such as pictures/*.png"
    is_media: bool = True

    def to_json(self, value: Any) -> Any:
        """The name alone, since the file itself does not go into JSON."""
        return value.name if isinstance(value, Path) else value

    def find_python_type(self, field: Field) -> type:
        """What Gradio's clients send for a file."""
        return dict


PICTURE = MediaKind(noun="a picture", is_picture=True)
VIDEO = MediaKind(noun="a video")
AUDIO = MediaKind(noun="a sound file")
FILE = MediaKind()
