"""A browser that goes away, where jobs that nobody watches shall end."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from comfygradio.demo import DemoServer
from comfygradio.jobs.job import JobSnapshot
from comfygradio.service.disconnect_watch import AWAY_SECONDS, DisconnectWatch
from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.serve import build, launch
from tests.browser.settling import set_steps, write_prompt
from tests.clocks import HANG_SECONDS, ManualClock
from tests.jobs.lines import free_port, wait

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("wish", ["cancel", "keep"])
def test_a_closed_page_ends_its_job_only_where_that_is_wanted(
    context: BrowserContext, slow: DemoServer, tmp_path: Path, wish: str
) -> None:
    presets, outputs = (shipped_presets(),), tmp_path / "outputs"
    settings = Settings(server=slow.url, presets=presets, outputs=outputs, port=free_port())
    app = build(replace(settings, on_disconnect=wish))
    assert (app.service.disconnect_watch is not None) == (wish == "cancel")
    clock = ManualClock()
    if app.service.disconnect_watch:
        app.service.disconnect_watch = DisconnectWatch(app.service.queue.stop, clock=clock)
    try:
        url = launch(app, block=False)
        page = context.new_page()
        page.goto(url)
        set_steps(page, 60)
        write_prompt(page)
        page.get_by_role("button", name="Generate").click()
        expect(page.locator(".cg-line")).to_have_attribute("title", re.compile("step"))
        (job,) = app.service.queue.list_submitted(app.service.queue.backends[0])
        page.reload()
        expect(page.locator(".cg-line")).to_have_attribute("title", re.compile("step"))
        assert not job.stop_requested.is_set()
        page.close()
        if wish == "keep":
            slow.set_step_seconds(0)

        def is_over_later(snapshot: JobSnapshot) -> bool:
            """So much time passes with every frame: when the app sees the page gone is its own."""
            clock.advance(AWAY_SECONDS)
            return snapshot.is_over

        end = wait(job, is_over_later, HANG_SECONDS)
        assert end.phase == ("stopped" if wish == "cancel" else "done")
    finally:
        app.close()
        app.blocks.close(verbose=False)
