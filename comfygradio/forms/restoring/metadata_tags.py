"""The named texts that a file carries beside its pixels or sound: PNG chunks, EXIF,
container tags.
"""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from PIL import Image

Tags = dict[str, str]
"""Name in small letters → text.

Of a name that stands twice the first counts; "comment" has no name of its own.
"""

MAX_TEXT = 16 * 2**20
"""Bytes of all texts of one file; ComfyUI's own reach about 3 MB."""

MAX_CHUNKS = 1_000_000

NAMED = re.compile(r"\s*(\w{1,64})\s*:\s*(?=[\[{])")
"""How ComfyUI names a text in EXIF, which has no names of its own: `prompt:{…}`."""

EXIF_IFD, USER_COMMENT = 0x8769, 0x9286


class TooMuchText(ValueError):
    """A file carries more text than settings ever need."""


def read_png(file: BinaryIO) -> Tags:
    """tEXt, zTXt, iTXt and eXIf chunks wherever they stand, and the `comf` chunks of
    SaveAnimatedPNG.
    """
    tags: Tags = {}
    for kind, data in _walk_chunks(file):
        try:
            for name, text in READ_CHUNK[kind](data).items():
                tags.setdefault(name, text)
        except (ValueError, zlib.error) as error:
            if isinstance(error, TooMuchText):
                raise
    return tags


def _walk_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The chunks that hold texts, up to the end of a file that was cut off; pixels are skipped
    unread.
    """
    file.seek(8)
    left = MAX_TEXT
    for _ in range(MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        length = int.from_bytes(head[:4], "big")
        if head[4:] not in READ_CHUNK:
            file.seek(length + 4, 1)
            continue
        left -= length
        if left < 0:
            raise TooMuchText
        yield head[4:], file.read(length)
        file.seek(4, 1)


def _read_text(data: bytes) -> Tags:
    name, text = _split(data)
    return {name: decode(text)}


def _read_compressed(data: bytes) -> Tags:
    name, rest = _split(data)
    return {name: decode(_inflate(rest[1:]))}


def _read_international(data: bytes) -> Tags:
    name, rest = _split(data)
    is_compressed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
    return {name: decode(_inflate(rest) if is_compressed else rest)}


def _split(data: bytes) -> tuple[str, bytes]:
    name, _, rest = data.partition(b"\0")
    return decode(name).strip().lower(), rest


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    text = inflater.decompress(data, MAX_TEXT)
    if inflater.unconsumed_tail:
        raise TooMuchText
    return text


def decode(text: bytes) -> str:
    """UTF-8 where it is that, else Latin-1, which takes any byte."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def read_exif(data: bytes) -> Tags:
    """The texts of an EXIF block; raises errors of any kind where it is broken, as Pillow does."""
    exif = Image.Exif()
    exif.load(data)
    return _list_exif(exif)


READ_CHUNK: Mapping[bytes, Callable[[bytes], Tags]] = {
    b"tEXt": _read_text,
    b"zTXt": _read_compressed,
    b"iTXt": _read_international,
    b"comf": _read_text,
    b"eXIf": read_exif,
}


def read_picture(file: BinaryIO, format: str) -> Tags:
    """EXIF and comment of a JPEG, WebP or AVIF, whose pixels are not decoded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(file, formats=(format,)) as picture:
            tags = _list_exif(picture.getexif())
            comment = picture.info.get("comment")
    if isinstance(comment, bytes):
        tags.setdefault("comment", decode(comment))
    return tags


def _list_exif(exif: Image.Exif) -> Tags:
    tags: Tags = {}
    for value in (*exif.values(), exif.get_ifd(EXIF_IFD).get(USER_COMMENT)):
        text = _decode_exif(value)
        if len(text) > MAX_TEXT:
            raise TooMuchText
        named = NAMED.match(text)
        if named:
            tags.setdefault(named[1].lower(), text[named.end() :])
        elif text:
            tags.setdefault("comment", text)
    return tags


def _decode_exif(value: Any) -> str:
    """A text of EXIF: Pillow takes every one for Latin-1, and a user comment begins with the name
    of its charset.
    """
    if isinstance(value, str):
        value = value.encode("utf-8" if any(ord(letter) > 255 for letter in value) else "latin-1")
    if not isinstance(value, bytes):
        return ""
    charset, text = value[:8].rstrip(b"\0 "), value[8:]
    if charset == b"UNICODE":
        return text.decode("utf-16-le" if text[1:2] == b"\0" else "utf-16-be", "replace")
    return decode(text if charset in (b"ASCII", b"JIS", b"") else value).strip("\0 ")


def read_media(file: BinaryIO, format: str) -> Tags:
    """The tags of a video or sound, of the file and its streams; `format` is FFmpeg's name of the
    container.

    The format is given and not guessed, since FFmpeg would also follow playlists that name other
    files.
    """
    import av

    tags: Tags = {}
    with av.open(file, format=format, metadata_errors="replace") as container:
        for source in (container.metadata, *(stream.metadata for stream in container.streams)):
            for name, text in source.items():
                tags.setdefault(name.lower(), text)
    if sum(map(len, tags.values())) > MAX_TEXT:
        raise TooMuchText
    return tags


def read_exr(file: BinaryIO) -> Tags:
    """The string attributes of an EXR header."""
    data = file.read(MAX_TEXT)
    tags: Tags = {}
    place = 8
    while data[place : place + 1] not in (b"\0", b""):
        name, kind, rest = data[place : place + 600].split(b"\0", 2)
        start = place + len(name) + len(kind) + 6
        place = start + int.from_bytes(rest[:4], "little")
        if kind == b"string":
            tags.setdefault(decode(name).lower(), decode(data[start:place]))
    return tags


def read_safetensors_header(file: BinaryIO) -> str:
    """The JSON header of a safetensors file."""
    (length,) = struct.unpack("<Q", file.read(8))
    if length > MAX_TEXT:
        raise TooMuchText
    return decode(file.read(length))


def read_svg(file: BinaryIO) -> Tags:
    """The CDATA block in the metadata of an SVG, as "comment"."""
    text = decode(file.read(MAX_TEXT))
    found = re.search(r"<metadata[^<>]{0,200}>\s*<!\[CDATA\[(.*?)\]\]>", text, re.DOTALL)
    return {"comment": found[1]} if found else {}
