"""The server's folders input/, output/ and temp/: safe paths, annotated names, counters and
uploads.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

KINDS = ("input", "output", "temp")
PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What is opened as a picture; for a PostScript file Pillow would start Ghostscript."""
IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}
)
VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg"})
AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac"})
INPUT_LISTS: Mapping[str, frozenset[str]] = {
    "@input": IMAGE_SUFFIXES,
    "@video": VIDEO_SUFFIXES,
    "@audio": AUDIO_SUFFIXES | VIDEO_SUFFIXES,
    "@files": frozenset(),
}
"""Marks in the class list to the suffixes of the input files that stand there; an empty set means
all.
"""


class OutsideFolder(Exception):
    """A path that would leave its folder."""


@dataclass(frozen=True)
class StoredFile:
    """One file as ComfyUI names it: file name, subfolder ("" for the top) and folder kind."""

    filename: str
    subfolder: str
    type: str

    def to_json(self) -> dict[str, str]:
        return {
            "filename": self.filename,
            "subfolder": self.subfolder,
            "type": self.type,
        }


class Folders:
    """input/, output/ and temp/ below one root; temp/ is emptied when the server starts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.rmtree(root / "temp", ignore_errors=True)
        for kind in KINDS:
            folder = root / kind
            folder.mkdir(parents=True, exist_ok=True)

    def top(self, kind: str) -> Path:
        """The folder of that kind; ValueError for any other word."""
        if kind not in KINDS:
            raise ValueError(f"unknown folder {kind!r}")
        return self.root / kind

    def subfolder(self, kind: str, subfolder: str) -> Path:
        """A folder below `kind`; OutsideFolder if it would leave it."""
        top = self.top(kind).resolve()
        path = (top / subfolder).resolve()
        if path != top and top not in path.parents:
            raise OutsideFolder(subfolder)
        return path

    def annotated(self, name: str, kind: str = "input") -> Path:
        """Path of `sub/x.png`, also with a suffix such as `x.png [output]`."""
        match = re.fullmatch(r"(.*) \[(input|output|temp)\]", name, re.DOTALL)
        if match:
            name = match[1]
            kind = match[2]
        return self.subfolder(kind, name)

    def input_files(self, suffixes: frozenset[str]) -> list[str]:
        """Files with these suffixes (all if there are none) at the top of input/, sorted, as
        loaders list them.
        """
        names: list[str] = []
        for file in self.top("input").iterdir():
            is_wanted = not suffixes or file.suffix.lower() in suffixes
            if is_wanted and file.is_file():
                names.append(file.name)
        return sorted(names)

    def listing(self, kind: str) -> list[str]:
        """All files at the top of a folder, newest first."""
        files: list[tuple[float, str]] = []
        for path in self.top(kind).iterdir():
            if path.is_file():
                files.append((path.stat().st_mtime, path.name))
        # Files of the same time stay in the order in which the system lists them.
        files.sort(key=lambda file: file[0], reverse=True)
        return [name for _, name in files]

    def save_images(
        self, images: list[Image.Image], prefix: str, kind: str, texts: Mapping[str, Any]
    ) -> list[StoredFile]:
        """Writes `<prefix>_00001_.png` and so on, each with `texts` as tEXt chunks of JSON."""
        filled = fill_prefix(prefix, images[0].size)
        folder, stem, subfolder = self._resolve_prefix(filled, kind)
        first = next_counter(folder, stem)
        stored = []
        for index, image in enumerate(images):
            beginning = stem.replace("%batch_num%", str(index))
            name = f"{beginning}_{first + index:05}_.png"
            image.save(folder / name, pnginfo=text_chunks(texts), compress_level=1)
            stored.append(StoredFile(name, subfolder, kind))
        return stored

    def claim(
        self, prefix: str, kind: str, ending: str, size: tuple[int, int] = (0, 0)
    ) -> tuple[Path, StoredFile]:
        """Path and name of the next `<prefix>_00001<ending>` that is free; the caller writes it."""
        filled = fill_prefix(prefix, size)
        folder, stem, subfolder = self._resolve_prefix(filled, kind)
        beginning = stem.replace("%batch_num%", "0")
        counter = next_counter(folder, stem)
        name = f"{beginning}_{counter:05}{ending}"
        return folder / name, StoredFile(name, subfolder, kind)

    def delete(self, ui: Mapping[str, Any]) -> None:
        """Deletes the files that a node has shown; what is gone already is fine."""
        shown: list[Any] = []
        for values in ui.values():
            if isinstance(values, list):
                shown.extend(values)
        for file in shown:
            if isinstance(file, dict) and file.get("type") in ("output", "temp"):
                folder = self.subfolder(file["type"], file["subfolder"])
                path = folder / file["filename"]
                path.unlink(missing_ok=True)

    def _resolve_prefix(self, prefix: str, kind: str) -> tuple[Path, str, str]:
        subfolder, _, stem = prefix.replace("\\", "/").rpartition("/")
        folder = self.subfolder(kind, subfolder)
        folder.mkdir(parents=True, exist_ok=True)
        return folder, stem, subfolder

    def store_upload(
        self, data: bytes, name: str, subfolder: str, kind: str, overwrite: bool, dedup: bool
    ) -> str:
        """Stores an upload and returns its name, which is new if other bytes already had it."""
        folder = self.subfolder(kind, subfolder)
        target = folder / name
        resolved = target.resolve()
        if resolved != target.absolute() and folder not in resolved.parents:
            raise OutsideFolder(name)
        folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while not overwrite and target.exists():
            if dedup and same_bytes(target, data):
                return target.name
            numbered = f"{Path(name).stem} ({number}){Path(name).suffix}"
            target = folder / numbered
            number += 1
        target.write_bytes(data)
        return target.name


def same_bytes(path: Path, data: bytes) -> bool:
    return path.read_bytes() == data


def fill_prefix(prefix: str, size: tuple[int, int]) -> str:
    """Replaces %width%, %height%, %year%, %month%, %day%, %hour%, %minute% and %second%."""
    now = time.localtime()
    width, height = size
    values = {
        "width": str(width),
        "height": str(height),
        "year": str(now.tm_year),
        "month": f"{now.tm_mon:02}",
        "day": f"{now.tm_mday:02}",
        "hour": f"{now.tm_hour:02}",
        "minute": f"{now.tm_min:02}",
        "second": f"{now.tm_sec:02}",
    }
    for word, value in values.items():
        prefix = prefix.replace(f"%{word}%", value)
    return prefix


def next_counter(folder: Path, stem: str) -> int:
    """One more than the largest counter of `<stem>_<counter>_…` in the folder."""
    pattern = re.compile(re.escape(stem) + r"_(\d+)_?\.")
    largest = 0
    for name in os.listdir(folder):
        match = pattern.match(name)
        if match:
            largest = max(largest, int(match[1]))
    return largest + 1


def text_chunks(texts: Mapping[str, Any]) -> PngInfo:
    info = PngInfo()
    for key, value in texts.items():
        info.add_text(key, json.dumps(value))
    return info
