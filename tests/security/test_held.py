"""What held when the app was attacked, and must go on to hold.

What other tests hold already is not here: others' jobs, history and sweeps (test_history,
test_sweep_page), the operators' functions (test_status), paths of the server as values
(test_endpoint, test_sweep_endpoint), names of files and presets (test_results, test_author),
the exported gallery (test_sweep_file), bombs of YAML (test_odd_files).
"""

from __future__ import annotations

import http.client
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, Page, expect

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.job_store import find_job_store
from tests.chromium import PATIENCE_MS
from tests.net.hosts import answer, run_host
from tests.security.callable_endpoint import list_routes
from tests.sweeps.exporting import HOSTILE
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.app

SECRET = b"hunter2 is the secret of this host"

REFUSED = (400, 401, 403, 404, 405, 413, 422)

OPEN_WITHOUT_LOGIN = re.compile(
    r"/(login|logout)/?|/(gradio_api/)?(login_check|user|token|app_id|startup-events|heartbeat/.*)/?"
    r"|/(static|assets|svelte|_app|fonts)/.*|/(gradio_api/)?theme\.css|/(robots\.txt|favicon\.ico|manifest\.json)"
    r"|/pwa_icon.*|/gradio_api/comfygradio/revision|/monitoring.*|/gradio_api/(dev|vibe).*"
)
"""What Gradio answers to everybody, and the number by which a page learns that it is old."""


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A demo server with the nodes that fail on purpose."""
    with DemoServer(DemoOptions(step_seconds=0, lab_nodes=True)) as server:
        yield server


@pytest.fixture(scope="module")
def app(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app that nobody has to log in to."""
    with run_app(demo.url, tmp_path_factory.mktemp("outputs")) as running:
        yield running


@pytest.fixture(scope="module")
def locked(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with a login."""
    users = tmp_path_factory.mktemp("users") / "users"
    users.write_text("ada:hunter2\n", encoding="utf-8")
    with run_app(demo.url, tmp_path_factory.mktemp("locked"), auth=users) as running:
        yield running


def ask(app: RunningApp, path: str, method: str = "GET") -> tuple[int, bytes]:
    """The status of an answer and the beginning of its body. The path goes out as it is written:
    other clients tidy it up.
    """
    parts = urlsplit(app.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        if method == "POST":
            connection.putheader("content-type", "application/json")
            connection.putheader("content-length", "2")
        connection.endheaders(b"{}" if method == "POST" else None)
        got = connection.getresponse()
        return got.status, got.read(65_536) if got.status < 300 else got.read(2000)
    finally:
        connection.close()


def list_disguises(path: Path) -> list[str]:
    """Ways to write a path that should not be served."""
    text = str(path)
    above = "../" * 20 + text.lstrip("/")
    beside = f"{tempfile.gettempdir()}/{above}"
    return [
        *(
            text,
            f"/{text}",
            f"//{text}",
            f"/./{text}",
            above,
            f"./{above}",
            beside,
            f"file://{text}",
        ),
        *(quote(text, safe=""), quote(quote(text, safe=""), safe=""), quote(above, safe="")),
        *(above.replace("../", "..%2f"), above.replace("../", "%2e%2e/"), above.replace("/", "\\")),
        *(above.replace("../", "%252e%252e/"), above.replace("../", "....//"), f"{text}%00.png"),
        *(
            above.replace("../", "..%c0%af"),
            above.replace("../", "..;/"),
            f"{text}/.",
            f"{text}%20",
        ),
        *(f"/proc/self/root{text}", f"/dev/fd/../../..{text}", f"C:{text}", f"\\\\?\\{text}"),
    ]


def test_no_disguise_of_a_path_gets_a_file_of_the_host(app: RunningApp, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_bytes(SECRET)
    own = Path.cwd() / "pyproject.toml"
    kept = find_job_store(app.app.service.queue.outputs)
    for path in (secret, own, kept, Path("/etc/passwd"), Path("/proc/self/environ")):
        content = path.read_bytes()[:20] or os.urandom(20)
        for disguise in list_disguises(path):
            for way in ("/gradio_api/file=", "/file=", "/gradio_api/file/", "/static/", "/assets/"):
                status, body = ask(app, f"{way}{disguise.replace(' ', '%20')}")
                assert content not in body, (way, disguise)
                assert status < 500, (way, disguise)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "0", "0.0.0.0"),
        *("localhost", "LOCALHOST", "localhost.", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
        *("user@127.0.0.1", "127.0.0.1%2f", "１２７.0.0.1"),
    ],
)
def test_the_app_asks_nothing_inside_for_anybody(app: RunningApp, host: str) -> None:
    with run_host(answer(SECRET, "text/plain")) as inner:
        url = f"http://{host}:{inner.port}/secret"
        for disguise in (url, quote(url, safe=""), url.replace("http", "HTTP"), url[5:]):
            for way in ("/gradio_api/file=", "/file=", "/gradio_api/proxy=", "/proxy="):
                status, body = ask(app, way + quote(disguise, safe="%:/@[]"))
                assert SECRET not in body and b"Traceback" not in body, (way, disguise)
                assert status >= 400 or not body.strip(), (way, disguise, status)
        file = {"path": url, "url": url, "meta": {"_type": "gradio.FileData"}}
        for name in ("image_to_image", "image_to_image_sweep"):
            values = {"image": file}
            call = {"axes": {"steps": "1"}, "values": values} if "sweep" in name else values
            way = f"{app.url}gradio_api/call"
            event = httpx.post(f"{way}/v2/{name}", json=call, timeout=60).json()["event_id"]
            told = httpx.get(f"{way}/{name}/{event}", timeout=60).text
            assert "event: error" in told and "complete" not in told
    assert inner.heads == []


def test_without_a_login_no_route_answers(locked: RunningApp) -> None:
    """With something in the place of each parameter."""
    served: Any = locked.app.blocks.app
    routes = [(method, re.sub(r"\{[^}]*\}", "1", path)) for method, path in list_routes(served)]
    routes = sorted(set(routes))
    assert len(routes) > 40
    answered = []
    for method, path in routes:
        if OPEN_WITHOUT_LOGIN.fullmatch(path):
            continue
        status, body = ask(locked, path, method)
        assert status < 500, (method, path)
        is_login_page = path in ("/", "/1", "/1/") and b'"dependencies":[{' not in body
        is_empty = path == "/gradio_api/comfygradio/job/1" and b"gone" in body
        if status < 300 and not is_login_page and not is_empty:
            answered.append((method, path, status, body[:60]))
    assert answered == [], "\n".join(map(str, answered))


def test_the_login_page_tells_nothing_of_the_presets(locked: RunningApp) -> None:
    page = httpx.get(locked.url, timeout=60).text
    assert "password" in page
    assert "text_to_image" not in page and "safetensors" not in page


def test_a_login_that_is_wrong_or_made_up_opens_nothing(locked: RunningApp) -> None:
    for cookie in ("access-token=x", "access-token-unsecure=x", "access-token-1=ada"):
        got = httpx.get(f"{locked.url}config", headers={"cookie": cookie}, timeout=60)
        assert got.status_code == 401
    for password in ("", "hunter", "hunter2 ", "HUNTER2"):
        form = {"username": "ada", "password": password}
        got = httpx.post(f"{locked.url}login", data=form, timeout=60)
        assert got.status_code in REFUSED or got.status_code == 429
        assert "set-cookie" not in got.headers


def write_hostile_preset(folder: Path) -> None:
    """A preset every text of which would like to run a script, and whose node fails with another
    one.
    """
    graph = {
        "1": {
            "class_type": "LabRaise",
            "inputs": {"message": HOSTILE},
            "_meta": {"title": HOSTILE},
        },
        "2": {
            "class_type": "SaveImage",
            "inputs": {"images": ["1", 0], "filename_prefix": "x"},
            "_meta": {"title": HOSTILE},
        },
    }
    field = {
        "slot": "1.message",
        "label": f"Words {HOSTILE}",
        "help": HOSTILE,
        "placeholder": HOSTILE,
        "group": HOSTILE,
    }
    choices = {"slot": "2.filename_prefix", "choices": {HOSTILE: "a", "b": HOSTILE}}
    preset = {
        "title": f"Bad {HOSTILE}",
        "description": HOSTILE,
        "icon": HOSTILE[:20],
        "workflow": "bad.json",
        "fields": {"words": field, "prefix": choices},
        "examples": [{"title": HOSTILE, "words": HOSTILE}],
    }
    folder.mkdir()
    (folder / "bad.json").write_text(json.dumps(graph), encoding="utf-8")
    (folder / "bad.yaml").write_text(json.dumps(preset), encoding="utf-8")
    (folder / f"{quote(HOSTILE[:30], safe='')}.yaml").write_text("title: 1", encoding="utf-8")


def write_hostile_picture(path: Path) -> Path:
    """A picture in which settings stand that would like to run a script."""
    info = PngInfo()
    values = {"words": f"in the file {HOSTILE}", HOSTILE: HOSTILE}
    info.add_text("comfygradio", json.dumps({"preset": "bad", "values": values}))
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path


@pytest.mark.browser
def test_no_text_of_an_author_a_server_or_a_person_runs_as_a_script(
    browser: Browser, tmp_path: Path
) -> None:
    write_hostile_preset(tmp_path / "presets")
    options = DemoOptions(
        step_seconds=0, lab_nodes=True, checkpoints=(f"{HOSTILE}.safetensors",), loras=(HOSTILE,)
    )
    with (
        DemoServer(options) as server,
        run_app(server.url, tmp_path / "outputs", tmp_path / "presets") as running,
    ):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(running.url)
        page.get_by_role("button", name="Generate").click()
        expect(page.locator("#cg-side")).to_contain_text("window.pwned = 2")
        assert is_whole(page)
        page.get_by_text("Take settings from a picture").click()
        picture = write_hostile_picture(tmp_path / "made.png")
        page.locator("#cg-restore input[type=file]").set_input_files(picture)
        expect(page.locator("#cg-report")).to_contain_text(f"in the file {HOSTILE}")
        assert is_whole(page)
        page.get_by_role("button", name="Compare settings").click()
        expect(page.locator("#cg-sweep")).to_contain_text("window.pwned = 2")
        assert is_whole(page)
        page.goto(f"{running.url}#history")
        page.get_by_role("link", name="History").click()
        expect(page.locator("#cg-history")).to_contain_text("window.pwned = 2")
        assert is_whole(page)
        page.close()


def is_whole(page: Page) -> bool:
    """Whether no text became a part of the page, or ran."""
    added = page.locator("img[src=x], script:text('pwned = 1')").count()
    return added == 0 and page.evaluate("window.pwned") is None
