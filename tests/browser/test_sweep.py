"""Sweeps in a real browser: from a form to a grid that fills itself, and what can be
done with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from comfygradio.demo import DemoOptions, DemoServer
from tests.browser.conftest import SLOW_SECONDS
from tests.browser.settling import say_in_passing, settle, wait_until
from tests.browser.test_late_answers import QUESTIONS, names
from tests.chromium import PATIENCE_MS
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.browser

PROMPT = "What do you want to see?"
SCALE = "How closely to follow the words"


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A demo server on which pictures of nine steps and more fail."""
    with DemoServer(DemoOptions(step_seconds=0.03, fail_at_step=9)) as server:
        yield server


@pytest.fixture(scope="module")
def app(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with run_app(demo.url, tmp_path_factory.mktemp("outputs")) as running:
        yield running


@pytest.fixture
def other(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody else's browser profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


def open_editor(page: Page, prompt: str = "a fox in the snow") -> None:
    page.get_by_label(PROMPT).fill(prompt)
    page.locator("#cg-panel-text_to_image").get_by_role("button", name="Compare settings").click()
    page.get_by_role("heading", name="Compare settings").wait_for()


def add_axis(page: Page, label: str, text: str) -> None:
    """Choose a field that has no values yet, and say which ones it gets."""
    if not page.locator(".cg-sweep-offers:visible").count():
        page.get_by_role("button", name="+ Another field").click()
    page.locator(".cg-sweep-offers:visible").last.get_by_role(
        "button", name=label, exact=True
    ).click()
    page.get_by_label(f"Values of {label}").fill(text)


def start(page: Page, count: int) -> None:
    expect(page.locator(".cg-sweep-count")).to_contain_text(f"{count} picture")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".cg-sweep-cell")).to_have_count(count)


def wait_for(page: Page, line: str) -> None:
    """Wait until the sweep says this about itself."""
    expect(page.locator(".cg-sweep-line")).to_contain_text(line, timeout=60_000)


def run(page: Page, *axes: tuple[str, str], count: int, done: int | None = None) -> None:
    """A sweep with these axes, until it is over."""
    open_editor(page)
    for label, text in axes:
        add_axis(page, label, text)
    start(page, count)
    wait_for(page, f"{count if done is None else done} of {count} done")
    expect(page.locator('.cg-sweep-progress[data-phase="done"]')).to_be_attached()


def cell(page: Page, *values: str) -> str:
    """The selector of the cell whose label has all these values."""
    return ".cg-sweep-shot" + "".join(f'[aria-label*="{value}"]' for value in values)


def test_cells_appear_while_it_runs_and_come_back_after_a_reload(
    page: Page, other: BrowserContext, slow: DemoServer
) -> None:
    open_editor(page)
    add_axis(page, "Steps", "4, 5, 6")
    add_axis(page, SCALE, "1-7 (+3)")
    start(page, 9)
    page.locator('.cg-sweep-cell[data-phase="running"]').first.wait_for()
    page.locator('.cg-sweep-cell[data-phase="done"] img').first.wait_for()
    assert page.locator('.cg-sweep-cell[data-phase="waiting"]').count() > 0
    slow.set_step_seconds(0)
    page.reload()
    wait_for(page, "9 of 9 done")
    expect(page.locator('.cg-sweep-cell[data-phase="done"] img')).to_have_count(9)
    theirs = other.new_page()
    theirs.goto(page.url)
    expect(theirs.get_by_text("not among yours")).to_be_visible()
    theirs.get_by_role("button", name="All comparisons").click()
    expect(theirs.get_by_text("Nothing here yet")).to_be_visible()
    page.get_by_role("link", name="Back to the forms").click()
    page.get_by_role("link", name="Comparisons").click()
    expect(page.locator(".cg-sweep-card").first).to_contain_text(f"Steps × {SCALE}")
    expect(page.locator(".cg-sweep-card").first.locator("img")).to_have_count(4)


def test_the_editor_says_what_is_wrong_and_where(page: Page) -> None:
    open_editor(page)
    add_axis(page, "Steps", "4, x")
    error = page.locator(".cg-field-error:visible")
    expect(error).to_contain_text("Value 2")
    expect(page.get_by_label("Values of Steps")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Start")).to_be_disabled()
    page.get_by_label("Values of Steps").fill("4-8 [3]")
    expect(page.locator(".cg-sweep-read").first).to_have_text("3 values: 4, 6, 8")
    page.get_by_role("button", name="Change a second setting in step").click()
    page.locator(".cg-sweep-offers:visible").get_by_role("button", name=SCALE).click()
    page.get_by_label(f"Values of {SCALE}").fill("1, 2")
    expect(error).to_contain_text("needs equally many")
    page.get_by_label(f"Values of {SCALE}").fill("1, 2, 3")
    expect(page.locator(".cg-sweep-count")).to_have_text("3 pictures")
    page.reload()
    expect(page.get_by_label(f"Values of {SCALE}")).to_have_value("1, 2, 3")
    page.get_by_role("button", name="Remove").first.click()
    expect(page.get_by_label("Values of Steps")).to_have_count(0)


def test_a_start_that_is_answered_late_leaves_the_next_draft_alone(page: Page) -> None:
    open_editor(page)
    add_axis(page, "Steps", "4, 5")
    expect(page.locator(".cg-sweep-count")).to_have_text("2 pictures")
    held: list[Route] = []
    page.route(
        QUESTIONS, lambda route: held.append(route) if names(route, "start") else route.continue_()
    )
    page.get_by_role("button", name="Start").click()
    wait_until(page, lambda: bool(held))
    page.get_by_role("link", name="Back to the forms").click()
    open_editor(page, "the next one")
    add_axis(page, SCALE, "1, 2, 3")
    expect(page.locator(".cg-sweep-count")).to_have_text("3 pictures")
    with page.expect_event("requestfinished", lambda request: request == held[0].request):
        held[0].continue_()
    settle(page)
    expect(page).to_have_url(re.compile(r"[?&]sweep=new\b"))
    page.reload()
    expect(page.get_by_label(f"Values of {SCALE}")).to_have_value("1, 2, 3")


def test_a_file_of_any_name_is_shown(page: Page, app: RunningApp, tmp_path: Path) -> None:
    picture = tmp_path / "50% #1.png"
    Image.new("RGB", (8, 8)).save(picture)
    page.goto(f"{app.url}?preset=upscale")
    page.locator("#cg-panel-upscale").get_by_role("button", name="Compare settings").click()
    page.locator(".cg-sweep-offers:visible").get_by_role("button", name="Your picture").click()
    page.locator(".cg-sweep-files input[type=file]").set_input_files(picture)
    expect(page.get_by_alt_text(picture.name)).to_have_js_property("naturalWidth", 8)


def test_choices_are_ticked_or_all_filled_in(page: Page) -> None:
    open_editor(page)
    page.locator(".cg-sweep-offers").get_by_role("button", name="Sampler", exact=True).click()
    box = page.get_by_label("Values of Sampler")
    expect(box).to_have_value("euler")
    page.get_by_role("button", name="Choose").click()
    page.get_by_label("Search the list").fill("ddim")
    page.get_by_label("ddim", exact=True).check()
    expect(box).to_have_value("euler, ddim")
    expect(page.locator(".cg-sweep-count")).to_have_text("2 pictures")
    page.get_by_label("ddim", exact=True).uncheck()
    expect(box).to_have_value("euler")
    box.fill("ddim")
    expect(page.get_by_label("ddim", exact=True)).to_be_checked()
    page.get_by_role("button", name="Fill with all choices").click()
    expect(page.locator(".cg-sweep-count")).to_have_text(re.compile(r"^\d\d pictures$"))


def test_what_failed_is_told_and_tried_again_alone(page: Page) -> None:
    run(page, ("Steps", "4, 20"), (SCALE, "2, 3"), count=4, done=2)
    failed = page.locator('.cg-sweep-cell[data-phase="failed"]')
    expect(failed).to_have_count(2)
    expect(failed.first.locator(".cg-sweep-why")).not_to_be_empty()
    failed.first.get_by_role("button", name="Retry").click()
    page.locator('.cg-sweep-cell:not([data-phase="failed"]) >> nth=2').wait_for()
    expect(failed).to_have_count(2)
    page.get_by_label("Show", exact=True).select_option(label="Failed")
    expect(page.locator(".cg-sweep-row")).to_have_count(1)


def test_a_running_sweep_is_paused_and_goes_on(page: Page, slow: DemoServer) -> None:
    open_editor(page)
    add_axis(page, "Seed", "1-30")
    start(page, 30)
    page.get_by_role("button", name="Pause").click()
    wait_for(page, "paused")
    slow.set_step_seconds(0)
    expect(page.locator('.cg-sweep-cell[data-phase="running"]')).to_have_count(0)
    assert page.locator('.cg-sweep-cell[data-phase="waiting"]').count() > 10
    slow.set_step_seconds(SLOW_SECONDS)
    page.get_by_role("button", name="Resume").click()
    page.locator('.cg-sweep-cell[data-phase="running"]').first.wait_for()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator('.cg-sweep-progress[data-phase="stopped"]')).to_be_attached()
    page.get_by_role("button", name="Delete").click()
    ask = page.locator("#cg-sweep .cg-ask")
    yes = ask.get_by_role("button", name="Delete")
    expect(yes).to_have_css("background-color", "rgb(185, 28, 28)")
    ask.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Delete").click()
    yes.click()
    page.get_by_role("heading", name="Comparisons").wait_for()


def test_the_grid_is_laid_out_anew_and_runs_nothing(page: Page) -> None:
    open_editor(page)
    for label, text in (("Seed", "1, 2"), ("Steps", "4, 5"), (SCALE, "2, 3, 4")):
        add_axis(page, label, text)
    expect(page.locator(".cg-sweep-count")).to_have_text("12 pictures")
    page.get_by_role("button", name="Start").click()
    wait_for(page, "12 of 12 done")
    shots = page.locator(".cg-sweep-cell")
    expect(shots).to_have_count(6)
    expect(page.get_by_label("Seed", exact=True)).to_have_value("0")
    page.get_by_role("button", name="Next Seed").click()
    expect(page.locator(cell(page, "Seed: 2"))).to_have_count(6)
    page.get_by_role("button", name="Arrange").click()
    page.get_by_label("Where to show Seed").select_option(label="Rows")
    expect(shots).to_have_count(12)
    expect(page.locator(".cg-sweep-row")).to_have_count(4)
    page.locator(".cg-sweep-arrangement").get_by_role("button", name="3", exact=True).click()
    expect(shots).to_have_count(8)
    page.get_by_role("button", name="Swap rows and columns").click()
    expect(page.locator(".cg-sweep-row")).to_have_count(2)
    page.reload()
    expect(page.locator(".cg-sweep-row")).to_have_count(2)
    wait_for(page, "12 of 12 done")


def test_what_is_kept_and_makes_no_sense_is_not_believed(page: Page) -> None:
    run(page, ("Steps", "4, 5"), count=2)
    page.add_init_script(
        """
        const token = new URL(location.href).searchParams.get("sweep");
        localStorage.setItem("comfygradio.layouts", JSON.stringify({ [token]: { rows: 1 } }));
        localStorage.setItem("comfygradio.cell", '"wide"');
        sessionStorage.setItem("comfygradio.typed", "7");
        """
    )
    page.reload()
    expect(page.locator(".cg-sweep-cell img")).to_have_count(2)
    page.add_init_script('sessionStorage.setItem("comfygradio.sweep", `{"preset": "x"}`);')
    page.goto(re.sub(r"sweep=.*", "sweep=new", page.url))
    expect(page.get_by_role("heading", name="Comparisons")).to_be_visible()


def test_a_picture_is_opened_rated_and_used(page: Page) -> None:
    run(page, ("Steps", "4, 5"), (SCALE, "2, 3"), count=4)
    page.locator(cell(page, "Steps: 4", ": 2")).click()
    sheet = page.locator(".cg-sweep-open")
    expect(sheet.get_by_label(SCALE)).to_have_value("0")
    page.keyboard.press("ArrowRight")
    expect(sheet.get_by_label(SCALE)).to_have_value("1")
    page.keyboard.press("ArrowDown")
    expect(sheet.get_by_label("Steps")).to_have_value("1")
    page.keyboard.press("4")
    expect(sheet.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "true")
    sheet.get_by_label("Steps").select_option("0")
    sheet.get_by_role("button", name="Reject").click()
    page.keyboard.press("Escape")
    expect(page.locator(cell(page, "Steps: 4", ": 3", "rejected"))).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(cell(page, "Steps: 5", ": 3", "4 stars"))).to_be_focused()
    page.reload()
    page.get_by_label("Show", exact=True).select_option(label="★★★ and more")
    expect(page.locator(".cg-sweep-cell")).to_have_count(1)
    page.keyboard.press("Tab")
    page.locator(".cg-sweep-shot").click()
    sheet.get_by_role("button", name="Use these values").click()
    expect(page.get_by_label(PROMPT)).to_have_value("a fox in the snow")
    expect(page.locator("#cg-panel-text_to_image .cg-generate")).to_be_focused()
    page.get_by_text("More settings").click()
    expect(page.get_by_role("spinbutton", name="number input for Steps")).to_have_value("5")
    assert "sweep" not in page.url and "preset=text_to_image" in page.url


def test_a_rating_leaves_what_is_shown_in_large_as_it_is(page: Page) -> None:
    run(page, ("Steps", "4, 5"), count=2)
    page.locator(cell(page, "Steps: 4")).click()
    sheet = page.locator(".cg-sweep-open")
    shown = sheet.locator("img").element_handle()
    with page.expect_response(QUESTIONS):
        page.keyboard.press("4")
    star = sheet.get_by_role("button", name="4 stars")
    expect(star).to_have_attribute("aria-pressed", "true")
    with page.expect_response(QUESTIONS):
        star.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    expect(star).to_be_focused()
    assert shown.evaluate("(picture) => picture.isConnected"), "a video would begin anew"
    say_in_passing(page, ".cg-sweep-open")
    page.keyboard.press("ArrowRight")
    expect(sheet.get_by_label("Steps")).to_have_value("1")
    expect(sheet.locator(".cg-toast")).to_have_text("Said in passing.")
    assert not shown.evaluate("(picture) => picture.isConnected")


def test_a_sheet_is_downloaded_and_begins_the_sweep_again(page: Page, tmp_path: Path) -> None:
    run(page, ("Steps", "4, 5"), (SCALE, "2, 3"), count=4)
    with page.expect_download() as download:
        page.get_by_label("Download", exact=True).select_option(label="Contact sheet (PNG)")
    sheet = tmp_path / download.value.suggested_filename
    download.value.save_as(sheet)
    assert sheet.suffix == ".png"
    page.get_by_role("link", name="Back to the forms").click()
    page.get_by_label(PROMPT).fill("something else")
    page.get_by_text("Take settings from a picture").click()
    page.locator("#cg-restore input[type=file]").set_input_files(sheet)
    expect(page.get_by_label("Values of Steps")).to_have_value("4, 5")
    expect(page.locator(".cg-sweep-plan")).to_contain_text("All of them are there already")
    page.get_by_role("button", name="Start").click()
    wait_for(page, "4 of 4 done")


def test_the_sweep_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_editor(page)
    add_axis(page, "Steps", "4, 5")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    add_axis(page, "Sampler", "euler, ddim, dpmpp_2m")
    start(page, 6)
    wait_for(page, "6 of 6 done")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="Arrange").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".cg-sweep-shot").first.click()
    page.locator(".cg-sweep-open img").wait_for()
    assert page.evaluate("document.querySelector('.cg-sweep-sheet').scrollWidth") == 390
    page.get_by_role("button", name="Close").click()
    assert json.loads(
        page.evaluate(
            "JSON.stringify([...document.querySelectorAll('.cg-sweep-grid')].map(g => "
            "g.clientWidth))"
        )
    ) == [358]
