"""Behind nginx, with TLS and HTTP/2, with and without a path of its own, the page works and foreign
websites are refused. Skipped where there is no nginx.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from comfygradio.demo import DemoServer
from tests.chromium import PATIENCE_MS
from tests.security.nginx import needs_nginx, pass_on, run_nginx
from tests.security.raw_request import get, run_settings
from tests.ui.running import free_port

pytestmark = [pytest.mark.browser, needs_nginx]

NAME = "forms.localhost"
"""A name that browsers look for at this machine, and that the app does not know by itself."""


@pytest.mark.parametrize("place", ["/", "/forms/"])
def test_the_page_works_behind_nginx(
    demo: DemoServer, browser: Browser, tmp_path: Path, place: str
) -> None:
    users = tmp_path / "users.txt"
    users.write_text("ada:engine\n", "utf-8")
    given = {
        "auth": users,
        "allow_hosts": (NAME,),
        "trust_proxies": ("127.0.0.1",),
        "root_path": place.rstrip("/"),
    }
    port = free_port()
    url = f"https://{NAME}:{port}{place}"
    with (
        run_settings(demo.url, tmp_path / "outputs", **given) as running,
        run_nginx(tmp_path, port, {NAME: pass_on(running.url, place)}),
    ):
        context = browser.new_context(ignore_https_errors=True)
        context.set_default_timeout(PATIENCE_MS)
        said: list[str] = []
        context.on("console", lambda message: said.append(message.text))
        try:
            page = context.new_page()
            page.goto(url)
            page.get_by_label("Name").fill("ada")
            page.get_by_label("Password").fill("engine")
            page.get_by_role("button", name="Log in").click()
            page.get_by_role("button", name="Generate").first.click(timeout=60_000)
            shown = page.locator("img[src*='/gradio_api/comfygradio/result/']").first
            expect(shown).to_be_visible(timeout=60_000)
            protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
            assert page.evaluate(protocol) == "h2"
            assert [line for line in said if "Content Security Policy" in line] == []
        finally:
            context.close()
        name = url.partition("://")[2].partition("/")[0]
        for origin, status in ((f"https://{name}", 200), ("https://evil.example", 403)):
            headers = {"host": name, "origin": origin}
            address = url.replace(NAME, "127.0.0.1")
            answer = get(address, headers=headers, verify=False)
            assert answer.status_code == status
