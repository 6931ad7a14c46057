"""What a person does to a job by the page: closing it, reloading it, pressing Generate twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from tests.browser.settling import write_prompt
from tests.faults.faulty_proxy import FaultyProxy
from tests.faults.scenario import await_that, make_unique_order
from tests.jobs.lines import count_files
from tests.jobs.shelf import clear
from tests.ui.running import RunningApp, run_app

pytestmark = [pytest.mark.browser, pytest.mark.app]

STEP = re.compile("step")


@dataclass(frozen=True)
class Place:
    """An app on a line, a other user's way to the server, and what was there before the test."""

    app: RunningApp
    server: DemoServer
    line: FaultyProxy
    direct: ComfyClient
    outputs: Path
    files_before: int
    posted_before: frozenset[str]

    @property
    def posted(self) -> dict[str, int]:
        """How often the server took a prompt of this test, by its id."""
        return {id: times for id, times in self.line.posted.items() if id not in self.posted_before}

    def open(self, context: BrowserContext) -> Page:
        """A page of somebody."""
        page = context.new_page()
        page.goto(f"{self.app.url}?preset=text_to_image&steps=60")
        page.get_by_role("button", name="Generate").wait_for()
        write_prompt(page)
        return page

    def check(self, jobs: int) -> None:
        """So many jobs come to their end, each posted once and with one file; the other user's
        picture is there too.
        """
        self.server.set_skip_waits()
        neighbour = self.direct.queue_prompt(make_unique_order().prompt.graph).prompt_id
        queue = self.app.app.service.queue
        await_that(lambda: len(self.posted) == jobs and not queue.store.list_open())
        assert list(self.posted.values()) == [1] * jobs
        assert count_files(self.outputs) == self.files_before + jobs
        phases = [record.phase for id in self.posted if (record := queue.store.get(id))]
        assert phases == ["done"] * jobs
        await_that(lambda: self.direct.history(neighbour))
        assert len(self.direct.history()) == jobs + 1


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    """A demo server that paints for a minute, unless it is hurried."""
    with DemoServer(DemoOptions(step_seconds=3.0, lab_nodes=True)) as server:
        yield server


@pytest.fixture(scope="module")
def line(server: DemoServer) -> Iterator[FaultyProxy]:
    """A line before it."""
    with FaultyProxy(server.url) as line:
        yield line


@pytest.fixture(scope="module")
def app(line: FaultyProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """One app for all tests; every context of the browser is another person."""
    with run_app(line.url, tmp_path_factory.mktemp("outputs")) as app:
        yield app


@pytest.fixture
def place(app: RunningApp, server: DemoServer, line: FaultyProxy) -> Iterator[Place]:
    """The app with nothing to do."""
    clear(server)
    outputs = app.app.service.queue.outputs
    with ComfyClient(server.url) as direct:
        yield Place(
            app, server, line, direct, outputs, count_files(outputs), frozenset(line.posted)
        )


def await_step(page: Page) -> None:
    """Until the page shows that the job runs."""
    expect(page.locator(".cg-line")).to_have_attribute("title", STEP)


def await_picture(page: Page) -> None:
    """Until the page shows the result."""
    expect(page.locator(".cg-card img")).to_have_count(1)


def test_generate_is_pressed_twice(place: Place, context: BrowserContext) -> None:
    page = place.open(context)
    page.get_by_role("button", name="Generate").dblclick()
    await_step(page)
    place.server.set_skip_waits()
    await_picture(page)
    place.check(1)


def test_generate_is_pressed_in_two_tabs(place: Place, context: BrowserContext) -> None:
    pages = [place.open(context) for _ in range(2)]
    for page in pages:
        page.get_by_role("button", name="Generate").click()
    await_that(lambda: len(place.posted) == 2)
    place.server.set_skip_waits()
    for page in pages:
        await_picture(page)
    place.check(2)


def test_the_page_is_closed(place: Place, context: BrowserContext) -> None:
    page = place.open(context)
    page.get_by_role("button", name="Generate").click()
    await_step(page)
    page.close()
    place.check(1)
    await_picture(place.open(context))


def test_the_page_is_closed_at_once(place: Place, context: BrowserContext) -> None:
    """As soon as its wish is on its way."""
    page = place.open(context)
    with page.expect_request("**/queue/join*"):
        page.get_by_role("button", name="Generate").click()
    page.close(run_before_unload=False)
    await_that(lambda: place.app.app.service.queue.store.list_open() or place.posted)
    place.check(1)


def test_the_page_is_reloaded_while_the_servers_connection_breaks(
    place: Place, context: BrowserContext
) -> None:
    page = place.open(context)
    page.get_by_role("button", name="Generate").click()
    for fault in (place.line.cut_sockets, place.line.truncate_sockets, place.line.mute_sockets):
        await_step(page)
        fault()
        page.reload()
    await_step(page)
    place.server.set_skip_waits()
    await_picture(page)
    place.check(1)
