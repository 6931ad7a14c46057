"""One tab with several jobs: each has a chip, and one can go on while one runs."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from comfygradio.demo import DemoServer
from comfygradio.jobs.job import Job
from tests.browser.settling import find_form, wait_until, write_prompt
from tests.jobs.lines import await_that
from tests.ui.running import RunningApp, stop_all

pytestmark = pytest.mark.browser

CHIPS = ".cg-chip"


@pytest.fixture(autouse=True)
def alone(app: RunningApp) -> None:
    """Nothing runs from before."""
    stop_all(app.app.service)


def press(page: Page, times: str = "×1") -> None:
    """Press Generate for so many pictures."""
    form = find_form(page)
    form.get_by_text(times, exact=True).click()
    write_prompt(page)
    form.get_by_role("button", name="Generate").click()


def await_phases(page: Page, *phases: str) -> None:
    """Wait until the chips say so, in their order."""
    page.wait_for_function(
        "(wanted) => JSON.stringify([...document.querySelectorAll('.cg-chip')]"
        ".map((chip) => chip.dataset.phase)) === JSON.stringify(wanted)",
        arg=list(phases),
    )


def test_five_jobs_from_one_tab_and_the_one_in_the_middle_is_stopped(
    page: Page, app: RunningApp, slow: DemoServer
) -> None:
    press(page, "×4")
    await_phases(page, "running", "waiting", "waiting", "waiting")
    press(page)
    await_phases(page, "running", "waiting", "waiting", "waiting", "waiting")
    page.locator("img.cg-frame[src^=data]").wait_for()
    page.get_by_role("button", name="Stop picture 3").click()
    await_phases(page, "running", "waiting", "stopped", "waiting", "waiting")
    assert len(httpx.get(f"{slow.url}/queue").json()["queue_running"]) == 1
    slow.set_step_seconds(0)
    await_phases(page, "done", "done", "stopped", "done", "done")
    expect(page.locator(".cg-chip img")).to_have_count(4)
    seeds = [job.order.values["seed"] for job in list_jobs(app, page)]
    assert len(set(seeds)) == 5, "each has a seed of its own"


def list_jobs(app: RunningApp, page: Page) -> list[Job]:
    """The jobs of the chips, in their order."""
    tokens = page.eval_on_selector_all(CHIPS, "(chips) => chips.map((chip) => chip.dataset.token)")
    found = [app.app.service.queue.find(token) for token in tokens]
    return [job for job in found if job is not None]


def test_a_chip_shows_its_job_and_the_tab_stays_with_it(page: Page, slow: DemoServer) -> None:
    press(page, "×2")
    await_phases(page, "running", "waiting")
    page.locator("img.cg-frame[src^=data]").wait_for()
    page.get_by_role("button", name="Picture 2: ").click()
    expect(page.locator(".cg-line")).to_contain_text("Waiting")
    expect(page.locator("img.cg-frame")).to_be_hidden()
    page.get_by_role("button", name="Picture 1: ").click()
    page.locator("img.cg-frame[src^=data]").wait_for()
    slow.set_step_seconds(0)
    await_phases(page, "done", "done")
    first, second = page.eval_on_selector_all(CHIPS, "(all) => all.map((one) => one.dataset.token)")
    expect(page.locator(".cg-view")).to_have_attribute("data-token", second)
    page.get_by_role("button", name="Picture 1: ").click()
    expect(page.locator(".cg-view")).to_have_attribute("data-token", first)
    expect(page.locator(".cg-card img")).to_be_visible()


def test_a_card_is_left_alone_while_another_job_goes_on(page: Page, slow: DemoServer) -> None:
    press(page, "×2")
    page.locator("img.cg-frame[src^=data]").wait_for()
    page.get_by_role("button", name="Stop picture 1").click()
    await_phases(page, "stopped", "running")
    first, second = page.eval_on_selector_all(CHIPS, "(all) => all.map((one) => one.dataset.token)")
    # The tab goes on to the job that runs: what was shown until then is drawn anew.
    expect(page.locator(".cg-view")).to_have_attribute("data-token", second)
    page.get_by_role("button", name="Picture 1: ").click()
    expect(page.locator(".cg-view")).to_have_attribute("data-token", first)
    page.locator(".cg-card img").wait_for()
    card = page.locator(".cg-card").element_handle()
    press(page)
    await_phases(page, "stopped", "running", "waiting")
    page.get_by_role("button", name="Stop picture 3").click()
    await_phases(page, "stopped", "running", "stopped")
    assert card.evaluate("(card) => card.isConnected"), "a video would begin anew"


def test_a_reload_and_another_tab_show_all_jobs(
    page: Page, context: BrowserContext, app: RunningApp, slow: DemoServer
) -> None:
    press(page, "×2")
    await_phases(page, "running", "waiting")
    page.reload()
    await_phases(page, "running", "waiting")
    other = context.new_page()
    other.goto(app.url)
    await_phases(other, "running", "waiting")
    slow.set_step_seconds(0)
    for one in (page, other):
        await_phases(one, "done", "done")


def test_the_next_job_takes_the_place_of_one_that_is_done(page: Page, slow: DemoServer) -> None:
    press(page)
    page.locator("img.cg-frame[src^=data]").wait_for()
    expect(page.locator(CHIPS)).to_have_count(0)
    first = page.locator(".cg-view").get_attribute("data-token")
    press(page)
    await_phases(page, "running", "waiting")
    assert page.locator(".cg-view").get_attribute("data-token") == first
    slow.set_step_seconds(0)
    await_phases(page, "done", "done")
    expect(page.locator(".cg-view")).not_to_have_attribute("data-token", first or "")
    await_that(lambda: httpx.get(f"{slow.url}/queue").json()["queue_running"] == [])


def test_all_jobs_are_asked_for_where_the_stream_comes_late(page: Page, slow: DemoServer) -> None:
    press(page, "×2")
    await_phases(page, "running", "waiting")
    held: list[Route] = []
    page.route("**/gradio_api/queue/join*", lambda route: held.append(route))
    page.reload()
    await_phases(page, "running", "waiting")
    wait_until(page, lambda: bool(held))  # the stream is not begun yet, so they were asked for
    page.unroute("**/gradio_api/queue/join*")
    slow.set_step_seconds(0)
    await_phases(page, "done", "done")
