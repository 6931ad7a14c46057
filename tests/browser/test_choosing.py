"""Changing forms faster than Gradio draws them, or than the app answers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.settling import find_form, settle
from tests.ui.running import RunningApp

pytestmark = pytest.mark.browser

TITLES = ("Text to image", "Change a picture", "Repaint a part", "Enlarge")

CHOOSE = """async ([number, wait]) => {
  document.querySelectorAll("#cg-chooser input")[number].click();
  await new Promise((done) => setTimeout(done, wait));
}"""

CHOOSE_AND_GO_BACK = """(number) => new Promise((done) => {
  addEventListener("popstate", done, { once: true });
  document.querySelectorAll("#cg-chooser input")[number].click();
  history.back();
})"""

IS_IN_VIEW = """(title) => {
  const chosen = document.querySelector("#cg-chooser label.selected");
  const { left, right } = chosen.getBoundingClientRect();
  return chosen.textContent.includes(title) && left >= 0 && right <= innerWidth;
}"""

FORMS = """() => [...document.querySelectorAll(".cg-panel")].map((form) => form.id)"""


def expect_form(page: Page, title: str) -> None:
    """This form is chosen and shown, and no other."""
    expect(page.get_by_role("radio", name=title)).to_be_checked()
    expect(find_form(page)).to_have_count(1)
    expect(find_form(page).get_by_role("heading", name=title)).to_be_visible()


def test_what_is_chosen_at_once_stays_when_the_app_answers_late(tab: Page, app: RunningApp) -> None:
    page = tab
    held: list[Route] = []
    is_late = [True]
    page.route(
        "**/gradio_api/run/**", lambda route: held.append(route) if is_late else route.continue_()
    )
    page.goto(app.url)
    page.get_by_text("Enlarge").first.click()
    expect_form(page, "Enlarge")
    is_late.clear()
    for route in held:
        route.continue_()
    page.wait_for_load_state("networkidle")
    settle(page)
    expect_form(page, "Enlarge")
    page.go_back()
    expect_form(page, "Text to image")


def test_the_last_of_quick_choices_is_shown(page: Page) -> None:
    for waits in ((0, 0), (5, 20), (35, 50)):
        for first, last in ((2, 0), (1, 3), (3, 1), (0, 2)):
            page.evaluate(CHOOSE, [first, waits[0]])
            page.evaluate(CHOOSE, [last, waits[1]])
            settle(page)
            expect_form(page, TITLES[last])
    names = ("image_to_image", "inpaint", "text_to_image", "upscale")
    assert sorted(page.evaluate(FORMS)) == [f"cg-panel-{name}" for name in names], (
        "a form stays where it is once it was shown"
    )


def test_back_at_once_shows_the_form_that_was_left(page: Page) -> None:
    for number in (3, 2, 1):
        page.evaluate(CHOOSE_AND_GO_BACK, number)
        settle(page)
        expect_form(page, TITLES[0])


def test_on_a_phone_the_chosen_button_is_brought_into_view(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    settle(page)
    for title in ("Enlarge", "Text to image"):
        page.evaluate(CHOOSE, [TITLES.index(title), 0])
        page.wait_for_function(IS_IN_VIEW, arg=title)


def test_on_a_phone_what_was_chosen_beside_another_page_is_brought_into_view(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.evaluate("comfygradioGo('history')")
    page.evaluate("comfygradioGo('', '', { preset: 'upscale' })")
    page.evaluate(CHOOSE, [TITLES.index("Enlarge"), 0])
    page.wait_for_function(IS_IN_VIEW, arg="Enlarge")
    page.go_back()
    page.wait_for_function(
        "document.querySelector('#cg-chooser label.selected').textContent.includes('Text to image')"
    )
    settle(page)
    page.go_back()
    expect_form(page, "Text to image")
    page.wait_for_function(IS_IN_VIEW, arg="Text to image")


def test_on_a_phone_that_is_turned_the_chosen_button_is_brought_into_view(page: Page) -> None:
    page.evaluate(CHOOSE, [TITLES.index("Enlarge"), 0])
    expect_form(page, "Enlarge")
    settle(page)
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function(IS_IN_VIEW, arg="Enlarge")
