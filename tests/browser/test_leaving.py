"""A browser that goes away, where jobs that nobody watches shall end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.attendance import Attendance
from comfygradio.ui.serve import build, launch
from tests.jobs.lines import free_port, is_over, wait


@pytest.fixture
def slow(wish: str) -> Iterator[DemoServer]:
    """A demo server that takes ten seconds for a picture, or a minute for one that shall be
    stopped.
    """
    with DemoServer(DemoOptions(step_seconds=3.0 if wish == "cancel" else 0.5)) as server:
        yield server


@pytest.mark.parametrize("wish", ["cancel", "keep"])
def test_a_closed_page_ends_its_job_only_where_that_is_wanted(
    context: BrowserContext, slow: DemoServer, tmp_path: Path, wish: str
) -> None:
    presets, outputs = (shipped_presets(),), tmp_path / "outputs"
    settings = Settings(server=slow.url, presets=presets, outputs=outputs, port=free_port())
    app = build(replace(settings, on_disconnect=wish))
    assert (app.studio.attendance is not None) == (wish == "cancel")
    if app.studio.attendance:
        app.studio.attendance = Attendance(
            app.studio.queue.stop, away_seconds=10.0
        )  # longer than a reload takes
    try:
        url = launch(app, block=False)
        page = context.new_page()
        page.goto(url)
        page.get_by_role("button", name="Generate").click()
        expect(page.locator(".cg-line")).to_contain_text("step")
        (job,) = app.studio.queue.list_posted(app.studio.queue.lanes[0])
        page.reload()
        expect(page.locator(".cg-line")).to_contain_text("step")
        assert not job.stop_requested.is_set()
        page.close()
        assert wait(job, is_over).phase == ("stopped" if wish == "cancel" else "done")
    finally:
        app.close()
        app.blocks.close(verbose=False)
