"""Saving results: names, light copies, kinds."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.comfy.outputs import Output
from comfygradio.jobs.results import DISPLAY_BYTES, DISPLAY_PIXELS, make_folder, save_results


def encode(picture: Image.Image, format: str = "PNG") -> bytes:
    """The bytes of a picture file."""
    buffer = BytesIO()
    picture.save(buffer, format)
    return buffer.getvalue()


def noise(width: int, height: int, mode: str = "RGB") -> bytes:
    """A PNG that does not compress."""
    grey = Image.effect_noise((width, height), 120)
    return encode(Image.merge(mode, [grey] * len(mode)))


def output(name: str, data: bytes, kind: str = "image") -> Output:
    """An output with inline data."""
    return Output("1", kind, name, data=data)  # type: ignore[arg-type]


def test_files_are_saved_byte_for_byte(tmp_path: Path) -> None:
    data = noise(64, 64)
    (result,) = save_results([output("a.png", data)], tmp_path)
    assert result.path and result.path.read_bytes() == data and result.display == result.path


@pytest.mark.parametrize(("mode", "suffix"), [("RGB", ".jpg"), ("RGBA", ".webp")])
def test_large_pictures_get_a_light_copy(tmp_path: Path, mode: str, suffix: str) -> None:
    data = noise(2000, 1000, mode)
    assert len(data) > DISPLAY_BYTES
    (result,) = save_results([output("a.png", data)], tmp_path)
    assert result.display and result.display.suffix == suffix and (result.width, result.height) == (2000, 1000)
    with Image.open(result.display) as light:
        assert max(light.size) == DISPLAY_PIXELS


def test_equal_names_do_not_overwrite_each_other(tmp_path: Path) -> None:
    results = save_results([output("a.png", noise(8, 8)), output("a.png", noise(9, 9))], tmp_path)
    assert [result.path.name for result in results if result.path] == ["a.png", "a (2).png"]


@pytest.mark.parametrize("name", ["../../x.png", "..\\x.png", "/etc/x.png", "a\0b.png", "con:x?.png", ".."])
def test_a_name_from_the_server_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    (result,) = save_results([output(name, noise(8, 8))], tmp_path)
    assert result.path and result.path.parent == tmp_path


def test_a_damaged_picture_is_kept_as_a_file(tmp_path: Path) -> None:
    (result,) = save_results([output("a.png", b"no picture")], tmp_path)
    assert result.kind == "file" and result.path and result.path.read_bytes() == b"no picture"


def test_text_needs_no_file(tmp_path: Path) -> None:
    (result,) = save_results([Output("1", "text", text="hello")], tmp_path)
    assert result.text == "hello" and result.path is None and not list(tmp_path.iterdir())


def test_folders_are_dated_and_cannot_be_guessed(tmp_path: Path) -> None:
    first, second = make_folder(tmp_path, "tiny"), make_folder(tmp_path, "tiny")
    assert first != second and first.parent.name == "tiny" and len(first.name.partition("-")[2]) == 16
