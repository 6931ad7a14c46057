"""The log tells each call and each message, and nobody's secrets."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.address import parse_url
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.messages import (
    ExecutionError,
    Message,
    PreviewFrame,
    ProgressText,
    UnknownMessage,
)
from comfygradio.comfy.traffic import format_target, log_message
from comfygradio.errors import NotFound, ServerUnreachable

from .conftest import Serve
from .gateway import Call, Gateway, Reply
from .graphs import make_empty_graph

TOKEN = "tok-8f3a91"
PASSWORD = "pass%2Bword%2F77"
"""As it stands in an address."""


def list_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What our own modules wrote."""
    return [one.getMessage() for one in caplog.records if one.name.startswith("comfygradio")]


def join(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(list_lines(caplog))


@pytest.fixture(autouse=True)
def all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "comfygradio")


def test_a_run_is_told_call_by_call_and_message_by_message(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(preview_method="auto")
    with ComfyClient(server.url) as client:
        states = list(
            client.run(make_empty_graph(), prompt_id="6c8ff9d8-1b0f-4f55-9c8b-c0ffee000001")
        )
        states[-1].outputs[0].read()
    told = join(caplog)
    assert re.search(
        rf"^POST /prompt 200 \d+ ms, \d+ bytes, \d+ bytes sent \({server.url}\)$", told, re.M
    )
    assert re.search(r"^GET /view\?filename=\S+&subfolder=&type=\w+ 200 \d+ ms, \d+ ", told, re.M)
    assert "socket status queue_remaining=" in told
    prompt = "prompt=6c8ff9d8-1b0f-4f55-9c8b-c0ffee000001"
    for kind in ("execution_start", "executing", "executed", "execution_success"):
        assert re.search(rf"^socket {kind} {prompt}", told, re.M), kind


def test_the_bytes_are_those_of_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    body = b'{"queue_running": [], "queue_pending": []}'
    with Gateway(lambda call: Reply(200, body)) as gateway, ComfyClient(gateway.url) as client:
        client.queue()
    (line,) = list_lines(caplog)
    assert re.fullmatch(rf"GET /queue 200 \d+ ms, {len(body)} bytes \(\S+\)", line)


def test_a_download_is_told_when_it_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    body = b"x" * 100_000

    def answer(call: Call) -> Reply:
        return (
            Reply(404) if "gone" in call.path else Reply(200, body, {"content-type": "image/png"})
        )

    with Gateway(answer) as gateway, ComfyClient(gateway.url) as client:
        client.download(tmp_path / "a.png", "a.png", "sub folder")
        with pytest.raises(NotFound):
            client.download(tmp_path / "b.png", "gone.png")
    first, second = list_lines(caplog)
    assert re.match(r"GET /view\?filename=a.png&subfolder=sub\+folder&type=output 200 ", first)
    assert ", 100000 bytes (" in first
    assert " 404 " in second


def test_no_answer_is_told_as_well(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://ann:{PASSWORD}@127.0.0.1:{taken.getsockname()[1]}?token={TOKEN}"
        with ComfyClient(url) as client:
            with pytest.raises(ServerUnreachable):
                client.queue()
            with pytest.raises(ServerUnreachable):
                client.download(tmp_path / "a.png", "a.png")
    first, second = list_lines(caplog)
    assert re.match(r"GET /queue\?token=\*\*\* ConnectError \d+ ms, no answer ", first)
    assert re.match(r"GET /view\?\S+ ConnectError \d+ ms, no answer ", second)
    assert TOKEN not in first + second and "pass" not in first + second


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("http://{host}/?token={token}", {}),
        ("http://ann:{token}@{host}", {}),
        ("http://{host}", {"Authorization": f"Bearer {TOKEN}"}),
    ],
)
def test_no_way_to_give_a_secret_shows_it(
    serve: Serve, caplog: pytest.LogCaptureFixture, address: str, headers: Mapping[str, str]
) -> None:
    server = serve(token=TOKEN)
    url = address.format(host=server.url.removeprefix("http://"), token=TOKEN)
    with ComfyClient(url, headers=headers) as client:
        list(client.run(make_empty_graph()))
    told = join(caplog)
    assert "POST /prompt" in told and "socket execution_start" in told
    assert TOKEN not in told and "ann" not in told and "Bearer" not in told


@pytest.mark.parametrize(
    ("url", "path", "params", "expected"),
    [
        ("http://h", "/queue", {}, "/queue"),
        ("http://h?frog=toad", "/queue", {"frog": "toad"}, "/queue?frog=***"),
        ("http://h", "/view", {"filename": "a b.png"}, "/view?filename=a+b.png"),
        ("http://h", "/x", {"api_key": "s", "Sig": ["a", "b"]}, "/x?api_key=***&Sig=***"),
        ("http://h", "/x", {"access_token": "s", "page": 2}, "/x?access_token=***&page=2"),
        ("http://h", "/a\nb", {}, "/a%0Ab"),
        ("http://h", "/models/a%2Fb", {}, "/models/a%2Fb"),
    ],
)
def test_targets(url: str, path: str, params: Mapping[str, Any], expected: str) -> None:
    assert format_target(path, params, parse_url(url)) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (PreviewFrame(b"12345", "image/jpeg", "3"), "socket preview node=3 value=image/jpeg, 5 "),
        (ProgressText("7", "one\ntwo\x1b[31m"), "socket progress_text node=7 value=one two?[31m"),
        (
            ExecutionError("3", "KSampler", "OSError", "no\r\nspace", prompt_id="p"),
            "socket execution_error prompt=p node=3 value=OSError: no space",
        ),
        (UnknownMessage("crystools.monitor"), "socket crystools.monitor"),
        (UnknownMessage(""), "socket unknown"),
        (ProgressText("1", "x" * 5000), f"value={'x' * 200}…"),
    ],
)
def test_messages_are_one_line_that_a_terminal_takes_for_text(
    message: Message, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    log_message(message)
    (line,) = list_lines(caplog)
    assert expected in line and line.isprintable() and len(line) < 300


def test_without_the_level_nothing_is_told(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "comfygradio")
    with ComfyClient(serve().url) as client:
        list(client.run(make_empty_graph()))
    assert not list_lines(caplog)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from https://ann:pw@host/x?token=abc&file=b", "from https://***@host/x?token=***&file=b"),
        ("Authorization: Bearer abc.DEF-123", "Authorization: Bearer ***"),
        ("Basic dXNlcjpwdw==", "Basic ***"),
        ("{'api_key': 'sk-123', 'steps': 1}", "{'api_key': '***', 'steps': 1}"),
        ("x-api-key: 1234 password:hunter2", "x-api-key: *** password:***"),
        ("?access_token=a&Signature=b&page=2", "?access_token=***&Signature=***&page=2"),
        ("KeyError: 'lora', max tokens: 512", "KeyError: 'lora', max tokens: 512"),
        ("basic lighting, session 3, passed: 2", "basic lighting, session 3, passed: 2"),
        ("?token=*** and Bearer ***", "?token=*** and Bearer ***"),
    ],
)
def test_what_servers_and_nodes_say_may_hold_secrets(
    text: str, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    log_message(ProgressText("7", text))
    assert list_lines(caplog) == [f"socket progress_text node=7 value={expected}"]
