"""The history page in a real browser: two people, finding, using again, favourites, deleting, and a
phone.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from comfygradio.demo import DemoServer
from tests.browser.settling import say_in_passing, set_steps
from tests.chromium import PATIENCE_MS
from tests.ui.running import RunningApp

pytestmark = pytest.mark.browser

PROMPT = "What do you want to see?"

IS_ANOTHER_DONE = """(shown) => {
  const { token, phase } = document.querySelector(".cg-view").dataset;
  return token && token !== shown && phase === "done";
}"""


@pytest.fixture
def other(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody else's browser profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


def make_picture(page: Page, prompt: str, seed: str = "") -> None:
    """Generate a picture quickly and wait until it is shown."""
    page.get_by_label(PROMPT).fill(prompt)
    page.get_by_label("Seed").fill(seed)
    shown = page.locator(".cg-view").get_attribute("data-token")
    page.locator("#cg-panel-text_to_image").get_by_role("button", name="Generate").click()
    page.wait_for_function(IS_ANOTHER_DONE, arg=shown)


def open_history(page: Page) -> None:
    page.get_by_role("link", name="History").click()
    page.get_by_role("heading", name="History").wait_for()


def close_history(page: Page) -> None:
    page.get_by_role("link", name="Back to the forms").click()


def has_drawn(page: Page, selector: str) -> None:
    """Wait until a picture is really there."""
    page.wait_for_function(
        "one => { const i = document.querySelector(one); return i && i.complete && i.naturalWidth "
        "> 0; }",
        arg=selector,
    )


def test_two_people_see_only_their_own(page: Page, other: BrowserContext, app: RunningApp) -> None:
    make_picture(page, "a fox in the snow")
    theirs = other.new_page()
    theirs.goto(app.url)
    make_picture(theirs, "an owl at night")
    for one, mine in ((page, "a fox in the snow"), (theirs, "an owl at night")):
        open_history(one)
        expect(one.locator(".cg-past-say")).to_have_text([mine])
        has_drawn(one, ".cg-past-thumb img")
    page.reload()
    expect(page.locator(".cg-past-say")).to_have_text(["a fox in the snow"])


def test_settings_and_pictures_go_back_into_the_forms(page: Page) -> None:
    seed = str(2**64 - 5)
    make_picture(page, "a harbour in fog", seed)
    page.get_by_label(PROMPT).fill("something else")
    page.get_by_label("Seed").fill("1")
    open_history(page)
    page.get_by_role("button", name="Open a harbour in fog").click()
    expect(page.locator(".cg-past-values")).to_contain_text(seed)
    page.get_by_role("button", name="Use these settings").click()
    expect(page.get_by_text("The settings are in the form.")).to_be_visible()
    expect(page.get_by_label("Seed")).to_have_value(seed)
    expect(page.get_by_label(PROMPT)).to_have_value("a harbour in fog")
    assert "history" not in page.url and "preset=text_to_image" in page.url
    expect(page.locator("#cg-panel-text_to_image .cg-generate")).to_be_focused()
    open_history(page)
    page.get_by_role("button", name="Open a harbour in fog").click()
    page.locator("#cg-history").get_by_label("Use this picture in a form").select_option(
        label="Enlarge"
    )
    has_drawn(page, "#cg-panel-upscale img")
    page.locator("#cg-panel-upscale").get_by_role("button", name="Generate").click()
    has_drawn(page, ".cg-card img")


def test_favourites_and_words_find_and_values_narrow(page: Page) -> None:
    make_picture(page, "a red apple", "11")
    make_picture(page, "a green pear", "12")
    open_history(page)
    names = page.locator(".cg-past-say")
    expect(names).to_have_text(["a green pear", "a red apple"])
    page.get_by_role("button", name="Favourite a red apple").click()
    expect(page.get_by_role("button", name="Favourite a red apple")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("button", name="★ Favourites").click()
    expect(names).to_have_text(["a red apple"])
    page.get_by_role("button", name="★ Favourites").click()
    expect(names).to_have_count(2)
    page.get_by_label("Search the history").fill("PEAR")
    expect(names).to_have_text(["a green pear"])
    page.get_by_label("Search the history").fill("nothing like it")
    expect(page.get_by_text("Nothing found.")).to_be_visible()
    page.get_by_label("Search the history").fill("")
    page.get_by_role("button", name="Open a red apple").click()
    page.get_by_role("button", name="11", exact=True).click()
    expect(names).to_have_text(["a red apple"])
    page.get_by_role("button", name="Stop showing only Seed: 11").click()
    expect(names).to_have_count(2)


def test_deleting_can_be_undone(page: Page) -> None:
    make_picture(page, "to be kept")
    make_picture(page, "to be deleted")
    open_history(page)
    page.get_by_role("button", name="Open to be deleted").click()
    sheet = page.locator(".cg-past-open")
    say_in_passing(page, ".cg-past-open")
    sheet.get_by_role("button", name="Delete", exact=True).click()
    expect(sheet).to_contain_text("to be kept")
    expect(sheet.get_by_text("Said in passing.")).to_have_count(1)
    expect(sheet.get_by_role("status")).to_contain_text("Deleted.")
    sheet.get_by_role("button", name="Undo").click()
    expect(sheet).to_contain_text("to be deleted")
    sheet.get_by_role("button", name="Close").click()
    names = page.locator(".cg-past-say")
    expect(names).to_have_text(["to be deleted", "to be kept"])
    page.get_by_label("Select to be deleted").check()
    page.get_by_label("Select to be kept").check()
    page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    expect(names).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(names).to_have_text(["to be deleted", "to be kept"])
    expect(page.get_by_role("button", name="Open to be deleted")).to_be_focused()
    page.reload()
    expect(names).to_have_text(["to be deleted", "to be kept"])


def test_what_was_deleted_is_restored_or_deleted_for_good(page: Page) -> None:
    for name in ("the first of three", "the second of three", "the third of three"):
        make_picture(page, name)
    open_history(page)
    trash = page.get_by_role("button", name="Recently deleted")
    names = page.locator(".cg-past-say")
    expect(names).to_have_text(["the third of three", "the second of three", "the first of three"])
    expect(trash).to_be_hidden()
    for name in ("the first of three", "the second of three", "the third of three"):
        page.get_by_label(f"Select {name}").check()
    page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing here yet.")).to_be_visible()
    trash.click()
    expect(names).to_have_text(["the third of three", "the second of three", "the first of three"])
    expect(page.get_by_text("For 23 more hours")).to_have_count(3)
    page.get_by_role("button", name="Restore the second of three").click()
    expect(names).to_have_text(["the third of three", "the first of three"])
    expect(page.get_by_role("button", name="Restore the first of three")).to_be_focused()
    page.get_by_role("button", name="Delete for good: the third of three").click()
    ask = page.locator("#cg-history .cg-ask")
    yes = ask.get_by_role("button", name="Delete for good")
    expect(yes).to_have_css("background-color", "rgb(185, 28, 28)")
    ask.get_by_role("button", name="Cancel").click()
    expect(names).to_have_text(["the third of three", "the first of three"])
    page.get_by_role("button", name="Delete for good: the third of three").click()
    yes.click()
    expect(names).to_have_text(["the first of three"])
    expect(page.get_by_role("button", name="Restore the first of three")).to_be_focused()
    page.get_by_role("button", name="Delete all for good").click()
    yes.click()
    expect(page.get_by_text("can be restored for a day")).to_be_visible()
    trash.click()
    expect(names).to_have_text(["the second of three"])
    expect(trash).to_be_hidden()


def test_two_are_compared_and_downloaded(page: Page) -> None:
    make_picture(page, "the first of two", "21")
    make_picture(page, "the second of two", "22")
    open_history(page)
    for name in ("Select the first of two", "Select the second of two"):
        page.get_by_label(name).check()
    bar = page.get_by_role("toolbar")
    bar.get_by_role("button", name="Compare").click()
    expect(page.locator(".cg-past-differ td")).to_have_text(
        ["the first of two", "the second of two", "21", "22"]
    )
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        bar.get_by_role("button", name="Download").click()
    assert len(zipfile.ZipFile(download.value.path()).namelist()) == 2
    bar.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()


def test_a_running_job_is_there_and_can_be_stopped(page: Page, slow: DemoServer) -> None:
    page.get_by_label(PROMPT).fill("a slow one")
    set_steps(page, 60)
    page.get_by_role("button", name="Generate").click()
    page.wait_for_function("document.querySelector('.cg-view').dataset.phase === 'running'")
    open_history(page)
    expect(page.locator(".cg-past-card")).to_have_attribute("data-phase", "running")
    page.get_by_role("button", name="Open a slow one").click()
    page.locator(".cg-past-open").get_by_role("button", name="Stop").click()
    expect(page.locator(".cg-past-open .cg-past-stopped")).to_be_visible()
    expect(
        page.locator(".cg-past-open").get_by_role("button", name="Delete", exact=True)
    ).to_be_visible()


def test_the_history_fits_a_phone(page: Page) -> None:
    make_picture(page, "a picture for a phone")
    page.set_viewport_size({"width": 390, "height": 844})
    open_history(page)
    has_drawn(page, ".cg-past-thumb img")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="Open a picture for a phone").click()
    has_drawn(page, ".cg-past-open .cg-past-stage img")
    assert page.evaluate("document.querySelector('.cg-past-sheet').scrollWidth") == 390
    page.get_by_role("button", name="Close").click()
    close_history(page)
    expect(page.get_by_role("button", name="Generate").first).to_be_visible()
