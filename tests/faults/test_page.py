"""What a person does to a job by the page: closing it, reloading it, pressing Generate twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from tests.faults.proxy import Line
from tests.faults.world import await_that, paint
from tests.jobs.lines import count_files
from tests.ui.running import RunningApp, run_app


@dataclass(frozen=True)
class Place:
    """An app on a line, and a neighbour's way to the server."""

    app: RunningApp
    line: Line
    direct: ComfyClient
    outputs: Path

    def open(self, context: BrowserContext) -> Page:
        """A page of somebody."""
        page = context.new_page()
        page.goto(self.app.url)
        page.get_by_role("button", name="Generate").wait_for()
        return page

    def check(self, jobs: int) -> None:
        """So many jobs come to their end, each posted once and with one file; the neighbour's
        picture is there too.
        """
        neighbour = self.direct.queue_prompt(paint().prompt.graph).prompt_id
        queue = self.app.app.studio.queue
        await_that(lambda: len(self.line.posted) == jobs and not queue.ledger.list_open(), 30)
        assert list(self.line.posted.values()) == [1] * jobs and count_files(self.outputs) == jobs
        phases = [record.phase for id in self.line.posted if (record := queue.ledger.get(id))]
        assert phases == ["done"] * jobs
        await_that(lambda: self.direct.history(neighbour))
        assert len(self.direct.history()) == jobs + 1


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place of its own for each test, which may say how many seconds a step takes."""
    with (
        DemoServer(
            DemoOptions(step_seconds=getattr(request, "param", 0.1), lab_nodes=True)
        ) as server,
        Line(server.url) as line,
        ComfyClient(server.url) as direct,
        run_app(line.url, tmp_path) as app,
    ):
        yield Place(app, line, direct, tmp_path)


def await_step(page: Page) -> None:
    """Until the page shows that the job runs."""
    expect(page.locator(".cg-line")).to_contain_text("step")


def await_picture(page: Page) -> None:
    """Until the page shows the result."""
    expect(page.locator(".cg-card img")).to_have_count(1)


def test_generate_is_pressed_twice(place: Place, context: BrowserContext) -> None:
    page = place.open(context)
    page.get_by_role("button", name="Generate").dblclick()
    await_picture(page)
    place.check(1)


def test_generate_is_pressed_in_two_tabs(place: Place, context: BrowserContext) -> None:
    pages = [place.open(context) for _ in range(2)]
    for page in pages:
        page.get_by_role("button", name="Generate").click()
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
    await_that(lambda: place.app.app.studio.queue.ledger.list_open() or place.line.posted)
    place.check(1)


@pytest.mark.parametrize("place", [0.5], indirect=True)
def test_the_page_is_reloaded_while_the_servers_connection_breaks(
    place: Place, context: BrowserContext
) -> None:
    page = place.open(context)
    page.get_by_role("button", name="Generate").click()
    for fault in (place.line.cut_sockets, place.line.truncate_sockets, place.line.mute_sockets):
        await_step(page)
        fault()
        page.reload()
    await_picture(page)
    place.check(1)
