from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.errors import MetadataError
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.media import name_upload
from comfygradio.forms.kinds.picture import check_picture, compose_mask
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.forms.slots import Slot
from comfygradio.forms.value_check import check_value
from comfygradio.media.file_signature import detect_format
from comfygradio.metadata.load import load_metadata

FIELD = Field(
    name="image", widget="image", label="Image", slots={"": (Slot("1", "image"),)}, max_mb=2
)
FORMATS = ("png", "jpg", "webp", "gif", "bmp", "tiff", "avif")


def draw(path: Path, size: tuple[int, int] = (64, 48)) -> Path:
    noise = random.Random(3).randbytes(size[0] * size[1] * 3)
    Image.frombytes("RGB", size, noise).save(path)
    return path


def claim_size(path: Path, width: int, height: int) -> Path:
    """A PNG of a few bytes that says it has this many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", header),
        chunk(b"IDAT", zlib.compress(b"")),
        chunk(b"IEND", b""),
    )
    path.write_bytes(b"".join(parts))
    return path


@pytest.mark.parametrize("suffix", FORMATS)
def test_pictures_are_taken(tmp_path: Path, suffix: str) -> None:
    path = draw(tmp_path / f"a.{suffix}")
    assert check_value(FIELD, str(path)) == check_value(FIELD, path) == path


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "please add a picture."),
        ("", "please add a picture."),
        (7, "a picture file is expected."),
        (["a.png"], "a picture file is expected."),
        ("/nowhere/a.png", "the file a.png does not exist."),
        ("a\0b.png", "does not exist"),
    ],
)
def test_values_that_are_no_files(value: object, expected: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_value(FIELD, value)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "not a picture that can be read; please use PNG, JPEG or WebP."),
        (b"hello", "not a picture"),
        (b"%PDF-1.4 ...", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
            "not a picture",
        ),
        (b"\x89PNG\r\n\x1a\n", "picture"),
    ],
)
def test_files_that_are_no_pictures(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    assert expected in (check_picture(path, 2) or "")


def head_with(*brands: bytes) -> bytes:
    """The beginning of a file of a phone or a camera, with something behind it."""
    listed = brands[0] + b"\0\0\0\0" + b"".join(brands)
    return struct.pack(">I", len(listed) + 8) + b"ftyp" + listed + bytes(200)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (head_with(b"heic", b"mif1"), "HEIC"),
        (head_with(b"heix", b"mif1", b"heix"), "HEIC"),
        (head_with(b"mif1", b"heic", b"miaf"), "HEIC"),
        (head_with(b"msf1", b"hevc"), "HEIC"),
        (head_with(b"mif1", b"miaf"), "HEIF"),
    ],
)
def test_pictures_of_phones_are_named(tmp_path: Path, data: bytes, name: str) -> None:
    path = tmp_path / "IMG_0001.jpg"
    path.write_bytes(data)
    assert check_picture(path, 2) == (
        f"this is a {name} picture, as phones take them, and cannot be read here; please save it "
        "as JPEG or PNG and add that."
    )
    with pytest.raises(MetadataError, match="is not a file with ComfyUI settings"):
        load_metadata(path)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\xff\x0a" + bytes(90), "JPEG XL"),
        (b"8BPS\0\1" + bytes(90), "Photoshop (PSD)"),
        (head_with(b"crx ", b"isom"), "raw (CR3)"),
        (b"v/1\x01\2\0\0\0" + bytes(90), "EXR"),
        (b"gimp xcf v011" + bytes(90), "GIMP (XCF)"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path: Path, data: bytes, name: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    assert check_picture(path, 2) == (
        f"pictures in the format {name} cannot be read; please save it as PNG or JPEG."
    )


def test_a_broken_avif_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    path.write_bytes(head_with(b"avif", b"mif1"))
    assert "damaged" in (check_picture(path, 2) or "")


@pytest.mark.parametrize("head", [b"", b"\0\0\0\x08ftyp", b"\0\0\0\0ftypheic", b"abcdftyp"])
def test_heads_that_tell_nothing(head: bytes) -> None:
    assert detect_format(head) == ""


def test_an_avif_is_uploaded_as_one(tmp_path: Path) -> None:
    assert name_upload(FIELD, draw(tmp_path / "photo.png.avif")).endswith(".avif")
    background, target = draw(tmp_path / "a.avif"), tmp_path / "masked.png"
    with Image.open(compose_mask(background, [], target)) as masked:
        assert (masked.mode, masked.size) == ("RGBA", (64, 48))


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    assert "is not a file" in (check_picture(tmp_path, 2) or "")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "avif"])
def test_cut_off_pictures(tmp_path: Path, suffix: str) -> None:
    path = draw(tmp_path / f"a.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "damaged" in (check_picture(path, 2) or "") or "not a picture" in (
        check_picture(path, 2) or ""
    )


@pytest.mark.parametrize("suffix", FORMATS)
def test_no_damage_raises(tmp_path: Path, suffix: str) -> None:
    whole = draw(tmp_path / f"a.{suffix}").read_bytes()
    chance, path = random.Random(suffix), tmp_path / "broken"
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            damaged[chance.randrange(min(len(damaged), 400))] = chance.randrange(256)
        path.write_bytes(damaged)
        assert isinstance(check_picture(path, 2), str | None)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (
            10_000,
            10_000,
            "the picture has 10000 × 10000 pixels, that is 100 megapixels; at most 50 are allowed.",
        ),
        (50_000, 50_000, "the picture is far too large; at most 50 megapixels are allowed."),
        (2**31 - 1, 2**31 - 1, "at most 50 megapixels are allowed."),
    ],
)
def test_too_many_pixels_are_refused_unread(
    tmp_path: Path, width: int, height: int, expected: str
) -> None:
    assert expected in (check_picture(claim_size(tmp_path / "a.png", width, height), 2) or "")


def test_too_many_megabytes(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.bmp", (1000, 1000))
    assert check_picture(path, 2) == "the file has 3 MB; at most 2 MB are allowed."


def test_the_uploaded_name_depends_on_the_content_alone(tmp_path: Path) -> None:
    first, copy, other = (
        draw(tmp_path / "a.png"),
        tmp_path / "b ü.png",
        draw(tmp_path / "c.png", (9, 9)),
    )
    copy.write_bytes(first.read_bytes())
    assert name_upload(FIELD, first) == name_upload(FIELD, copy) != name_upload(FIELD, other)
    assert name_upload(FIELD, first).endswith(".png")
    assert name_upload(FIELD, draw(tmp_path / "d.jpg")).endswith(".jpg")
