"""`comfygradio api`: curl for the configured server."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.settings import shipped_presets
from tests.clocks import HANG_SECONDS
from tests.comfy.gateway import Call, Gateway, Reply

from .shell import Shell, finish, start

TOKEN = "let-me-in-51"
JSON = {"content-type": "application/json"}


@pytest.fixture
def echo() -> Iterator[Gateway]:
    """A server that takes everything."""
    with Gateway(lambda call: Reply(200, b'{"a":1}', JSON)) as gateway:
        yield gateway


def see_on_terminal(folder: Path, *arguments: object) -> bytes:
    """What a command writes on a terminal."""
    leader, follower = pty.openpty()
    process = start(*arguments, cwd=folder, stdout=follower)
    os.close(follower)
    shown = b""
    while select.select([leader], [], [], HANG_SECONDS)[0]:
        try:
            shown += os.read(leader, 65536)
        except OSError:  # how Linux says that the other end was closed
            break
    os.close(leader)
    finish(process)
    return shown.replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    ("address", "header"),
    [
        ("http://{host}?token={token}", None),
        ("http://ann:{token}@{host}", None),
        ("http://{host}", f"Authorization: Bearer {TOKEN}"),
    ],
)
def test_the_login_goes_along_and_is_not_shown(
    shell: Shell, address: str, header: str | None
) -> None:
    with DemoServer(DemoOptions(step_seconds=0, token=TOKEN)) as server:
        host = server.url.removeprefix("http://")
        given = ["--header", header] if header else []
        url = address.format(host=host, token=TOKEN)
        answer = shell("api", "GET", "/queue", "--server", url, *given)
        refused = shell("api", "GET", "/queue", "--server", server.url)
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out) == {"queue_running": [], "queue_pending": []}
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == f"{server.url} answered with an error: HTTP 401.\n"
    with DemoServer(DemoOptions(token="another-one")) as server:
        host = server.url.removeprefix("http://")
        url = address.format(host=host, token=TOKEN)
        told = shell("api", "GET", "/queue", "--server", url, *given, "--verbose")
    assert told.code == 1 and " GET /queue" in told.err and TOKEN not in told.out + told.err


def test_bytes_come_as_the_server_sent_them(shell: Shell) -> None:
    """Into a pipe: no indentation, no new line, an odd number as it stands there."""
    body = b'{"b": 2,\n "a": 1e400, "c": 12345678901234567890123, "d": "\xc3\xa4\\u00e4"}'
    with Gateway(lambda call: Reply(200, body, JSON)) as gateway:
        assert shell("api", "GET", "/x", "--server", gateway.url).out == body.decode()


@pytest.mark.process
@pytest.mark.parametrize("body", [b"\x89PNG\r\n\x1a\n\x00\xff", b"", b"plain\n"])
def test_what_is_no_json_is_raw_in_a_pipe(tmp_path: Path, body: bytes) -> None:
    with Gateway(lambda call: Reply(200, body, {"content-type": "image/png"})) as gateway:
        target = tmp_path / "out"
        with target.open("wb") as out:
            process = start("api", "GET", "/v", "--server", gateway.url, cwd=tmp_path, stdout=out)
            assert finish(process).code == 0
    assert target.read_bytes() == body


@pytest.mark.process
def test_a_terminal_gets_json_laid_out(tmp_path: Path, demo: DemoServer) -> None:
    shown = see_on_terminal(tmp_path, "api", "GET", "/queue", "--server", demo.url)
    assert shown == b'{\n  "queue_running": [],\n  "queue_pending": []\n}\n'
    with Gateway(lambda call: Reply(500, b"500 Oh dear")) as gateway:
        shown = see_on_terminal(tmp_path, "api", "GET", "/queue", "--server", gateway.url)
    assert shown == b"500 Oh dear\n"


def test_a_body_is_posted_from_a_file_and_from_standard_input(
    shell: Shell, echo: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = '{"prompt": {"ü": 1}}\n'.encode()
    Path("body.json").write_bytes(body)
    assert shell("api", "POST", "/prompt", "--data", "body.json", "--server", echo.url).code == 0
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(body)))
    assert shell("api", "post", "prompt", "--data", "-", "--server", echo.url).code == 0
    for call in echo.calls:
        headers = {name.lower(): value for name, value in call.headers.items()}
        assert (call.method, call.path, call.body) == ("POST", "/prompt", body)
        assert headers["content-type"] == "application/json"
    typed = ("--header", "content-type: text/plain")
    shell("api", "POST", "/x", "--data", "body.json", "--server", echo.url, *typed)
    headers = {name.lower(): value for name, value in echo.calls[-1].headers.items()}
    assert headers["content-type"] == "text/plain"


def test_a_workflow_can_be_posted_and_a_bad_one_is_explained(
    shell: Shell, demo: DemoServer
) -> None:
    graph = json.loads((shipped_presets() / "text_to_image.json").read_text(encoding="utf-8"))
    Path("good.json").write_text(json.dumps({"prompt": graph}), encoding="utf-8")
    Path("bad.json").write_text(json.dumps({"prompt": {}}), encoding="utf-8")
    good = shell("api", "POST", "/prompt", "--data", "good.json", "--server", demo.url)
    assert good.code == 0 and json.loads(good.out)["prompt_id"]
    bad = shell("api", "POST", "/prompt", "--data", "bad.json", "--server", demo.url)
    assert bad.code == 1 and json.loads(bad.out)["error"]["type"] == "prompt_no_outputs"
    assert bad.err == f"{demo.url} answered with an error: HTTP 400.\n"


def test_a_workflow_alone_gets_its_envelope_and_that_is_said(
    shell: Shell, demo: DemoServer, echo: Gateway
) -> None:
    """What `--print-prompt` prints can be posted, and what ComfyUI exports."""
    graph = (shipped_presets() / "text_to_image.json").read_bytes()
    Path("workflow.json").write_bytes(graph)
    given = ("--data", "workflow.json", "--server")
    answer = shell("api", "POST", "/prompt", *given, demo.url)
    assert answer.code == 0 and json.loads(answer.out)["prompt_id"]
    assert answer.err == 'This is a workflow alone; it is posted as {"prompt": …}.\n'
    shell("api", "POST", "/api/prompt", *given, echo.url)
    assert json.loads(echo.calls[-1].body) == {"prompt": json.loads(graph)}
    for words in (("POST", "/other"), ("POST", "/queue")):
        assert shell("api", *words, *given, echo.url).err == ""
        assert echo.calls[-1].body == graph
    for body in (b"{", b"[]", b"{}", b'{"1": {"inputs": {}}}', b'{"prompt": {}}', b"5"):
        Path("workflow.json").write_bytes(body)
        assert shell("api", "POST", "/prompt", *given, echo.url).err == ""
        assert echo.calls[-1].body == body


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("/view?filename=a%20b%2Bc.png&type=output", "/view?filename=a%20b%2Bc.png&type=output"),
        ("/x?a=1&a=2&b=", "/x?a=1&a=2&b="),
        ("/models/a%2Fb", "/models/a%2Fb"),
        ("/a b#c", "/a%20b%23c"),
        ("@other.example/x", "/@other.example/x"),
        ("/x?next=http://other.example/", "/x?next=http%3A%2F%2Fother.example%2F"),
    ],
)
def test_paths_and_queries_arrive_as_typed_and_nowhere_else(
    shell: Shell, echo: Gateway, typed: str, asked: str
) -> None:
    assert shell("api", "GET", typed, "--server", echo.url).code == 0
    (call,) = echo.calls
    assert httpx.URL(f"http://h{call.path}").params == httpx.URL(f"http://h{asked}").params
    assert call.path.partition("?")[0] == asked.partition("?")[0]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_any_method_can_be_sent(shell: Shell, demo: DemoServer, method: str) -> None:
    answer = shell("api", method, "/queue", "--server", demo.url)
    assert answer.code == (0 if method == "OPTIONS" else 1)
    assert "answered with an error: HTTP 405" in answer.err or method == "OPTIONS"


def test_a_gateway_that_forwards_only_api(shell: Shell, demo: DemoServer) -> None:
    def answer(call: Call) -> Reply:
        if not call.path.startswith("/api/"):
            return Reply(404, b"nothing here")
        found = httpx.get(demo.url + call.path)
        return Reply(found.status_code, found.content, JSON)

    with Gateway(answer) as gateway:
        for path in ("/queue", "/api/queue"):
            told = shell("api", "GET", path, "--server", gateway.url)
            assert (told.code, told.err) == (0, "") and "queue_running" in told.out


def test_a_server_that_is_not_there(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://ann:{TOKEN}@127.0.0.1:{taken.getsockname()[1]}?token={TOKEN}"
        answer = shell("api", "GET", "/queue", "--server", url)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.count("\n") == 1 and "does not answer. Is it running?" in answer.err
    assert TOKEN not in answer.err


def test_redirects_are_not_followed_with_the_login(shell: Shell) -> None:
    with Gateway(lambda call: Reply(302, b"", {"location": "http://other.example/"})) as gateway:
        answer = shell("api", "GET", "/queue", "--server", gateway.url)
    assert answer.code == 1 and "HTTP 302" in answer.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["FETCH", "/queue"], "FETCH is not a method; write one of GET, POST, "),
        (["GET", "http://other.example/queue"], "PATH is a path such as /queue;"),
        (["POST", "/prompt", "--data", "gone.json"], "--data: the file gone.json cannot be read:"),
        (["GET"], "Missing argument 'PATH'"),
    ],
)
def test_what_api_refuses(shell: Shell, echo: Gateway, arguments: list[str], expected: str) -> None:
    answer = shell("api", *arguments, "--server", echo.url)
    assert (answer.code, answer.out) == (2, "") and answer.err.count("\n") == 1
    assert expected in answer.err and not echo.calls


def test_an_embedded_demo_server(shell: Shell) -> None:
    answer = shell("api", "GET", "/system_stats", "--demo")
    assert answer.code == 0 and json.loads(answer.out)["system"]["comfyui_version"]
