"""Files that programs send inside of a call: as a data URI, as base64, or by their address on the
web.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import mimetypes
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from comfygradio.clock import Clock
from comfygradio.errors import ExternalError, LimitReached, ValuesRefused
from comfygradio.forms.field import Field
from comfygradio.service.service import Service
from comfygradio.ui.form.upload_value import read_payload, read_upload

KEPT_SECONDS = 86_400
"""As long as Gradio keeps uploads."""

NO_FILE = (
    "this is no file; send the file itself, as an upload (handle_file of gradio_client), a data "
    "URI or base64, or its address on the web, which begins with https://. A name or path means "
    "nothing here."
)

BROKEN = "the base64 of this data URI cannot be read; send it again."

DATA_URI = re.compile(r"data:([a-z0-9.+-]*/[a-z0-9.+-]*)?((?:;[a-z0-9=._+-]*)*),", re.IGNORECASE)

BASE64 = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
"""Shorter texts are taken for names; no file is so small."""

MAGIC_BYTES = (
    (b"fLaC", ".flac"),
    (b"OggS", ".ogg"),
    (b"ID3", ".mp3"),
    (b"\xff\xfb", ".mp3"),
    (b"RIFF", ".wav"),
    (b"\x1aE\xdf\xa3", ".webm"),
)
"""How files begin that only their content can name, and their suffixes; pictures are known by their
content anyway.
"""


async def receive_file(service: Service, field: Field, payload: Any, party: str) -> Any:
    """The path of a file that a program sent for a field, None where it sent none; `party` is whose
    limits it counts for.

    Raises ValuesRefused for what is no file, or cannot be had.
    """
    if payload is None or payload == "":
        return None
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(service.readers, _read, service, field, payload, party)
        if not isinstance(found, str):
            return found
        return await service.web_files.fetch(found, find_folder())
    except (ExternalError, LimitReached, ValueError) as error:
        raise ValuesRefused({field.name: str(error)}) from error


def find_folder() -> Path:
    """Where such files lie: among Gradio's uploads, where forms take files from."""
    return Path(get_upload_folder()) / "comfygradio-sent"


def _read(service: Service, field: Field, payload: Any, party: str) -> Path | str | None:
    """The file that was uploaded or sent, or the address of one.

    Raises LimitReached, and ValueError with a sentence.
    """
    if isinstance(payload, Mapping) and ("background" in payload or read_upload(payload)):
        uploaded: Path | None = read_payload(field, payload, service.clock)
        return uploaded
    folder = find_folder()
    _prune_folder(folder, service.clock)
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
    """Whether a program sent a file, and not only a text that may be a name."""
    if isinstance(payload, Mapping):
        return True
    if not isinstance(payload, str):
        return False
    if find_address(payload) or DATA_URI.match(payload):
        return True
    return _is_base64(payload)


def find_address(payload: Any) -> str:
    """The address on the web that was sent in the place of a file, "" for none."""
    named = [payload]
    if isinstance(payload, Mapping):
        named = [payload.get("url"), payload.get("path")]
    for one in named:
        if isinstance(one, str) and re.match(r"(?i)https?://", one):
            return one
    return ""


def decode_content(payload: Any) -> tuple[bytes, str]:
    """The bytes of a data URI or of base64, and the suffix that a file of them has.

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
    return BASE64.fullmatch(_drop_spaces(text)) is not None


def _drop_spaces(text: str) -> str:
    return "".join(text.split())


def _decode(text: str) -> bytes:
    """What base64 stands for, in either alphabet, with or without its end; empty where it is
    none.
    """
    plain = _drop_spaces(text).translate(str.maketrans("-_", "+/")).rstrip("=")
    padding = "=" * (-len(plain) % 4)
    try:
        return base64.b64decode(plain + padding, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _guess_suffix(content: bytes) -> str:
    if content[4:8] == b"ftyp":
        return ".mp4"
    for beginning, suffix in MAGIC_BYTES:
        if content.startswith(beginning):
            return suffix
    return ""


def _prune_folder(folder: Path, clock: Clock) -> None:
    """The folder, without what has been in it for a day."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        try:
            if clock.time() - path.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue
