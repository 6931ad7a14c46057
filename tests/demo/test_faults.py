from __future__ import annotations

import time

import httpx
import pytest
import websocket

from tests.demo.prompt_run import (
    Message,
    connect,
    only,
    post,
    receive_message,
    run,
    text_graph,
    wait_for_history,
    watch,
)

from .conftest import Serve


def test_a_token_opens_the_door_in_three_forms(serve: Serve) -> None:
    url = serve(token="sesame").url + "/queue"
    assert httpx.get(url).status_code == 401
    assert httpx.get(url, headers={"Authorization": "Bearer sesame"}).status_code == 200
    assert httpx.get(url, auth=("anyone", "sesame")).status_code == 200
    assert httpx.get(url, params={"token": "sesame"}).status_code == 200
    assert httpx.get(url, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_sockets_need_the_token_too(serve: Serve) -> None:
    server = serve(token="sesame")
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        connect(server)
    assert caught.value.status_code == 401
    connect(server, query="&token=sesame").close()


def test_paths_can_fail_be_html_or_be_cut(serve: Serve) -> None:
    server = serve(fail_on={"/queue": 502}, html_on=("/system_stats",), cut_on=("/object_info",))
    assert httpx.get(f"{server.url}/queue").status_code == 502
    assert httpx.get(f"{server.url}/api/queue").status_code == 502
    page = httpx.get(f"{server.url}/system_stats")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{server.url}/object_info")


def test_a_slow_path_waits(serve: Serve) -> None:
    server = serve(slow_on={"/queue": 600.0})
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{server.url}/queue", timeout=httpx.Timeout(60.0, read=0.1))


def test_everything_below_a_prefix(serve: Serve) -> None:
    server = serve(path_prefix="/comfy")
    assert server.url.endswith("/comfy")
    assert only(run(server, text_graph()), "execution_success")
    assert httpx.get(server.url.removesuffix("/comfy") + "/queue").status_code == 404


def test_a_dropped_socket_ends_without_a_goodbye(serve: Serve) -> None:
    server = serve(drop_socket_after=3)
    socket = connect(server)
    post(server, text_graph())
    receive_message(socket), receive_message(socket)
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        receive_message(socket)


@pytest.mark.deep
def test_a_mute_socket_stays_open(serve: Serve) -> None:
    server = serve(mute_socket_after=1)
    socket = connect(server)
    wait_for_history(server, post(server, text_graph()))
    socket.ping("still there?")
    assert socket.recv_data(control_frame=True)[0] == websocket.ABNF.OPCODE_PONG


def test_messages_can_be_lost_doubled_and_unknown(serve: Serve) -> None:
    server = serve(lose_types=("executed",), double_types=("progress",), unknown_messages=True)
    socket = connect(server)
    prompt_id = post(server, text_graph(steps=2))
    messages: list[Message] = []
    while not messages or messages[-1]["data"] != {"node": None, "prompt_id": prompt_id}:
        messages.append(receive_message(socket))
    assert only(messages, "executed") == []
    assert len(only(messages, "progress")) == 4
    assert only(messages, "demo.unknown")
    assert b"\x00\x00\x00\x63junk" in only(messages, "binary")


def test_classes_can_be_missing(serve: Serve) -> None:
    server = serve(missing_classes=("KSampler",))
    assert httpx.get(f"{server.url}/object_info/KSampler").json() == {}
    assert httpx.post(f"{server.url}/prompt", json={"prompt": text_graph()}).status_code == 400


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"fail_at_step": 2}, "RuntimeError"), ({"oom_at_step": 2}, "torch.OutOfMemoryError")],
)
def test_a_step_can_fail(serve: Serve, options: dict[str, int], kind: str) -> None:
    messages = run(serve(**options), text_graph(steps=3))
    error = only(messages, "execution_error")[0]
    assert (error["node_id"], error["exception_type"]) == ("3", kind)
    assert [data["value"] for data in only(messages, "progress")] == [1]


def test_the_history_can_be_late(serve: Serve) -> None:
    """One server shows it too late for any test, one so soon that it can be waited for."""
    late = serve(no_history_delay=600.0)
    socket = connect(late)
    prompt_id = post(late, text_graph())
    watch(socket, prompt_id)
    assert httpx.get(f"{late.url}/history/{prompt_id}").json() == {}

    began = time.monotonic()
    server = serve(no_history_delay=0.3)
    wait_for_history(server, post(server, text_graph()))
    assert time.monotonic() - began > 0.3


def test_outputs_can_be_lost(serve: Serve) -> None:
    server = serve(lose_outputs=True)
    file = only(run(server, text_graph()), "executed")[0]["output"]["images"][0]
    assert httpx.get(f"{server.url}/view", params=file).status_code == 404
    assert (
        httpx.get(
            f"{server.url}/view", params={"filename": "example.png", "type": "input"}
        ).status_code
        == 200
    )


def test_bodies_over_the_limit_are_refused(serve: Serve) -> None:
    server = serve(max_upload_size=1000)
    answer = httpx.post(f"{server.url}/prompt", content=b"x" * 1001)
    assert (answer.status_code, answer.text) == (413, "Maximum request body size 1000 exceeded.")
