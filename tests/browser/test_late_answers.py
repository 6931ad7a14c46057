"""Answers that come late or never: what was left opens nothing, and a page that hears nothing asks
again.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from comfygradio.demo import DemoServer
from tests.browser.settling import set_steps, wait_until, write_prompt
from tests.browser.test_history import make_picture, open_history
from tests.ui.running import RunningApp

pytestmark = pytest.mark.browser

QUESTIONS = "**/component_server/**"


def names(route: Route, question: str) -> bool:
    return f'"{question}"' in (route.request.post_data or "")


def test_a_comparison_that_was_left_does_not_open(page: Page) -> None:
    make_picture(page, "the first of two")
    make_picture(page, "the second of two")
    open_history(page)
    for name in ("Select the first of two", "Select the second of two"):
        page.get_by_label(name).check()
    held: list[Route] = []
    page.route(
        QUESTIONS, lambda route: held.append(route) if names(route, "open") else route.continue_()
    )
    page.get_by_role("toolbar").get_by_role("button", name="Compare").click()
    page.get_by_role("link", name="Back to the forms").click()
    wait_until(page, lambda: len(held) == 2)
    for route in held:
        with page.expect_response(QUESTIONS):
            route.continue_()
    open_history(page)
    expect(page.locator(".cg-past-card")).to_have_count(2)
    expect(page.locator(".cg-past-compare")).to_be_hidden()


def test_a_look_that_is_never_answered_is_tried_again(
    tab: Page, app: RunningApp, slow: DemoServer
) -> None:
    page = tab
    page.clock.install()
    page.goto(app.url)
    set_steps(page, 60)
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    page.wait_for_function("document.querySelector('.cg-view').dataset.phase === 'running'")
    open_history(page)
    card = page.locator(".cg-past-card")
    expect(card).to_have_attribute("data-phase", "running")
    held: list[Route] = []
    page.route(
        QUESTIONS,
        lambda route: route.continue_() if held or not names(route, "look") else held.append(route),
    )
    wait_until(page, lambda: bool(held))
    expect(card).to_have_attribute("data-phase", "running")
    slow.set_step_seconds(0)
    page.clock.run_for(25_000)
    expect(card).to_have_attribute("data-phase", "done")
