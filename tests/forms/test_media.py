"""Files that people hand in: masks, videos, sound and others."""

from __future__ import annotations

import os
from pathlib import Path

import av
import pytest
from PIL import Image, ImageDraw

from comfygradio.errors import ValuesRefused
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.media import name_upload
from comfygradio.forms.kinds.picture import compose_mask, find_suffix
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.forms.slots import Slot
from comfygradio.forms.value_check import check_value

from .corpus import corpus_info
from .preset_folder import PresetFolder

PICTURES = Path(__file__).parent.parent / "data" / "pictures"
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{video}\n#EXT-X-ENDLIST\n"


def make_field(widget: Widget, max_mb: float = 2) -> Field:
    return Field(name="f", widget=widget, label="F", slots={"": (Slot("1", "x"),)}, max_mb=max_mb)


def refuse(widget: Widget, value: object, max_mb: float = 2) -> str:
    with pytest.raises(InvalidValue) as caught:
        check_value(make_field(widget, max_mb), value)
    return str(caught.value)


@pytest.mark.parametrize("sides", [(2, 2), (64, 48), (100, 36), (642, 362)])
@pytest.mark.parametrize(
    ("codec", "suffix"), [("mpeg4", "mp4"), ("libx264", "mp4"), ("libvpx", "webm")]
)
def test_videos_of_any_size_are_taken(
    codec: str, suffix: str, sides: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / f"film.{suffix}"
    with av.open(str(path), "w") as film:
        stream = film.add_stream(codec, rate=8)
        stream.width, stream.height, stream.pix_fmt = *sides, "yuv420p"
        film.mux(stream.encode(av.VideoFrame(*sides, "yuv420p")))
        film.mux(stream.encode())
    assert check_value(make_field("video"), path) == path


@pytest.mark.parametrize(
    ("widget", "name"),
    [
        ("video", "video.mp4"),
        ("video", "video.webm"),
        ("video", "video.mkv"),
        ("audio", "sound.flac"),
        ("audio", "sound.mp3"),
        ("audio", "sound.opus"),
        ("file", "latent.latent"),
        ("image", "picture.png"),
        ("image", "animated.webp"),
    ],
)
def test_files_that_are_taken(widget: Widget, name: str) -> None:
    assert check_value(make_field(widget), str(PICTURES / name)) == PICTURES / name


@pytest.mark.parametrize("suffix", [".mp4", ".txt", ""])
def test_the_content_counts_and_not_the_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film{suffix}"
    path.write_bytes((PICTURES / "video.mp4").read_bytes())
    assert check_value(make_field("video"), path) == path


@pytest.mark.parametrize(
    ("widget", "value", "expected"),
    [
        ("video", None, "please add a video."),
        ("audio", "", "please add a sound file."),
        ("file", None, "please add a file."),
        ("mask", None, "please add a picture."),
        ("video", 7, "a video file is expected."),
        ("audio", ["a"], "a sound file is expected."),
        ("file", {"path": "x"}, "a file is expected."),
        ("audio", "/nowhere/a.wav", "the file a.wav does not exist."),
        ("file", "a\0b", "does not exist."),
        ("file", "x" * 5000, "does not exist."),
        ("file", "/tmp/\ud800", "the file ? does not exist."),
        (
            "video",
            PICTURES / "sound.flac",
            "this file is not a video that can be read; please use MP4 or WebM.",
        ),
        (
            "audio",
            PICTURES / "picture.png",
            "this file is not a sound file that can be read; please use FLAC, MP3 or WAV.",
        ),
        ("audio", PICTURES / "latent.latent", "this file is not a sound file"),
        ("video", PICTURES / "README.md", "this file is not a video"),
        ("file", PICTURES, "pictures is not a file."),
    ],
)
def test_files_that_are_refused(widget: Widget, value: object, expected: str) -> None:
    text = refuse(widget, value)
    assert text.endswith(expected) or text.startswith(expected)
    assert len(text) < 200


@pytest.mark.parametrize("widget", ["video", "audio", "file"])
def test_empty_and_large_files(tmp_path: Path, widget: Widget) -> None:
    empty, large = tmp_path / "empty", tmp_path / "large"
    empty.touch()
    large.write_bytes(bytes(2_100_000))
    assert refuse(widget, empty) == "the file is empty."
    assert refuse(widget, large) == "the file has 2 MB; at most 2 MB are allowed."


def test_half_a_file(tmp_path: Path) -> None:
    whole = (PICTURES / "video.mp4").read_bytes()
    path = tmp_path / "half.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    assert "this file is not a video" in refuse("video", path)


@pytest.mark.parametrize("widget", ["video", "image", "file"])
def test_a_pipe_is_no_file(tmp_path: Path, widget: Widget) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refuse(widget, pipe) == "pipe is not a file."


def test_a_playlist_reads_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text(PLAYLIST.format(video=PICTURES / "video.mp4"))
    assert "this file is not a video" in refuse("video", path)


def test_a_mask_has_to_be_painted(tmp_path: Path) -> None:
    plain, painted = tmp_path / "plain.png", tmp_path / "painted.png"
    Image.new("RGB", (8, 8)).save(plain)
    Image.new("RGBA", (8, 8), (0, 0, 0, 254)).save(painted)
    assert refuse("mask", plain).startswith(
        "nothing is marked yet; paint over the part that should change"
    )
    assert check_value(make_field("mask"), painted) == painted
    Image.new("RGBA", (8, 8), (0, 0, 0, 255)).save(painted)
    assert "nothing is marked yet" in refuse("mask", painted)


@pytest.mark.parametrize("mode", ["P", "LA", "RGBA", "PA"])
def test_transparency_of_every_kind_is_a_mask(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    picture = Image.new("RGBA", (8, 8), (9, 9, 9, 255))
    ImageDraw.Draw(picture).rectangle((0, 0, 3, 3), (9, 9, 9, 0))
    if mode == "P":
        flat = picture.convert("RGB").quantize(4)
        flat.info["transparency"] = 0
        flat.save(path, transparency=0)
    else:
        picture.convert("LA" if mode == "PA" else mode).save(path)
    assert check_value(make_field("mask"), path) == path


def test_painting_makes_the_marked_part_transparent(tmp_path: Path) -> None:
    background, layer, target = tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.png"
    Image.new("RGB", (16, 16), "blue").save(background)
    strokes = Image.new("RGBA", (8, 8))
    ImageDraw.Draw(strokes).rectangle((0, 0, 3, 7), (255, 0, 0, 255))
    strokes.save(layer)
    with Image.open(compose_mask(background, [layer], target)) as masked:
        assert (masked.mode, masked.size, masked.format) == ("RGBA", (16, 16), "PNG")
        assert masked.getpixel((1, 8)) == (0, 0, 255, 0) and masked.getpixel((14, 8)) == (
            0,
            0,
            255,
            255,
        )
    assert check_value(make_field("mask"), target) == target


def test_painting_adds_to_what_was_transparent(tmp_path: Path) -> None:
    background, target = tmp_path / "a.png", tmp_path / "c.png"
    Image.new("RGBA", (8, 8), (0, 0, 255, 0)).save(background)
    with Image.open(compose_mask(background, [], target)) as masked:
        assert masked.getpixel((1, 1)) == (0, 0, 255, 0)


def test_a_photo_is_painted_upright(tmp_path: Path) -> None:
    background, target = tmp_path / "a.jpg", tmp_path / "c.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (16, 8)).save(background, exif=exif)
    with Image.open(compose_mask(background, [], target)) as masked:
        assert masked.size == (8, 16)


@pytest.mark.parametrize(
    ("widget", "name", "suffix"),
    [
        ("video", "a.MP4", ".mp4"),
        ("audio", "a.b.flac", ".flac"),
        ("file", "noname", ".bin"),
        ("file", "a.../../x", ".bin"),
        ("file", "a.s h", ".bin"),
        ("file", "a." + "x" * 40, ".bin"),
        ("file", "a.ü", ".bin"),
    ],
)
def test_upload_names_are_plain(tmp_path: Path, widget: Widget, name: str, suffix: str) -> None:
    path = tmp_path / name.replace("/", "_")
    path.write_bytes(b"content")
    uploaded = name_upload(make_field(widget), path)
    assert uploaded.endswith(suffix) and uploaded == Path(uploaded).name and uploaded.isascii()


def test_a_file_is_looked_at_again_when_it_has_changed(tmp_path: Path) -> None:
    path, field = tmp_path / "a.png", make_field("image")
    for color in ("red", "blue"):
        Image.new("RGB", (8, 8), color).save(path)
        assert check_value(field, path) == path
    before = name_upload(field, path)
    path.write_bytes(path.read_bytes()[:40])
    assert "is not a picture" in refuse("image", path)
    Image.new("RGB", (8, 8), "red").save(path)
    assert check_value(field, path) == path and name_upload(field, path) != before
    path.unlink()
    assert "does not exist" in refuse("image", path)


def test_a_picture_is_named_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path, "WEBP")
    assert find_suffix(path) == ".webp" and name_upload(make_field("image"), path).endswith(".webp")


@pytest.mark.parametrize("widget", ["image", "video", "file"])
def test_a_file_that_vanishes_after_the_check_is_said_in_a_sentence(
    presets: PresetFolder, widget: Widget
) -> None:
    flow = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "anchor.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    form = presets.bind(f"f: {{slot: 1.image, widget: {widget}}}", corpus_info(), flow)
    names: dict[Widget, str] = {
        "image": "picture.png",
        "video": "video.mp4",
        "file": "latent.latent",
    }
    path = presets.folder / names[widget]
    path.write_bytes((PICTURES / names[widget]).read_bytes())
    checked = form.check({"f": path})
    path.unlink()
    with pytest.raises(ValuesRefused, match="is no longer there; please add it again"):
        form.build(checked)
