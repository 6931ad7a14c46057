"""A form that is kept for its person, settings saved under a name, and links that carry values."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Request, expect

from tests.browser.settling import settle
from tests.ui.running import RunningApp

pytestmark = pytest.mark.browser

PROMPT = "What do you want to see?"


def open_form(context: BrowserContext, app: RunningApp, query: str = "") -> Page:
    """A new tab."""
    page = context.new_page()
    page.goto(f"{app.url}?preset=text_to_image{query}")
    find_panel(page).get_by_role("button", name="Copy link").wait_for()
    settle(page)
    return page


def find_panel(page: Page) -> Locator:
    return page.locator("#cg-panel-text_to_image")


def find_size(page: Page) -> Locator:
    return page.locator("#cg-text_to_image-size input:checked")


def fill(page: Page, prompt: str, size: str) -> None:
    """Fill in a text and a choice, and wait until the app has kept them."""
    value = size.replace(" × ", "x")

    def keeps(request: Request) -> bool:
        sent = request.post_data or ""
        return prompt in sent and value in sent

    with page.expect_request(keeps) as kept:
        find_panel(page).get_by_label(PROMPT).fill(prompt)
        page.locator("#cg-text_to_image-size").get_by_text(size).click()
    answer = kept.value.response()
    assert answer is not None and answer.ok


def test_a_new_tab_has_the_form_as_it_was_left(context: BrowserContext, app: RunningApp) -> None:
    page = open_form(context, app)
    fill(page, "a kept fox", "768 × 512")
    other = open_form(context, app)
    expect(find_panel(other).get_by_label(PROMPT)).to_have_value("a kept fox")
    expect(find_size(other)).to_have_value("768x512")

    find_panel(other).get_by_role("button", name="Reset").click()
    expect(find_size(other)).to_have_value("512x512")
    find_panel(other).get_by_role("button", name="Undo").click()
    expect(find_panel(other).get_by_label(PROMPT)).to_have_value("a kept fox")
    expect(find_size(other)).to_have_value("768x512")


def test_settings_are_saved_under_a_name(context: BrowserContext, app: RunningApp) -> None:
    page = open_form(context, app)
    panel = find_panel(page)
    panel.get_by_label(PROMPT).fill("a named fox")
    panel.get_by_role("button", name="Saved settings").click()
    panel.get_by_label("A name for the present settings").fill("Fox")
    panel.get_by_role("button", name="Save", exact=True).click()
    expect(panel.get_by_role("status")).to_have_text("Fox is saved.")
    panel.get_by_role("button", name="Reset").click()
    expect(panel.get_by_label(PROMPT)).not_to_have_value("a named fox")

    panel.get_by_role("button", name="Fox", exact=True).and_(page.locator(".cg-small")).click()
    expect(panel.get_by_label(PROMPT)).to_have_value("a named fox")
    panel.get_by_role("button", name="Delete Fox").click()
    expect(panel.get_by_text("Nothing is saved yet.")).to_be_visible()
    panel.get_by_role("button", name="Undo").click()
    expect(panel.get_by_role("status")).to_have_text("Fox is back.")
    panel.get_by_role("button", name="Delete Fox").wait_for()


def test_a_link_carries_values_and_leaves_the_address(
    context: BrowserContext, app: RunningApp
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = open_form(context, app, "&prompt=a+linked+fox&seed=77&size=768x512&steps=9000")
    panel = find_panel(page)
    expect(panel.get_by_label(PROMPT)).to_have_value("a linked fox")
    expect(find_size(page)).to_have_value("768x512")
    expect(panel.get_by_role("alert")).to_contain_text("Steps: 9000 is not possible")
    expect(page).to_have_url(f"{app.url}?preset=text_to_image")

    panel.get_by_role("button", name="Copy link").click()
    expect(panel.get_by_role("status")).to_contain_text("The link is copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{app.url}?preset=text_to_image&prompt=a+linked+fox&size=768x512&seed=77"
