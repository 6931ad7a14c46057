"""What is sent is counted while it comes: too much, too early or too slowly ends the request."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.demo import DemoServer
from comfygradio.forms.kinds.picture import check_file_size
from comfygradio.ui.identity.network_address import find_network
from comfygradio.ui.middleware.body_limit import AUTHOR_BYTES, BodyGuard, BodyRules
from comfygradio.ui.middleware.error_response import refuse_body
from comfygradio.ui.middleware.header_timeout import add_header_timeout
from comfygradio.ui.middleware.stream_limit import StreamGuard
from comfygradio.units import MEGABYTE
from tests.security.raw_request import (
    TIMEOUT_SECONDS,
    connect,
    get,
    post,
    read_response,
    run_settings,
    send_raw,
)
from tests.ui.running import RunningApp, free_port

pytestmark = pytest.mark.app

CALLS = [
    "/gradio_api/queue/join",
    "/gradio_api/run/predict",
    "/gradio_api/api/predict",
    "/gradio_api/call/text_to_image",
    "/gradio_api/call/v2/text_to_image",
    "/gradio_api/component_server",
    "/gradio_api/cancel",
    "/gradio_api/reset",
    "/gradio_api/comfygradio/history.zip",
    "/gradio_api/comfygradio/sweep",
    "/login",
]


def head(app: RunningApp, path: str, *lines: str) -> str:
    host = app.url.rstrip("/").partition("://")[2]
    return "\n".join([f"POST {path} HTTP/1.1", f"Host: {host}", *lines])


@pytest.mark.app
@pytest.mark.parametrize("path", CALLS)
def test_calls_carry_one_megabyte(app: RunningApp, path: str) -> None:
    is_form = path in ("/login", *CALLS[-3:])
    kind = f"Content-Type: application/{'x-www-form-urlencoded' if is_form else 'json'}"
    declared = send_raw(app.url, head(app, path, kind, f"Content-Length: {MEGABYTE + 1}"))
    assert declared.status == 413 and b"1 MB" in declared.body
    part = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    counted = send_raw(app.url, head(app, path, kind, "Transfer-Encoding: chunked"), part * 17)
    assert counted.status == 413


@pytest.mark.app
def test_a_body_within_the_limit_gets_through(app: RunningApp) -> None:
    text = json.dumps({"data": ["x" * (MEGABYTE - 100)], "session_hash": "a", "fn_index": 10**9})
    assert len(text) <= MEGABYTE
    kind = {"content-type": "application/json"}
    answer = post(f"{app.url}gradio_api/queue/join", content=text, headers=kind)
    assert answer.status_code != 413


def test_what_is_sent_in_vain_is_read_before_the_answer_ends() -> None:
    """Else the connection would be cut off while its sender still writes."""
    left = [True, True, False]
    done: list[str] = []

    async def receive() -> Message:
        done.append("read")
        return {"type": "http.request", "body": b"x" * 1000, "more_body": left.pop(0)}

    async def send(message: Message) -> None:
        done.append(f"{message['type']} {message.get('more_body')}")

    asyncio.run(refuse_body(receive, send, 413, "This is too large."))
    told = ["http.response.start None", "http.response.body True"]
    assert done == [*told, "read", "read", "read", "http.response.body False"]


LENGTHS = ["-1", "1e3", "99999999999999999999999", "0x10", str(2**63), "+5"]


@pytest.mark.parametrize("length", [*LENGTHS, "", "5, 5", "0" * 20])
def test_a_length_that_is_none_gets_no_further_than_the_layer(length: str) -> None:
    """The server refuses most of them itself; another one might not."""
    reached: list[Scope] = []
    sent: list[Message] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", length.encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    guard = BodyGuard(inner, BodyRules(MEGABYTE), lambda scope: True)
    asyncio.run(guard(scope, receive, send))
    assert reached == [] and sent[0]["status"] == 413


@pytest.mark.app
@pytest.mark.parametrize("length", LENGTHS)
def test_a_length_that_is_none_is_refused(app: RunningApp, length: str) -> None:
    answer = send_raw(app.url, head(app, "/gradio_api/cancel", f"Content-Length: {length}"))
    assert answer.status in (400, 413)


@pytest.mark.app
def test_uploads_carry_what_the_settings_say(demo: DemoServer, tmp_path: Path) -> None:
    with run_settings(demo.url, tmp_path, max_upload_mb=2.0) as running:
        upload = partial(post, f"{running.url}gradio_api/upload")
        assert upload(files={"files": ("a.bin", b"a" * (2 * MEGABYTE - 1))}).status_code == 200
        many = [("files", (f"{n}.bin", b"a" * MEGABYTE)) for n in range(4)]
        assert upload(files=many).status_code == 413


@pytest.mark.app
@pytest.mark.parametrize(("extra_bytes", "is_taken"), [(0, True), (1, False)])
def test_an_upload_and_the_field_it_is_for_have_the_same_limit(
    demo: DemoServer, tmp_path: Path, extra_bytes: int, is_taken: bool
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"a" * (2 * MEGABYTE + extra_bytes))
    with run_settings(demo.url, tmp_path, max_upload_mb=2.0) as running:
        address = f"{running.url}gradio_api/upload"
        answer = post(address, files={"files": ("a.bin", path.read_bytes())})
    assert answer.status_code == (200 if is_taken else 413)
    problem = check_file_size(path, 2.0)
    assert (problem is None) == is_taken


@pytest.mark.app
def test_of_an_upload_that_is_cut_off_nothing_is_kept(demo: DemoServer, tmp_path: Path) -> None:
    with run_settings(demo.url, tmp_path, max_upload_mb=2.0) as running:
        uploads = Path(running.app.blocks.server_app.uploaded_file_dir)
        before = set(uploads.rglob("*"))
        head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'
        parts = (head + b"a" * MEGABYTE + b"\r\n" for _ in range(4))
        kind = {"content-type": "multipart/form-data; boundary=b"}
        answer = post(f"{running.url}gradio_api/upload", content=parts, headers=kind)
        assert answer.status_code == 413
        assert set(uploads.rglob("*")) == before


@pytest.mark.app
def test_an_author_may_send_a_large_workflow(demo: DemoServer, tmp_path: Path) -> None:
    with run_settings(demo.url, tmp_path, author=True) as running:
        path = "/gradio_api/queue/join"
        large = send_raw(running.url, head(running, path, f"Content-Length: {AUTHOR_BYTES + 1}"))
        assert large.status == 413
        body = json.dumps({"data": ["x" * (8 * MEGABYTE)], "session_hash": "a", "fn_index": 10**9})
        kind = {"content-type": "application/json"}
        answer = post(f"{running.url}{path[1:]}", content=body, headers=kind)
        assert answer.status_code != 413
        small = send_raw(running.url, head(running, "/login", f"Content-Length: {MEGABYTE + 1}"))
        assert small.status == 413


@pytest.mark.app
@pytest.mark.parametrize("path", [path for path in CALLS if path != "/login"])
def test_nothing_is_read_before_a_login(closed_app: RunningApp, path: str) -> None:
    """The answer comes though the body never does."""
    waiting = head(closed_app, path, "Content-Length: 1000", "Content-Type: application/json")
    assert send_raw(closed_app.url, waiting).status == 401
    upload = head(closed_app, "/gradio_api/upload", f"Content-Length: {50 * MEGABYTE}")
    assert send_raw(closed_app.url, upload).status == 401


@pytest.mark.app
@pytest.mark.parametrize(
    "path",
    [
        "config",
        "gradio_api/info",
        "gradio_api/heartbeat/x",
        "gradio_api/queue/data?session_hash=x",
        "gradio_api/queue/status",
        "gradio_api/openapi.json",
        "gradio_api/file=x",
        "gradio_api/app_id/x",
        "gradio_api/dev/reload",
        "gradio_api/comfygradio/revision",
        "gradio_api/comfygradio/job/x",
        "gradio_api/comfygradio/result/x",
        "gradio_api/comfygradio/sweep/x/0/0/m",
        "anything",
    ],
)
def test_without_a_login_there_is_only_the_page_to_log_in(
    closed_app: RunningApp, path: str
) -> None:
    assert get(f"{closed_app.url}{path}").status_code == 401
    assert get(closed_app.url).status_code == 200


@pytest.mark.app
def test_with_a_login_it_is_all_there(closed_app: RunningApp) -> None:
    with httpx.Client(base_url=closed_app.url, timeout=TIMEOUT_SECONDS) as browser:
        login = browser.post("/login", data={"username": "ada", "password": "engine"})
        assert login.status_code == 200
        for path in ("/config", "/gradio_api/info", "/gradio_api/comfygradio/revision"):
            assert browser.get(path).status_code == 200


@contextmanager
def serve(app: ASGIApp, patience: dict[str, Any] | None = None) -> Iterator[str]:
    """An ASGI app on a random port; with `patience` its connections wait only so long."""
    config = uvicorn.Config(app, port=free_port(), log_level="error")
    config.load()
    if patience is not None:
        config.http_protocol_class = add_header_timeout(config.http_protocol_class, **patience)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{config.port}/"
    late = time.monotonic() + TIMEOUT_SECONDS
    while not server.started and time.monotonic() < late:
        time.sleep(0.01)
    assert server.started
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join(TIMEOUT_SECONDS)


def make_reader(rules: BodyRules) -> ASGIApp:
    """An app that reads what it is sent, behind these rules."""

    async def read(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    handler: Callable[[Request], Awaitable[Response]] = read
    inner = Starlette(routes=[Route("/", handler, methods=["GET", "POST"])])
    return BodyGuard(inner, rules, lambda scope: True)


def test_a_body_that_stops_coming_ends_the_request() -> None:
    rules = BodyRules(MEGABYTE, silence_seconds=0.2)
    with serve(make_reader(rules)) as url, connect(url) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        assert read_response(connection).status == 408


def test_a_body_that_drips_ends_the_request() -> None:
    rules = BodyRules(MEGABYTE, grace_seconds=0.0, bytes_per_second=1e9)
    with serve(make_reader(rules)) as url, connect(url) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        with suppress(OSError):
            connection.sendall(b"drip")
        assert read_response(connection).status == 408


def test_a_body_that_comes_in_pieces_gets_through() -> None:
    with serve(make_reader(BodyRules(MEGABYTE))) as url:
        pieces = (b"x" * 1000 for _ in range(50))
        assert post(url, content=pieces).text == "50000"


def test_a_sender_who_sends_too_much_gets_to_see_the_answer() -> None:
    rules = BodyRules(MEGABYTE)
    with serve(make_reader(rules)) as url:
        assert post(url, content=b"x" * (3 * MEGABYTE)).status_code == 413
        assert post(url, content=(b"x" * MEGABYTE for _ in range(3))).status_code == 413


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX-Half: "])
def test_a_request_whose_headers_never_end_is_ended(sent: bytes) -> None:
    with (
        serve(make_reader(BodyRules(MEGABYTE)), {"seconds": 0.2}) as url,
        connect(url) as connection,
    ):
        connection.sendall(sent)
        assert connection.recv(100) == b""


def test_a_second_request_that_never_ends_is_ended_too() -> None:
    with (
        serve(make_reader(BodyRules(MEGABYTE)), {"seconds": 3.0}) as url,
        connect(url) as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        received = b""
        while not received.endswith(b"\r\n\r\n0"):
            received += connection.recv(1000)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert connection.recv(1000) == b""


def test_headers_without_end_are_not_kept() -> None:
    with serve(make_reader(BodyRules(MEGABYTE)), {}) as url, connect(url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        with pytest.raises(OSError):
            for _ in range(10_000):
                connection.sendall(b"X-More: " + b"x" * 4000 + b"\r\n")
            raise AssertionError("the app takes headers without end")


def test_a_patient_connection_serves_a_request_that_takes_longer() -> None:
    """It is the headers that have to come in time, not the answer."""
    waited = threading.Event()

    async def hold(request: Request) -> Response:
        async def tell() -> Any:
            yield b"a"
            while not waited.is_set():
                await asyncio.sleep(0.01)
            yield b"b"

        return StreamingResponse(tell())

    handler: Callable[[Request], Awaitable[Response]] = hold
    app = Starlette(routes=[Route("/hold", handler)])
    with (
        serve(app, {"seconds": 0.05}) as url,
        httpx.stream("GET", f"{url}hold", timeout=TIMEOUT_SECONDS) as answer,
    ):
        parts = answer.iter_raw()
        assert next(parts) == b"a"
        with connect(url) as other:  # by its end, the first one's time has passed as well
            assert other.recv(10) == b""
        waited.set()
        assert b"".join(parts) == b"b"


def test_one_address_holds_only_so_many_streams() -> None:
    async def hold(request: Request) -> Response:
        async def tell() -> Any:
            while not await request.is_disconnected():
                yield b"data: ALIVE\n\n"
                await asyncio.sleep(0.01)

        return StreamingResponse(tell(), media_type="text/event-stream")

    handler: Callable[[Request], Awaitable[Response]] = hold
    inner = Starlette(routes=[Route("/gradio_api/heartbeat/{name}", handler)])
    beat = b"GET /gradio_api/heartbeat/x HTTP/1.1\r\nHost: a\r\n\r\n"

    def open_one(url: str) -> tuple[socket.socket, bytes]:
        connection = connect(url)
        connection.sendall(beat)
        return connection, connection.recv(12)

    with serve(StreamGuard(inner, limit=3)) as url:
        held = [open_one(url) for _ in range(5)]
        assert [first[-3:] for _, first in held] == [b"200"] * 3 + [b"429"] * 2
        for connection, _ in held:
            connection.close()
        first = held[-1][1]
        late = time.monotonic() + TIMEOUT_SECONDS
        while not first.endswith(b"200") and time.monotonic() < late:  # until the app has noticed
            connection, first = open_one(url)
            connection.close()
        assert first.endswith(b"200")


def test_a_household_is_one_address() -> None:
    def network(host: str) -> str:
        return find_network({"client": (host, 1)})

    assert network("2001:db8::1") == network("2001:db8::ffff:1")
    assert network("2001:db8::1") != network("2001:db8:0:1::1")
    assert network("::ffff:1.2.3.4") == network("1.2.3.4") != network("1.2.3.5")


@pytest.mark.app
def test_a_path_of_the_proxy_opens_no_other_door(demo: DemoServer, tmp_path: Path) -> None:
    """A proxy may leave its path on: Gradio takes both."""
    users = tmp_path / "users.txt"
    users.write_text("ada:engine\n", "utf-8")
    given = {"auth": users, "root_path": "/forms"}
    with run_settings(demo.url, tmp_path / "outputs", **given) as running:
        for place in ("", "forms/"):
            for path, status in (
                ("", 200),
                ("config", 401),
                ("gradio_api/heartbeat/x", 401),
                ("gradio_api/comfygradio/revision", 401),
                ("gradio_api/token", 404),
                ("gradio_api/file=http://example.org/x.png", 403),
            ):
                answer = get(f"{running.url}{place}{path}")
                assert answer.status_code == status, (place, path)
        for place in ("//", "/forms//", "/forms/forms/", "/FORMS/", "/./", "/static/../"):
            head = f"GET {place}config HTTP/1.1\nHost: localhost"
            assert send_raw(running.url, head).status in (401, 403, 404), place
