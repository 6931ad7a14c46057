"""Files whose types others decide: no script in them runs in the app's origin."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client
from playwright.sync_api import Browser
from playwright.sync_api import Error as PlaywrightError

from comfygradio.demo import DemoServer
from tests.chromium import PATIENCE_MS
from tests.clocks import HANG_SECONDS
from tests.security.raw_request import get, run_settings, send_raw
from tests.ui.running import RunningApp

pytestmark = pytest.mark.app

SCRIPT = "try { top.document.title = 'ran'; document.title = 'ran'; } catch (e) {}"
HOSTILE = {
    "page.html": f"<script>{SCRIPT}</script>",
    "page.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><script>{SCRIPT}</script></html>',
    "drawing.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><script>{SCRIPT}</script></svg>',
    "data.xml": f'<x:script xmlns:x="http://www.w3.org/1999/xhtml">{SCRIPT}</x:script>',
    "code.js": SCRIPT,
    "style.css": "body { color: red }",
    "text.txt": f"<script>{SCRIPT}</script>",
    "data.json": "{}",
    "paper.pdf": "%PDF-1.4",
    "nothing": f"<script>{SCRIPT}</script>",
    "page.mht": f"<script>{SCRIPT}</script>",
    "archive.zip": "PK",
}
PICTURE = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f"
    b"\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa75\x81\x84\x00\x00"
    b"\x00\x00IEND\xaeB`\x82"
)


@pytest.fixture(scope="module")
def files(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app among whose results are files of every kind."""
    outputs = tmp_path_factory.mktemp("outputs")
    for name, text in HOSTILE.items():
        (outputs / name).write_text(text, "utf-8")
    for name in ("picture.png", "picture.jpg", "picture.webp", "film.mp4", "sound.mp3"):
        (outputs / name).write_bytes(PICTURE)
    (outputs / "lie.png").write_text(HOSTILE["page.html"], "utf-8")
    with run_settings(demo.url, outputs) as running:
        yield running


def list_ways(app: RunningApp, name: str) -> list[str]:
    path = app.app.settings.outputs / name
    return [
        f"{app.url}gradio_api/file={path}",
        f"{app.url}gradio_api/file/{path}",
        f"{app.url}gradio_api/comfygradio/result/{name}",
    ]


@pytest.mark.app
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("span", [None, "bytes=0-3", "bytes=1-"])
def test_all_but_pictures_videos_and_sounds_is_for_saving(
    files: RunningApp, name: str, span: str | None
) -> None:
    for address in list_ways(files, name):
        headers = {"range": span, "cookie": "a=b", "x-odd": "1"} if span else {}
        answer = get(address, headers=headers)
        assert answer.status_code in (200, 206), address
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert "cookie" not in answer.headers and "x-odd" not in answer.headers


@pytest.mark.app
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("picture.png", "image/png"),
        ("picture.jpg", "image/jpeg"),
        ("picture.webp", "image/webp"),
        ("film.mp4", "video/mp4"),
        ("sound.mp3", "audio/mpeg"),
        ("lie.png", "image/png"),
    ],
)
def test_pictures_videos_and_sounds_are_shown(files: RunningApp, name: str, kind: str) -> None:
    for address in list_ways(files, name):
        answer = get(address)
        assert answer.status_code == 200 and answer.headers["content-type"] == kind
        assert not answer.headers.get("content-disposition", "").startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


@pytest.mark.app
@pytest.mark.parametrize(
    "target",
    [
        "http://example.org/x.png",
        "https://example.org/x.png",
        "HTTP://example.org/x.png",
        "http:/example.org/x.png",
        "http:example.org/x.png",
        "http%3A%2F%2Fexample.org/x.png",
        "%68ttp://example.org/x.png",
        "ftp://example.org/x.png",
        "file:///etc/passwd",
        "data:text/html,x",
    ],
)
@pytest.mark.parametrize("way", ["file=", "file/"])
def test_files_of_other_servers_are_not_passed_on(files: RunningApp, way: str, target: str) -> None:
    host = files.url.rstrip("/").partition("://")[2]
    answer = send_raw(files.url, f"GET /gradio_api/{way}{target} HTTP/1.1\nHost: {host}")
    assert answer.status == 403 and b"other servers" in answer.body


@pytest.mark.app
def test_results_are_only_what_lies_in_the_outputs_folder(
    files: RunningApp, tmp_path: Path
) -> None:
    outputs = files.app.settings.outputs
    secret = tmp_path / "secret.png"
    secret.write_bytes(PICTURE)
    link = outputs / "link.png"
    link.symlink_to(secret)
    store = files.app.service.store.path
    assert store.is_file()
    outside = [secret, link, Path("/etc/passwd"), store, store.with_name("lock"), outputs]
    near = [os.path.relpath(path, outputs).replace("../", "..%2f") for path in outside[:-1]]
    texts = [*near, *(str(path) for path in outside), *(str(path).lstrip("/") for path in outside)]
    texts += [f"%2f{path}" for path in texts]
    texts += [text.replace(".comfygradio", ".COMFYGRADIO") for text in texts]
    texts += ["../secret.png", "", "x" * 3000, "%00", "..%2f..%2f", "a/..%2f..%2fsecret.png"]
    for text in texts:
        answer = get(f"{files.url}gradio_api/comfygradio/result/{text}")
        assert answer.status_code == 404, text


@pytest.mark.app
def test_programs_get_their_results_as_before(
    demo: DemoServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("client")
    with run_settings(demo.url, folder / "outputs") as running:
        client = Client(running.url, verbose=False, download_files=str(folder))
        try:
            made, _ = client.predict(prompt="x", steps=1, api_name="/text_to_image")
        finally:
            client.close()
        assert Path(made[0]).read_bytes().startswith(b"\x89PNG")
        shutil.rmtree(folder, ignore_errors=True)


def open_for_saving(browser: Browser, address: str) -> None:
    """Open an address that Chromium only saves, in a tab of its own: in the one of the page Gradio
    would take its cut connections for an app that was away, and load the page anew.
    """
    tab = browser.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    try:
        with (
            tab.expect_download(timeout=1000 * HANG_SECONDS),
            # Chromium gives the navigation up for the download; which of the two playwright hears
            # of first, it tells.
            pytest.raises(PlaywrightError, match=r"Download is starting|ERR_ABORTED"),
        ):
            tab.goto(address, timeout=1000 * HANG_SECONDS)
        assert (tab.title(), tab.url) == ("", "about:blank"), address
    finally:
        tab.close()


@pytest.mark.browser
def test_no_script_in_a_result_runs(files: RunningApp, browser: Browser) -> None:
    """Each is only saved when it is opened, and none is taken for a script of the page."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    try:
        page.goto(files.url)
        for address in (way for name in HOSTILE for way in list_ways(files, name)):
            open_for_saving(browser, address)
            page.evaluate(
                """async (address) => {
                  const script = document.createElement("script");
                  script.src = address;
                  const tried = new Promise((done) => { script.onload = script.onerror = done; });
                  document.body.append(script);
                  await tried;
                }""",
                address,
            )
            assert page.title() != "ran", address
            assert page.url == files.url
    finally:
        page.close()


@pytest.mark.browser
def test_a_picture_is_seen_by_itself_and_on_the_page(files: RunningApp, browser: Browser) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    try:
        page.goto(files.url)
        for address in list_ways(files, "picture.png"):
            wide = page.evaluate(
                """async (src) => { const img = new Image(); img.src = src; await img.decode();
                  return img.naturalWidth; }""",
                address,
            )
            assert wide == 1
        page.goto(list_ways(files, "picture.png")[-1])
        assert page.evaluate("document.images[0].naturalWidth") == 1
    finally:
        page.close()
