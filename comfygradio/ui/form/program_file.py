"""Files that programs send in a call: as a data URI, as base64, or by their address on the web."""

from __future__ import annotations

import asyncio
import base64
import binascii
import mimetypes
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfygradio.errors import ExternalError, LimitReached, ValuesRefused
from comfygradio.forms.field import Field
from comfygradio.service.service import Service
from comfygradio.ui.form.upload_value import (
    find_upload_folder,
    open_upload_folder,
    read_payload,
    read_upload,
)

FOLDER = "comfygradio-sent"
"""The folder of these files among Gradio's uploads."""

NO_FILE = (
    "this is not a file; send the file itself, as an upload (handle_file of gradio_client), a data "
    "URI or base64, or its address on the web, which begins with https://. A name or path means "
    "nothing here."
)

BROKEN = "the base64 of this data URI cannot be read; send it again."

DATA_URI = re.compile(r"data:([a-z0-9.+-]*/[a-z0-9.+-]*)?((?:;[a-z0-9=._+-]*)*),", re.IGNORECASE)

BASE64 = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
"""Base64 of a file; a shorter text is taken for a name, since no file is so small."""

MAGIC_BYTES = (
    (b"fLaC", ".flac"),
    (b"OggS", ".ogg"),
    (b"ID3", ".mp3"),
    (b"\xff\xfb", ".mp3"),
    (b"RIFF", ".wav"),
    (b"\x1aE\xdf\xa3", ".webm"),
)
"""The beginnings of files of a known type, and their suffixes; types of pictures are found from
their content anyway.
"""


async def receive_file(service: Service, field: Field, payload: Any, party: str) -> Any:
    """Store the file that a program sent for a field; return its path, or None if it sent none.

    It counts for the limits of `party`. Raises ValuesRefused if it is not a file, or cannot be
    fetched.
    """
    if payload is None or payload == "":
        return None
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(service.readers, _read, service, field, payload, party)
        if not isinstance(found, str):
            return found
        return await service.web_files.fetch(found, find_upload_folder(FOLDER))
    except (ExternalError, LimitReached, ValueError) as error:
        raise ValuesRefused({field.name: str(error)}) from error


def _read(service: Service, field: Field, payload: Any, party: str) -> Path | str | None:
    """Store a file that was sent, and return its path; for one on the web, return its address.

    Raises LimitReached, and ValueError with a sentence.
    """
    if isinstance(payload, Mapping) and ("background" in payload or read_upload(payload)):
        uploaded: Path | None = read_payload(field, payload, service.clock)
        return uploaded
    folder = open_upload_folder(FOLDER, service.clock)
    address = find_address(payload)
    if address:
        return address
    content, suffix = decode_content(payload)
    service.upload_quota.take(party, 1, len(content))
    path = folder / secrets.token_hex(16) / f"file{suffix}"
    path.parent.mkdir()
    path.write_bytes(content)
    return path


def has_file(payload: Any) -> bool:
    """Return whether a program sent a file, and not only a text that may be a name."""
    if isinstance(payload, Mapping):
        return True
    if not isinstance(payload, str):
        return False
    if find_address(payload) or DATA_URI.match(payload):
        return True
    return _is_base64(payload)


def find_address(payload: Any) -> str:
    """Find the address on the web that was sent instead of a file; "" if there is none."""
    candidates = [payload]
    if isinstance(payload, Mapping):
        candidates = [payload.get("url"), payload.get("path")]
    for candidate in candidates:
        if isinstance(candidate, str) and re.match(r"(?i)https?://", candidate):
            return candidate
    return ""


def decode_content(payload: Any) -> tuple[bytes, str]:
    """Decode a data URI or base64; return the bytes, and a suffix for a file of them.

    Raises ValueError with a sentence.
    """
    if not isinstance(payload, str):
        raise ValueError(NO_FILE)
    head = DATA_URI.match(payload)
    if head is not None:
        is_base64 = ";base64" in head[2].lower()
        content = _decode(payload[head.end() :]) if is_base64 else b""
        if not content:
            raise ValueError(BROKEN)
        suffix = mimetypes.guess_extension(head[1] or "")
        return content, suffix or _guess_suffix(content)
    if not _is_base64(payload):
        raise ValueError(NO_FILE)
    content = _decode(payload)
    if not content:
        raise ValueError(NO_FILE)
    return content, _guess_suffix(content)


def _is_base64(text: str) -> bool:
    encoded = _drop_spaces(text)
    return BASE64.fullmatch(encoded) is not None


def _drop_spaces(text: str) -> str:
    return "".join(text.split())


def _decode(text: str) -> bytes:
    """Decode base64 in either alphabet, with or without padding; empty if it is invalid."""
    encoded = _drop_spaces(text)
    standard = encoded.translate(str.maketrans("-_", "+/"))
    bare = standard.rstrip("=")
    padding = "=" * (-len(bare) % 4)
    try:
        return base64.b64decode(bare + padding, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _guess_suffix(content: bytes) -> str:
    if content[4:8] == b"ftyp":
        return ".mp4"
    for beginning, suffix in MAGIC_BYTES:
        if content.startswith(beginning):
            return suffix
    return ""
