"""Listening to a server: events, listeners, and a connection that is lost."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

import comfygradio
from comfygradio import (
    Connected,
    Disconnected,
    Events,
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    ExecutionSuccess,
    FeatureFlags,
    Message,
    Missed,
    PreviewFrame,
    Progress,
    ProgressText,
    Status,
    UnknownMessage,
)
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.timers import PollTimings
from comfygradio.errors import ServerUnreachable
from tests.clocks import HANG_SECONDS, ManualClock
from tests.faults.faulty_proxy import FaultyProxy, reset_connection
from tests.ports import free_port

from .conftest import Connect, Serve, wait_until
from .gate import Gate
from .graphs import Graph, make_empty_graph, make_text_graph, make_text_to_image_graph

CHECKPOINT = "photo-xl.safetensors"
PREVIEWS_ON_REQUEST = (0, 5)
"""Since this version a prompt may ask for previews; before, the server's own setting decides."""


def hear(events: Events, wanted: Callable[[Message], bool]) -> list[Message]:
    """The events up to and with the first wanted one; the limit only tells a hang."""
    limit = threading.Timer(2 * HANG_SECONDS, events.close)
    limit.daemon = True
    limit.start()
    heard: list[Message] = []
    try:
        for event in events:
            heard.append(event)
            if wanted(event):
                return heard
    finally:
        limit.cancel()
    raise AssertionError(heard)


def is_over(prompt_id: str) -> Callable[[Message], bool]:
    """Whether an event says that the worker is done with this prompt."""
    return lambda event: event == Executing(None, None, prompt_id=prompt_id)


def is_a(*kinds: type[Message]) -> Callable[[Message], bool]:
    return lambda event: isinstance(event, kinds)


def post(client: ComfyClient, events: Events, graph: Graph, **extra: Any) -> str:
    queued = client.queue_prompt(graph, client_id=events.client_id, extra_data=extra)
    return queued.prompt_id


def set_at_end(event: Executing, is_heard: threading.Event) -> None:
    if event.node is None:
        is_heard.set()


def list_names(heard: list[Message]) -> list[str]:
    """The kinds of the events, without repetitions, in the order in which they came first."""
    return list(dict.fromkeys(type(event).__name__ for event in heard))


def await_no_listeners() -> None:
    """Wait until every thread that listens has ended."""
    for thread in threading.enumerate():
        if thread.name == "comfy-listen":
            thread.join(HANG_SECONDS)
            assert not thread.is_alive()


def test_the_first_events_are_the_connection_and_the_greeting(comfy: ComfyClient) -> None:
    with comfy.listen() as events:
        connected, greeting, *_ = hear(events, is_a(FeatureFlags))
        assert events.is_connected
    assert connected == Connected()
    assert isinstance(greeting, Status) and greeting.sid == events.client_id
    assert not events.is_connected


def test_a_prompt_is_heard_from_its_start_to_its_end(comfy: ComfyClient, checkpoint: str) -> None:
    graph = make_text_to_image_graph(checkpoint, steps=3)
    with comfy.listen() as events:
        prompt_id = post(comfy, events, graph, preview_method="latent2rgb")
        heard = [e for e in hear(events, is_over(prompt_id)) if e.prompt_id == prompt_id]
    assert isinstance(heard[0], ExecutionStart) and isinstance(heard[1], ExecutionCached)
    assert isinstance(heard[-2], ExecutionSuccess)
    assert {"Executing", "Executed", "Progress"} <= set(list_names(heard))
    steps = [event.value for event in heard if isinstance(event, Progress) and event.node == "3"]
    assert steps[-1] == 3 and steps == sorted(steps)
    frames = [event for event in heard if isinstance(event, PreviewFrame)]
    if (comfy.server_version() or ()) >= PREVIEWS_ON_REQUEST:
        assert frames[0].node == "3" and frames[0].data.startswith(b"\xff\xd8")
    (saved,) = [event for event in heard if isinstance(event, Executed)]
    assert saved.node == "9" and saved.output["images"][0]["type"] == "output"


def test_a_client_id_may_be_given(comfy: ComfyClient) -> None:
    with comfy.listen("a-name-of-ours") as events:
        assert events.client_id == "a-name-of-ours"
        prompt_id = post(comfy, events, make_empty_graph())
        assert hear(events, is_over(prompt_id))


def test_a_failure_tells_what_the_guide_says(serve: Serve, connect: Connect) -> None:
    client = connect(serve(lab_nodes=True).url)
    graph: Graph = {"1": {"class_type": "LabRaise", "inputs": {"message": "no luck"}}}
    with client.listen() as events:
        prompt_id = post(client, events, graph)
        heard = hear(events, is_over(prompt_id))
    (error,) = [event for event in heard if isinstance(event, ExecutionError)]
    assert (error.node_id, error.node_type, error.exception_type) == (
        "1",
        "LabRaise",
        "RuntimeError",
    )
    assert error.exception_message.strip() == "no luck" and error.executed == ()
    assert error.traceback and "no luck" in repr(error) and "File" not in repr(error)


def test_an_interrupt_is_heard(serve: Serve, connect: Connect, gate: Gate) -> None:
    client = connect(serve().url)
    with client.listen() as events:
        gate.hold(after=1)
        prompt_id = post(client, events, make_text_to_image_graph(CHECKPOINT, steps=500))
        hear(events, is_a(Progress))
        client.interrupt(prompt_id)
        gate.release()
        heard = hear(events, is_over(prompt_id))
    (stopped,) = [event for event in heard if isinstance(event, ExecutionInterrupted)]
    assert stopped.node_id == "3" and "4" in stopped.executed


def test_unknown_messages_come_with_what_was_sent(serve: Serve, connect: Connect) -> None:
    with connect(serve(unknown_messages=True).url).listen() as events:
        text, binary = (hear(events, is_a(UnknownMessage))[-1] for _ in range(2))
    assert isinstance(text, UnknownMessage) and isinstance(binary, UnknownMessage)
    assert text.type == "demo.unknown" and text.data[:2] == [1, None] and math.isnan(text.data[2])
    assert binary.type == "binary" and binary.data.endswith(b"junk")


def test_a_text_is_an_event(serve: Serve, connect: Connect) -> None:
    client = connect(serve(lab_nodes=True).url)
    with client.listen() as events:
        post(client, events, make_text_graph("a\nb"))
        assert hear(events, is_a(ProgressText))[-1] == ProgressText("7", "a\nb")


def test_events_cannot_be_changed() -> None:
    for event in (Connected(), Disconnected(1.0), Missed(2), Status(3), ProgressText("1", "a")):
        with pytest.raises(FrozenInstanceError):
            event.prompt_id = "other"  # type: ignore[misc]


def test_every_public_name_is_there() -> None:
    assert all(getattr(comfygradio, name) is not None for name in comfygradio.__all__)
    with pytest.raises(AttributeError):
        _ = comfygradio.Nothing


def test_several_listeners_hear_their_kinds_and_one_may_leave(comfy: ComfyClient) -> None:
    every: list[Message] = []
    successes: list[ExecutionSuccess] = []
    starts: list[ExecutionStart] = []
    again: list[ExecutionSuccess] = []
    is_heard = threading.Event()
    events = comfy.listen()
    events.on(Message, every.append)
    events.on(ExecutionSuccess, successes.append)
    events.on(ExecutionSuccess, again.append)
    leave = events.on(ExecutionStart, starts.append)
    with events:
        first = post(comfy, events, make_empty_graph())
        hear(events, is_over(first))
        leave()
        leave()
        events.on(Executing, lambda event: set_at_end(event, is_heard))
        second = post(comfy, events, make_empty_graph())
        assert is_heard.wait(2 * HANG_SECONDS)
    assert every[0] == Connected()
    assert [event.prompt_id for event in successes] == [first, second] and again == successes
    assert [event.prompt_id for event in starts] == [first]


def test_a_listener_that_fails_stops_nobody(
    comfy: ComfyClient, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Message] = []

    def fail(event: ExecutionStart) -> None:
        raise ValueError("our own mistake")

    with caplog.at_level(logging.ERROR), comfy.listen() as events:
        events.on(ExecutionStart, fail)
        events.on(ExecutionStart, heard.append)
        prompt_id = post(comfy, events, make_empty_graph())
        hear(events, is_over(prompt_id))
    assert [event.prompt_id for event in heard] == [prompt_id]
    assert "A listener of ExecutionStart failed." in caplog.text
    assert "our own mistake" in caplog.text


def test_closing_ends_the_iteration_wherever_it_comes_from(comfy: ComfyClient) -> None:
    with comfy.listen() as events:
        events.on(ExecutionSuccess, lambda event: events.close())
        prompt_id = post(comfy, events, make_empty_graph())
        heard = list(events)
        assert ExecutionSuccess(prompt_id=prompt_id) in heard
        assert list(events) == []
        events.close()
    await_no_listeners()


def test_after_closing_no_listener_is_called(comfy: ComfyClient) -> None:
    heard: list[Message] = []
    with comfy.listen() as events:
        events.on(ExecutionStart, lambda event: events.close())
        events.on(ExecutionStart, heard.append)
        post(comfy, events, make_empty_graph())
        assert any(isinstance(event, ExecutionStart) for event in events)
    await_no_listeners()
    assert heard == []


def test_a_server_that_does_not_answer_is_said_at_once(connect: Connect) -> None:
    client = connect(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ServerUnreachable), client.listen():
        raise AssertionError


def test_a_lost_connection_is_an_event_and_comes_back(serve: Serve, connect: Connect) -> None:
    clock = ManualClock()
    with FaultyProxy(serve().url) as line:
        client = connect(line.url, clock=clock)
        with client.listen() as events:
            hear(events, is_a(FeatureFlags))
            line.cut_sockets()
            assert hear(events, is_a(Disconnected)) == [Disconnected(1.0)]
            assert not events.is_connected
            clock.await_waiters()
            clock.advance(1.0)
            connected, greeting = hear(events, is_a(Status))
            assert connected == Connected()
            assert isinstance(greeting, Status) and greeting.sid == events.client_id
            prompt_id = post(client, events, make_empty_graph())
            assert hear(events, is_over(prompt_id))
    await_no_listeners()


def test_the_pauses_grow_as_in_the_guide_and_then_it_is_given_up(
    serve: Serve, connect: Connect
) -> None:
    clock = ManualClock()
    told: list[Disconnected] = []
    with FaultyProxy(serve().url) as line:
        events = connect(line.url, clock=clock).listen()
        events.on(Disconnected, told.append)
        with events:
            hear(events, is_a(FeatureFlags))
            line.stop_listening()
            for pause in (1.0, 2.0, 4.0, 8.0, 16.0):
                assert hear(events, is_a(Disconnected)) == [Disconnected(pause)]
                clock.await_waiters()
                clock.advance(pause)
            assert next(events) == Disconnected(None)
            for _ in range(2):
                with pytest.raises(ServerUnreachable):
                    next(events)
    await_no_listeners()
    assert [event.retry_seconds for event in told] == [1.0, 2.0, 4.0, 8.0, 16.0, None]


def test_pauses_begin_anew_once_it_is_connected(serve: Serve, connect: Connect) -> None:
    clock = ManualClock()
    with FaultyProxy(serve().url) as line, connect(line.url, clock=clock).listen() as events:
        for _ in range(3):
            hear(events, is_a(FeatureFlags))
            line.stop_listening()
            assert hear(events, is_a(Disconnected)) == [Disconnected(1.0)]
            clock.await_waiters()
            clock.advance(1.0)
            assert hear(events, is_a(Disconnected)) == [Disconnected(2.0)]
            line.start_listening()
            clock.await_waiters()
            clock.advance(2.0)


def test_a_connection_that_the_server_forgot_is_opened_anew(serve: Serve, connect: Connect) -> None:
    """ComfyUI forgets a client when an older connection of it ends."""
    clock, patience = ManualClock(), PollTimings(renewal=7.0)
    server = serve()
    with FaultyProxy(server.url) as line:
        client = connect(line.url, clock=clock, patience=patience)
        with client.listen() as events:
            hear(events, is_a(FeatureFlags))
            (old,) = line.cut_clients()
            hear(events, is_a(Disconnected))
            clock.await_waiters()
            clock.advance(1.0)
            hear(events, is_a(FeatureFlags))
            reset_connection(old.server)
            wait_until(lambda: not server.has_client(events.client_id))
            clock.await_waiters()
            clock.advance(7.0)
            assert hear(events, is_a(Disconnected))[-1] == Disconnected(1.0)
            # It would forget the new connection, too, if the end of this one came after it.
            wait_until(lambda: server.count_sockets(events.client_id) == 0)
            clock.await_waiters()
            clock.advance(1.0)
            hear(events, is_a(Connected))
            prompt_id = post(client, events, make_empty_graph())
            assert hear(events, is_over(prompt_id))


def test_who_takes_over_a_client_id_may_be_forgotten_at_once(
    serve: Serve, connect: Connect
) -> None:
    clock, patience = ManualClock(), PollTimings(renewal=7.0)
    server = serve()
    client = connect(server.url, clock=clock, patience=patience)
    first = client.listen("shared")
    with first, client.listen("shared") as events:
        hear(events, is_a(FeatureFlags))
        first.close()
        wait_until(lambda: not server.has_client("shared"))
        clock.await_waiters()
        clock.advance(7.0)
        hear(events, is_a(Disconnected))
        wait_until(lambda: server.count_sockets("shared") == 0)
        clock.await_waiters()
        clock.advance(1.0)
        hear(events, is_a(Connected))
        prompt_id = post(client, events, make_empty_graph())
        assert hear(events, is_over(prompt_id))


def test_what_nobody_takes_in_time_is_dropped_and_said(comfy: ComfyClient) -> None:
    is_heard = threading.Event()
    events = Events(comfy, capacity=5000)
    events.on(Executing, lambda event: set_at_end(event, is_heard))
    with events:
        prompt_id = post(comfy, events, make_empty_graph())
        assert is_heard.wait(2 * HANG_SECONDS)
        missed, *rest = hear(events, is_over(prompt_id))
    assert isinstance(missed, Missed) and missed.count > 0
    assert len(rest) <= 5 and Connected() not in rest
