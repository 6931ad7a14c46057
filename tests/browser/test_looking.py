"""Results in large: opened, turned, enlarged and compared by mouse, keys and fingers; what else can
be done with them; and what was made last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, Route, expect

from tests.browser.conftest import watch_scripts
from tests.browser.settling import open_settings, wait_until
from tests.browser.test_history import make_picture
from tests.chromium import PATIENCE_MS
from tests.ui.running import RunningApp

pytestmark = pytest.mark.browser

SCRIPT = "**/looking.js"

OPENER = ".cg-card > a"


@pytest.fixture
def phone(browser: Browser, app: RunningApp) -> Iterator[Page]:
    """The page on a phone with a touch screen."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(app.url)
    page.get_by_role("button", name="Generate").wait_for()
    with watch_scripts(context):
        yield page
    context.close()


def make_two(page: Page) -> None:
    """Make two pictures, and wait until both are among what was made last."""
    make_picture(page, "a red kite")
    make_picture(page, "a blue kite")
    expect(page.locator(".cg-strip .cg-pick")).to_have_count(2)


def find_large(page: Page) -> Locator:
    return page.locator("dialog.cg-large")


def expect_shown(page: Page, prompt: str) -> None:
    expect(find_large(page).locator(".cg-large-media img")).to_have_attribute("alt", prompt)


def find_enlarged(page: Page) -> Locator:
    return find_large(page).locator(".cg-large-media[data-enlarged]")


def test_a_picture_is_shown_large_with_its_settings(page: Page) -> None:
    make_two(page)
    page.locator(OPENER).press("Enter")
    expect_shown(page, "a blue kite")
    expect(find_large(page).locator(".cg-past-values")).to_contain_text("a blue kite")
    page.keyboard.press("ArrowRight")
    expect_shown(page, "a red kite")
    expect(find_large(page).locator(".cg-past-values")).to_contain_text("a red kite")
    page.keyboard.press("+")
    expect(find_enlarged(page)).to_have_count(1)
    page.keyboard.press("0")
    expect(find_enlarged(page)).to_have_count(0)
    find_large(page).locator(".cg-large-media").dblclick()
    expect(find_enlarged(page)).to_have_count(1)
    page.mouse.wheel(0, 5000)
    expect(find_enlarged(page)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(find_large(page)).to_be_hidden()
    expect(page.locator(OPENER)).to_be_focused()


def test_two_pictures_are_compared_by_keys(page: Page) -> None:
    make_two(page)
    page.locator(".cg-strip .cg-pick").last.click()
    expect_shown(page, "a red kite")
    find_large(page).get_by_role("button", name="Compare", exact=True).press("Enter")
    slider = find_large(page).get_by_role("slider")
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_value("49")
    over = find_large(page).locator(".cg-over")
    expect(over).to_have_attribute("alt", "a blue kite")
    expect(over).to_have_css("clip-path", "inset(0px 0px 0px 49%)")
    page.keyboard.press("Escape")
    expect(find_large(page)).to_be_hidden()


def test_what_else_can_be_done_comes_with_the_first_press(page: Page, app: RunningApp) -> None:
    held: list[Route] = []
    page.route(SCRIPT, lambda route: held.append(route))
    page.goto(app.url)
    make_picture(page, "a red kite")
    more = page.get_by_role("button", name="More for a red kite")
    more.click()
    wait_until(page, lambda: bool(held))
    for route in held:
        route.continue_()
    items = page.locator(".cg-more-dialog[open]")
    expect(items.get_by_role("button", name="Show large")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(items.get_by_role("link", name="Open in a new tab")).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    more.press("Enter")
    with page.expect_download() as download:
        items.get_by_role("button", name="Open in ComfyUI").click()
    assert download.value.suggested_filename == "text_to_image.json"
    expect(page.locator(".cg-more-dialog[open]")).to_have_count(0)


def test_a_picture_of_before_goes_into_a_form(page: Page) -> None:
    make_two(page)
    page.locator(".cg-strip .cg-pick").last.click()
    find_large(page).get_by_label("Use this picture in a form").select_option("Enlarge")
    expect(find_large(page)).to_be_hidden()
    page.get_by_role("heading", name="Enlarge").wait_for()
    expect(page.locator("#cg-panel-upscale img")).to_have_count(1)


def send_fingers(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    """Touch the screen as fingers do."""
    touches: list[dict[str, Any]] = []
    for number, (x, y) in enumerate(points):
        touches.append({"x": x, "y": y, "id": number})
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def test_fingers_turn_and_enlarge(phone: Page) -> None:
    make_two(phone)
    phone.locator(OPENER).tap()
    expect_shown(phone, "a blue kite")
    session = phone.context.new_cdp_session(phone)
    send_fingers(session, "touchStart", (320, 300))
    send_fingers(session, "touchMove", (200, 305))
    send_fingers(session, "touchMove", (90, 305))
    send_fingers(session, "touchEnd")
    expect_shown(phone, "a red kite")
    send_fingers(session, "touchStart", (180, 300), (210, 300))
    send_fingers(session, "touchMove", (120, 300), (270, 300))
    send_fingers(session, "touchMove", (60, 300), (330, 300))
    send_fingers(session, "touchEnd")
    expect(find_enlarged(phone)).to_have_count(1)


def read_boxes(elements: Locator) -> list[dict[str, float]]:
    """Where these elements are, all at one moment: the page may scroll to the picture meanwhile."""
    boxes: list[dict[str, float]] = elements.evaluate_all(
        "nodes => nodes.map((node) => node.getBoundingClientRect().toJSON())"
    )
    return boxes


def test_what_stands_below_a_picture_is_one_row_on_a_phone(phone: Page) -> None:
    make_picture(phone, "a kite")
    foot = phone.locator(".cg-card figcaption")
    expect(foot.get_by_role("button", name="Copy")).to_be_visible()
    boxes = read_boxes(foot.locator("select, button, a"))
    middles = {round(box["y"] + box["height"] / 2) for box in boxes}
    assert len(boxes) == 4 and max(middles) - min(middles) <= 1


def test_several_pictures_are_two_by_two_on_a_phone(phone: Page) -> None:
    open_settings(phone)
    phone.locator("#cg-panel-text_to_image").get_by_label("How many pictures").first.fill("4")
    make_picture(phone, "four kites")
    expect(phone.locator(".cg-card")).to_have_count(4)
    places = [(box["x"], box["y"]) for box in read_boxes(phone.locator(".cg-card"))]
    assert len({x for x, _ in places}) == 2
    assert len({y for _, y in places}) == 2
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
