"""Limit what a picture file carries beside its pixels, before a library reads it.

EXIF and TIFF reference their parts by offset and length. Thousands of entries may reference the
same megabytes, and a library that reads each of them would fill the memory from a small file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

MAX_METADATA_BYTES = 8_000_000
"""Maximum bytes beside the pixels of one file, decompressed. ComfyUI's own metadata reach some 3
MB.
"""

MAX_PARTS = 100_000
"""Maximum number of chunks or segments of one file."""

APP1 = 0xE1
START_OF_SCAN = 0xDA
END_OF_IMAGE = 0xD9
"""Markers of a JPEG: the segment that may contain EXIF, and what follows all such segments."""

POINTERS = frozenset({0x8769, 0x8825, 0xA005, 0x014A})
"""Tags of entries that point to another list: EXIF, GPS, interoperability, and sub-pictures."""

MAX_LISTS = 50
"""Maximum number of lists of entries in one block."""

ENTRY_BYTES = 12
"""Size of an entry: tag, type, number of values, and the value or its offset."""

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
"""Type of an entry → bytes of one value."""


class MetadataTooLarge(ValueError):
    """Raised if a file carries more beside its pixels than any picture needs."""


def check_metadata_size(file: BinaryIO) -> None:
    """Check the size of what a picture file carries. The position in the file is restored.

    Broken files are left to the library that reads them. Raises MetadataTooLarge and OSError.
    """
    start = file.tell()
    head = file.read(12)
    if head[:2] == b"\xff\xd8":
        parts = _walk_jpeg(file, start + 2)
        _check_block(b"".join(parts))
    elif head[:8] == b"\x89PNG\r\n\x1a\n":
        _check_all(_walk_png(file, start + 8))
    elif head[:4] == b"RIFF":
        _check_all(_walk_riff(file, start + 12))
    elif head[:4] in (b"II*\0", b"MM\0*"):
        check_entries(file, start)
    elif head[:4] in (b"II+\0", b"MM\0+"):
        raise MetadataTooLarge("TIFF files of more than 4 GB are not read")
    file.seek(start)


def check_exif(data: bytes) -> None:
    """Check the size of an EXIF block. Raises MetadataTooLarge."""
    _check_block(data)


def check_entries(file: BinaryIO, start: int) -> None:
    """Add up the sizes that all entries of a TIFF structure claim. Raises MetadataTooLarge and
    OSError.
    """
    file.seek(start)
    order = "<" if file.read(2) == b"II" else ">"
    file.seek(start + 4)
    waiting = [_read_number(file, order)]
    seen: set[int] = set()
    left = MAX_METADATA_BYTES
    while waiting:
        place = waiting.pop()
        # The offset 0 ends a chain of lists.
        if not place or place in seen:
            continue
        seen.add(place)
        if len(seen) > MAX_LISTS:
            raise MetadataTooLarge("too many lists of entries")
        file.seek(start + place)
        head = file.read(2)
        if len(head) < 2:
            continue
        (count,) = struct.unpack(f"{order}H", head)
        entries = file.read(count * ENTRY_BYTES)
        for tag, kind, number, value in _read_entries(entries, order):
            left -= SIZES.get(kind, 1) * number
            if left < 0:
                raise MetadataTooLarge("the entries name more than there may be")
            if tag in POINTERS:
                waiting.append(value)
        # The offset of the next list follows the entries.
        waiting.append(_read_number(file, order))


def _read_entries(data: bytes, order: str) -> Iterator[tuple[int, int, int, int]]:
    # The last entry of a file that was cut off may be a part of one.
    surplus = len(data) % ENTRY_BYTES
    whole = data[: len(data) - surplus]
    yield from struct.iter_unpack(f"{order}HHLL", whole)


def _read_number(file: BinaryIO, order: str) -> int:
    data = file.read(4)
    if len(data) < 4:
        return 0
    (number,) = struct.unpack(f"{order}L", data)
    return int(number)


def _check_all(blocks: Iterator[bytes]) -> None:
    for block in blocks:
        _check_block(block)


def _check_block(data: bytes) -> None:
    data = data.removeprefix(b"Exif\0\0")
    if data:
        check_entries(BytesIO(data), 0)


def _walk_jpeg(file: BinaryIO, place: int) -> Iterator[bytes]:
    """Yield the parts of the EXIF block, which may be spread over many segments."""
    left = MAX_METADATA_BYTES
    for _ in range(MAX_PARTS):
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return
        marker = head[1]
        if marker in (START_OF_SCAN, END_OF_IMAGE):
            return
        length = int.from_bytes(head[2:4], "big")
        left -= length
        if left < 0:
            raise MetadataTooLarge("the segments are larger than they may be")
        if marker == APP1 and file.read(6) == b"Exif\0\0":
            # The length includes its own two bytes, and the six that were just read.
            yield file.read(max(0, length - 8))
        place += 2 + length
    raise MetadataTooLarge("too many segments")


def _walk_png(file: BinaryIO, place: int) -> Iterator[bytes]:
    for _ in range(MAX_PARTS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        length = int.from_bytes(head[:4], "big")
        if head[4:] == b"eXIf":
            yield _read_block(file, length)
        # The length, the type and the checksum take four bytes each.
        place += 12 + length
    raise MetadataTooLarge("too many chunks")


def _walk_riff(file: BinaryIO, place: int) -> Iterator[bytes]:
    for _ in range(MAX_PARTS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"EXIF":
            yield _read_block(file, length)
        # Chunks are padded to an even length.
        place += 8 + length + length % 2
    raise MetadataTooLarge("too many chunks")


def _read_block(file: BinaryIO, length: int) -> bytes:
    if length > MAX_METADATA_BYTES:
        raise MetadataTooLarge("the block is larger than it may be")
    return file.read(length)
