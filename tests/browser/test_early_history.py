"""The History page is used before its script has come."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.settling import wait_until
from tests.browser.test_history import make_picture
from tests.ui.running import RunningApp

pytestmark = pytest.mark.browser

SCRIPT = "**/further_pages.js"


def test_words_are_searched_for_and_buttons_wait(page: Page, app: RunningApp) -> None:
    make_picture(page, "a red kite")
    make_picture(page, "a blue kite")
    held: list[Route] = []
    page.route(SCRIPT, lambda route: held.append(route))
    page.goto(f"{app.url}?history=1", wait_until="domcontentloaded")
    page.get_by_label("Search the history").fill("red")
    favourites = page.locator(".cg-past-stars")
    expect(favourites).to_have_attribute("inert", "")
    wait_until(page, lambda: bool(held))
    for route in held:
        route.continue_()
    expect(page.locator(".cg-past-say")).to_have_text(["a red kite"])
    favourites.click()
    expect(favourites).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Nothing found.")).to_be_visible()
