"""Detect picture formats that Pillow does not open here by their first bytes."""

from __future__ import annotations

HEAD_BYTES = 64
"""Number of bytes at the start of a file that `detect_format` needs."""

BRANDS = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"heim": "HEIC",
    b"heis": "HEIC",
    b"hevc": "HEIC",
    b"hevx": "HEIC",
    b"crx ": "raw (CR3)",
    b"mif1": "HEIF",
    b"msf1": "HEIF",
}
"""Brands in the `ftyp` box, with which files of phones and cameras start. A file has several
brands; the first in this order counts.
"""

STARTS = {
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"8BPS": "Photoshop (PSD)",
    b"gimp xcf": "GIMP (XCF)",
    b"v/1\x01": "EXR",
    b"#?RADIANCE": "Radiance HDR",
    b"qoif": "QOI",
    b"DDS ": "DDS",
    b"\0\0\x01\0": "ICO",
}


def detect_format(head: bytes) -> str:
    """Name the format of a picture by the first bytes of its file; "" for an unknown one."""
    if head[4:8] == b"ftyp":
        return _name_brand(head)
    for start, name in STARTS.items():
        if head.startswith(start):
            return name
    return ""


def _name_brand(head: bytes) -> str:
    size = int.from_bytes(head[:4], "big")
    # The main brand, a version, and the other brands follow, four bytes each.
    listed = head[8:size]
    brands: set[bytes] = set()
    for place in range(0, len(listed), 4):
        brands.add(listed[place : place + 4])
    for brand, name in BRANDS.items():
        if brand in brands:
            return name
    return ""
