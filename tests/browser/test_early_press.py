"""Generate is pressed before the script of the forms has come."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from comfygradio.demo import DemoServer
from tests.browser.settling import find_form, settle, wait_until, write_prompt
from tests.browser.test_several_jobs import await_phases
from tests.chromium import PATIENCE_MS
from tests.ui.running import RunningApp, stop_all

pytestmark = pytest.mark.browser

SCRIPT = "**/forms.js"

FAILURES = 3
"""The hint to load it beforehand fails, the import, and the next one."""


@pytest.fixture(autouse=True)
def alone(app: RunningApp) -> None:
    """Nothing runs from before."""
    stop_all(app.app.service)


def hold_script(page: Page) -> list[Route]:
    """Let the script of the forms wait until `bring_script`."""
    held: list[Route] = []
    page.route(SCRIPT, lambda route: held.append(route))
    return held


def bring_script(page: Page, held: list[Route]) -> None:
    wait_until(page, lambda: bool(held))
    for route in held:
        route.continue_()


def await_form(page: Page) -> Locator:
    """Wait for the form, and write a prompt; returns its Generate."""
    button = find_form(page).get_by_role("button", name="Generate")
    button.wait_for()
    write_prompt(page)
    return button


def count_prompts(demo: DemoServer) -> int:
    """How many prompts the server has not finished."""
    queue = httpx.get(f"{demo.url}/queue").json()
    return len(queue["queue_running"]) + len(queue["queue_pending"])


def count_jobs(app: RunningApp) -> int:
    """How many jobs are not over, whether a server has them or not."""
    queue = app.app.service.queue
    submitted = [job for backend in queue.backends for job in queue.list_submitted(backend)]
    return len(submitted) + sum(queue.count_waiting().values())


def test_a_double_click_makes_one_picture_which_is_shown_and_told(
    tab: Page, app: RunningApp, slow: DemoServer
) -> None:
    held = hold_script(tab)
    tab.goto(app.url, wait_until="domcontentloaded")
    await_form(tab).dblclick()
    wait_until(tab, lambda: count_prompts(slow) == 1)
    slow.set_step_seconds(0)
    wait_until(tab, lambda: count_prompts(slow) == 0)
    bring_script(tab, held)
    expect(tab.locator(".cg-view")).to_have_attribute("data-phase", "done")
    expect(tab.locator(".cg-card img")).to_have_count(1)
    expect(tab.locator(".cg-chip")).to_have_count(0)
    expect(tab.locator(".cg-said")).to_contain_text("The picture is ready.")


def test_the_key_works_and_the_job_is_followed_to_its_end(
    tab: Page, app: RunningApp, slow: DemoServer
) -> None:
    held = hold_script(tab)
    tab.goto(app.url, wait_until="domcontentloaded")
    await_form(tab).focus()
    tab.keyboard.press("Control+Enter")
    wait_until(tab, lambda: count_prompts(slow) == 1)
    bring_script(tab, held)
    tab.locator("img.cg-frame[src^=data]").wait_for()
    slow.set_step_seconds(0)
    expect(tab.locator(".cg-view")).to_have_attribute("data-phase", "done")


def test_a_tab_that_comes_back_keeps_its_job_beside_the_new_one(
    tab: Page, app: RunningApp, slow: DemoServer
) -> None:
    tab.goto(app.url)
    await_form(tab).click()
    expect(tab.locator(".cg-view")).to_have_attribute("data-phase", "running")
    held = hold_script(tab)
    tab.reload(wait_until="domcontentloaded")
    await_form(tab).click()
    wait_until(tab, lambda: count_jobs(app) == 2)
    bring_script(tab, held)
    await_phases(tab, "running", "waiting")
    slow.set_step_seconds(0)
    await_phases(tab, "done", "done")


def test_what_is_typed_early_wins_over_what_was_typed_before_the_reload(
    tab: Page, app: RunningApp
) -> None:
    tab.goto(app.url)
    await_form(tab)
    settle(tab)
    words = find_form(tab).get_by_label("What do you want to see?")
    seed = find_form(tab).get_by_label("Seed")
    words.fill("a fox")
    seed.fill("7")
    held: list[Route] = []
    tab.route("**/page.js", lambda route: held.append(route))
    tab.reload(wait_until="domcontentloaded")
    await_form(tab)
    settle(tab)
    words.fill("an owl")
    bring_script(tab, held)
    expect(seed).to_have_value("7")
    expect(words).to_have_value("an owl")


@pytest.mark.parametrize("script", ["**/forms.js", "**/page.js"])
def test_a_script_that_did_not_come_is_asked_for_again(
    tab: Page, app: RunningApp, demo: DemoServer, script: str
) -> None:
    asked: list[str] = []

    def fail_at_first(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) <= FAILURES:
            route.abort()
        else:
            route.continue_()

    tab.route(script, fail_at_first)
    tab.goto(app.url, wait_until="domcontentloaded")
    await_form(tab).click()
    expect(tab.locator(".cg-view")).to_have_attribute("data-phase", "done")
    wait_until(tab, lambda: len(asked) > FAILURES)


def test_a_script_that_never_comes_is_told_and_the_page_can_be_reloaded(
    browser: Browser, app: RunningApp, demo: DemoServer
) -> None:
    # Not the fixture, which fails at an error in a script; here one is meant to be.
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    tab.route(SCRIPT, lambda route: route.abort())
    tab.goto(app.url, wait_until="domcontentloaded")
    note = tab.get_by_role("alert").filter(has_text="A part of this page could not be loaded.")
    expect(note).to_be_visible()
    tab.unroute(SCRIPT)
    with tab.expect_navigation():
        note.get_by_role("button", name="Reload").click()
    await_form(tab).click()
    expect(tab.locator(".cg-view")).to_have_attribute("data-phase", "done")
    expect(note).to_have_count(0)
    context.close()
