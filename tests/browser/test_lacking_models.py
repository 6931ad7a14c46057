"""A form that lacks a model, from the note of what is missing to the open form: what an operator
sees, and what everybody else does.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.model_files.download import write_command
from comfygradio.model_files.file_sizes import FileSizes
from comfygradio.net.external_client import ExternalClient
from comfygradio.settings import shipped_presets
from tests.chromium import PATIENCE_MS
from tests.net.hosts import Names, Say, run_host
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.browser

NAME = "gone.safetensors"

PRESET = """\
title: Mine
workflow: mine.json
models:
  - {{name: {name}, folder: checkpoints, url: "{url}"}}
"""

SOMEBODY_ELSE = {"X-Forwarded-For": "203.0.113.9"}
"""What a proxy writes for somebody who does not sit at this machine."""


def tell_size(say: Say) -> None:
    say(b"HTTP/1.1 200 X\r\nContent-Length: 6938078334\r\n\r\n")


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    """A demo server of the test's own, which gets another model."""
    with DemoServer(DemoOptions(step_seconds=0)) as server:
        yield server


@pytest.fixture
def app(demo: DemoServer, tmp_path: Path) -> Iterator[RunningApp]:
    """The app with one form, whose checkpoint the server lacks, and a host that tells its size."""
    folder = tmp_path / "presets"
    folder.mkdir()
    source = (shipped_presets() / "text_to_image.json").read_text(encoding="utf-8")
    workflow = source.replace("v1-5-pruned-emaonly.safetensors", NAME)
    (folder / "mine.json").write_text(workflow, encoding="utf-8")
    with run_host(tell_size) as host:
        url = f"http://models.test:{host.port}/{NAME}?token=sesame"
        text = PRESET.format(name=NAME, url=url)
        (folder / "mine.yaml").write_text(text, encoding="utf-8")
        outputs = tmp_path / "outputs"
        with run_app(demo.url, outputs, folder, local_operator=True) as running:
            service = running.app.service
            service.model_sizes.close()
            guard = Names(models_test=[["127.0.0.1"]]).guard()
            # Certificates of authorities take seconds to load, and nothing here is secured.
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            service.model_sizes = FileSizes(ExternalClient(guard, tls=tls), service.clock)
            yield running


def open_and_wait(page: Page, app: RunningApp) -> str:
    """Open the page and wait until it was told about lacking models; return what it was told."""
    events = {function.name: number for number, function in app.app.blocks.fns.items()}

    def is_told(response: Response) -> bool:
        asked = response.request.post_data if "/gradio_api/run/" in response.url else None
        return asked is not None and f'"fn_index":{events["tell_sizes"]},' in asked

    with page.expect_response(is_told) as told:
        page.goto(app.url)
    return told.value.text()


def test_a_lacking_model_is_told_copied_and_found(
    tab: Page, context: BrowserContext, browser: Browser, app: RunningApp, demo: DemoServer
) -> None:
    (model,) = app.app.service.forms["mine"].lacking_models
    command = write_command(model)

    other = browser.new_context(extra_http_headers=SOMEBODY_ELSE)
    other.set_default_timeout(PATIENCE_MS)
    page = other.new_page()
    assert "token" not in open_and_wait(page, app)
    expect(page.locator(".cg-panel .cg-note")).to_contain_text(NAME)
    expect(page.locator(".cg-lacking")).to_be_hidden()
    for secret in ("curl", "models.test", "sesame"):
        assert secret not in page.content()
    other.close()

    context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_and_wait(tab, app)
    part = tab.locator(".cg-lacking")
    expect(part.get_by_text(NAME, exact=True)).to_be_visible()
    expect(part.get_by_text("6.9 GB, into models/checkpoints")).to_be_visible()
    expect(part.get_by_text(model.url, exact=True)).to_be_visible()
    expect(part.locator(".cg-command")).to_be_hidden()
    part.get_by_role("button", name="Copy the download command").click()
    expect(part.get_by_role("button", name="Copied")).to_be_visible()
    assert tab.evaluate("navigator.clipboard.readText()") == command
    part.get_by_text("Show the command").click()
    expect(part.get_by_text(command)).to_be_visible()
    tab.set_viewport_size({"width": 390, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") == 390

    demo.kill()
    demo.options = replace(demo.options, checkpoints=(*demo.options.checkpoints, NAME))
    demo.start()
    tab.get_by_role("button", name="New models? Look again").click()
    # The page sees by itself, within seconds, that the forms have changed.
    tab.get_by_role("button", name="Reload").click()
    expect(tab.get_by_role("button", name="Generate")).to_be_visible()
    expect(tab.locator(".cg-lacking")).to_have_count(0)
