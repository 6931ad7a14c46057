"""Results: what a job made, saved byte for byte into the outputs folder."""

from __future__ import annotations

import datetime
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from comfygradio.comfy.outputs import Output

DISPLAY_BYTES = 150_000
"""Pictures up to this size are shown as they are; larger ones get a light copy for the page."""

DISPLAY_PIXELS = 1600
"""Longest side of a light copy."""


@dataclass(frozen=True)
class Result:
    """One thing that a job made: a saved file (`display` is a light copy for the page, or the file itself), or text."""

    kind: str
    path: Path | None = None
    display: Path | None = None
    text: str = ""
    width: int = 0
    height: int = 0


def make_folder(outputs: Path, preset: str) -> Path:
    """A fresh folder `outputs/YYYY-MM-DD/PRESET/HHMMSS-random`; the random part cannot be guessed (64 bit)."""
    now = datetime.datetime.now()
    folder = outputs / f"{now:%Y-%m-%d}" / preset / f"{now:%H%M%S}-{secrets.token_hex(8)}"
    folder.mkdir(parents=True)
    return folder


def save_results(outputs: Iterable[Output], folder: Path) -> tuple[Result, ...]:
    """Download every output into the folder. Raises the client's errors, and OSError where the disk refuses."""
    results = []
    for output in outputs:
        if output.kind == "text":
            results.append(Result("text", text=output.text))
        else:
            results.append(_describe(output.kind, output.save(_free_path(folder, output.name))))
    return tuple(results)


def _free_path(folder: Path, filename: str) -> Path:
    name = re.sub(r"[^\w .()+-]", "_", filename).strip(". ") or "result"
    path, count = folder / name, 1
    while path.exists():
        count += 1
        path = folder / f"{Path(name).stem} ({count}){Path(name).suffix}"
    return path


def _describe(kind: str, path: Path) -> Result:
    if kind != "image":
        return Result(kind, path, path)
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            display = path if path.stat().st_size <= DISPLAY_BYTES else _lighten(picture, path)
    except (OSError, ValueError, Image.DecompressionBombError):
        return Result("file", path, path)
    return Result("image", path, display, width=width, height=height)


def _lighten(picture: Image.Image, path: Path) -> Path:
    """Save a JPEG (WebP where there is transparency) of at most 1600 pixels beside the original."""
    if getattr(picture, "is_animated", False):
        return path
    has_alpha = picture.has_transparency_data
    light = picture.convert("RGBA" if has_alpha else "RGB")
    light.thumbnail((DISPLAY_PIXELS, DISPLAY_PIXELS))
    folder = path.parent / "display"
    folder.mkdir(exist_ok=True)
    target = folder / f"{path.stem}.{'webp' if has_alpha else 'jpg'}"
    light.save(target, quality=85)
    return target
