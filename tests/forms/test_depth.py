"""Pictures of more than 8 bits of grey look like themselves wherever they are shown or sent on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.outputs import Output
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.forms.kinds.picture import check_mask, check_picture, compose_mask
from comfygradio.jobs.naming import ResultPlace
from comfygradio.jobs.results import MAX_DISPLAY_BYTES, Result, collect_results
from comfygradio.media.bit_depth import reduce_depth
from comfygradio.media.pictures import open_picture
from comfygradio.sweeps.export.thumbnail import load_thumbnail
from comfygradio.ui.job.thumbnails import make_thumbnail

WIDTH, HEIGHT = 640, 480
LEVELS = np.linspace(0, 1, WIDTH)
"""A ramp from black on the left to white on the right."""

Numbers = npt.NDArray[np.generic]


def make_ramp(low: float, high: float, kind: str) -> Numbers:
    """The ramp in numbers of any kind, with a little noise that no packer packs."""
    chance = np.random.default_rng(5)
    noise = chance.uniform(-0.004, 0.004, (HEIGHT, WIDTH))
    values = np.clip(np.tile(LEVELS, (HEIGHT, 1)) + noise, 0, 1) * (high - low) + low
    return values.astype(kind)


KINDS: dict[str, tuple[Numbers, str]] = {
    "16 bits": (make_ramp(0, 65_535, "<u2"), "png"),
    "16 bits in TIFF": (make_ramp(0, 65_535, "<u2"), "tiff"),
    "32 bits within 16": (make_ramp(0, 65_535, "<i4"), "tiff"),
    "32 bits": (make_ramp(-2_000_000, 9_000_000, "<i4"), "tiff"),
    "32 bits within 8": (make_ramp(0, 255, "<i4"), "tiff"),
    "shares": (make_ramp(0, 1, "<f4"), "tiff"),
    "metres": (make_ramp(0.4, 80, "<f4"), "tiff"),
    "below zero": (make_ramp(-3, 3, "<f4"), "tiff"),
}


def write_ramp(folder: Path, name: str) -> Path:
    numbers, suffix = KINDS[name]
    path = folder / f"depth.{suffix}"
    Image.fromarray(numbers).save(path)
    return path


def is_ramp(picture: Image.Image) -> bool:
    """Whether it is black on the left, grey in the middle and white on the right."""
    grey = picture.convert("L").resize((64, 1), Image.Resampling.BOX)
    found = [float(np.asarray(grey)[0, place]) for place in (0, 16, 32, 48, 63)]
    return bool(np.allclose(found, [2, 66, 130, 194, 253], atol=6))


def show_light_copy(path: Path) -> Image.Image:
    output = Output("1", "image", path.name, data=path.read_bytes())
    state = PromptProgress("id", "done", outputs=(output,))
    (result,) = collect_results(ResultPlace(path.parent / "out"), state)
    assert result.display and result.display != result.path
    return Image.open(result.display)


def show_thumbnail(path: Path) -> Image.Image:
    made = make_thumbnail(path)
    assert made is not None
    small = path.with_suffix(".webp")
    small.write_bytes(made)
    return Image.open(small)


def show_cell(path: Path) -> Image.Image:
    made = load_thumbnail(Result("image", path), 200)
    assert made is not None
    return made


def show_background(path: Path) -> Image.Image:
    layer = path.with_name("layer.png")
    Image.new("RGBA", (8, 8)).save(layer)
    return Image.open(compose_mask(path, [layer], path.with_name("masked.png")))


SHOWN: dict[str, Callable[[Path], Image.Image]] = {
    "light copy": show_light_copy,
    "thumbnail": show_thumbnail,
    "cell of a contact sheet": show_cell,
    "background of a mask": show_background,
}


@pytest.mark.parametrize("place", SHOWN)
@pytest.mark.parametrize("kind", KINDS)
def test_a_ramp_is_a_ramp_wherever_it_is_shown(kind: str, place: str, tmp_path: Path) -> None:
    path = write_ramp(tmp_path, kind)
    assert path.stat().st_size > MAX_DISPLAY_BYTES
    assert check_picture(path, 10) is None
    shown = SHOWN[place](path)
    assert is_ramp(shown)


def test_a_dark_picture_of_16_bits_stays_dark() -> None:
    """ComfyUI takes it so, and a mask's background must not differ from the picture itself."""
    dark = Image.fromarray(np.array([[0, 257, 5140, 12850]], "<u2"))
    assert list(np.asarray(reduce_depth(dark))[0]) == [0, 1, 20, 50]


def test_what_is_no_number_is_black_and_spoils_nothing() -> None:
    numbers = np.array([[np.nan, 2.0, np.inf, 4.0, -np.inf, 3.0]], "<f4")
    assert list(np.asarray(reduce_depth(Image.fromarray(numbers)))[0]) == [0, 0, 255, 255, 0, 128]
    nothing = Image.fromarray(np.full((3, 3), np.nan, "<f4"))
    assert reduce_depth(nothing).getextrema() == (0, 0)
    flat = Image.fromarray(np.full((3, 3), 7.5, "<f4"))
    assert reduce_depth(flat).getextrema() == (0, 0)


def test_a_value_that_is_transparent_is_a_mask(tmp_path: Path) -> None:
    path = tmp_path / "holes.png"
    numbers = np.array([[0, 65_535], [300, 32_896]], "<u2")
    Image.fromarray(numbers).save(path, transparency=300)
    with open_picture(path) as picture:
        assert picture.mode == "LA" and picture.has_transparency_data
        assert picture.getpixel((0, 1)) == (1, 0) and picture.getpixel((1, 1)) == (128, 255)
    assert check_mask(path) is None


def test_a_turned_picture_is_turned(tmp_path: Path) -> None:
    path, target = tmp_path / "turned.png", tmp_path / "masked.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.array([[0, 25_700, 51_400]], "<u2")).save(path, exif=exif)
    with Image.open(compose_mask(path, [], target)) as masked:
        assert masked.size == (1, 3)
        assert [masked.getpixel((0, row)) for row in range(3)] == [
            (0, 0, 0, 255),
            (100, 100, 100, 255),
            (200, 200, 200, 255),
        ]


def test_many_strips_are_one_picture() -> None:
    numbers = np.arange(2000 * 1500, dtype="<f4").reshape(1500, 2000)
    reduced = np.asarray(reduce_depth(Image.fromarray(numbers)))
    expected = np.rint(numbers.astype(np.float64) / numbers.max() * 255).astype(np.uint8)
    assert np.array_equal(reduced, expected)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_a_picture_of_8_bits_is_left_alone(mode: str) -> None:
    picture = Image.new(mode, (4, 4))
    assert reduce_depth(picture) is picture


def test_the_demo_server_takes_a_depth_map_for_what_it_is(tmp_path: Path) -> None:
    path = write_ramp(tmp_path, "16 bits")
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "depth.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    with DemoServer(DemoOptions()) as server, ComfyClient(server.url) as client:
        client.upload_image(path)
        *_, last = client.run(graph)
        with Image.open(last.outputs[0].save(tmp_path / "back.png")) as back:
            assert is_ramp(back)
