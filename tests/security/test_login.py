"""The login: what somebody without one gets, what guessing brings, and what a session opens."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AuthenticationError

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.ui.identity.auth_scheme import is_secure, name_cookie
from comfygradio.ui.identity.authenticator import WRONG
from comfygradio.ui.identity.identity_middleware import clean_query, find_route, render_login
from comfygradio.ui.identity.login_throttle import ADDRESS_BACKOFF, USER_BACKOFF
from comfygradio.ui.static import name_version
from tests.security.attack_browser import (
    PROXY,
    browse,
    log_in,
    name_address,
    run,
    write_users,
)
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.app

FORM = "application/x-www-form-urlencoded"

HTML = {"accept": "text/html,application/xhtml+xml"}
"""What a browser says when it opens a page or sends a form."""


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A demo server without delays."""
    with DemoServer(DemoOptions(step_seconds=0)) as server:
        yield server


@pytest.fixture(scope="module")
def app(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with a login, behind a proxy that is trusted."""
    folder = tmp_path_factory.mktemp("login")
    users = write_users(folder / "users", "ann", "ben", "guessed", "flooded")
    with run_app(demo.url, folder / "outputs", auth=users, trust_proxies=PROXY) as running:
        yield running


def test_a_browser_gets_the_login_page_and_nothing_of_the_app(app: RunningApp) -> None:
    answer = browse(app).get("", params={"preset": "upscale"}, headers=HTML)
    assert answer.status_code == 200 and "<script" not in answer.text
    assert 'action="login"' in answer.text and 'value="preset=upscale"' in answer.text
    assert "cg-" not in answer.text and "gradio" not in answer.text.replace("comfygradio", "")
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src" in answer.headers["content-security-policy"]
    assert "<title>Log in · comfygradio</title>" in answer.text
    # What browsers show of a page before anybody logs in.
    for path in ("comfygradio/icon-192.png", "manifest.json", "favicon.ico"):
        assert browse(app).get(path).status_code == 200


ROUTES = [
    ("GET", "config"),
    ("GET", "gradio_api/info"),
    ("GET", "gradio_api/openapi.json"),
    ("POST", "gradio_api/run/predict"),
    ("POST", "gradio_api/call/text_to_image"),
    ("POST", "gradio_api/queue/join"),
    ("GET", "gradio_api/queue/data?session_hash=x"),
    ("POST", "gradio_api/upload"),
    ("POST", "gradio_api/component_server"),
    ("GET", "gradio_api/file=users"),
    ("GET", "gradio_api/heartbeat/x"),
    ("POST", "gradio_api/cancel"),
    ("POST", "gradio_api/reset"),
    ("GET", "gradio_api/comfygradio/revision"),
    ("GET", "gradio_api/comfygradio/job/x"),
    ("GET", f"gradio_api/comfygradio/static/{name_version()}/page.js"),
    ("POST", "gradio_api/comfygradio/history.zip"),
    ("POST", "gradio_api/comfygradio/sweep"),
    ("GET", "gradio_api/comfygradio/sweep/x/0/0/m"),
    ("GET", "no-such-page"),
    ("DELETE", ""),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_other_route_says_401_in_json(app: RunningApp, method: str, path: str) -> None:
    for browser in (browse(app), browse(app, "10.0.0.1")):
        browser.cookies.set(f"comfygradio-{browser.base_url.port}", "guess")
        with browser.stream(method, path, headers=HTML) as answer:
            assert answer.status_code == 401, path
            answer.read()
        assert answer.json()["detail"]["error"] == "Not authenticated"


def test_a_form_and_a_multipart_form_let_in(app: RunningApp) -> None:
    fields = {"username": "ann", "password": "ann-pw"}
    parts: dict[str, Any] = {name: (None, value) for name, value in fields.items()}
    for sent in ({"data": fields}, {"files": parts}):
        browser = browse(app)
        answer = browser.post("login", **sent)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        config = browser.get("config")
        assert config.status_code == 200 and config.json()["components"]
        assert browser.get("gradio_api/user").json() == "ann"


def test_the_cookie_is_for_no_script_and_no_other_site(app: RunningApp) -> None:
    fields = {"username": "ann", "password": "ann-pw"}
    (cookie,) = browse(app).post("login", data=fields).headers.get_list("set-cookie")
    name, _, value = cookie.partition(";")[0].partition("=")
    flags = {flag.strip().lower() for flag in cookie.split(";")[1:]}
    assert name == f"comfygradio-{httpx.URL(app.url).port}" and len(value) >= 40
    assert {"httponly", "samesite=lax", "path=/"} <= flags and "secure" not in flags
    forwarded = {"x-forwarded-proto": "https"}
    (cookie,) = (
        browse(app).post("login", data=fields, headers=forwarded).headers.get_list("set-cookie")
    )
    assert "secure" in {flag.strip().lower() for flag in cookie.split(";")[1:]}


def test_no_cookie_of_ones_own_making_becomes_a_session(app: RunningApp) -> None:
    browser = browse(app)
    name = f"comfygradio-{browser.base_url.port}"
    browser.cookies.set(name, "chosen-by-the-attacker", domain="127.0.0.1", path="/")
    browser.post("login", data={"username": "ann", "password": "ann-pw"})
    browser.cookies.clear()
    browser.cookies.set(name, "chosen-by-the-attacker")
    assert browser.get("config").status_code == 401


def test_the_form_of_the_page_leads_to_what_was_asked_for(app: RunningApp) -> None:
    browser = browse(app)
    fields = {"username": "ann", "password": "ann-pw", "query": "preset=upscale&x=%2F%2Fevil"}
    answer = browser.post("login", data=fields, headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == "./?preset=upscale&x=%2F%2Fevil"
    assert browser.get("login").headers["location"] == "./"


@pytest.mark.parametrize(
    "query",
    ["//evil.example", "https://evil.example/", "/\\evil", "\r\nset-cookie: a=b", "a" * 9000],
)
def test_the_way_after_the_login_never_leads_away(app: RunningApp, query: str) -> None:
    fields = {"username": "ann", "password": "ann-pw", "query": query}
    answer = browse(app).post("login", data=fields, headers={**HTML, "host": "evil.example"})
    if answer.status_code == 303:
        assert re.fullmatch(r"\./(\?[\w=&%+.-]*)?", answer.headers["location"])
    assert answer.headers.get_list("set-cookie") == [
        one for one in answer.headers.get_list("set-cookie") if one.startswith("comfygradio")
    ]


def test_a_wrong_password_is_told_and_what_was_typed_runs_nowhere(app: RunningApp) -> None:
    browser = browse(app, name_address())
    name = '"><script>alert(1)</script>'
    answer = browser.post("login", data={"username": name, "password": "x"}, headers=HTML)
    assert answer.status_code == 401 and WRONG in answer.text
    assert "<script" not in answer.text and "&quot;&gt;&lt;script&gt;" in answer.text
    answer = browser.post("login", data={"username": "ann", "password": "x"})
    assert (answer.status_code, answer.json()) == (401, {"detail": WRONG})
    assert not answer.headers.get_list("set-cookie")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (413, {"content": b"username=ann&password=" + b"x" * 100_000}),
        (413, {"content": b"\xff\xfe", "headers": {"content-type": FORM}}),
        (413, {"content": b"a", "headers": {"content-type": "multipart/form-data; boundary=b"}}),
        (413, {"content": b"a", "headers": {"content-type": "multipart/form-data"}}),
        (413, {"content": b"a&" * 5000}),
        (413, {"files": {"username": ("ann", b"x"), "password": ("p", b"x")}}),
    ],
)
def test_what_is_no_login_form_is_refused(
    app: RunningApp, status: int, body: dict[str, Any]
) -> None:
    answer = browse(app, name_address()).post("login", **body)
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])
    assert not answer.headers.get_list("set-cookie")


def test_600_wrong_passwords_are_not_600_guesses(app: RunningApp) -> None:
    """M10. One person at one address, as fast as a few connections can."""
    address = name_address()

    def guess(number: int) -> tuple[int, str]:
        browser = clients[number % len(clients)]
        fields = {"username": "guessed", "password": f"wrong{number}"}
        answer = browser.post("login", data=fields)
        return answer.status_code, answer.headers.get("retry-after", "")

    clients = [browse(app, address) for _ in range(8)]
    with ThreadPoolExecutor(len(clients)) as threads:
        answers = list(threads.map(guess, range(600)))
    examined = [status for status, _ in answers if status == 401]
    refused = [after for status, after in answers if status == 429]
    assert USER_BACKOFF.free_failures <= len(examined) <= 20, len(examined)
    assert len(examined) + len(refused) == 600 and all(int(after) >= 1 for after in refused)
    log_in(app, "ann", name_address())


def test_many_addresses_do_not_help_against_one_person(app: RunningApp) -> None:
    log_in(app, "flooded", known := name_address())
    examined = 0
    for number in range(60):
        fields = {"username": "flooded", "password": f"wrong{number}"}
        examined += browse(app, name_address()).post("login", data=fields).status_code == 401
    assert USER_BACKOFF.free_failures <= examined <= 20
    log_in(app, "flooded", known)


def test_one_ipv6_network_is_one_address(app: RunningApp) -> None:
    examined = 0
    for number in range(60):
        fields = {"username": f"somebody{number}", "password": "x"}
        browser = browse(app, f"2001:db8:77:88::{number + 1:x}")
        examined += browser.post("login", data=fields).status_code == 401
    assert ADDRESS_BACKOFF.free_failures <= examined <= 20


def test_logging_out_ends_the_session_and_what_its_page_may_download(app: RunningApp) -> None:
    ann, other = log_in(app, "ann"), log_in(app, "ann")
    access = run(app, ann, "enter", person="x" * 32).json()["data"][0]["access"]
    kept = dict(ann.cookies)

    def download(browser: httpx.Client) -> httpx.Response:
        return browser.post("gradio_api/comfygradio/history.zip", data={"access": access})

    assert zipfile.ZipFile(io.BytesIO(download(ann).content)).namelist() == []
    assert ann.get("logout").status_code == 303 and ann.get("config").status_code == 200
    foreign = ann.post("logout", headers={"origin": "http://evil.example"})
    assert foreign.status_code == 403 and ann.get("config").status_code == 200
    answer = ann.post("logout", headers={"x-forwarded-host": "evil.example"})
    assert answer.status_code == 303 and answer.headers["location"] == "./"
    assert not ann.cookies
    ann.cookies.update(kept)
    assert ann.get("config").status_code == 401 and download(ann).status_code == 401
    assert other.get("config").status_code == 200
    for browser in (other, log_in(app, "ann"), log_in(app, "ben")):
        answer = download(browser)
        assert answer.status_code == 403 and "reload" in answer.text


def test_gradios_client_logs_in(app: RunningApp) -> None:
    client = Client(app.url, auth=("ben", "ben-pw"), verbose=False, download_files=False)
    files, info = client.predict(prompt="a fox", steps=1, api_name="/text_to_image")
    client.close()
    assert len(files) == 1 and info["status"] == "done"
    with pytest.raises(AuthenticationError):
        Client(app.url, auth=("ben", "wrong"), verbose=False)
    with pytest.raises(AuthenticationError):
        Client(app.url, verbose=False)


def test_the_login_outlasts_a_page_that_is_drawn_anew(app: RunningApp) -> None:
    """H2. A change of a preset once killed the login page until a restart."""
    ann = log_in(app, "ann")
    before = browse(app).get("", headers=HTML)
    app.app.rebuild()
    after = browse(app).get("", headers=HTML)
    assert (after.status_code, after.text) == (200, before.text)
    assert browse(app).get("config").status_code == 401
    assert ann.get("config").status_code == 200 and ann.get("").status_code == 200
    log_in(app, "ben")


def make_scope(path: str = "/", root: str = "", **headers: str) -> dict[str, Any]:
    return {
        "type": "http",
        "path": path,
        "root_path": root,
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }


@pytest.mark.parametrize(
    ("path", "root", "route"),
    [
        ("/", "", "/"),
        ("/login/", "", "/login"),
        ("/forms/login", "/forms", "/login"),
        ("/login", "/forms", "/login"),
        ("/forms", "https://example.org/forms", "/"),
        ("/formsx/login", "/forms", "/formsx/login"),
        ("//login", "", "//login"),
    ],
)
def test_a_route_is_told_below_the_path_of_a_proxy(path: str, root: str, route: str) -> None:
    assert find_route(make_scope(path, root)) == route


def test_apps_of_one_host_have_their_own_cookies() -> None:
    names = [
        name_cookie(make_scope(host="localhost:7860")),
        name_cookie(make_scope(host="localhost:7861")),
        name_cookie(make_scope(host="localhost")),
        name_cookie(make_scope(host="[::1]:7860", root="/forms")),
        name_cookie(make_scope(host="localhost:7860", root="/a/b;c")),
    ]
    assert len(set(names)) == 5
    names.append(name_cookie(make_scope(host="[x")))
    assert all(re.fullmatch(r"[\w-]+", name) for name in names)


def test_https_is_told_by_the_connection_or_the_proxy() -> None:
    assert is_secure({**make_scope(), "scheme": "https"})
    assert not is_secure(make_scope()) and is_secure(make_scope(**{"x-forwarded-proto": "https"}))


def test_the_page_holds_what_it_is_given_and_nothing_of_it_runs() -> None:
    page = render_login("/a/login", 'x="><b>&y=$style', "<b>wrong</b>", '"$user<b>', "<b>title")
    assert "<b>" not in page and 'action="/a/login"' in page
    assert clean_query("a=1&a=2&b=") == "a=1&a=2&b=" and clean_query("x" * 3000) == ""
