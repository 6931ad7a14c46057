"""Several people at once, and one person with several devices, in real browsers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.serve import build, launch
from tests.browser.conftest import SLOW_SECONDS
from tests.browser.settling import set_steps
from tests.chromium import PATIENCE_MS
from tests.ui.running import RunningApp, free_port, stop_all

pytestmark = pytest.mark.browser

PROMPT = "What do you want to see?"
SHAPE = """() => { const f = document.querySelector("img.cg-frame");
  return f && !f.hidden && f.naturalWidth ? Math.sign(f.naturalWidth - f.naturalHeight) : 0; }"""
"""1 for a wide preview, -1 for a tall one, 0 while there is none."""


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[DemoServer, DemoServer]]:
    """Two demo servers, so slow that a picture takes until the test calls `set_pace`."""
    options = DemoOptions(step_seconds=SLOW_SECONDS)
    with DemoServer(options) as first, DemoServer(options) as second:
        yield first, second


@pytest.fixture(scope="module")
def shared(
    servers: tuple[DemoServer, DemoServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    """An app with a login, on two demo servers."""
    folder = tmp_path_factory.mktemp("people")
    users = folder / "users"
    users.write_text("ann:one\nben:two\n")
    settings = Settings(
        presets=(shipped_presets(),), outputs=folder / "outputs", port=free_port(), auth=users
    )
    app = build(replace(settings, server=servers[0].url, more_servers=(servers[1].url,)))
    try:
        yield RunningApp(app, launch(app, block=False))
    finally:
        app.close()
        app.blocks.close(verbose=False)


@pytest.fixture
def crowd(shared: RunningApp, servers: tuple[DemoServer, DemoServer]) -> Iterator[RunningApp]:
    """The app with a login; nobody's job outlives the test."""
    set_pace(servers, SLOW_SECONDS)
    yield shared
    stop_all(shared.app.service)


def set_pace(servers: tuple[DemoServer, DemoServer], step_seconds: float) -> None:
    for server in servers:
        server.set_step_seconds(step_seconds)


@pytest.fixture
def devices(browser: Browser) -> Iterator[list[BrowserContext]]:
    """Three browser profiles."""
    contexts = [browser.new_context(viewport={"width": 1280, "height": 900}) for _ in range(3)]
    for context in contexts:
        context.set_default_timeout(PATIENCE_MS)
    yield contexts
    for context in contexts:
        context.close()


def log_in(context: BrowserContext, app: RunningApp, user: str, password: str) -> Page:
    """The page of a user."""
    answer = context.request.post(f"{app.url}login", form={"username": user, "password": password})
    assert answer.ok
    page = context.new_page()
    page.goto(app.url)
    page.get_by_role("button", name="Generate").wait_for()
    return page


def start(page: Page, prompt: str, size: str, steps: int) -> None:
    """Start a picture; a step takes a second."""
    page.get_by_label(PROMPT).fill(prompt)
    page.locator("#cg-text_to_image-size").get_by_text(size).first.click()
    set_steps(page, steps)
    page.get_by_role("button", name="Generate").click()


def see_shapes(page: Page, seconds: float) -> set[int]:
    """The shapes of all previews that the page shows in this time."""
    script = f"""() => new Promise((end) => {{ const seen = new Set(), look = {SHAPE};
      const timer = setInterval(() => seen.add(look()), 20);
      setTimeout(() => {{ clearInterval(timer); end([...seen]); }}, {1000 * seconds}); }})"""
    return set(page.evaluate(script)) - {0}


def test_each_sees_own_previews_and_stops_own_job_on_any_device(
    crowd: RunningApp, servers: tuple[DemoServer, DemoServer], devices: list[BrowserContext]
) -> None:
    ann, ben = log_in(devices[0], crowd, "ann", "one"), log_in(devices[1], crowd, "ben", "two")
    start(ann, "a wide lake", "768 × 512", 60)
    start(ben, "a tall tower", "512 × 768", 60)
    for page in (ann, ben):
        page.wait_for_function(f"() => ({SHAPE})() !== 0")
    assert (see_shapes(ann, 1), see_shapes(ben, 1)) == ({1}, {-1})

    phone = log_in(devices[2], crowd, "ann", "one")
    phone.wait_for_function(f"() => ({SHAPE})() === 1")
    phone.get_by_role("button", name="Stop").click()
    expect(phone.locator(".cg-summary")).to_contain_text("stopped")
    expect(phone.locator(".cg-card").first).to_contain_text("Not finished")
    expect(ann.locator(".cg-summary")).to_contain_text("stopped")

    expect(ben.locator(".cg-view")).to_have_attribute("data-phase", "running")
    set_pace(servers, 0)
    expect(ben.locator(".cg-view")).to_have_attribute("data-phase", "done", timeout=60_000)
    expect(ben.locator(".cg-card")).to_contain_text("512 × 768")


def test_a_device_with_nothing_running_shows_nothing(
    crowd: RunningApp, devices: list[BrowserContext]
) -> None:
    ann = log_in(devices[0], crowd, "ann", "one")
    start(ann, "a lake", "512 × 512", 60)
    expect(ann.locator(".cg-view")).to_have_attribute("data-phase", "running")
    ben = log_in(devices[1], crowd, "ben", "two")
    expect(ben.locator(".cg-view")).to_have_attribute("data-phase", "idle")
    assert see_shapes(ben, 1) == set()
    expect(ben.get_by_role("button", name="Generate")).to_be_enabled()
