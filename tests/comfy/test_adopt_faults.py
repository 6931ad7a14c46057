"""Taking over prompts while the demo server, the network or an older socket gets in the way."""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.messages import Message, Progress
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.submit import open_socket, post_prompt
from comfygradio.comfy.timers import PollTimings
from comfygradio.comfy.websocket_client import Socket
from comfygradio.comfy.workflow import Prompt
from comfygradio.demo import DemoServer
from comfygradio.errors import (
    AccessDenied,
    ExecutionFailed,
    JobInterrupted,
    JobLost,
    ServerError,
    ServerUnreachable,
)
from tests.clocks import HANG_SECONDS, ManualClock

from .conftest import LISTENING, QUICK_TIMINGS, Connect, Serve, read_to_end, wait_until
from .gate import Gate
from .gateway import Call, Gateway, Reply, forward
from .graphs import Graph, make_empty_graph, make_sleep_graph, make_text_to_image_graph
from .test_adopt import (
    Left,
    adopt_hearing_steps,
    adopt_held,
    follow_to_steps,
    hold_socket,
    leave,
    leave_ended,
    leave_running,
)

OLDER_VERSIONS = ["0.3.64", "0.3.40", "2024-01"]
VERSIONS = ["0.33.0", *(pytest.param(older, marks=pytest.mark.deep) for older in OLDER_VERSIONS)]
CHECKPOINT = "photo-xl.safetensors"


def leave_as_we_post(client: ComfyClient, graph: Graph) -> tuple[Left, str]:
    """Posted as a run does it; the second is the id that the server chose."""
    client_id = uuid.uuid4().hex
    left = Left(client, graph, str(uuid.uuid4()), client_id)
    queued = post_prompt(client, Prompt(graph), graph, client_id, left.prompt_id, "auto")
    return left, queued.prompt_id


def count_posts(client: ComfyClient) -> int:
    """How many prompts were posted; a second one might hide behind the node cache and under the
    same id.
    """
    return int(client.queue_prompt(make_empty_graph()).number)


@pytest.mark.parametrize("version", VERSIONS)
def test_running_on_every_version(version: str, serve: Serve, connect: Connect, gate: Gate) -> None:
    server = serve(version=version, preview_method="latent2rgb")
    client = connect(server.url)
    gate.hold()
    left, chosen = leave_as_we_post(client, make_text_to_image_graph(CHECKPOINT, steps=60))
    wait_until(lambda: client.sight(left.prompt_id).running)
    states = adopt_hearing_steps(left, gate)
    assert (states[-1].status, states[-1].prompt_id) == ("done", chosen)
    assert any(state.step for state in states) and states[-1].preview_count > 0
    assert states[-1].outputs[0].read().startswith(b"\x89PNG")
    assert left.adopt()[-1].outputs == states[-1].outputs
    assert server.executions["KSampler"] == 1 and count_posts(client) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_an_unknown_prompt_is_posted_once_on_every_version(
    version: str, serve: Serve, connect: Connect
) -> None:
    server = serve(version=version)
    client = connect(server.url, patience=QUICK_TIMINGS)
    left = Left(client, make_text_to_image_graph(CHECKPOINT), str(uuid.uuid4()), uuid.uuid4().hex)
    first, again = left.adopt()[-1], left.adopt()[-1]
    assert first.status == again.status == "done" and first.outputs == again.outputs
    assert server.executions["KSampler"] == 1 and count_posts(left.client) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_closing_cancels_on_every_version(
    version: str, serve: Serve, connect: Connect, gate: Gate
) -> None:
    client = connect(serve(version=version).url)
    gate.hold()
    left, chosen = leave_as_we_post(client, make_text_to_image_graph(CHECKPOINT, steps=500))
    run = follow_to_steps(left, gate)
    next(state for state in run if state.step)
    run.close()
    wait_until(lambda: client.queue().position(chosen) is None)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_lost_answer_of_prompt_runs_once(version: str, serve: Serve, connect: Connect) -> None:
    client = connect(serve(version=version, cut_on=("/prompt",)).url)
    *_, last = client.run(make_empty_graph())
    wait_until(lambda: not (client.queue().running or client.queue().pending))
    assert last.status == "done" and last.outputs and len(client.history()) == 1


def test_a_dead_server_gets_nothing(serve: Serve, connect: Connect) -> None:
    server = serve()
    client = connect(server.url)
    server.kill()
    left = Left(client, make_empty_graph(), str(uuid.uuid4()), uuid.uuid4().hex)
    assert isinstance(client.sight(left.prompt_id).error, ServerUnreachable)
    with pytest.raises(ServerUnreachable):
        left.adopt()
    server.start()
    assert client.sight(left.prompt_id).absent and server.executions.total() == 0


@pytest.mark.deep
@pytest.mark.parametrize(
    ("path", "reply", "expected"),
    [
        ("/history", Reply(500), ServerUnreachable),
        ("/history", Reply(502), ServerUnreachable),
        ("/history", Reply(404), ServerUnreachable),
        ("/history", Reply(200, b"{", {"content-type": "application/json"}), ServerUnreachable),
        ("/queue", Reply(500), ServerUnreachable),
        ("/queue", Reply(502), ServerUnreachable),
        ("/queue", Reply(403), AccessDenied),
        ("/queue", Reply(200, b"<html>Login</html>", {"content-type": "text/html"}), AccessDenied),
    ],
)
def test_it_is_not_posted_where_the_server_does_not_tell(
    path: str, reply: Reply, expected: type[ServerError], serve: Serve, connect: Connect
) -> None:
    server = serve()

    def answer(call: Call) -> Reply:
        return reply if call.path.startswith(path) else forward(call, server.url)

    with Gateway(answer) as gateway:
        left = Left(connect(gateway.url), make_empty_graph(), str(uuid.uuid4()), uuid.uuid4().hex)
        with pytest.raises(expected):
            left.adopt()
        assert gateway.calls and not any(call.method == "POST" for call in gateway.calls)


def test_a_prompt_is_left_running_when_the_server_does_not_tell(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    server = serve()
    gate.hold()
    left = leave_running(connect(server.url), make_text_to_image_graph(CHECKPOINT, steps=50))
    with Gateway(lambda call: Reply(502)) as gateway, pytest.raises(ServerUnreachable):
        replace(left, client=connect(gateway.url)).adopt()
    assert adopt_held(left, gate)[-1].status == "done" and count_posts(left.client) == 1


def test_an_older_socket_that_closes_later_ends_nothing(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    """The server forgets our socket with it, so that only the history tells the end."""
    server = serve()
    gate.hold()
    left = leave(
        connect(server.url, patience=QUICK_TIMINGS), make_text_to_image_graph(CHECKPOINT, steps=80)
    )
    old: Socket | None = hold_socket(left)
    states: list[PromptProgress] = []
    for state in follow_in_lockstep(left, server, gate, until=10):
        states.append(state)
        if old and state.step == 10:
            forget(server, left, old)
            old = None
            gate.release()
    heard = max(state.step or 0 for state in states)
    assert 10 <= heard < 40 and states[-1].status == "done"
    assert states[-1].outputs[0].read().startswith(b"\x89PNG")


def follow_in_lockstep(
    left: Left, server: DemoServer, gate: Gate, until: int
) -> Generator[PromptProgress, None, None]:
    """The states of a prompt that is held; each step is made as soon as the one before is heard."""
    made = heard = 0
    for state in read_to_end(left.follow(heartbeat_seconds=0.0)):
        yield state
        heard = max(heard, state.step or 0)
        is_heard = state.status == "running" and server.has_client(str(left.client_id))
        if is_heard and heard == made < until:
            gate.step()
            made += 1


def forget(server: DemoServer, left: Left, old: Socket) -> None:
    """Close an older socket, so that the server forgets the newer one of the same client."""
    old.close()
    wait_until(lambda: not server.has_client(str(left.client_id)))


def test_a_forgotten_socket_is_opened_anew(serve: Serve, connect: Connect, gate: Gate) -> None:
    server, clock = serve(), ManualClock()
    gate.hold()
    client = connect(server.url, clock=clock, patience=PollTimings(listen=math.inf))
    left = leave(client, make_text_to_image_graph(CHECKPOINT, steps=80))
    old: Socket | None = hold_socket(left)
    states: list[PromptProgress] = []
    for state in follow_in_lockstep(left, server, gate, until=80):
        states.append(state)
        if old and state.step == 10:
            forget(server, left, old)
            old = None
        elif old is None and not server.has_client(str(left.client_id)):
            clock.advance(0.1)
    steps = {state.step for state in states}
    assert (
        len(steps & set(range(60, 80))) > 3
        and states[-1].status == "done"
        and states[-1].warnings == ()
    )


def test_a_silent_node_of_an_adopted_prompt_is_no_failure(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    """It is silent until its socket was opened anew twice."""
    server, clock = serve(lab_nodes=True), ManualClock()
    # However far the clock is moved while a socket opens, it has answered in time.
    client = connect(server.url, clock=clock, patience=PollTimings(listen=math.inf))
    gate.hold()
    left = leave_running(client, make_sleep_graph(1.0))
    states: list[PromptProgress] = []
    for state in read_to_end(left.follow(heartbeat_seconds=0.0)):
        states.append(state)
        if server.connections[str(left.client_id)] < 3:
            clock.advance(0.1)
        elif server.has_client(str(left.client_id)):
            gate.release()
    assert states[-1].outputs[0].text == "slept" and states[-1].warnings == ()
    assert "LabSleep" in {state.node for state in states}


@pytest.mark.parametrize(
    "faults",
    [
        {"lose_types": ("executing",)},
        {"lose_types": ("executing", "execution_success", "executed")},
        {
            "double_types": (
                "status",
                "executing",
                "executed",
                "execution_success",
                "progress",
                "progress_state",
            )
        },
        {"unknown_messages": True},
        {"no_history_delay": 0.05},
        {"mute_socket_after": 1},
        {"mute_socket_after": 5},
        {"drop_socket_after": 1},
        {"drop_socket_after": 8},
        {"fail_on": {"/ws": 404}},
        {"html_on": ("/ws",)},
    ],
    ids=str,
)
def test_it_ends_well_all_the_same(
    faults: dict[str, Any], serve: Serve, connect: Connect, gate: Gate
) -> None:
    client = connect(serve(**faults).url, patience=QUICK_TIMINGS)
    gate.hold()
    states = adopt_held(leave_running(client, make_text_to_image_graph(CHECKPOINT, steps=30)), gate)
    fractions = [state.progress for state in states]
    assert (
        fractions == sorted(fractions)
        and fractions[-1] == 1.0
        and max(fractions[:-1], default=0.0) < 1
    )
    assert states[-1].status == "done" and states[-1].outputs[0].read().startswith(b"\x89PNG")
    assert count_posts(client) == 1


def test_what_has_just_ended_is_not_posted_again(serve: Serve, connect: Connect) -> None:
    client = connect(serve(no_history_delay=0.05).url, patience=QUICK_TIMINGS)
    left = leave(client, make_empty_graph())
    wait_until(lambda: client.queue().position(left.prompt_id) is None)
    assert left.adopt()[-1].status == "done" and count_posts(client) == 1


@pytest.mark.parametrize("lost", ["execution_error", "none"])
def test_a_failure_after_the_adoption(
    lost: str, serve: Serve, connect: Connect, gate: Gate
) -> None:
    url = serve(fail_at_step=30, lose_types=(lost,)).url
    gate.hold()
    left = leave_running(
        connect(url, patience=QUICK_TIMINGS), make_text_to_image_graph(CHECKPOINT, steps=60)
    )
    for _ in range(2):
        with pytest.raises(
            ExecutionFailed, match=r"^Paint \(node 3, KSampler\) failed: "
        ) as caught:
            adopt_held(left, gate)
        assert (caught.value.node_id, caught.value.prompt_id) == ("3", left.prompt_id)
    assert count_posts(left.client) == 1


def test_an_interrupt_that_is_only_in_the_history(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    client = connect(serve(lose_types=("execution_interrupted",)).url, patience=QUICK_TIMINGS)
    gate.hold()
    left = leave_running(client, make_text_to_image_graph(CHECKPOINT, steps=500))
    with pytest.raises(JobInterrupted):
        for state in follow_to_steps(left, gate):
            if state.step:
                client.interrupt()


def test_an_adopted_prompt_that_somebody_deletes_is_lost(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    client = connect(serve().url, patience=QUICK_TIMINGS)
    gate.hold()
    other = leave_running(client, make_text_to_image_graph(CHECKPOINT, steps=500))
    left = leave(client, make_empty_graph())
    with pytest.raises(JobLost, match="lost this job"):
        for state in left.follow():
            if state.queue_position:
                client.delete_from_queue(left.prompt_id)
    client.cancel(other.prompt_id)


def test_a_restarted_server_gets_an_adopted_prompt_only_once_more(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    server: DemoServer = serve()
    client = connect(server.url, patience=QUICK_TIMINGS)
    gate.hold()
    left = leave_running(client, make_text_to_image_graph(CHECKPOINT, steps=60))
    killed = False
    with pytest.raises(JobLost):
        for state in follow_to_steps(left, gate):
            if state.step and not killed:
                server.kill()
                killed = True
                server.start()
    gate.release()
    assert left.adopt()[-1].status == left.adopt()[-1].status == "done"
    assert server.executions["KSampler"] == 2 and count_posts(client) == 1


def test_pictures_that_only_the_socket_brings_are_missed_aloud(
    serve: Serve, connect: Connect
) -> None:
    last = leave_ended(connect(serve().url), make_empty_graph("SaveImageWebsocket")).adopt()[-1]
    assert last.status == "done" and last.outputs == ()
    assert last.warnings == (
        "SaveImageWebsocket (node 2) sends its pictures only live; they were missed.",
    )


def test_a_node_whose_begin_was_missed_teaches_no_time(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    server = serve()
    # Only the messages tell of times; a history that is read before them ends the job without.
    client = connect(server.url, patience=replace(LISTENING, settle=HANG_SECONDS))
    gate.hold()
    left = leave(client, make_text_to_image_graph(CHECKPOINT, steps=60))
    client_id = str(left.client_id)
    watcher = open_socket(client, client_id)
    assert watcher
    begun = threading.Event()

    def hear(message: Message, _: object) -> None:
        if isinstance(message, Progress):
            begun.set()

    follow = threading.Thread(target=watcher.listen, args=(hear, lambda _: None), daemon=True)
    follow.start()
    gate.step()
    assert begun.wait(HANG_SECONDS)
    watcher.close()
    follow.join(HANG_SECONDS)
    wait_until(lambda: not server.has_client(client_id))
    for state in left.follow():
        # The server names the running node to a socket that comes late. Before that it may not
        # know the socket yet, and what it sends then is missed.
        if state.node_id == "3":
            gate.release()
    assert "3" not in state.node_seconds and "9" in state.node_seconds
