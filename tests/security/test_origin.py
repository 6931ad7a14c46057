"""Scripts of other websites cannot act as the person whose browser they run in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from comfygradio.demo import DemoServer
from comfygradio.settings import Settings
from comfygradio.ui.middleware.stack import list_middleware
from tests.chromium import PATIENCE_MS
from tests.security.raw_request import TIMEOUT_SECONDS, get, post, run_settings, send_raw
from tests.ui.running import RunningApp

pytestmark = pytest.mark.app

FOREIGN = ["http://evil.example", "http://127.0.0.1:1", "http://localhost", "null", "file://", ""]


def host_of(app: RunningApp) -> str:
    return app.url.rstrip("/").partition("://")[2]


@pytest.mark.app
@pytest.mark.parametrize("origin", FOREIGN[:-1])
@pytest.mark.parametrize(
    "start",
    [
        "GET /config",
        "POST /gradio_api/upload",
        "POST /gradio_api/queue/join",
        "GET /gradio_api/comfygradio/revision",
        "OPTIONS /config",
    ],
)
def test_a_foreign_origin_is_refused(app: RunningApp, origin: str, start: str) -> None:
    more = "Access-Control-Request-Method: GET\n" if start.startswith("OPTIONS") else ""
    head = f"{start} HTTP/1.1\nHost: {host_of(app)}\n{more}Origin: {origin}\nContent-Length: 0"
    answer = send_raw(app.url, head)
    assert answer.status == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.app
def test_the_same_machine_under_another_name_is_foreign(app: RunningApp) -> None:
    """On a name of the network Gradio would let every website in."""
    head = f"GET /config HTTP/1.1\nHost: {host_of(app)}\nOrigin: "
    assert send_raw(app.url, head + f"http://{host_of(app)}").status == 200
    other = host_of(app).replace("127.0.0.1", "localhost")
    assert send_raw(app.url, head + f"http://{other}").status == 403


@pytest.mark.app
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_browser_that_hides_the_origin_is_refused_where_something_changes(
    app: RunningApp, site: str
) -> None:
    head = f"HTTP/1.1\nHost: {host_of(app)}\nSec-Fetch-Site: {site}\nContent-Length: 0"
    assert send_raw(app.url, f"POST /gradio_api/upload {head}").status == 403
    assert send_raw(app.url, f"GET / {head}").status == 200


@pytest.mark.app
def test_our_own_pages_get_no_permission_for_others(app: RunningApp) -> None:
    answer = get(f"{app.url}config", headers={"origin": app.url.rstrip("/")})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.app
def test_websites_that_are_allowed(
    demo: DemoServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    friend = "https://friend.example"
    with run_settings(
        demo.url, tmp_path_factory.mktemp("friend"), allow_origins=(friend,)
    ) as running:
        answer = get(f"{running.url}config", headers={"origin": friend})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == friend
        assert "Origin" in answer.headers["vary"].split(", ")
        asked = {"origin": friend, "access-control-request-method": "POST"}
        asked["access-control-request-headers"] = "content-type"
        allowed = httpx.options(
            f"{running.url}gradio_api/queue/join", headers=asked, timeout=TIMEOUT_SECONDS
        )
        assert allowed.headers["access-control-allow-headers"] == "content-type"
        assert "POST" in allowed.headers["access-control-allow-methods"]
        refused = get(f"{running.url}config", headers={"origin": f"{friend}.evil.example"})
        assert refused.status_code == 403


@pytest.mark.app
def test_whom_the_star_lets_in_comes_without_a_login(
    demo: DemoServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("star")
    (folder / "users.txt").write_text("ada:engine\n", "utf-8")
    given = {"auth": folder / "users.txt", "allow_origins": ("*",)}
    with (
        run_settings(demo.url, folder / "outputs", **given) as running,
        httpx.Client(base_url=running.url, timeout=TIMEOUT_SECONDS) as browser,
    ):
        login = browser.post("/login", data={"username": "ada", "password": "engine"})
        assert login.status_code == 200 and browser.get("/config").status_code == 200
        foreign = browser.get("/config", headers={"origin": "https://any.example"})
        assert foreign.status_code == 401
        assert foreign.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in foreign.headers


@pytest.mark.app
def test_cookies_stay_with_our_own_pages(closed_app: RunningApp) -> None:
    answer = post(f"{closed_app.url}login", data={"username": "ada", "password": "engine"})
    cookies = answer.headers.get_list("set-cookie")
    assert cookies
    for cookie in cookies:
        assert "SameSite=Lax" in cookie and cookie.lower().count("samesite") == 1
        assert "HttpOnly" in cookie


@pytest.mark.app
def test_cookies_go_into_frames_only_on_a_space(
    demo: DemoServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("space")
    (folder / "users.txt").write_text("ada:engine\n", "utf-8")
    given = {"auth": folder / "users.txt", "space": True}
    with run_settings(demo.url, folder / "outputs", **given) as running:
        answer = post(f"{running.url}login", data={"username": "ada", "password": "engine"})
        for cookie in answer.headers.get_list("set-cookie"):
            assert ("SameSite=None" in cookie) == ("Secure" in cookie)


HOME = "https://home.example"


@pytest.mark.parametrize(
    ("given", "cookie", "expected"),
    [
        ({}, "a=b; Secure", "SameSite=Lax"),
        ({"space": True}, "a=b", "SameSite=Lax"),
        ({"space": True}, "a=b; Secure", "SameSite=None; Partitioned"),
        ({"allow_frames": (HOME,)}, "a=b; Secure; SameSite=strict", "SameSite=None; Partitioned"),
        ({"allow_origins": (HOME,)}, "a=b; Secure", "SameSite=None"),
        ({"allow_origins": (HOME,)}, "a=b", "SameSite=Lax"),
        ({"allow_origins": ("*",)}, "a=b; Secure", "SameSite=Lax"),
        ({"allow_origins": (HOME,), "space": True}, "a=b; Secure", "SameSite=None"),
    ],
)
def test_where_cookies_go(given: dict[str, Any], cookie: str, expected: str) -> None:
    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("", headers={"set-cookie": cookie})(scope, receive, send)

    app: ASGIApp = inner
    for layer in reversed(list_middleware(Settings(**given), lambda scope: True)):
        app = layer(app)
    answer = TestClient(app, base_url="https://localhost").get("/config")
    kept = cookie.partition("; SameSite")[0]
    assert answer.headers["set-cookie"] == f"{kept}; HttpOnly; {expected}"


ATTACK = """<!doctype html><script>
const found = {};
const tell = async (name, promise) => {
  try { found[name] = await promise; } catch { found[name] = "refused"; }
};
const read = async (path, more) => {
  return await (await fetch(TARGET + path, { credentials: "include", ...more })).text();
};
Promise.all([
  tell("config", read("config")),
  tell("info", read("gradio_api/info")),
  tell("revision", read("gradio_api/comfygradio/revision")),
  tell("upload", read("gradio_api/upload", { method: "POST", body: form() })),
]).then(() => { window.found = found; });
function form() { const f = new FormData(); f.append("files", new Blob(["x"]), "x.txt"); return f; }
</script>"""


@pytest.fixture(scope="module")
def website() -> Iterator[tuple[str, dict[str, str]]]:
    """A foreign website on another port: its address, and what it shows."""
    shown: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = shown.get(self.path, "").encode()
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", shown
    server.shutdown()
    server.server_close()


@pytest.mark.browser
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_foreign_page_in_the_browser_of_a_person_who_is_logged_in(
    closed_app: RunningApp, browser: Browser, website: tuple[str, dict[str, str]], name: str
) -> None:
    """Another port of the same host gets the same cookies."""
    address, shown = website
    shown["/"] = ATTACK.replace("TARGET", repr(closed_app.url))
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    try:
        page = context.new_page()
        page.goto(closed_app.url)
        logged_in = page.evaluate(
            """async () => (await fetch("login", { method: "POST",
              body: new URLSearchParams({ username: "ada", password: "engine" }) })).status"""
        )
        assert logged_in == 200
        assert page.evaluate("async () => (await fetch('config')).status") == 200
        before = set(closed_app.app.blocks.upload_file_set)
        page.goto(address.replace("127.0.0.1", name))
        page.wait_for_function("window.found", timeout=60_000)
        assert set(page.evaluate("Object.values(window.found)")) == {"refused"}
        assert set(closed_app.app.blocks.upload_file_set) == before
    finally:
        context.close()


@pytest.mark.browser
def test_a_foreign_page_cannot_frame_the_app(
    app: RunningApp, browser: Browser, website: tuple[str, dict[str, str]]
) -> None:
    address, shown = website
    shown["/frame"] = f'<iframe src="{app.url}"></iframe>'
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    try:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{address}/frame")
        frame = page.frames[1]
        frame.wait_for_load_state()
        assert frame.locator("gradio-app").count() == 0
        assert any("frame-ancestors" in line for line in said)
    finally:
        page.close()


@pytest.mark.browser
def test_a_website_that_is_named_may_frame_the_app(
    demo: DemoServer,
    browser: Browser,
    website: tuple[str, dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    address, shown = website
    folder = tmp_path_factory.mktemp("framed")
    with run_settings(demo.url, folder, allow_frames=(address,)) as running:
        shown["/frame"] = f'<iframe src="{running.url}" width=1200 height=900></iframe>'
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        try:
            page.goto(f"{address}/frame")
            page.frame_locator("iframe").get_by_role("button", name="Generate").wait_for(
                timeout=60_000
            )
        finally:
            page.close()
