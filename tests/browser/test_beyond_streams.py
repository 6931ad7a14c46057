"""A page for which the app has no stream left: it asks, and gets one once there is one again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from comfygradio.demo import DemoServer
from tests.browser.settling import find_form, set_steps, write_prompt
from tests.browser.test_several_jobs import await_phases
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.browser

JOINS = "**/queue/join*"


@pytest.fixture(scope="module")
def app(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with one stream."""
    with run_app(demo.url, tmp_path_factory.mktemp("outputs"), streams=1) as running:
        yield running


def generate(page: Page) -> None:
    """Press Generate, and wait until a preview is there."""
    set_steps(page, 60)
    write_prompt(page)
    find_form(page).get_by_role("button", name="Generate").click()
    page.locator("img.cg-frame[src^=data]").wait_for()


def test_it_keeps_its_jobs_and_asks_until_another_page_has_ended(
    context: BrowserContext, app: RunningApp, slow: DemoServer
) -> None:
    pages = [context.new_page() for _ in range(2)]
    for page in pages:
        page.clock.install()
        page.goto(app.url)
        page.get_by_role("button", name="Generate").wait_for()
    first, second = pages
    joins: list[str] = []
    second.on(
        "request", lambda asked: joins.append(asked.url) if "queue/join" in asked.url else None
    )
    generate(first)
    stop = first.get_by_role("button", name="Stop")
    with second.expect_response("**/comfygradio/job/**"):
        write_prompt(second)
        find_form(second).get_by_role("button", name="Generate").click()
    expect(second.locator(".cg-line")).to_have_text("Waiting: you are next")
    write_prompt(second)
    find_form(second).get_by_role("button", name="Generate").click()
    await_phases(second, "waiting", "waiting")
    joins.clear()
    for _ in range(3):
        with second.expect_response("**/comfygradio/job/**"):
            second.clock.run_for(1000)
    assert joins == [], "it does not wish for a stream with each question"
    stop.click()
    expect(first.locator(".cg-view")).to_have_attribute("data-phase", "stopped")
    second.locator("img.cg-frame[src^=data]").wait_for()
    with second.expect_request(JOINS):
        second.clock.run_for(20_000)
    with second.expect_request("**/comfygradio/stream/**"):
        second.clock.run_for(1000)
    slow.set_step_seconds(0)
    await_phases(second, "done", "done")
    expect(second.locator(".cg-card img")).to_have_count(1)
