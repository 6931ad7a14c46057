"""A sweep as one HTML file in a real browser: opened from the disk, without any server and any
network.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
)

from comfygradio.jobs.results import Result
from comfygradio.sweeps.export.gallery_page import write_gallery
from comfygradio.sweeps.export.grid import Grid, GridCell, Layout
from tests.chromium import PATIENCE_MS
from tests.sweeps.exporting import HOSTILE, PICTURES, SEED, fill_grid, make_grid, save_picture

pytestmark = pytest.mark.browser

AXES: Mapping[str, list[str]] = {
    "Steps": ["10", "20"],
    "CFG": ["1", "4", "7"],
    "Sampler": ["euler", "ddim"],
}
COLORS = ("red", "green", "blue", "orange", "purple", "teal")

Open = Callable[[Grid], Page]


@pytest.fixture
def open_page(context: BrowserContext, tmp_path: Path) -> Iterator[Open]:
    """Writes a page and opens it; an error on its console or a request to anywhere but a file
    fails the test.
    """
    errors: list[str] = []

    def note_message(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def note_request(request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            errors.append(f"{request.url} was requested")

    def open_it(grid: Grid) -> Page:
        path = write_gallery(grid, tmp_path / "sweep.html", 10_000_000)
        page = context.new_page()
        page.on("console", note_message)
        page.on("request", note_request)
        page.goto(path.as_uri())
        page.locator(".cell").first.wait_for()
        return page

    yield open_it
    assert errors == []


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    """Twelve points in three axes: most with pictures, one failed, one not made, some rated."""
    made = fill_grid(AXES, None)
    cells = dict(made.cells)
    for number, (index, cell) in enumerate(made.cells.items()):
        result = save_picture(tmp_path / "pictures" / f"{number}.png", COLORS[number % 6])
        cells[index] = replace(
            cell, results=(result,), seconds=number + 1.0, rating={1: 4, 2: -1}.get(number, 0)
        )
    cells[0, 1, 1] = GridCell((0, 1, 1), {}, "failed", error="KSampler: out of memory")
    del cells[0, 2, 1]
    return replace(made, cells=cells)


def cell(page: Page, *values: str) -> str:
    """The selector of the cell whose label has all these values."""
    return ".shot" + "".join(f'[aria-label*="{value}"]' for value in values)


def test_axes_move_between_rows_columns_and_pages(open_page: Open, grid: Grid) -> None:
    page = open_page(grid)
    expect(page.locator(".head")).to_have_text(["euler", "ddim"])
    expect(page.locator(".label")).to_have_text(["1", "4", "7"])
    expect(page.locator(".cell img")).to_have_count(4)
    expect(page.locator(cell(page, "CFG 4", "ddim"))).to_contain_text("out of memory")
    page.get_by_role("button", name="Next Steps").click()
    expect(page.locator(".cell img")).to_have_count(6)
    page.get_by_role("button", name="Swap rows and columns").click()
    expect(page.locator(".head")).to_have_text(["1", "4", "7"])
    page.get_by_role("button", name="Arrange").click()
    page.get_by_label("Where to show Steps").select_option("Rows")
    expect(page.locator(".label")).to_have_text(["10euler", "10ddim", "20euler", "20ddim"])
    page.get_by_role("button", name="4", exact=True).click()
    expect(page.locator(".head")).to_have_text(["1", "7"])
    assert page.evaluate("Object.keys(localStorage).length") == 1, (
        "another tab would not know the arrangement"
    )
    page.evaluate(
        "localStorage.clear()"
    )  # as Chromium itself does now and then to a page from a file
    page.reload()
    expect(page.locator(".head")).to_have_text(["1", "7"])


def test_a_result_opens_with_its_file_its_values_and_by_keys(
    open_page: Open, grid: Grid, context: BrowserContext
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = open_page(grid)
    page.locator(cell(page, "Steps 10", "CFG 1", "euler")).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(cell(page, "CFG 1", "ddim"))).to_be_focused()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog")
    expect(sheet.locator(".stage a")).to_have_attribute("href", "pictures/1.png")
    expect(sheet).to_contain_text("64 × 64 · 2 s")
    expect(sheet.locator(".values")).to_contain_text(str(SEED - 1))
    sheet.get_by_role("button", name="Copy as JSON").click()
    text = page.evaluate("navigator.clipboard.readText()")
    assert json.loads(text) == {"seed": SEED - 1, "Steps": "10", "CFG": "1", "Sampler": "ddim"}
    sheet.get_by_role("button", name="Copy as command").click()
    expect(page.get_by_role("status")).to_have_text("The command was copied.")
    command = f"comfygradio run text_to_image seed={SEED - 1} Steps=10 CFG=1 Sampler=ddim"
    assert page.evaluate("navigator.clipboard.readText()") == command
    page.keyboard.press("ArrowDown")
    expect(sheet).to_contain_text("out of memory")
    sheet.get_by_label("CFG").select_option("7")
    expect(sheet).to_contain_text("This was not made.")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(page.locator(cell(page, "CFG 7", "ddim"))).to_be_focused()


def test_ratings_stay_and_filter_and_sort(open_page: Open, grid: Grid) -> None:
    page = open_page(grid)
    page.locator(cell(page, "CFG 4", "euler")).focus()
    expect(page.locator(cell(page, "CFG 4", "euler"))).to_have_attribute(
        "aria-label", "Steps 10, CFG 4, Sampler euler, done, rejected"
    )
    page.keyboard.press("5")
    expect(page.locator(cell(page, "CFG 4", "euler"))).to_contain_text("★★★★★")
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(page.locator(cell(page, "CFG 4", "euler"))).to_contain_text("★★★★★")
    page.get_by_label("Order").select_option("Best rated first")
    expect(page.locator(".caption").first).to_have_text("10 · 4 · euler")
    expect(page.locator(".caption").nth(1)).to_have_text("10 · 1 · ddim")
    page.get_by_label("Order").select_option("Slowest first")
    expect(page.locator(".caption").first).to_have_text("20 · 7 · ddim")
    page.get_by_label("Show", exact=True).select_option("★★★★ and more")
    expect(page.locator(".caption")).to_have_text(["10 · 4 · euler", "10 · 1 · ddim"])
    page.get_by_label("Order").select_option("As a grid")
    expect(page.locator(".label")).to_have_text(["1", "4"])
    page.get_by_label("Show", exact=True).select_option("★★★★★")
    expect(page.locator(".cell")).to_have_count(1)


def test_nothing_that_people_wrote_becomes_part_of_the_page(
    open_page: Open, tmp_path: Path
) -> None:
    results = (
        Result("text", text=HOSTILE),
        save_picture(tmp_path / "a' onerror='window.pwned=3.png", "red"),
    )
    point = GridCell((0,), {HOSTILE: HOSTILE}, "done", results, HOSTILE, server=HOSTILE)
    page = open_page(
        replace(
            make_grid({HOSTILE: [HOSTILE]}, {(0,): point}), title=HOSTILE, fields={HOSTILE: HOSTILE}
        )
    )
    expect(page.get_by_role("heading")).to_have_text(HOSTILE)
    page.get_by_role("button", name="Arrange").click()
    page.locator(".shot").click()
    expect(page.locator(".values dd")).to_have_text(HOSTILE)
    page.get_by_label("Result", exact=True).select_option("0")
    expect(page.locator(".stage pre")).to_have_text(HOSTILE)
    assert page.evaluate("window.pwned") is None and page.title() == HOSTILE


@pytest.mark.parametrize("is_beside", [True, False])
def test_videos_stay_videos_and_sounds_can_be_heard(
    open_page: Open, tmp_path: Path, is_beside: bool
) -> None:
    folder = tmp_path if is_beside else PICTURES
    for name in ("video.webm", "sound.mp3"):
        (folder / name).write_bytes((PICTURES / name).read_bytes()) if is_beside else None
    cells = {
        (0,): GridCell((0,), {}, "done", (Result("video", folder / "video.webm"),)),
        (1,): GridCell((1,), {}, "done", (Result("audio", folder / "sound.mp3"),)),
    }
    page = open_page(make_grid({"Kind": ["video", "audio"]}, cells))
    video, sound = page.locator(".cell video"), page.locator(".cell audio")
    for name in ("muted", "loop", "playsInline"):
        expect(video).to_have_js_property(name, True)
    expect(video).to_have_js_property("paused", False)
    expect(video).to_have_js_property("videoWidth", 64)
    sound.evaluate("(sound) => { sound.preload = 'auto'; }")
    expect(sound).to_have_js_property("readyState", 4)


def test_it_fits_a_phone_and_knows_the_dark(browser: Browser, grid: Grid, tmp_path: Path) -> None:
    page = browser.new_page(
        viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True
    )
    page.set_default_timeout(PATIENCE_MS)
    page.goto(write_gallery(grid, tmp_path / "sweep.html").as_uri())
    expect(page.locator(".label").first).to_have_text("1")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert (
        page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        == "rgb(11, 17, 32)"
    )
    page.get_by_role("button", name="Light or dark").tap()
    assert (
        page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        == "rgb(248, 250, 252)"
    )
    page.locator(".shot").first.tap()
    assert page.evaluate("document.querySelector('dialog').getBoundingClientRect().width") == 390
    page.close()


def test_two_thousand_cells_cost_no_more_than_those_in_sight(
    open_page: Open, tmp_path: Path
) -> None:
    axes = {"Seed": [str(n) for n in range(100)], "CFG": [str(n) for n in range(20)]}
    page = open_page(
        fill_grid(axes, save_picture(tmp_path / "a.png", "red", (8, 8)), Layout((0,), (1,)))
    )
    assert page.locator(".cell").count() < 500
    page.evaluate("document.querySelector('.grid').scrollTop = 1e6")
    expect(page.locator(".label").last).to_have_text("99")
    assert page.locator(".cell").count() < 500
    page.get_by_label("Order").select_option("Fastest first")
    page.locator(".caption").first.wait_for()
    assert page.locator(".cell").count() < 500
