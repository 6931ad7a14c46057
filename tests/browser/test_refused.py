"""What the server refuses although the form took it: a model that went away while the page was
open.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from comfygradio.demo import DemoOptions, DemoServer
from tests.browser.settling import write_prompt
from tests.chromium import PATIENCE_MS
from tests.ui.running import run_app

pytestmark = pytest.mark.browser


def test_the_servers_own_refusal_stands_beside_the_field(browser: Browser, tmp_path: Path) -> None:
    with (
        DemoServer(DemoOptions(step_seconds=0)) as server,
        run_app(server.url, tmp_path) as running,
    ):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(running.url)
        page.get_by_label("Model").wait_for()
        server.kill()
        server.options = replace(server.options, checkpoints=("another.safetensors",))
        server.start()
        write_prompt(page)
        page.get_by_role("button", name="Generate").click()
        error = page.locator("#cg-text_to_image-checkpoint .cg-field-error")
        expect(error).to_contain_text("ComfyUI refuses it: Value not in list: ckpt_name")
        expect(page.locator(".cg-view .cg-error")).to_contain_text("is not on this server")
        page.close()
