"""Our own subscription, on the demo server and on real ones."""

from __future__ import annotations

import random
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from comfygradio import (
    ComfyClient,
    Connected,
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
    PreviewFrame,
    Progress,
    ProgressState,
    Status,
    UnknownMessage,
)
from tests.contract.plain_client import PATIENCE, Graph, PlainClient, node, plain_graph

pytestmark = pytest.mark.real


@pytest.fixture
def client(comfy: PlainClient) -> Iterator[ComfyClient]:
    with ComfyClient(comfy.url) as client:
        yield client


def hear(events: Events, wanted: Callable[[Message], bool]) -> list[Message]:
    """The events up to and with the first wanted one; the limit only tells a hang."""
    limit = threading.Timer(PATIENCE, events.close)
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


def run(client: ComfyClient, events: Events, graph: Graph, preview: str = "none") -> list[Message]:
    """The events of a prompt, from its start to its end."""
    extra = {"preview_method": preview}
    posted = client.queue_prompt(graph, client_id=events.client_id, extra_data=extra)
    heard = hear(events, lambda e: e == Executing(None, None, prompt_id=posted.prompt_id))
    return [event for event in heard if event.prompt_id == posted.prompt_id]


def test_it_begins_with_the_connection_and_the_greeting(client: ComfyClient) -> None:
    with client.listen() as events:
        assert next(events) == Connected()
        greeting = next(events)
    assert isinstance(greeting, Status) and greeting.sid == events.client_id
    assert isinstance(greeting.queue_remaining, int)


def test_the_server_tells_its_features(comfy: PlainClient, client: ComfyClient) -> None:
    if not comfy.since(0, 3, 45):
        pytest.skip("no feature flags in this version")
    with client.listen() as events:
        (*_, flags) = hear(events, lambda event: isinstance(event, FeatureFlags))
    assert isinstance(flags, FeatureFlags) and flags.flags == client.features()


def test_every_message_of_a_prompt_is_known(comfy: PlainClient, client: ComfyClient) -> None:
    graph = comfy.text_graph(steps=3)
    graph["6"]["inputs"]["text"] = f"a cat {random.random()}"
    with client.listen() as events:
        heard = run(client, events, graph, "latent2rgb")
    assert isinstance(heard[0], ExecutionStart) and isinstance(heard[1], ExecutionCached)
    assert isinstance(heard[-2], ExecutionSuccess)
    assert not [event for event in heard if isinstance(event, UnknownMessage)]
    begun = [event.node for event in heard if isinstance(event, Executing)]
    assert begun[-4:] == ["3", "8", "9", None]
    (*_, step) = [event for event in heard if isinstance(event, Progress) and event.node == "3"]
    assert (step.value, step.max) == (3, 3)
    (*_, state) = [event for event in heard if isinstance(event, ProgressState)]
    assert state.nodes["3"].state == "finished"
    (saved,) = [event for event in heard if isinstance(event, Executed) and event.node == "9"]
    assert saved.output["images"][0]["filename"].startswith("contract")
    if comfy.since(0, 5):
        (*_, frame) = [event for event in heard if isinstance(event, PreviewFrame)]
        assert (frame.node, frame.mime) == ("3", "image/jpeg")
        assert frame.data.startswith(struct.pack(">H", 0xFFD8))


def test_a_prompt_that_ran_before_is_cached(comfy: PlainClient, client: ComfyClient) -> None:
    graph = comfy.text_graph()
    with client.listen() as events:
        run(client, events, graph)
        (cached,) = [e for e in run(client, events, graph) if isinstance(e, ExecutionCached)]
    assert {"3", "4", "5", "6", "7", "8"} <= set(cached.nodes)


def test_an_error_tells_node_reason_and_what_was_done(client: ComfyClient) -> None:
    graph = plain_graph()
    graph["2"]["inputs"]["filename_prefix"] = "../../evil"
    with client.listen() as events:
        (error,) = [e for e in run(client, events, graph) if isinstance(e, ExecutionError)]
    assert (error.node_id, error.node_type, error.exception_type) == ("2", "SaveImage", "Exception")
    assert error.executed == ("1",) and error.exception_message and error.traceback


def test_an_interrupt_tells_the_node(comfy: PlainClient, client: ComfyClient) -> None:
    graph = comfy.text_graph(steps=400)
    with client.listen() as events:
        events.on(Progress, lambda event: client.interrupt(event.prompt_id))
        heard = run(client, events, graph)
    (stopped,) = [event for event in heard if isinstance(event, ExecutionInterrupted)]
    assert (stopped.node_id, stopped.node_type) == ("3", "KSampler")
    assert "4" in stopped.executed


def test_a_stranger_hears_of_the_queue_alone(comfy: PlainClient, client: ComfyClient) -> None:
    with client.listen() as stranger, client.listen() as events:
        run(client, events, plain_graph())
        strange = node("EmptyImage", width=32, height=32, batch_size=1, color=1)
        graph = {"1": strange, "2": node("SaveImageWebsocket", images=["1", 0])}
        prompt_id = comfy.queue(graph)  # nobody's, so that everybody hears of its progress
        heard = hear(
            stranger,
            lambda event: isinstance(event, ProgressState) and event.prompt_id == prompt_id,
        )
    told = {type(event) for event in heard} - {Connected, FeatureFlags, Status}
    about = {event.prompt_id for event in heard if event.prompt_id}
    assert told <= {Progress, ProgressState, PreviewFrame} and about == {prompt_id}
    assert [event for event in heard if isinstance(event, Status) and event.sid is None]


def test_who_comes_back_learns_where_the_prompt_is(comfy: PlainClient, client: ComfyClient) -> None:
    with comfy.listen() as listener:
        prompt_id = comfy.queue(comfy.text_graph(steps=400), listener.client_id)
        listener.until(lambda message: message["type"] == "progress")
    with client.listen(listener.client_id) as again:
        heard = hear(again, lambda event: isinstance(event, Executing))
        assert heard[-1] == Executing("3", "3")
        client.interrupt(prompt_id)
        hear(again, lambda event: isinstance(event, ExecutionInterrupted))
