"""The seed that counts up after each Generate."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.running import RunningApp

pytestmark = pytest.mark.browser


def test_a_seed_counts_up_past_those_that_were_used(page: Page, app: RunningApp) -> None:
    page.goto(app.url)
    form = page.locator("#cg-panel-text_to_image")
    generate = form.get_by_role("button", name="Generate")
    counting = form.get_by_role("button", name="Next picture: seed + 1")
    seed = form.get_by_label("Seed")
    form.get_by_label("What do you want to see?").fill("a fox")
    expect(counting).to_have_attribute("aria-pressed", "false")
    seed.fill(str(2**64 - 2))
    counting.press("Enter")
    expect(counting).to_have_attribute("aria-pressed", "true")
    generate.click()
    expect(seed).to_have_value(str(2**64 - 1))
    form.get_by_text("×2").click()
    generate.click()
    expect(seed).to_have_value("1")
    form.get_by_role("button", name="A new seed every time").click()
    expect(counting).to_have_attribute("aria-pressed", "false")
    expect(seed).to_have_value("")
