"""An operator looks at the Servers page in a real browser, and uses its buttons; others find no way
to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.worker import NOT_RESPONDING
from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.app import App
from comfygradio.ui.serve import build, launch
from tests.browser.settling import set_steps, write_prompt
from tests.jobs.lines import free_port, is_over, is_running, wait
from tests.ui.running import run_app, stop_all

pytestmark = pytest.mark.browser

SLOW = {"steps": 60, "size": "512x512"}

PACE_SECONDS = 0.1


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A demo server of the module's own, since everything that waits on it is counted."""
    with DemoServer(DemoOptions(step_seconds=PACE_SECONDS)) as server:
        yield server


@pytest.fixture(scope="module")
def settings(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One server that answers, and one that does not."""
    dead = f"http://127.0.0.1:{free_port()}"
    outputs = tmp_path_factory.mktemp("status") / "outputs"
    presets = (shipped_presets(),)
    return Settings(
        local_operator=True,
        server=demo.url,
        more_servers=(dead,),
        presets=presets,
        outputs=outputs,
        port=free_port(),
    )


@pytest.fixture(scope="module")
def shared(settings: Settings) -> Iterator[tuple[App, str]]:
    """The app and its address."""
    app = build(settings)
    try:
        yield app, launch(app, block=False)
    finally:
        app.close()
        app.blocks.close(verbose=False)


@pytest.fixture
def opened(shared: tuple[App, str]) -> Iterator[tuple[App, str]]:
    """The app and its address; no job outlives the test."""
    yield shared
    stop_all(shared[0].service)


@pytest.fixture
def status(context: BrowserContext, opened: tuple[App, str]) -> Page:
    """The Servers page, reached from the forms."""
    page = context.new_page()
    page.goto(opened[1])
    page.get_by_role("link", name="Servers").click()
    page.get_by_role("heading", name="Servers").wait_for()
    return page


def test_it_shows_servers_and_who_waits_and_stops_what_waits(
    status: Page, opened: tuple[App, str], slow: DemoServer
) -> None:
    app, _ = opened
    cards = status.locator(".cg-status-servers .cg-status-card")
    expect(cards).to_have_count(2)
    expect(cards.nth(0)).to_contain_text(re.compile(r"Answers.*ComfyUI.*GB used.*Queue: empty"))
    expect(cards.nth(1)).to_contain_text(re.compile("Does not answer.*Is it running"))
    expect(cards.nth(1).get_by_role("button")).to_have_count(0)
    expect(status.get_by_text("Nobody’s jobs wait here.")).to_be_visible()
    jobs = [app.service.submit("text_to_image", SLOW, "user:ann") for _ in range(4)]
    wait(jobs[0], is_running)
    expect(cards.nth(0)).to_contain_text("Queue: 2 of ours, 2 in all")
    expect(status.locator(".cg-status-people")).to_have_text("ann: 2")
    status.get_by_role("button", name="Stop all waiting jobs").click()
    status.get_by_role("button", name="Stop all", exact=True).click()
    expect(status.get_by_text("Nobody’s jobs wait here.")).to_be_visible()
    assert [job.snapshot.phase for job in jobs[2:]] == ["stopped", "stopped"]
    assert not jobs[0].snapshot.is_over


def test_interrupt_asks_first_and_the_question_outlives_a_refresh(
    status: Page, opened: tuple[App, str], slow: DemoServer
) -> None:
    app, _ = opened
    job = app.service.submit("text_to_image", SLOW)
    wait(job, is_running)
    status.get_by_role("button", name="Interrupt").click()
    expect(status.get_by_role("group")).to_contain_text("whoever it belongs to?")
    expect(status.get_by_role("button", name="Cancel")).to_be_focused()
    expect(status.get_by_text("Queue: 1 of ours, 1 in all")).to_be_visible()
    status.get_by_role("button", name="Cancel").click()
    expect(status.get_by_role("button", name="Interrupt")).to_be_focused()
    assert not job.snapshot.is_over
    status.get_by_role("button", name="Interrupt").click()
    status.get_by_role("button", name="Stop it").click()
    expect(status.get_by_text("What was running is stopped.")).to_be_visible()
    assert wait(job, is_over).phase == "stopped"


def test_the_address_opens_it_and_the_way_back_leads_to_the_forms(status: Page) -> None:
    assert "status=1" in status.url
    status.reload()
    expect(status.locator(".cg-status-card").first).to_be_visible()
    expect(status.get_by_role("button", name="Generate")).to_be_hidden()
    status.get_by_role("link", name="Back to the forms").click()
    expect(status.get_by_role("button", name="Generate")).to_be_visible()
    expect(status.locator("#cg-status")).to_be_hidden()
    status.go_back()
    expect(status.locator("#cg-status")).to_be_visible()


def test_it_fits_a_phone(status: Page) -> None:
    status.set_viewport_size({"width": 390, "height": 844})
    expect(status.get_by_text("Queue: empty")).to_be_visible()
    assert status.evaluate("document.documentElement.scrollWidth") == 390


def test_somebody_who_is_no_operator_sees_nothing_of_it(
    context: BrowserContext, settings: Settings, tmp_path: Path
) -> None:
    users = tmp_path / "users"
    users.write_text("ann:a\nben:b\n")
    own = replace(settings, local_operator=False, outputs=tmp_path / "outputs", port=free_port())
    app = build(replace(own, auth=users, operators=("ann",)))
    try:
        url = launch(app, block=False)
        page = context.new_page()
        for name, password, sees in (("ben", "b", False), ("ann", "a", True)):
            context.clear_cookies()
            # the app may be closing the connection that has been idle for 5 s
            context.request.post(
                f"{url}login", form={"username": name, "password": password}, max_retries=2
            )
            page.goto(f"{url}?status=1")
            if sees:
                expect(page.locator(".cg-status-card").first).to_be_visible()
                continue
            page.get_by_role("button", name="Generate").wait_for()
            expect(page.locator("#cg-status")).to_be_hidden()
            expect(page.get_by_role("link", name="Servers")).to_have_count(0)
    finally:
        app.close()
        app.blocks.close(verbose=False)


def generate(page: Page, url: str) -> None:
    """Open the forms and ask for a picture of 60 steps."""
    page.goto(url)
    set_steps(page, 60)
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()


def test_what_is_left_is_told_once_a_preset_has_run(
    context: BrowserContext, opened: tuple[App, str], demo: DemoServer
) -> None:
    """Everything takes its time: what is told depends on how long steps took before."""
    app, url = opened
    page = context.new_page()
    generate(page, url)
    page.locator(".cg-summary").get_by_text("Text to image").wait_for(timeout=60_000)
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".cg-time")).to_have_text(
        re.compile(r"^\d+ % · (about \d s|a few seconds) left$")
    )
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".cg-summary")).to_contain_text("stopped")
    expect(page.locator(".cg-time")).not_to_contain_text("left")
    (job, *_) = [app.service.submit("text_to_image", SLOW) for _ in range(3)]
    wait(job, is_running)
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".cg-line")).to_have_text("Waiting: 3 before you")


def test_the_reason_why_a_job_waits_is_told(context: BrowserContext, tmp_path: Path) -> None:
    with (
        DemoServer(DemoOptions(step_seconds=0)) as server,
        run_app(server.url, tmp_path / "outputs") as running,
    ):
        page = context.new_page()
        page.goto(running.url)
        page.get_by_role("button", name="Generate").wait_for()
        server.stop()
        write_prompt(page)
        page.get_by_role("button", name="Generate").click()
        expect(page.locator(".cg-line")).to_have_text(NOT_RESPONDING)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".cg-summary")).to_contain_text("stopped")
