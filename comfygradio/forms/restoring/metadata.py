"""Metadata: the settings that ComfyUI and comfygradio write into the files they make."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from comfygradio.comfy.carried import strip_carried
from comfygradio.errors import MetadataError
from comfygradio.forms.restoring import metadata_tags
from comfygradio.forms.restoring.metadata_tags import Tags
from comfygradio.media.guard import MAX_TEXT, TooMuchText

MAX_NODES = 5000
MAX_DEPTH = 100

FFMPEG = {"mp4": "mov", "mov": "mov", "mkv": "matroska", "webm": "matroska", "opus": "ogg"}
"""FFmpeg's names of containers, where they differ from ours."""

WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""How texts begin whose letters have two bytes or four; that of UTF-32 LE begins like the first."""

PROGRAMS = {
    "parameters": "Stable Diffusion WebUI or a relative of it",
    "fooocus_scheme": "Fooocus",
    "invokeai_metadata": "InvokeAI",
    "invokeai_graph": "InvokeAI",
    "sd-metadata": "InvokeAI",
    "dream": "InvokeAI",
}
"""Names of texts by which other programs are known."""

WEBUI = re.compile(r"Steps: \d+, Sampler: ")


@dataclass(frozen=True)
class Metadata:
    """What a file remembers of the job that made it; at least one of the three is there.

    `prompt` is the graph in API format as the server ran it, `workflow` what ComfyUI's page keeps
    (UI format), `comfygradio` our own entry {"preset", "values", "version"}. `kind` is the kind of
    file: "png", "webp", "mp4" ….
    """

    kind: str
    prompt: Mapping[str, Any] | None = None
    workflow: Mapping[str, Any] | None = None
    comfygradio: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


def read_metadata(path: Path) -> Metadata:
    """The settings in a picture, video, sound, latent or JSON file.

    Raises MetadataError, and nothing else.
    """
    try:
        with path.open("rb") as file:
            kind = _find_kind(file.read(64))
            if kind is None:
                raise MetadataError(
                    f"{path.name} is no file with ComfyUI settings; those are PNG, WebP, JPEG and "
                    "AVIF pictures, MP4, "
                    "MOV, MKV and WebM videos, FLAC, MP3 and Opus sounds, SVG, EXR, safetensors "
                    "and JSON files."
                )
            file.seek(0)
            return _assemble(path.name, kind, _read_tags(file, kind))
    except MetadataError:
        raise
    except TooMuchText as error:
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
    """Whether a file is a picture, video, sound or latent by its content; False where it cannot be
    read.
    """
    try:
        with path.open("rb") as file:
            return _find_kind(file.read(64)) not in (None, "json")
    except OSError:
        return False


def _find_kind(head: bytes) -> str | None:
    """The kind of a file by its first 64 bytes; its name may say anything."""
    if head[4:8] == b"ftyp":
        brands = head[8 : int.from_bytes(head[:4], "big")]
        return (
            "avif"
            if b"avif" in brands or b"avis" in brands
            else "mov"
            if head[8:10] == b"qt"
            else "mp4"
        )
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if b"webm" in head else "mkv"
    if head[:4] == b"OggS":
        return "opus" if b"OpusHead" in head else "ogg"
    if head[:4] == b"RIFF":
        return "webp" if head[8:12] == b"WEBP" else None
    if head[:2] == b"\xff\xd8":
        return "jpeg"
    starts = {b"\x89PNG\r\n\x1a\n": "png", b"fLaC": "flac", b"v/1\x01": "exr", b"ID3": "mp3"}
    found = next((kind for start, kind in starts.items() if head.startswith(start)), None)
    return found or _find_plain_kind(head)


def _find_plain_kind(head: bytes) -> str | None:
    if head[8:9] == b"{" and head[6:8] == b"\0\0":
        return "safetensors"
    if head.startswith(WIDE) and _decode_wide(head).lstrip().startswith("{"):
        return "json"
    if head[:1] == b"\xff" and head[1:2] >= b"\xe2":
        return "mp3"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return (
        "json"
        if text[:1] == b"{"
        else "svg"
        if text.startswith((b"<svg", b"<?xml", b"<!--"))
        else None
    )


def _decode_wide(head: bytes) -> str:
    return head.decode(json.detect_encoding(head), "ignore")


def _read_tags(file: BinaryIO, kind: str) -> Tags:
    if kind == "json":
        text = file.read(MAX_TEXT + 1)
        if len(text) > MAX_TEXT:
            raise TooMuchText
        return {"comment": text.decode(json.detect_encoding(text))}
    if kind == "safetensors":
        header = _parse(metadata_tags.read_safetensors_header(file))
        entries = header.get("__metadata__", {})
        return {str(name).lower(): text for name, text in entries.items() if isinstance(text, str)}
    if kind in ("jpeg", "webp", "avif"):
        return metadata_tags.read_picture(file, kind.upper())
    readers = {
        "png": metadata_tags.read_png,
        "svg": metadata_tags.read_svg,
        "exr": metadata_tags.read_exr,
    }
    return (
        readers[kind](file)
        if kind in readers
        else metadata_tags.read_media(file, FFMPEG.get(kind, kind))
    )


def _assemble(name: str, kind: str, tags: Tags) -> Metadata:
    notes: list[str] = []
    found = _collect(tags, notes)
    prompt = _clean_graph(found.get("prompt"), name, notes)
    workflow = found.get("workflow")
    workflow = (
        workflow if isinstance(workflow, dict) and isinstance(workflow.get("nodes"), list) else None
    )
    own = found.get("comfygradio")
    own = own if isinstance(own, dict) and isinstance(own.get("values"), dict) else None
    if prompt is None and workflow is None and own is None:
        raise MetadataError(_describe_nothing(name, tags, notes))
    if prompt is None and own is None:
        notes.append(
            "The file holds only ComfyUI's own workflow (UI format), and not the prompt that "
            "was run."
        )
    return Metadata(kind, prompt, workflow, own, tuple(notes))


def _collect(tags: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """The entries that are settings, parsed: under their own names, or together in a comment, as
    video nodes do.
    """
    found: dict[str, Any] = {}
    for key in ("prompt", "workflow", "comfygradio", "comment"):
        value = tags.get(key)
        try:
            value = _parse(value) if isinstance(value, str) else value
        except ValueError:
            if key != "comment" or str(value).lstrip().startswith("{"):
                notes.append(f"Its {key} is damaged and cannot be read.")
            continue
        if isinstance(value, dict):
            found[key] = value
    comment = found.pop("comment", {})
    if "comment" in tags and comment:
        for key, value in _collect(_name_parts(comment), notes).items():
            found.setdefault(key, value)
    return found


def _name_parts(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a JSON object without a name is: a graph, a workflow of ComfyUI's page, or an envelope
    around these.
    """
    if isinstance(data.get("nodes"), list):
        return {"workflow": data}
    if any(isinstance(node, dict) and "class_type" in node for node in data.values()):
        return {"prompt": data}
    extra = data.get("extra_data")
    info = extra.get("extra_pnginfo") if isinstance(extra, dict) else None
    parts = {**(info if isinstance(info, dict) else {}), **data}
    return {key: parts[key] for key in ("prompt", "workflow", "comfygradio") if key in parts}


def _parse(text: str) -> Any:
    """Decoded JSON, NaN allowed, without half characters.

    Raises ValueError where it is broken or nested too deeply.
    """
    if len(text) > MAX_TEXT:
        raise TooMuchText
    try:
        data = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _is_deep(data):
        raise ValueError("nested too deeply")
    if re.search(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]", text):
        data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    return data


def _is_deep(data: Any) -> bool:
    level = [data]
    for _ in range(MAX_DEPTH):
        lists = [
            item.values() if isinstance(item, dict) else item
            for item in level
            if isinstance(item, dict | list)
        ]
        level = [child for children in lists for child in children]
    return bool(level)


def _clean_graph(graph: Any, name: str, notes: list[str]) -> dict[str, Any] | None:
    """The nodes of a graph, without what was added to run it: what a sweep carries, `is_changed`,
    marks of loops.
    """
    if not isinstance(graph, dict):
        return None
    graph = strip_carried(graph)
    if len(graph) > MAX_NODES:
        raise MetadataError(
            f"{name} holds a graph of {len(graph):,} nodes; at most {MAX_NODES:,} are read."
        )
    nodes = {
        str(key): {
            part: value
            for part, value in node.items()
            if part != "is_changed" and not part.startswith("_loop")
        }
        for key, node in graph.items()
        if isinstance(node, dict) and isinstance(node.get("class_type"), str)
    }
    if nodes and len(nodes) < len(graph):
        notes.append(
            f"{len(graph) - len(nodes)} entries of its graph are no nodes and were left out."
        )
    return nodes or None


def _describe_nothing(name: str, tags: Tags, notes: list[str]) -> str:
    program = next((program for tag, program in PROGRAMS.items() if tag in tags), None)
    if program is None and WEBUI.search(tags.get("comment", "")):
        program = PROGRAMS["parameters"]
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
