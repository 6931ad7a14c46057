"""Finds the cover of a preset: a picture beside it, which its card shows."""

from __future__ import annotations

import re
from pathlib import Path

from comfygradio.errors import PresetError
from comfygradio.forms.cover import Cover

STARTS = (rb"\x89PNG\r\n", rb"\xff\xd8\xff", rb"RIFF....WEBP")
"""How files of the formats start that a cover may have; they are decoded when a card is shown."""

HEAD_BYTES = 16

MAX_COVER_BYTES = 2_000_000


def load_cover(preset: Path, name: str) -> tuple[Cover | None, tuple[str, ...]]:
    """Find the cover that a preset file names. The form works without it, so that one that cannot
    be shown is only noted.

    Raises PresetError for a file outside of the preset's folder.
    """
    if not name:
        return None, ()
    folder = preset.parent.resolve()
    try:
        path = (folder / name).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise PresetError(f"{preset}: cover {name!r} is not a path: {error}.") from error
    if folder not in path.parents:
        raise PresetError(
            f"{preset}: cover {name} lies outside of the preset's folder; put it beside the file."
        )
    problem = _find_problem(path)
    if problem:
        return None, (f"cover {name}: {problem} The icon is shown instead.",)
    status = path.stat()
    return Cover(path, f"{status.st_mtime_ns:x}-{status.st_size:x}"), ()


def _find_problem(path: Path) -> str:
    """Say why a file cannot be a cover; "" if it can."""
    try:
        if not path.is_file():
            return "there is no such file."
        if path.stat().st_size > MAX_COVER_BYTES:
            return f"it has more than {MAX_COVER_BYTES // 1_000_000} MB."
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return "it cannot be read."
    if not any(re.match(start, head, re.DOTALL) for start in STARTS):
        return "it is no PNG, JPEG or WebP picture."
    return ""
