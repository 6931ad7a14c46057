"""Read the named texts that a file carries beside its pixels or sound: PNG chunks, EXIF, container
tags.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from comfygradio.media.metadata_limits import MAX_METADATA_BYTES, MetadataTooLarge, check_exif
from comfygradio.media.pictures import inspect_picture

Tags = list[tuple[str, str]]
"""All texts of a file in order, each with its name in lower case.

A name may occur several times. A text without a name is called "comment".
"""

MAX_CHUNKS = 1_000_000

NAMED = re.compile(r"\s*(\w{1,64})\s*:\s*(?=[\[{])")
"""How ComfyUI names a text in EXIF, which has no names of its own: `prompt:{…}`."""

EXIF_IFD = 0x8769
MAKER_NOTE = 0x927C

WINDOWS_TEXTS = frozenset(range(0x9C9B, 0x9CA0))
"""Title, comment, author, keywords and subject as Windows writes them, in UTF-16."""


class TextBudget:
    """Limits the bytes of text read from one file, after decompression."""

    def __init__(self, most: int = MAX_METADATA_BYTES) -> None:
        self._left = most

    def take(self, size: int) -> None:
        """Count this many bytes. Raises MetadataTooLarge."""
        self._left -= size
        if self._left < 0:
            raise MetadataTooLarge

    def inflate(self, data: bytes) -> bytes:
        """Decompress text within the budget. Raises MetadataTooLarge and zlib.error."""
        inflater = zlib.decompressobj()
        # One byte more than allowed, so that `take` notices the excess.
        text = inflater.decompress(data, self._left + 1)
        self.take(len(text))
        return text


def read_png(file: BinaryIO) -> Tags:
    """Read the tEXt, zTXt, iTXt and eXIf chunks of a PNG, and the `comf` chunks of SaveAnimatedPNG,
    wherever they are.
    """
    tags: Tags = []
    budget = TextBudget()
    for kind, data in _walk_chunks(file, budget):
        try:
            tags.extend(CHUNK_READERS[kind](data, budget))
        except MetadataTooLarge:
            raise
        except (ValueError, zlib.error):
            continue  # other chunks may be intact
    return tags


def _walk_chunks(file: BinaryIO, budget: TextBudget) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks with text, up to the end of a truncated file. Pixels are skipped unread."""
    # The chunks follow the signature. Each has its length, kind, content and checksum.
    file.seek(8)
    for _ in range(MAX_CHUNKS):
        head = file.read(8)
        kind = head[4:]
        if len(head) < 8 or kind == b"IEND":
            return
        length = int.from_bytes(head[:4], "big")
        if kind not in CHUNK_READERS:
            file.seek(length + 4, 1)
            continue
        budget.take(length)
        yield kind, file.read(length)
        file.seek(4, 1)


def _read_text(data: bytes, budget: TextBudget) -> Tags:
    name, text = _split_chunk(data)
    return [(name, decode(text))]


def _read_compressed(data: bytes, budget: TextBudget) -> Tags:
    name, rest = _split_chunk(data)
    compressed = rest[1:]  # after the compression method
    text = budget.inflate(compressed)
    return [(name, decode(text))]


def _read_international(data: bytes, budget: TextBudget) -> Tags:
    name, rest = _split_chunk(data)
    # Flag and method of compression, then language, translated name and text, with zeros between.
    is_compressed = rest[:1] == b"\1"
    text = rest[2:].split(b"\0", 2)[-1]
    if is_compressed:
        text = budget.inflate(text)
    return [(name, decode(text))]


def _split_chunk(data: bytes) -> tuple[str, bytes]:
    """Split a chunk into the name that it starts with and the rest."""
    name, _, rest = data.partition(b"\0")
    text = decode(name).strip()
    return text.lower(), rest


def decode(text: bytes) -> str:
    """Decode UTF-8, or Latin-1 if it is not UTF-8. Latin-1 accepts any byte."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def read_exif(data: bytes, budget: TextBudget | None = None) -> Tags:
    """Read the texts of an EXIF block. Raises errors of any type for a broken one, as
    Pillow does.
    """
    check_exif(data)
    exif = Image.Exif()
    exif.load(data)
    return _list_exif(exif, budget or TextBudget())


CHUNK_READERS: Mapping[bytes, Callable[[bytes, TextBudget], Tags]] = {
    b"tEXt": _read_text,
    b"zTXt": _read_compressed,
    b"iTXt": _read_international,
    b"comf": _read_text,
    b"eXIf": read_exif,
}


def read_picture(file: BinaryIO, format: str) -> Tags:
    """Read EXIF and comments of a JPEG, WebP or AVIF picture without decoding its pixels."""
    with inspect_picture(file, (format,)) as picture:
        tags = _list_exif(picture.getexif(), TextBudget())
        comments = [picture.info.get("comment")]
        if isinstance(picture, JpegImageFile):
            comments = [text for name, text in picture.applist if name == "COM"]
    for comment in comments:
        if isinstance(comment, bytes):
            tags.append(split_name(decode(comment)))
    return tags


def _list_exif(exif: Image.Exif, budget: TextBudget) -> Tags:
    """List all texts: those of cameras and other programs may come before or after the settings."""
    tags: Tags = []
    entries = list(exif.items())
    entries.extend(exif.get_ifd(EXIF_IFD).items())
    for tag, value in entries:
        text = _decode_exif(tag, value)
        budget.take(len(text))
        if text:
            tags.append(split_name(text))
    return tags


def split_name(text: str) -> tuple[str, str]:
    """Split a text from a place without names into the name that it starts with and the rest. A
    text without a name is a "comment".
    """
    named = NAMED.match(text)
    if named is None:
        return "comment", text
    rest = text[named.end() :]
    return named[1].lower(), rest


def _decode_exif(tag: int, value: Any) -> str:
    """Decode an EXIF value, or return "" if it is no text.

    Pillow decodes every text as Latin-1. A user comment starts with the name of its charset.
    """
    if isinstance(value, str):
        is_latin = all(ord(letter) <= 255 for letter in value)
        value = value.encode("latin-1" if is_latin else "utf-8")
    if not isinstance(value, bytes) or tag == MAKER_NOTE:
        return ""
    if tag in WINDOWS_TEXTS:
        return value.decode("utf-16-le", "replace").strip("\0 ")
    charset = value[:8].rstrip(b"\0 ")
    text = value[8:]
    if charset == b"UNICODE":
        # In UTF-16 the first byte of a Latin letter is 0, or the second if it is little-endian.
        order = "utf-16-le" if text[1:2] == b"\0" else "utf-16-be"
        return text.decode(order, "replace").strip("\0 ")
    if charset not in (b"ASCII", b"JIS", b""):
        text = value  # no charset: the text begins at once
    return decode(text).strip("\0 ")


def read_media(file: BinaryIO, format: str) -> Tags:
    """Read the tags of a video or sound, of the file and its streams. `format` is FFmpeg's name of
    the container.
    """
    import av

    tags: Tags = []
    # If FFmpeg detected the format itself, it would follow playlists that name other files.
    with av.open(file, format=format, metadata_errors="replace") as container:
        sources = [container.metadata]
        sources.extend(stream.metadata for stream in container.streams)
        for source in sources:
            for name, text in source.items():
                tags.append((name.lower(), text))
    if sum(len(text) for _, text in tags) > MAX_METADATA_BYTES:
        raise MetadataTooLarge
    return tags


def read_exr(file: BinaryIO) -> Tags:
    """Read the string attributes of an EXR header."""
    data = file.read(MAX_METADATA_BYTES)
    tags: Tags = []
    # The magic number and the version come first.
    place = 8
    while data[place : place + 1] not in (b"\0", b""):
        # Name and kind have at most 255 bytes each.
        name, kind, rest = data[place : place + 600].split(b"\0", 2)
        length = int.from_bytes(rest[:4], "little")
        # Name and kind with a zero behind each, then four bytes that hold the length.
        start = place + len(name) + len(kind) + 6
        place = start + length
        if kind == b"string":
            text = data[start:place]
            tags.append((decode(name).lower(), decode(text)))
    return tags


def read_safetensors_header(file: BinaryIO) -> str:
    """Read the JSON header of a safetensors file. Raises MetadataTooLarge and struct.error."""
    (length,) = struct.unpack("<Q", file.read(8))
    if length > MAX_METADATA_BYTES:
        raise MetadataTooLarge
    return decode(file.read(length))


def read_svg(file: BinaryIO) -> Tags:
    """Read the CDATA block in the metadata of an SVG, named "comment"."""
    text = decode(file.read(MAX_METADATA_BYTES))
    found = re.search(r"<metadata[^<>]{0,200}>\s*<!\[CDATA\[", text)
    if found is None:
        return []
    end = text.find("]]>", found.end())
    if end < 0:
        return []
    return [("comment", text[found.end() : end])]
