"""Load metadata: the settings that ComfyUI and comfygradio write into the files they make."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from comfygradio.comfy.cache_control import strip_cache_busters, strip_pinned
from comfygradio.comfy.envelope import is_ui_format
from comfygradio.comfy.workflow import is_deep
from comfygradio.errors import MetadataError
from comfygradio.media.file_signature import detect_format
from comfygradio.media.metadata_limits import MAX_METADATA_BYTES, MetadataTooLarge
from comfygradio.metadata import file_tags
from comfygradio.metadata.file_tags import Tags

MAX_NODES = 5000

FFMPEG_FORMATS = {"mp4": "mov", "mov": "mov", "mkv": "matroska", "webm": "matroska", "opus": "ogg"}
"""FFmpeg's names of containers that we name differently."""

WIDE_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""Byte order marks of UTF-16 and UTF-32. That of UTF-32 LE starts with that of UTF-16 LE."""

PROGRAMS = {
    "parameters": "Stable Diffusion WebUI or a relative of it",
    "fooocus_scheme": "Fooocus",
    "invokeai_metadata": "InvokeAI",
    "invokeai_graph": "InvokeAI",
    "sd-metadata": "InvokeAI",
    "dream": "InvokeAI",
}
"""Names of texts that only other programs write."""

WEBUI = re.compile(r"Steps: \d+, Sampler: ")


@dataclass(frozen=True)
class Metadata:
    """What a file tells about the job that made it. At least one of `prompt`, `workflow` and
    `comfygradio` is set.

    `prompt` is the graph in API format as the server ran it. `workflow` is what ComfyUI's page
    stores (UI format). `comfygradio` is our own entry {"preset", "values", "version"}. `kind` is
    the type of the file: "png", "webp", "mp4" ….
    """

    kind: str
    prompt: Mapping[str, Any] | None = None
    workflow: Mapping[str, Any] | None = None
    comfygradio: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


def load_metadata(path: Path) -> Metadata:
    """Load the settings in a picture, video, sound, latent or JSON file.

    Raises MetadataError, and nothing else.
    """
    try:
        with path.open("rb") as file:
            kind = _find_kind(file.read(64))
            if kind is None:
                raise MetadataError(
                    f"{path.name} is not a file with ComfyUI settings; those are PNG, WebP, JPEG "
                    "and AVIF pictures, MP4, MOV, MKV and WebM videos, FLAC, MP3 and Opus sounds, "
                    "SVG, EXR, safetensors and JSON files."
                )
            file.seek(0)
            return _assemble(path.name, kind, _read_tags(file, kind))
    except MetadataError:
        raise
    except MetadataTooLarge as error:
        raise MetadataError(
            f"{path.name} carries far more text than settings need, and is not read."
        ) from error
    except FileNotFoundError as error:
        raise MetadataError(f"The file {path.name} does not exist.") from error
    except Exception as error:  # Pillow and FFmpeg raise errors of any kind on broken files
        raise MetadataError(
            f"{path.name} is damaged or cut off, and its settings cannot be read."
        ) from error


def is_media(path: Path) -> bool:
    """Whether the content of a file is a picture, video, sound or latent. False if it cannot be
    read.
    """
    try:
        with path.open("rb") as file:
            return _find_kind(file.read(64)) not in (None, "json")
    except OSError:
        return False


def _find_kind(head: bytes) -> str | None:
    """Detect the type of a file from its first 64 bytes, since its name may be wrong."""
    if detect_format(head) in ("HEIC", "HEIF"):
        return None
    if head[4:8] == b"ftyp":
        return _find_mp4_kind(head)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if b"webm" in head else "mkv"
    if head[:4] == b"OggS":
        return "opus" if b"OpusHead" in head else "ogg"
    if head[:4] == b"RIFF":
        return "webp" if head[8:12] == b"WEBP" else None
    if head[:2] == b"\xff\xd8":
        return "jpeg"
    starts = {b"\x89PNG\r\n\x1a\n": "png", b"fLaC": "flac", b"v/1\x01": "exr", b"ID3": "mp3"}
    for start, kind in starts.items():
        if head.startswith(start):
            return kind
    return _find_plain_kind(head)


def _find_mp4_kind(head: bytes) -> str:
    """Tell AVIF, QuickTime and MP4 apart by the brands in the first box."""
    length = int.from_bytes(head[:4], "big")
    brands = head[8:length]
    if b"avif" in brands or b"avis" in brands:
        return "avif"
    return "mov" if head[8:10] == b"qt" else "mp4"


def _find_plain_kind(head: bytes) -> str | None:
    # Eight bytes hold the length of a JSON header; the upper two of them are always 0.
    if head[8:9] == b"{" and head[6:8] == b"\0\0":
        return "safetensors"
    # This comes before MP3, since the mark of UTF-16 LE looks like the start of a frame.
    if head.startswith(WIDE_BOMS) and _decode_wide(head).lstrip().startswith("{"):
        return "json"
    # An MP3 without ID3 begins with a frame, and that with eleven set bits.
    if head[:1] == b"\xff" and head[1:2] >= b"\xe2":
        return "mp3"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] == b"{":
        return "json"
    if text.startswith((b"<svg", b"<?xml", b"<!--")):
        return "svg"
    return None


def _decode_wide(head: bytes) -> str:
    encoding = json.detect_encoding(head)
    return head.decode(encoding, "ignore")


def _read_tags(file: BinaryIO, kind: str) -> Tags:
    if kind == "json":
        return _read_json_tags(file)
    if kind == "safetensors":
        return _read_safetensors_tags(file)
    if kind in ("jpeg", "webp", "avif"):
        return file_tags.read_picture(file, kind.upper())
    if kind == "png":
        return file_tags.read_png(file)
    if kind == "svg":
        return file_tags.read_svg(file)
    if kind == "exr":
        return file_tags.read_exr(file)
    return file_tags.read_media(file, FFMPEG_FORMATS.get(kind, kind))


def _read_json_tags(file: BinaryIO) -> Tags:
    text = file.read(MAX_METADATA_BYTES + 1)
    if len(text) > MAX_METADATA_BYTES:
        raise MetadataTooLarge
    encoding = json.detect_encoding(text)
    return [("comment", text.decode(encoding))]


def _read_safetensors_tags(file: BinaryIO) -> Tags:
    text = file_tags.read_safetensors_header(file)
    entries = _parse(text).get("__metadata__", {})
    tags: Tags = []
    for name, value in entries.items():
        if isinstance(value, str):
            tags.append((str(name).lower(), value))
    return tags


def _assemble(name: str, kind: str, tags: Tags) -> Metadata:
    notes: list[str] = []
    found = _collect(tags, notes)
    prompt = _clean_graph(found.get("prompt"), name, notes)
    workflow = found.get("workflow")
    own = found.get("comfygradio")
    if prompt is None and workflow is None and own is None:
        raise MetadataError(_describe_nothing(name, tags, notes))
    if prompt is None and own is None:
        notes.append(
            "The file holds only ComfyUI's own workflow (UI format), and not the prompt that "
            "was run."
        )
    return Metadata(kind, prompt, workflow, own, tuple(notes))


def _collect(tags: Tags, notes: list[str]) -> dict[str, dict[str, Any]]:
    """Find the settings among all texts of a file: for each name, the first text that is what the
    name says.
    """
    found: dict[str, dict[str, Any]] = {}
    damaged: list[str] = []
    for name, value in _walk_settings(tags, damaged):
        if name in found or not isinstance(value, dict):
            continue
        is_named_rightly = SETTINGS_CHECKS[name]
        if is_named_rightly(value):
            found[name] = value
    for name in dict.fromkeys(damaged):
        if name not in found:
            notes.append(f"Its {name} is damaged and cannot be read.")
    return found


def _walk_settings(tags: Tags, damaged: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield what may be settings, parsed: first texts with the name of settings, then comments,
    into which video nodes write all of them, then other texts. Names of damaged texts are added to
    `damaged`.
    """
    for wanted in SETTINGS_CHECKS:
        for name, text in tags:
            if name == wanted:
                yield name, _try_parse(name, text, damaged)
    loose = [(name, text) for name, text in tags if name not in SETTINGS_CHECKS]
    # Comments come first; otherwise the order of the file stays.
    loose.sort(key=lambda tag: tag[0] != "comment")
    for name, text in loose:
        own_name, rest = file_tags.split_name(text)
        if own_name in SETTINGS_CHECKS:
            yield own_name, _try_parse(name, rest, damaged)
        elif text.lstrip().startswith("{"):
            # Other programs may write anything under other names, so it does not count as damaged.
            told = damaged if name == "comment" else []
            data = _try_parse(name, text, told)
            yield from _walk_parts(data, damaged)


def _walk_parts(data: Any, damaged: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the settings inside a JSON value. Some programs store them as JSON in strings."""
    if not isinstance(data, dict):
        return
    for name, part in _name_parts(data).items():
        if isinstance(part, str):
            yield name, _try_parse(name, part, damaged)
        else:
            yield name, part


def _try_parse(name: str, text: str, damaged: list[str]) -> Any:
    """Decode JSON. If it is invalid, return None and add its name to `damaged`."""
    try:
        return _parse(text)
    except ValueError:
        damaged.append(name)
        return None


def _has_nodes(data: Mapping[str, Any]) -> bool:
    """Whether this is a graph of which at least one node can be read.

    This asks more than `envelope.is_graph`, which also takes a damaged graph so that its problems
    can be described. Here, another text of the same file may hold a graph that is whole.
    """
    return any(_is_node(value) for value in data.values())


def _is_node(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return isinstance(value.get("class_type"), str)


def _is_own(data: Mapping[str, Any]) -> bool:
    return isinstance(data.get("values"), dict)


SETTINGS_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "prompt": _has_nodes,
    "workflow": is_ui_format,
    "comfygradio": _is_own,
}
"""Name of settings → whether an object is what the name says. Other programs use the same names."""


def _name_parts(data: dict[str, Any]) -> dict[str, Any]:
    """Name the settings in a JSON object: a graph, a workflow of ComfyUI's page, or an envelope
    around these.
    """
    if is_ui_format(data):
        return {"workflow": data}
    if _has_nodes(data):
        return {"prompt": data}
    parts = data
    extra = data.get("extra_data")
    if isinstance(extra, dict):
        info = extra.get("extra_pnginfo")
        if isinstance(info, dict):
            # The outer entries win, since they are the prompt that was posted.
            parts = {**info, **data}
    named: dict[str, Any] = {}
    for key in SETTINGS_CHECKS:
        if key in parts:
            named[key] = parts[key]
    return named


def _parse(text: str) -> Any:
    """Decode JSON, allowing NaN, and replace unpaired surrogates.

    Raises ValueError if it is invalid or nested too deeply.
    """
    if len(text) > MAX_METADATA_BYTES:
        raise MetadataTooLarge
    try:
        data = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if is_deep(data):
        raise ValueError("nested too deeply")
    # Only then may there be unpaired surrogates, and encoding everything again takes time.
    if re.search(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]", text):
        whole = json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")
        data = json.loads(whole)
    return data


def _clean_graph(graph: Any, name: str, notes: list[str]) -> dict[str, Any] | None:
    """Return the nodes of a graph without what was added to run it: pinned nodes, cache busters,
    `is_changed` and marks of loops. Raises MetadataError if there are too many.
    """
    if not isinstance(graph, dict):
        return None
    graph = strip_cache_busters(strip_pinned(graph))
    if len(graph) > MAX_NODES:
        raise MetadataError(
            f"{name} holds a graph of {len(graph):,} nodes; at most {MAX_NODES:,} are read."
        )
    nodes: dict[str, Any] = {}
    for key, node in graph.items():
        if _is_node(node):
            nodes[str(key)] = _clean_node(node)
    left_out = len(graph) - len(nodes)
    if nodes and left_out > 0:
        notes.append(f"{left_out} entries of its graph are not nodes and were left out.")
    return nodes or None


def _clean_node(node: Mapping[str, Any]) -> dict[str, Any]:
    return {
        part: value
        for part, value in node.items()
        if part != "is_changed" and not part.startswith("_loop")
    }


def _describe_nothing(name: str, tags: Tags, notes: list[str]) -> str:
    program = _find_program(tags)
    if program is not None:
        return (
            f"{name} was made by another program ({program}), whose settings comfygradio does "
            "not read."
        )
    if notes:
        return f"{name} holds settings that are damaged and cannot be read."
    return (
        f"{name} holds no ComfyUI settings: it was saved again by another program, or with "
        "metadata switched off."
    )


def _find_program(tags: Tags) -> str | None:
    """Find the other program that wrote these texts, if they tell it."""
    names = {name for name, _ in tags}
    for name, program in PROGRAMS.items():
        if name in names:
            return program
    for name, text in tags:
        if name == "comment" and WEBUI.search(text):
            return PROGRAMS["parameters"]
    return None
