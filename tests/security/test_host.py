"""Requests under a foreign name get nothing, whatever address that name has (DNS rebinding)."""

from __future__ import annotations

import asyncio
import socket

import pytest
from gradio_client import Client
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.demo import DemoServer
from comfygradio.settings import Settings, load_settings
from comfygradio.ui.middleware.host_name import find_own_names
from comfygradio.ui.middleware.stack import list_middleware
from tests.security.raw_request import get, run_settings, send_raw
from tests.ui.running import RunningApp

pytestmark = pytest.mark.app


def port_of(app: RunningApp) -> str:
    return app.url.rstrip("/").rpartition(":")[2]


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info", "/gradio_api/file=x"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.test"])
def test_a_foreign_name_is_refused(app: RunningApp, path: str, host: str) -> None:
    answer = send_raw(app.url, f"GET {path} HTTP/1.1\nHost: {host}:{port_of(app)}")
    assert answer.status == 403 and b"--allow-host" in answer.body


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST.", "[::1]"])
def test_own_names_are_answered_with_any_port(app: RunningApp, host: str) -> None:
    assert send_raw(app.url, f"GET /config HTTP/1.1\nHost: {host}:{port_of(app)}").status == 200
    assert send_raw(app.url, f"GET /config HTTP/1.1\nHost: {host}").status == 200


@pytest.mark.parametrize(
    "line",
    [
        "Host:",
        "Host: a/b",
        "Host: user@localhost",
        "Host: localhost, evil.example",
        "Host: localhost\nHost: evil.example",
        "Host: localhost:123456",
        "X-Nothing: 1",
    ],
)
def test_a_host_that_is_none_is_refused(app: RunningApp, line: str) -> None:
    assert send_raw(app.url, f"GET /config HTTP/1.1\n{line}").status in (400, 403)


def test_addresses_are_foreign_while_only_this_machine_is_listened_on(app: RunningApp) -> None:
    for host in ("0.0.0.0", "192.168.1.5", "[2001:db8::1]"):
        assert send_raw(app.url, f"GET / HTTP/1.1\nHost: {host}:{port_of(app)}").status == 403


def test_nobody_names_the_page_by_a_header_of_proxies(app: RunningApp) -> None:
    for path in ("/config", "/logout"):
        answer = send_raw(
            app.url, f"GET {path} HTTP/1.1\nHost: localhost\nX-Forwarded-Host: evil.example"
        )
        assert answer.status == 403 and "evil" not in answer.headers.get("location", "")


def test_logging_out_leads_to_the_page(app: RunningApp) -> None:
    assert "evil" not in str(send_raw(app.url, "GET /logout HTTP/1.1\nHost: evil.example"))
    answer = send_raw(app.url, f"GET /logout HTTP/1.1\nHost: localhost:{port_of(app)}")
    assert answer.status < 400
    assert answer.headers.get("location", "/") in ("./", "/", f"http://localhost:{port_of(app)}")


def test_names_that_are_allowed_and_proxies_that_are_trusted(
    demo: DemoServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("open")
    given = {"allow_hosts": ("forms.example",), "trust_proxies": ("127.0.0.1",)}
    with run_settings(demo.url, folder, host="0.0.0.0", **given) as running:
        url = running.url.replace("localhost", "127.0.0.1")
        for host in ("forms.example", "forms.example:8443", "192.168.1.5", socket.gethostname()):
            assert send_raw(url, f"GET /config HTTP/1.1\nHost: {host}").status == 200, host
        assert send_raw(url, "GET /config HTTP/1.1\nHost: evil.example").status == 403
        told = "Host: upstream\nX-Forwarded-Host: other.example\nX-Forwarded-Proto: https"
        answer = send_raw(url, f"GET /config HTTP/1.1\n{told}")
        assert answer.status == 200 and b"https://other.example" in answer.body


def test_websockets_are_refused(app: RunningApp) -> None:
    upgrade = (
        f"GET /x HTTP/1.1\nHost: localhost:{port_of(app)}\nUpgrade: websocket\n"
        "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    )
    answer = send_raw(app.url, upgrade.replace("\nUpgrade", "\nConnection: Upgrade\nUpgrade"))
    assert answer.status in (403, 404)


def test_a_websocket_reaches_nobody() -> None:
    """The server makes none; if it ever does, the layer closes it."""
    reached: list[Scope] = []
    sent: list[Message] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    app: ASGIApp = inner
    for layer in reversed(list_middleware(Settings(), lambda scope: True)):
        app = layer(app)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost")]
    scope = {"type": "websocket", "path": "/x", "headers": headers, "client": ("127.0.0.1", 1)}

    async def connect() -> None:
        await app(scope, receive, send)

    asyncio.run(connect())
    assert reached == [] and sent == [{"type": "websocket.close", "code": 1008}]


def test_programs_and_gradio_itself_go_on_to_work(app: RunningApp) -> None:
    client = Client(app.url, verbose=False)
    try:
        assert (
            "/text_to_image"
            in client.view_api(return_format="dict", print_info=False)["named_endpoints"]
        )
    finally:
        client.close()
    assert get(f"{app.url}gradio_api/startup-events").json() is False


def test_own_names_come_from_the_settings() -> None:
    root = find_own_names(Settings(root_path="https://forms.example:8443/a"))
    assert root.is_own("forms.example") and root.is_own_origin("https://forms.example:8443", "x")
    space = load_settings(
        {"SPACE_ID": "me/forms", "SPACE_HOST": "me-forms.hf.space,forms.example"}, {}
    )
    names = find_own_names(space)
    assert names.is_own("me-forms.hf.space") and names.is_own("10.1.2.3:7860")
    assert names.is_own_origin("https://me-forms.hf.space", "10.1.2.3:7860")
    assert names.is_own("forms.example") and not names.is_own("")
    assert not names.is_own("you-forms.hf.space")


def tell_client(settings: Settings, peer: str, forwarded: str) -> str:
    """Whom the app takes a request for that comes from `peer` with this X-Forwarded-For."""
    seen: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["client"][0])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app: ASGIApp = inner
    for layer in reversed(list_middleware(settings, lambda scope: True)):
        app = layer(app)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        pass

    headers = [(b"host", b"localhost"), (b"x-forwarded-for", forwarded.encode())]
    scope = {
        **{"type": "http", "method": "GET", "path": "/config", "query_string": b""},
        **{"headers": headers, "client": (peer, 1), "scheme": "http", "root_path": ""},
    }

    async def ask_once() -> None:
        await app(scope, receive, send)

    asyncio.run(ask_once())
    (client,) = seen
    return client


def test_only_proxies_that_are_trusted_say_where_people_are() -> None:
    trusting = Settings(trust_proxies=("127.0.0.1", "10.0.0.0/8"))
    assert tell_client(Settings(), "127.0.0.1", "9.9.9.9") == "127.0.0.1"
    assert tell_client(trusting, "127.0.0.1", "9.9.9.9") == "9.9.9.9"
    assert tell_client(trusting, "192.168.1.9", "9.9.9.9") == "192.168.1.9"
    # What the person wrote there before the proxy did is not believed.
    assert tell_client(trusting, "127.0.0.1", "1.1.1.1, 9.9.9.9, 10.1.2.3") == "9.9.9.9"


@pytest.mark.app
def test_the_server_itself_believes_no_proxy(app: RunningApp) -> None:
    config = app.app.blocks.server.config
    assert "127.0.0.1" not in str(config.forwarded_allow_ips)
