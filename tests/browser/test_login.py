"""The login page and the way out, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from comfygradio.demo import DemoOptions, DemoServer
from tests.browser.settling import wait_until
from tests.chromium import PATIENCE_MS
from tests.security.attack_browser import write_users
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.browser

PROMPT = "What do you want to see?"

BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with a login."""
    folder = tmp_path_factory.mktemp("login")
    users = write_users(folder / "users", "ann", "ben")
    with (
        DemoServer(DemoOptions(step_seconds=0.02)) as demo,
        run_app(demo.url, folder / "outputs", auth=users) as running,
    ):
        yield running


def enter(page: Page, name: str, password: str) -> None:
    """Fill in the login page, as somebody does who has no mouse."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login_page_fits_a_phone_and_breaks_no_rule(
    browser: Browser, guarded: RunningApp, scheme: Literal["light", "dark"]
) -> None:
    said: list[str] = []
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.goto(guarded.url)
    expect(page.get_by_label("Name")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    color = page.evaluate(BACKGROUND)
    assert color == {"light": "rgb(248, 250, 252)", "dark": "rgb(10, 15, 30)"}[scheme]
    assert said == []
    enter(page, "ann", "ann-pw")
    page.get_by_role("button", name="Generate").first.wait_for()
    assert page.evaluate(BACKGROUND) == color
    context.close()


def test_a_wrong_password_is_told_and_the_right_one_leads_to_the_form(
    context: BrowserContext, guarded: RunningApp
) -> None:
    page = context.new_page()
    page.goto(f"{guarded.url}?preset=upscale")
    enter(page, "ann", "wrong")
    expect(page.get_by_role("alert")).to_have_text("This name or this password is not right.")
    expect(page.get_by_label("Name")).to_have_value("ann")
    expect(page.get_by_label("Password")).to_be_focused()
    enter(page, "ann", "ann-pw")
    page.get_by_role("button", name="Generate").wait_for()
    assert page.url == f"{guarded.url}?preset=upscale"
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    expect(page.get_by_role("navigation").get_by_text("Logged in as ann")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert context.cookies() == []


def test_a_page_whose_session_is_over_says_so_and_keeps_what_was_typed(
    context: BrowserContext, guarded: RunningApp
) -> None:
    page = context.new_page()
    page.goto(guarded.url)
    over: list[str] = []
    # The app ends a stream, or Gradio drops it when it has heard the last word.
    page.on("requestfinished", lambda asked: over.append(asked.url))
    page.on("requestfailed", lambda asked: over.append(asked.url))
    enter(page, "ben", "ben-pw")
    page.get_by_role("button", name="Generate").first.wait_for()
    # Gradio loads a page anew by itself whose stream is refused: here the first one is over.
    wait_until(page, lambda: any("/queue/data" in url for url in over))
    # Elsewhere, so that the page goes on with its cookie: it may look at any moment.
    cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
    httpx.post(f"{guarded.url}logout", cookies=cookies)
    expect(page.get_by_role("status").filter(has_text="no longer logged in")).to_be_visible()
    # By now the page has come to rest: Gradio sets a box back that is filled as it appears.
    page.get_by_label(PROMPT).fill("a lighthouse at dusk")
    page.get_by_role("button", name="Log in").click()
    enter(page, "ben", "ben-pw")
    expect(page.get_by_label(PROMPT)).to_have_value("a lighthouse at dusk")
