from __future__ import annotations

import inspect
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import websocket

from comfygradio.comfy import transport as http
from comfygradio.comfy import websocket_client as comfy_socket
from comfygradio.comfy.address import parse_url
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.transport import Access
from comfygradio.demo import DemoServer
from comfygradio.errors import (
    AccessDenied,
    ComfyGradioError,
    NotFound,
    PromptRejected,
    ServerError,
    ServerUnreachable,
    UnexpectedResponse,
)

from .conftest import Connect, Serve
from .gateway import Call, Gateway, Reply, forward
from .graphs import make_empty_graph

ACCESS = Access(parse_url("http://user:hidden@h/?token=hidden"))
REQUEST = httpx.Request("GET", "http://h/?token=hidden")
JSON = {"content-type": "application/json"}
PAGE = Reply(200, b"<html>Log in</html>", {"content-type": "text/html; charset=utf-8"})


def find_exceptions(module: Any) -> Iterator[type[Exception]]:
    for value in vars(module).values():
        if inspect.isclass(value) and issubclass(value, Exception):
            yield value


def make_exception(kind: type[Exception]) -> Exception:
    needed = {
        "message": "hidden",
        "request": REQUEST,
        "response": httpx.Response(500),
        "status_code": 403,
    }
    try:
        names = [name for name in inspect.signature(kind).parameters if name in needed]
        return kind(**{name: needed[name] for name in names})
    except (TypeError, ValueError):
        return kind("hidden")


@pytest.mark.parametrize("kind", list(find_exceptions(httpx)))
def test_every_exception_of_httpx_is_translated(kind: type[Exception]) -> None:
    transport = http.Transport(ACCESS)
    with pytest.raises(ServerError) as caught, transport.translated():
        raise make_exception(kind)
    assert str(caught.value).endswith((".", "?")) and "hidden" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "kind", [*find_exceptions(websocket), OSError, TimeoutError, socket.gaierror, ValueError]
)
def test_every_exception_of_websocket_is_translated(kind: type[Exception]) -> None:
    error = make_exception(kind)
    assert isinstance(error, comfy_socket.BROKEN)
    text = str(comfy_socket.translate(error, ACCESS))
    assert text.endswith(".") and "hidden" not in text


@pytest.mark.parametrize(
    ("reply", "expected", "words"),
    [
        (PAGE, AccessDenied, "a web page instead of data"),
        (
            Reply(302, b"", {"location": "https://login.example/?next=secret"}),
            AccessDenied,
            "to https://login.example ",
        ),
        (Reply(401), AccessDenied, "refuses access"),
        (Reply(403), AccessDenied, "refuses access"),
        (Reply(404), NotFound, "no such"),
        (Reply(405), NotFound, "no such"),
        (
            Reply(413, b"Maximum request body size 104857600 exceeded."),
            UnexpectedResponse,
            "limit of 100 MiB",
        ),
        (Reply(413), UnexpectedResponse, "larger than the limit that"),
        (Reply(429), UnexpectedResponse, "HTTP 429"),
        (Reply(500, b"500 Internal Server Error"), UnexpectedResponse, "HTTP 500"),
        (Reply(502), ServerUnreachable, "gateway"),
        (Reply(524), ServerUnreachable, "gateway"),
        (Reply(200, b"{broken", JSON), UnexpectedResponse, "does not answer like ComfyUI"),
        (Reply(200, b"[" * 100_000, JSON), UnexpectedResponse, "does not answer like ComfyUI"),
        (Reply(200, b"[]", JSON), UnexpectedResponse, "does not answer like ComfyUI"),
        (Reply(200, b"", {}), UnexpectedResponse, "does not answer like ComfyUI"),
    ],
)
def test_strange_answers(
    reply: Reply, expected: type[ServerError], words: str, connect: Connect
) -> None:
    with Gateway(lambda call: reply) as gateway:
        client = connect(f"http://user:hidden@{gateway.url.removeprefix('http://')}/?token=hidden")
        with pytest.raises(expected) as caught:
            client.system_stats()
    text = str(caught.value)
    assert words in text and gateway.url in text and text.endswith((".", "?"))
    assert "hidden" not in text and "secret" not in text


def test_a_redirect_is_not_followed(connect: Connect) -> None:
    with Gateway(lambda call: Reply(200, b"{}", JSON)) as other:
        with Gateway(lambda call: Reply(307, b"", {"location": other.url})) as gateway:
            client = connect(gateway.url, headers={"Authorization": "Bearer hidden"})
            for request in (client.queue, client.clear_queue, lambda: client.view("a.png")):
                with pytest.raises(AccessDenied):
                    request()
        assert other.calls == []


def test_nobody_is_there(connect: Connect) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(
        ServerUnreachable, match=f"^ComfyUI at {url} does not answer. Is it running?"
    ):
        connect(url).queue()
    with pytest.raises(ServerUnreachable):
        connect("http://no-such-host.invalid").queue()


def test_an_answer_takes_too_long(serve: Serve, connect: Connect) -> None:
    client = connect(serve(slow_on={"/queue": 30.0}).url, timeout_seconds=0.2)
    with pytest.raises(ServerUnreachable, match=r"did not answer within 0\.2 s"):
        client.queue()


def test_an_answer_is_cut_off(serve: Serve, connect: Connect) -> None:
    client = connect(serve(cut_on=("/object_info",)).url)
    with pytest.raises(ServerUnreachable, match="cut the connection off"):
        client.object_info()


def test_a_ca_file_that_is_none(connect: Connect) -> None:
    with pytest.raises(ServerUnreachable, match="CA file"):
        connect("https://127.0.0.1:1", verify="no-such-file.pem").queue()


@pytest.mark.parametrize("form", ["query", "basic", "bearer"])
def test_a_token_in_three_forms(form: str, serve: Serve, connect: Connect) -> None:
    server = serve(token="sesame")
    host = server.url.removeprefix("http://")
    with pytest.raises(AccessDenied):
        connect(server.url).queue()
    client = {
        "query": lambda: connect(f"{server.url}/?token=sesame"),
        "basic": lambda: connect(f"http://me:sesame@{host}"),
        "bearer": lambda: connect(server.url, headers={"Authorization": "Bearer sesame"}),
    }[form]()
    *_, state = client.run(make_empty_graph())
    assert state.outputs[0].read().startswith(b"\x89PNG") and state.warnings == ()


def test_a_path_prefix(serve: Serve, connect: Connect) -> None:
    client = connect(serve(path_prefix="/comfy").url + "/")
    *_, state = client.run(make_empty_graph())
    assert state.outputs[0].read().startswith(b"\x89PNG") and state.warnings == ()


@pytest.fixture
def api_only(serve: Serve) -> Iterator[Gateway]:
    """A gateway that forwards /api alone and no WebSocket."""
    url = serve().url

    def answer(call: Call) -> Reply:
        return forward(call, url) if call.path.startswith("/api/") else PAGE

    with Gateway(answer) as gateway:
        yield gateway


@pytest.mark.parametrize(
    "request_one",
    [
        lambda c: c.queue(),
        lambda c: c.view("a.png"),
        lambda c: c.upload_image(b"x", "a.txt"),
        lambda c: c.clear_queue(),
    ],
)
def test_a_gateway_that_forwards_only_api(
    request_one: Callable[[ComfyClient], object], api_only: Gateway, connect: Connect
) -> None:
    client = connect(api_only.url)
    try:
        request_one(client)
    except ComfyGradioError as error:
        assert isinstance(error, NotFound)
    assert client.transport.prefix == "/api"
    probes = [call for call in api_only.calls if "system_stats" in call.path]
    assert client.system_stats()["devices"] and len(probes) <= 2


def test_a_run_behind_such_a_gateway(api_only: Gateway, connect: Connect) -> None:
    *_, state = connect(api_only.url).run(make_empty_graph())
    assert state.outputs[0].read().startswith(b"\x89PNG") and len(state.warnings) == 1


def test_nothing_is_probed_on_a_plain_server(connect: Connect) -> None:
    with Gateway(
        lambda call: Reply(200, b'{"queue_running":[],"queue_pending":[]}', JSON)
    ) as gateway:
        connect(gateway.url).queue()
        assert [call.path for call in gateway.calls] == ["/queue"]
        assert not {"Origin", "origin"} & gateway.calls[0].headers.keys()


def test_nan_is_read_and_sent(connect: Connect) -> None:
    body = b'{"prompt_id": "p", "number": NaN, "node_errors": {}}'
    with Gateway(lambda call: Reply(200, body, JSON)) as gateway:
        connect(gateway.url).queue_prompt(
            {"1": {"inputs": {"x": float("nan")}}}, number=3, front=True
        )
        sent = json.loads(gateway.calls[0].body)
    assert sent["prompt"]["1"]["inputs"]["x"] != sent["prompt"]["1"]["inputs"]["x"]
    assert (sent["number"], sent["front"], "client_id" in sent, "extra_data" in sent) == (
        3,
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b'{"error": "no prompt", "node_errors": []}', PromptRejected),
        (400, b"null", PromptRejected),
        (500, b"500 Internal Server Error", UnexpectedResponse),
        (200, b"{}", UnexpectedResponse),
        (200, b"[]", UnexpectedResponse),
    ],
)
def test_answers_of_prompt(
    status: int, body: bytes, expected: type[ComfyGradioError], connect: Connect
) -> None:
    with Gateway(lambda call: Reply(status, body, JSON)) as gateway, pytest.raises(expected):
        connect(gateway.url).queue_prompt({})


def test_proxies_of_the_environment_do_not_stand_before_loopback(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    *_, state = connect(serve().url).run(make_empty_graph())
    assert state.warnings == ()


def test_a_killed_server_that_is_back_needs_no_new_client(serve: Serve, connect: Connect) -> None:
    server: DemoServer = serve()
    client = connect(server.url)
    client.queue()
    server.kill()
    with pytest.raises(ServerUnreachable):
        client.queue()
    server.start()
    assert client.queue_remaining() == 0
