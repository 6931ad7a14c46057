from __future__ import annotations

import io
import json
import struct
import uuid

import pytest
import websocket
from PIL import Image

from tests.contract.plain_client import Listener, PlainClient, node, only, plain_graph

pytestmark = pytest.mark.real

FRAMES = {"extra_data": {"preview_method": "latent2rgb"}}


def test_the_greeting_names_the_client(comfy: PlainClient) -> None:
    for path in ("/ws", "/api/ws"):
        with comfy.listen("greeted", path=path) as listener:
            greeting = listener.seen[0]
            assert greeting["data"]["sid"] == "greeted"
            assert isinstance(greeting["data"]["status"]["exec_info"]["queue_remaining"], int)


def test_a_client_without_an_id_gets_one(comfy: PlainClient) -> None:
    listener = comfy.open("")
    assert len(listener.next()["data"]["sid"]) == 32
    listener.socket.close()


def test_pings_are_answered_and_junk_is_ignored(comfy: PlainClient) -> None:
    with comfy.listen() as listener:
        listener.socket.send("junk")
        listener.socket.ping("hi")
        assert listener.socket.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"hi")


def test_a_plain_get_is_no_socket(comfy: PlainClient) -> None:
    assert comfy.http.get("/ws").status_code == 400


def test_other_origins_get_no_socket(comfy: PlainClient) -> None:
    address = comfy.url.replace("http", "ws", 1) + "/ws"
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(address, origin="http://evil.example")
    assert caught.value.status_code == 403


def test_flags_are_answered_only_as_the_first_message(comfy: PlainClient) -> None:
    flags = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
    with comfy.listen(flags=True) as listener:
        assert listener.seen[-1]["data"] == comfy.http.get("/features").json()
    with comfy.listen() as listener:
        listener.socket.send(json.dumps({"type": "hello"}))
        listener.socket.send(flags)
        assert listener.silent_for(0.3)


def test_frames_come_after_the_progress_of_their_step(comfy: PlainClient) -> None:
    if not comfy.since(0, 5):
        pytest.skip("no preview_method per prompt in this version")
    with comfy.listen() as listener:
        prompt_id = comfy.queue(comfy.text_graph(steps=3, size=64), listener.client_id, **FRAMES)
        messages = listener.until_end(prompt_id)
    frames = only(messages, "binary")
    assert len(frames) == 3
    for index, message in enumerate(messages):
        if message["type"] == "binary":
            assert messages[index - 1]["type"] == "progress"
    assert struct.unpack(">II", frames[0][:8]) == (1, 1)
    with Image.open(io.BytesIO(frames[0][8:])) as picture:
        assert (picture.format, picture.size) == ("JPEG", (512, 512))


def test_frames_name_their_node_when_asked(comfy: PlainClient) -> None:
    if not comfy.since(0, 5):
        pytest.skip("no preview_method per prompt in this version")
    with comfy.listen(flags=True) as listener:
        prompt_id = comfy.queue(comfy.text_graph(steps=2, batch=2), listener.client_id, **FRAMES)
        frames = only(listener.until_end(prompt_id), "binary")
    assert len(frames) == 2
    kind, length = struct.unpack(">II", frames[0][:8])
    place = {"node_id": "3", "display_node_id": "3", "parent_node_id": None, "real_node_id": "3"}
    assert kind == 4
    assert json.loads(frames[0][8 : 8 + length]) == {
        **place,
        "prompt_id": prompt_id,
        "image_type": "image/jpeg",
    }
    assert frames[0][8 + length :].startswith(b"\xff\xd8")


def test_no_frames_when_none_are_wanted(comfy: PlainClient) -> None:
    if not comfy.since(0, 5):
        pytest.skip("no preview_method per prompt in this version")
    _, messages = comfy.run(comfy.text_graph(), extra_data={"preview_method": "none"})
    assert only(messages, "binary") == []


def test_pictures_can_come_over_the_socket(comfy: PlainClient) -> None:
    graph = plain_graph()
    graph["2"] = node("SaveImageWebsocket", images=["1", 0])
    prompt_id, messages = comfy.run(graph)
    frames = only(messages, "binary")
    assert len(frames) == 1
    assert struct.unpack(">II", frames[0][:8]) == (1, 2)
    with Image.open(io.BytesIO(frames[0][8:])) as picture:
        assert (picture.format, picture.size) == ("PNG", (32, 32))
    assert only(messages, "executed") == []
    assert comfy.entry(prompt_id)["outputs"] == {}


def test_events_go_to_the_own_client_only(comfy: PlainClient) -> None:
    with comfy.listen() as mine, comfy.listen() as other:
        prompt_id = comfy.queue(comfy.text_graph(), mine.client_id)
        mine.until_end(prompt_id)
        assert other.silent_for(0.2)
        assert [m for m in other.seen if m["type"] == "status"]


def test_without_a_client_everybody_sees_the_progress(comfy: PlainClient) -> None:
    with comfy.listen() as one, comfy.listen() as two:
        prompt_id = comfy.queue(comfy.text_graph(steps=2))
        for listener in (one, two):
            found = listener.until(lambda m: m["type"] == "progress" and m["data"]["value"] == 2)
            kinds = {
                m["type"]
                for m in found
                if m["type"] != "binary" and m["data"].get("prompt_id") == prompt_id
            }
            assert kinds == {"progress", "progress_state"}


def busy(comfy: PlainClient, listener: Listener) -> str:
    prompt_id = comfy.queue(comfy.text_graph(steps=400), listener.client_id)
    listener.until(lambda m: m["type"] == "progress" and m["data"]["prompt_id"] == prompt_id)
    return prompt_id


def test_a_client_that_comes_back_learns_where_its_prompt_is(comfy: PlainClient) -> None:
    client_id = uuid.uuid4().hex
    with comfy.listen(client_id) as listener:
        prompt_id = busy(comfy, listener)
    with comfy.listen(client_id) as again:
        assert again.next() == {"type": "executing", "data": {"node": "3"}}
        comfy.http.post("/interrupt", json={"prompt_id": prompt_id})
        assert only(again.until_end(prompt_id), "execution_interrupted")


def test_the_second_socket_of_a_client_is_forgotten_with_the_first(comfy: PlainClient) -> None:
    client_id = uuid.uuid4().hex
    first = comfy.open(client_id)
    first.next()
    with comfy.listen(client_id) as second:
        second.until_end(comfy.queue(plain_graph(), client_id))
        first.socket.close()
        with comfy.listen() as witness:
            prompt_id = comfy.queue(plain_graph(), client_id)
            witness.until(
                lambda m: (
                    m["type"] == "status"
                    and not m["data"]["status"]["exec_info"]["queue_remaining"]
                )
            )
        second.seen.clear()
        assert second.silent_for(0.3)
        assert second.seen == []
        assert prompt_id in comfy.http.get("/history").json()
