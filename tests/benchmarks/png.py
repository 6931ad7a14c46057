"""PNG files that are small and unpack to much, written without ever holding what they unpack to."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Channels → the colour type of the head."""

STRIP = 64
"""Rows that are packed at once."""


def encode_plain(width: int, height: int, channels: int, texts: Iterable[bytes] = ()) -> bytes:
    """A picture of one colour, its first rows white; `texts` are the contents of zTXt chunks: a
    name, two zeros, and packed text.
    """
    packer = zlib.compressobj(9)
    row = b"\0" + b"\0" * (channels * width)
    white = b"\0" + b"\xff" * (channels * width)
    packed = [packer.compress(white * min(STRIP, height))]
    for start in range(STRIP, height, STRIP):
        packed.append(packer.compress(row * min(STRIP, height - start)))
    packed.append(packer.flush())
    head = struct.pack(">IIBBBBB", width, height, 8, COLOR_TYPES[channels], 0, 0, 0)
    chunks = [
        make_chunk(b"IHDR", head),
        *(make_chunk(b"zTXt", text) for text in texts),
        make_chunk(b"IDAT", b"".join(packed)),
        make_chunk(b"IEND", b""),
    ]
    return SIGNATURE + b"".join(chunks)


def pack_text(size: int) -> bytes:
    """Spaces that unpack to so many bytes."""
    return zlib.compress(b" " * size, 9)


def make_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file."""
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
