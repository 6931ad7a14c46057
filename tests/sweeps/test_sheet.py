"""Contact sheets: what stands where, what it looks like, how large it may become, and that it
restores the sweep.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from comfygradio.jobs.results import Result
from comfygradio.metadata.load import load_metadata
from comfygradio.sweeps.export.cell_painter import ERROR_FILL, FILL, PAPER
from comfygradio.sweeps.export.contact_sheet import (
    SheetLimits,
    draw_sheet,
    load_sweep,
    plan_sheet,
    split_page,
    write_sheet,
    write_sheets,
)
from comfygradio.sweeps.export.grid import Grid, GridCell, Layout, arrange
from comfygradio.sweeps.export.sheet_layout import MIN_FONT_SIZE, CellSlot, Sheet, Text
from comfygradio.sweeps.export.text_layout import Face, clean_text, fit_texts
from comfygradio.sweeps.export.thumbnail import load_thumbnail
from tests.effort import scale
from tests.sweeps.exporting import DEFINITION, PICTURES, SEED, fill_grid, make_grid, save_picture

AXES: Mapping[str, list[str]] = {"CFG": ["1", "7.5", "10"], "Sampler": ["euler", "ddim"]}
LONG = (
    "a fox in the snow at dawn, volumetric light, highly detailed, on 35 mm film, by a painter of "
    "winters, " * 6
)
FILE = "checkpoints/some_very_long_name-of_a_checkpoint_v12.final.safetensors"


def plan(grid: Grid, limits: SheetLimits | None = None) -> Sheet:
    return plan_sheet(arrange(grid)[0], limits or SheetLimits())


def find_text(sheet: Sheet, start: str) -> Text:
    return next(text for text in sheet.texts if text.lines and text.lines[0].startswith(start))


def write_all_text(sheet: Sheet) -> str:
    return "\n".join(" ".join(text.lines) for text in sheet.texts)


def draw(grid: Grid) -> tuple[Image.Image, tuple[CellSlot, ...]]:
    page = arrange(grid)[0]
    return draw_sheet(page, SheetLimits()), plan_sheet(page, SheetLimits()).spots


def cut(picture: Image.Image, spot: CellSlot) -> Image.Image:
    box = spot.box
    return picture.crop((box.x, box.y, box.x + box.width, box.y + box.height))


def count_colors(picture: Image.Image) -> dict[tuple[int, ...], int]:
    return {
        color: count
        for count, color in picture.getcolors(1 << 20) or []
        if isinstance(color, tuple)
    }


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_it_restores_the_sweep(suffix: str, tmp_path: Path) -> None:
    grid = fill_grid(AXES, save_picture(tmp_path / "a.png", "red"))
    (path,) = write_sheets(grid, tmp_path / f"sheet.{suffix}")
    assert load_sweep(path) == DEFINITION
    with Image.open(path) as picture:
        assert picture.format == suffix.upper()


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_it_fills_the_form_with_what_all_points_share(suffix: str, tmp_path: Path) -> None:
    own = load_metadata(
        write_sheet(arrange(fill_grid(AXES, None))[0], tmp_path / f"a.{suffix}")
    ).comfygradio
    assert own and own["preset"] == "text_to_image" and own["values"]["seed"] == SEED


@pytest.mark.parametrize(
    "name", ["picture.png", "video.mp4", "sound.flac", "README.md", "absent.png"]
)
def test_other_files_hold_no_sweep(name: str) -> None:
    assert load_sweep(PICTURES / name) is None


def test_a_damaged_sheet_holds_no_sweep(tmp_path: Path) -> None:
    path = write_sheet(arrange(make_grid(AXES))[0], tmp_path / "a.png")
    path.write_bytes(path.read_bytes().replace(b'"sweep": {', b'"sweep": 0{'))
    assert load_sweep(path) is None


def test_pictures_stand_below_their_labels(tmp_path: Path) -> None:
    cells = {
        (0, 0): GridCell((0, 0), {}, "done", (save_picture(tmp_path / "a.png", "red"),)),
        (2, 1): GridCell((2, 1), {}, "done", (save_picture(tmp_path / "b.png", "blue"),)),
    }
    grid = make_grid(AXES, cells)
    picture, spots = draw(grid)
    sheet = plan(grid)
    red, blue = spots[0], spots[-1]
    assert count_colors(cut(picture, red)) == {(255, 0, 0): red.box.width * red.box.height}
    assert (0, 0, 255) in count_colors(cut(picture, blue))
    head, side = find_text(sheet, "ddim").box, find_text(sheet, "10").box
    assert head.x == blue.box.x and head.y + head.height <= red.box.y
    assert side.x + side.width <= red.box.x and blue.box.y <= side.y <= blue.box.y + blue.box.height


def test_unequal_pictures_keep_their_proportions(tmp_path: Path) -> None:
    sizes = {"a": (64, 64), "b": (200, 100), "c": (64, 64), "d": (50, 150)}
    cells = {
        (at,): GridCell((at,), {}, "done", (save_picture(tmp_path / f"{name}.png", "red", size),))
        for at, (name, size) in enumerate(sizes.items())
    }
    picture, spots = draw(make_grid({"Size": list(sizes)}, cells))
    for spot, (width, height) in zip(spots, sizes.values(), strict=True):
        shown = cut(picture, spot)
        area = count_colors(shown)[255, 0, 0]
        scale = min(spot.box.width / width, spot.box.height / height)
        assert area == pytest.approx(width * height * scale * scale, rel=0.02)
        assert count_colors(shown).get(FILL, 0) == spot.box.width * spot.box.height - area


def test_a_failed_cell_says_why(tmp_path: Path) -> None:
    error = "KSampler: CUDA out of memory"
    picture, spots = draw(
        make_grid({"A": ["1"]}, {(0,): GridCell((0,), {}, "failed", error=error)})
    )
    silent, _ = draw(make_grid({"A": ["1"]}, {(0,): GridCell((0,), {}, "failed", error=".")}))
    shown = count_colors(cut(picture, spots[0]))
    assert shown[ERROR_FILL] > sum(shown.values()) / 2
    assert shown[ERROR_FILL] < count_colors(cut(silent, spots[0]))[ERROR_FILL]


def test_what_was_not_made_is_empty() -> None:
    picture, spots = draw(make_grid({"A": ["1", "2"]}, {(0,): GridCell((0,))}))
    for spot in spots:
        shown = count_colors(cut(picture, spot))
        assert len(shown) == 2 and max(shown, key=lambda color: shown[color]) == PAPER


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x1a\n broken", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"],
)
def test_a_file_that_cannot_be_read_is_said_so(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert load_thumbnail(Result("image", path), 100) is None
    for result in (
        Result("image", path),
        Result("video", path),
        Result("image", tmp_path / "gone.png"),
    ):
        picture, spots = draw(fill_grid({"A": ["1"]}, result))
        assert len(count_colors(cut(picture, spots[0]))) > 2


def test_a_video_shows_its_first_frame_and_a_play_mark() -> None:
    still = load_thumbnail(Result("video", PICTURES / "video.mp4"), 64)
    picture, spots = draw(fill_grid({"A": ["1"]}, Result("video", PICTURES / "video.mp4")))
    shown = cut(picture, spots[0])
    assert still and still.size == (64, 64)
    assert shown.getpixel((5, 5)) == pytest.approx(still.getpixel((1, 1)), abs=3)
    assert shown.getpixel((shown.width // 2, shown.height // 2)) == PAPER


@pytest.mark.parametrize(
    "result",
    [
        Result("audio", PICTURES / "sound.flac"),
        Result("text", text="A fox."),
        Result("3d", PICTURES / "README.md"),
    ],
)
def test_sound_text_and_files_have_something_to_see(result: Result) -> None:
    picture, spots = draw(fill_grid({"A": ["1"]}, result))
    shown = count_colors(cut(picture, spots[0]))
    assert len(shown) > 5 and FILL in shown


def test_a_rejected_picture_fades_and_stars_are_drawn(tmp_path: Path) -> None:
    grid = fill_grid({"A": ["1", "2", "3"]}, save_picture(tmp_path / "a.png", "red"))
    rated = {
        index: replace(cell, rating=[0, -1, 4][index[0]]) for index, cell in grid.cells.items()
    }
    picture, spots = draw(replace(grid, cells=rated))
    plain, rejected, starred = (count_colors(cut(picture, spot)) for spot in spots)
    assert (255, 0, 0) not in rejected and len(plain) == 1
    assert any(red > 240 and 190 < green < 230 and blue < 120 for red, green, blue in starred)


def test_numbers_stand_right_and_texts_left() -> None:
    sheet = plan(make_grid({"CFG": ["1", "10"], "Sampler": ["euler", "ddim"]}))
    assert find_text(sheet, "10").align == "right"
    sheet = plan(make_grid({"Sampler": ["euler", "ddim"], "CFG": ["1", "10"]}))
    assert find_text(sheet, "ddim").align == "left"


def test_long_labels_are_wrapped_from_the_top_and_shrink_to_a_minimum() -> None:
    sheet = plan(make_grid({"Prompt": [LONG, "a cat"], "Checkpoint": [FILE, "tiny"]}))
    side, short = find_text(sheet, "a fox in"), find_text(sheet, "a cat")
    assert len(side.lines) > 3 and side.lines[-1].endswith("…")
    assert side.box.y == sheet.spots[0].box.y and short.box.y == sheet.spots[2].box.y
    head = find_text(sheet, "checkpoints/")
    assert len(head.lines) > 1 and "".join(head.lines) == FILE
    assert head.box.y == find_text(sheet, "tiny").box.y
    assert MIN_FONT_SIZE <= side.face.size < find_text(sheet, "Prompt").face.size * 2
    assert side.face == short.face
    for text in sheet.texts:
        assert all(text.face.measure(line) <= text.box.width + 1 for line in text.lines), text


def test_lines_are_broken_between_words_where_that_is_possible() -> None:
    face, ((first, *_), (word,)) = fit_texts(["some words here", "abc"], Face(20), 130, 3, 10)
    assert first == "some words" and word == "abc" and face.size == 20
    shrunk, ((line,),) = fit_texts(["dpmpp"], Face(40), Face(20).measure("dpmpp") + 1, 1, 10)
    assert line == "dpmpp" and 18 <= shrunk.size < 40
    broken, (lines,) = fit_texts(["x" * 50], Face(20), 60, 2, 10)
    assert broken.size == 10 and len(lines) == 2 and lines[1].endswith("…")


@settings(max_examples=scale(60), deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_measured_and_drawn(text: str) -> None:
    canvas, face = Image.new("RGB", (80, 40), PAPER), Face(14)
    lines, _ = face.wrap(text, 60, 3)
    assert 1 <= len(lines) <= 3 and all(
        face.measure(line) <= 61 or len(line) <= 2 for line in lines
    )
    for line in lines:
        face.draw(canvas, 2, 2, line, (0, 0, 0))


@pytest.mark.parametrize(
    "label",
    ["日本語のラベル", "🦊👩\u200d🚀", "עברית", "مرحبا", "Ω → ½", "\ud83e", "a\0b\x07", " ", ""],
)
def test_labels_of_every_script_are_drawn(label: str, tmp_path: Path) -> None:
    grid = replace(make_grid({label: [label, "x"], "B": [label]}), title=label)
    assert load_sweep(write_sheets(grid, tmp_path / "a.png")[0]) == DEFINITION


def test_control_characters_are_left_out() -> None:
    assert clean_text("a\0b\x07\tc\r\nd\u2028e\ud800") == "ab c\nd\ne\ufffd"


@pytest.mark.parametrize(
    "limits",
    [
        SheetLimits(max_side=700),
        SheetLimits(max_area=200_000),
        SheetLimits(max_side=500, max_area=90_000),
    ],
)
def test_it_is_scaled_to_its_limits_and_says_so(limits: SheetLimits, tmp_path: Path) -> None:
    grid = fill_grid(AXES, save_picture(tmp_path / "a.png", "red", (600, 600)))
    free, scaled = plan(grid), plan(grid, limits)
    assert "scaled" not in write_all_text(free) and free.cell == (512, 512)
    assert (
        max(scaled.width, scaled.height) <= limits.max_side
        and scaled.width * scaled.height <= limits.max_area
    )
    share = round(100 * scaled.cell[0] / 512)
    assert (
        f"The sheet was scaled to {share} % to stay within {limits.max_side:,} pixels a side"
        in write_all_text(scaled)
    )
    assert draw_sheet(arrange(grid)[0], limits).size == (scaled.width, scaled.height)


@pytest.mark.deep
@pytest.mark.parametrize(("rows", "columns"), [(100, 100), (2000, 2), (2, 2000), (1, 9000)])
def test_even_large_sweeps_stay_within_what_pictures_can_be(rows: int, columns: int) -> None:
    axes = {"A": [str(n) for n in range(rows)], "B": [str(n) for n in range(columns)]}
    layout = Layout((0,), (1,)) if rows > 1 else Layout((), (0, 1))
    pages = [part for page in arrange(make_grid(axes, layout=layout)) for part in split_page(page)]
    assert sum(len(page.rows) * len(page.columns) for page in pages) == rows * columns
    sheet = plan_sheet(pages[-1], SheetLimits(16_383, 40_000_000))
    assert max(sheet.width, sheet.height) <= 16_383 and sheet.width * sheet.height <= 40_000_000
    assert min(sheet.cell) >= 35 and len(pages) <= 20
    if len(pages) > 1:
        assert f"part {len(pages)}" in write_all_text(sheet)


def test_every_page_is_a_file_that_says_which_one_it_is(tmp_path: Path) -> None:
    grid = make_grid({**AXES, "Steps": ["10", "20"]}, layout=Layout((0,), (1,), (2,)))
    paths = write_sheets(grid, tmp_path / "sheet.png")
    assert [path.name for path in paths] == ["sheet-1.png", "sheet-2.png"]
    assert all(load_sweep(path) == DEFINITION for path in paths)
    assert "Steps 20" in write_all_text(plan_sheet(arrange(grid)[1], SheetLimits()))


def test_nested_columns_share_the_label_above_them() -> None:
    grid = make_grid(
        {"Steps": ["10", "20"], "Sampler": ["euler", "ddim"], "CFG": ["1"]},
        layout=Layout((2,), (0, 1)),
    )
    sheet = plan(grid)
    outer = [text for text in sheet.texts if text.lines == ("20",)]
    assert len(outer) == 1 and outer[0].box.x == sheet.spots[2].box.x
    assert outer[0].box.width == sheet.spots[3].box.x + sheet.cell[0] - sheet.spots[2].box.x
    assert sheet.spots[2].box.x - sheet.spots[1].box.x > sheet.spots[1].box.x - sheet.spots[0].box.x
    assert (
        len([text for text in sheet.texts if text.lines == ("euler",)]) == 2
        and len(sheet.rules) == 2
    )


def test_one_axis_alone_flows_in_lines_with_captions() -> None:
    sheet = plan(make_grid({"Seed": [str(n) for n in range(12)]}))
    lines = {spot.box.y for spot in sheet.spots}
    assert 2 <= len(lines) <= 4 and len(sheet.spots) == 12
    last = find_text(sheet, "11").box
    assert last.x == sheet.spots[11].box.x and last.y >= sheet.spots[11].box.y + sheet.cell[1]


def test_an_empty_choice_is_still_a_sheet(tmp_path: Path) -> None:
    grid = fill_grid(AXES, None, Layout((0,), (1,), show="5"))
    assert load_sweep(write_sheets(grid, tmp_path / "a.png")[0]) == DEFINITION


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    (tmp_path / "a.png" / "taken").touch()
    with pytest.raises(OSError):
        write_sheet(arrange(make_grid(AXES))[0], tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_the_light_copy_is_read_where_it_is_large_enough(tmp_path: Path) -> None:
    large = save_picture(tmp_path / "a.png", "red", (400, 400))
    light = save_picture(tmp_path / "b.png", "blue", (200, 200))
    result = replace(large, display=light.path)
    for pixels, color in ((150, (0, 0, 255)), (300, (255, 0, 0))):
        thumbnail = load_thumbnail(result, pixels)
        assert thumbnail and thumbnail.getpixel((0, 0)) == color and max(thumbnail.size) == pixels


@pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="only here can a machine be without fonts"
)
def test_a_machine_without_fonts_has_the_one_inside_pillow(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from comfygradio.sweeps.export.contact_sheet import load_sweep, write_sheets\n"
        "from tests.sweeps.exporting import DEFINITION, make_grid\n"
        "from comfygradio.sweeps.export.text_layout import Face, _find_fonts\n"
        "assert set(_find_fonts(False)) == {('', False)} and Face(20, True).measure('a fox') > 30\n"
        "assert load_sweep(write_sheets(make_grid({'Ω 雪': ['🦊', 'x']}), "
        "Path(sys.argv[1]))[0]) == "
        "DEFINITION\n"
    )
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "XDG_DATA_DIRS": str(tmp_path)}
    run = [sys.executable, "-c", script, str(tmp_path / "a.png")]
    ended = subprocess.run(run, capture_output=True, text=True, env=environment)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no peak of memory to ask for")
@pytest.mark.deep
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux tells a process's own peak of memory"
)
def test_pictures_are_not_all_in_memory_at_once(tmp_path: Path) -> None:
    """Twenty pictures of 48 MB each: together they are twice of what is allowed."""
    save_picture(tmp_path / "a.png", "red", (4000, 4000))
    script = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from comfygradio.jobs.results import Result\n"
        "from comfygradio.sweeps.export.contact_sheet import write_sheets\n"
        "from tests.sweeps.exporting import fill_grid\n"
        "result = Result('image', Path(sys.argv[1]) / 'a.png', width=4000, height=4000)\n"
        "grid = fill_grid({'A': list('12345'), 'B': list('1234')}, result)\n"
        "write_sheets(grid, Path(sys.argv[1]) / 'sheet.png')\n"
        "print(re.search('VmHWM:\\\\s*(\\\\d+) kB', "
        "Path('/proc/self/status').read_text()).group(1))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) * 1024 < 450e6
