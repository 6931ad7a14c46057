"""Outputs of a job: files on the server, pictures that came over the socket, and text."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from comfygradio.comfy.limited_download import LimitedDownload

Kind = Literal["image", "video", "audio", "text", "3d", "file"]
SUFFIXES: Mapping[Kind, frozenset[str]] = {
    "image": frozenset(
        ["png", "jpg", "jpeg", "webp", "gif", "apng", "avif", "bmp", "tif", "tiff", "svg", "exr"]
    ),
    "video": frozenset(["mp4", "webm", "mkv", "mov", "avi", "m4v"]),
    "audio": frozenset(["flac", "mp3", "opus", "wav", "ogg", "m4a", "aac"]),
    "3d": frozenset(["glb", "gltf", "obj", "fbx", "stl", "ply", "usdz", "splat", "spz", "ksplat"]),
}
TEXT_KEYS = frozenset(["text", "texts", "string", "strings", "markdown", "caption"])
PART_BYTES = 235
"""Maximum bytes of a file's name (UTF-8) used in the name of its temporary file; file systems allow
255 for the whole name.
"""
ANNOTATED_PATH = re.compile(r"^(?P<path>.*?)(?: \[(?P<type>output|temp|input)\])?$", re.DOTALL)


class FileSource(Protocol):
    """Fetches the files of outputs; a ComfyClient."""

    def view(self, filename: str, subfolder: str = "", type: str = "output") -> bytes:
        """Fetch the bytes of one file."""
        ...

    def download(
        self,
        path: str | Path,
        filename: str,
        subfolder: str = "",
        type: str = "output",
        delivery: LimitedDownload | None = None,
    ) -> Path:
        """Write one file to `path`, within the limits of `delivery` if one is given."""
        ...


@dataclass(frozen=True)
class Output:
    """One result of one node: a file on the server, inline `data`, or `text`."""

    node_id: str
    kind: Kind
    filename: str = ""
    subfolder: str = ""
    type: str = "output"
    """The server's folder: output, temp or input; empty for text and inline data."""
    text: str = ""
    data: bytes | None = field(default=None, repr=False)
    source: FileSource | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The file name without folders, safe to use on this machine."""
        parts = re.split(r"[\\/]", self.filename)
        name = parts[-1].replace("\0", "")
        return name or f"{self.node_id}.txt"

    def read(self) -> bytes:
        """Return the bytes exactly as the server has them. Raises NotFound and other
        ServerErrors.
        """
        if self.data is not None:
            return self.data
        if not self.filename:
            return self.text.encode()
        return self._find_source().view(self.filename, self.subfolder, self.type)

    def save(self, path: str | Path, delivery: LimitedDownload | None = None) -> Path:
        """Write the bytes to `path`, or into it if it is a folder. Creates parent folders.

        A file is fetched within the limits of `delivery` if one is given. Raises like `read`.
        """
        target = Path(path)
        if target.is_dir():
            target = target / self.name
        if self.data is not None or not self.filename:
            content = self.read()
            return write_file(target, iter([content]))
        source = self._find_source()
        place = (target, self.filename, self.subfolder, self.type)
        if delivery is None:
            return source.download(*place)
        return source.download(*place, delivery=delivery)

    def _find_source(self) -> FileSource:
        if self.source is None:
            raise ValueError("This output belongs to no client, so its file cannot be fetched.")
        return self.source


def write_file(target: Path, chunks: Iterator[bytes]) -> Path:
    """Write `target` completely or not at all: into a temporary file beside it, which is then
    renamed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # The cut may go through a character, the rest of which is ignored.
    name = target.name.encode("utf-8", "ignore")[:PART_BYTES].decode("utf-8", "ignore")
    part = target.with_name(f".part-{name}-{uuid.uuid4().hex[:8]}")
    try:
        with part.open("xb") as file:
            file.writelines(chunks)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return target


def parse_outputs(node_id: str, ui: Any, source: FileSource | None = None) -> tuple[Output, ...]:
    """Parse the outputs in a node's `ui` dict, whatever its keys and shape. Each file
    appears once.
    """
    if not isinstance(ui, dict):
        return ()
    # A dict keeps the order, which a set would not.
    found: dict[Output, None] = {}
    for key, values in ui.items():
        if not isinstance(values, list):
            continue
        for value in values:
            output = _parse_item(node_id, str(key), value, source)
            if output is not None:
                found[output] = None
    return tuple(found)


def decide_kind(filename: str) -> Kind:
    """Decide the kind of a file by its suffix. The key does not tell it: videos appear under
    `images` too.
    """
    suffix = filename.rpartition(".")[2].lower()
    for kind, suffixes in SUFFIXES.items():
        if suffix in suffixes:
            return kind
    return "file"


def _parse_item(node_id: str, key: str, value: Any, source: FileSource | None) -> Output | None:
    if isinstance(value, dict):
        return _parse_file(node_id, value, source)
    if not isinstance(value, str):
        return None
    if key in TEXT_KEYS:
        return Output(node_id, "text", type="", text=value)
    # Nodes that show 3D models list paths here, among settings of their view.
    if key == "result":
        return _parse_path(node_id, value, source)
    return None


def _parse_file(node_id: str, file: dict[str, Any], source: FileSource | None) -> Output | None:
    name = file.get("filename")
    folder = file.get("subfolder")
    type = file.get("type")
    if not isinstance(name, str) or not name:
        return None
    return Output(
        node_id,
        decide_kind(name),
        name,
        folder if isinstance(folder, str) else "",
        type if isinstance(type, str) else "output",
        source=source,
    )


def _parse_path(node_id: str, value: str, source: FileSource | None) -> Output | None:
    path = value
    type = "output"
    match = ANNOTATED_PATH.match(value)
    if match is not None:
        path = match["path"]
        type = match["type"] or "output"
    kind = decide_kind(path)
    # Without a known suffix it is some other text.
    if kind == "file":
        return None
    # -1 where there is no folder.
    cut = max(path.rfind("/"), path.rfind("\\"))
    folder = path[: max(cut, 0)]
    filename = path[cut + 1 :]
    return Output(node_id, kind, filename, folder, type, source=source)
