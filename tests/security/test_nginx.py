"""Behind nginx, with TLS and HTTP/2, with and without a path of its own, the page works and foreign
websites are refused. Skipped where there is no nginx.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from comfygradio.demo import DemoServer
from tests.security.running import PATIENCE, get, run_settings
from tests.ui.running import free_port

pytestmark = pytest.mark.browser

NAME = "forms.localhost"
"""A name that browsers look for at this machine, and that the app does not know by itself."""

CONFIG = """
daemon off; pid {folder}/pid; error_log stderr error; worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
        location {place} {{
            proxy_pass {target};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_buffering off;
            client_max_body_size 100m;
        }}
    }}
}}
"""


@contextmanager
def run_nginx(folder: Path, target: str, place: str) -> Iterator[str]:
    """Nginx with a certificate of its own before the app; the address of the page."""
    port = free_port()
    subject = ["-subj", f"/CN={NAME}", "-days", "2", "-nodes"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, *files]
    subprocess.run(made, check=True, capture_output=True, timeout=PATIENCE)
    config = folder / "nginx.conf"
    config.write_text(
        CONFIG.format(folder=folder, port=port, place=place, target=target), encoding="utf-8"
    )
    with subprocess.Popen(["nginx", "-p", str(folder), "-c", str(config)]) as process:
        try:
            url = f"https://{NAME}:{port}{place}"
            transport = httpx.HTTPTransport(retries=10, verify=False)
            with httpx.Client(transport=transport) as client:
                client.get(f"https://127.0.0.1:{port}{place}", timeout=PATIENCE)
            yield url
        finally:
            process.terminate()


@pytest.mark.parametrize("place", ["/", "/forms/"])
def test_the_page_works_behind_nginx(
    demo: DemoServer, browser: Browser, tmp_path: Path, place: str
) -> None:
    if shutil.which("nginx") is None or shutil.which("openssl") is None:
        pytest.skip("there is no nginx on this machine")
    users = tmp_path / "users.txt"
    users.write_text("ada:engine\n", "utf-8")
    given = {
        "auth": users,
        "allow_hosts": (NAME,),
        "trust_proxies": ("127.0.0.1",),
        "root_path": place.rstrip("/"),
    }
    with (
        run_settings(demo.url, tmp_path / "outputs", **given) as running,
        run_nginx(tmp_path, running.url, place) as url,
    ):
        context = browser.new_context(ignore_https_errors=True)
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
