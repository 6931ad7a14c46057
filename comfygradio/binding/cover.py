"""Covers: the picture beside a preset that its card shows."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from comfygradio.errors import PresetError
from comfygradio.media.pictures import inspect_picture

COVER_FORMATS = ("PNG", "JPEG", "WEBP")

MAX_COVER_BYTES = 2_000_000

MAX_COVER_PIXELS = 4_000_000


class Cover(NamedTuple):
    """A picture that can be shown; its `mark` changes with the file."""

    path: Path
    mark: str


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
        with inspect_picture(path, COVER_FORMATS) as picture:
            width, height = picture.size
            if getattr(picture, "is_animated", False):
                return "it is animated."
    except Exception:  # Pillow raises many kinds of errors for broken files
        return "it is no PNG, JPEG or WebP picture."
    if width * height > MAX_COVER_PIXELS:
        return f"{width} × {height} pixels are too many."
    return ""
