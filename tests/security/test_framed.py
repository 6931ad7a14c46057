"""On a Hugging Face Space the app is seen in a frame of another website: people log in there and
work as elsewhere, and no other website may show it.

The names are the real ones, all of them at this machine. Skipped where there is no nginx.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from comfygradio.demo import DemoServer
from tests.browser.conftest import open_chromium
from tests.chromium import PATIENCE_MS
from tests.security.app_process import start_app
from tests.security.nginx import needs_nginx, pass_on, run_nginx
from tests.ui.running import free_port

pytestmark = [pytest.mark.browser, pytest.mark.process, needs_nginx]

HUB = "huggingface.co"
SPACE = "ada-forms.hf.space"
FOREIGN = "elsewhere.example"

PROMPT = "What do you want to see?"

FRAME = (
    f'<!doctype html><title>Spaces</title><iframe src="https://{SPACE}/?__theme=light" '
    'style="width: 1200px; height: 800px" allow="clipboard-read; clipboard-write; fullscreen" '
    'sandbox="allow-downloads allow-forms allow-modals allow-pointer-lock allow-popups '
    "allow-popups-to-escape-sandbox allow-same-origin allow-scripts "
    'allow-storage-access-by-user-activation"></iframe>'
)
"""A page that shows the app as the page of a Space does."""

FRAMING = f"location / {{ default_type text/html; return 200 '{FRAME}'; }}"

STATE = """
location /api/ {
    default_type application/json; add_header Access-Control-Allow-Origin *;
    return 200 '{"id": "ada/forms", "runtime": {"stage": "RUNNING"}}';
}
"""
"""What Gradio's page asks first where its address ends in `.hf.space`: whether the Space is up."""


@pytest.fixture(scope="module")
def browser(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium that finds the app of a Space, and two websites that show it in a frame."""
    folder = tmp_path_factory.mktemp("space")
    users = folder / "users.txt"
    users.write_text("ada:engine\n", "utf-8")
    named = {
        "SPACE_HOST": SPACE,
        "COMFYGRADIO_AUTH": str(users),
        "COMFYGRADIO_TRUST_PROXIES": "127.0.0.1",
    }
    port = free_port()
    rules = f"--host-resolver-rules=MAP * 127.0.0.1:{port}"
    with start_app("a Space", demo, folder, **named) as url:
        sites = {SPACE: pass_on(url), HUB: FRAMING + STATE, FOREIGN: FRAMING}
        with (
            run_nginx(folder, port, sites),
            open_chromium(rules, "--ignore-certificate-errors") as chromium,
        ):
            yield chromium


def log_in(shown: Page | FrameLocator) -> None:
    """Fill in the login page, and wait for the form."""
    shown.get_by_label("Name").fill("ada")
    shown.get_by_label("Password").fill("engine")
    shown.get_by_role("button", name="Log in").click()
    shown.get_by_label(PROMPT).wait_for()


def make_picture(shown: Page | FrameLocator, prompt: str) -> None:
    """Generate, and wait for the result."""
    shown.get_by_label(PROMPT).fill(prompt)
    shown.get_by_role("button", name="Generate").first.click()
    expect(shown.locator("img[src*='/gradio_api/comfygradio/result/']").first).to_be_visible()


def refuse_cookies(page: Page) -> None:
    """Let the browser refuse what it calls third-party cookies, as some do by themselves."""
    control = {
        "enableThirdPartyCookieRestriction": True,
        "disableThirdPartyCookieMetadata": True,
        "disableThirdPartyCookieHeuristics": True,
    }
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCookieControls", control)


def test_people_work_in_the_frame_of_a_space(context: BrowserContext) -> None:
    page = context.new_page()
    refuse_cookies(page)
    page.goto(f"https://{HUB}/spaces/ada/forms")
    frame = page.frame_locator("iframe")
    log_in(frame)
    make_picture(frame, "an owl at night")
    page.reload()
    frame.get_by_role("link", name="History").click()
    expect(frame.locator(".cg-past-say")).to_have_text(["an owl at night"])
    frame.get_by_role("link", name="Back to the forms").click()
    frame.get_by_role("button", name="Log out").click()
    expect(frame.get_by_label("Password")).to_be_visible()
    page.reload()
    expect(frame.get_by_label("Password")).to_be_visible()


def test_outside_a_frame_the_page_asks_other_websites_for_nothing_but_its_state(
    context: BrowserContext,
) -> None:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"https://{SPACE}/")
    log_in(page)
    make_picture(page, "a fox in the snow")
    state = f"https://{HUB}/api/spaces/by-subdomain/ada-forms"
    elsewhere = {url for url in asked if not url.startswith((f"https://{SPACE}/", "data:"))}
    assert elsewhere == {state}


def test_no_other_website_may_frame_it(browser: Browser) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    ours = f"https://{SPACE}/"
    with page.expect_event("requestfailed", lambda one: one.url.startswith(ours)) as failed:
        page.goto(f"https://{FOREIGN}/")
    assert failed.value.failure == "net::ERR_BLOCKED_BY_RESPONSE"
    expect(page.frame_locator("iframe").get_by_label("Password")).to_have_count(0)
    page.context.close()
