"""Runs against a demo server that misbehaves."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from comfygradio.comfy.cancel import RECHECK_SECONDS
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.http_responses import Queue
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.run import CANCEL_PAUSES, CANCEL_SECONDS, SLOW_CONNECTION
from comfygradio.errors import (
    AccessDenied,
    ExecutionFailed,
    JobInterrupted,
    JobLost,
    NotFound,
    PromptRejected,
    ServerUnreachable,
    UnexpectedResponse,
)
from tests.clocks import HANG_SECONDS, ManualClock
from tests.faults.faulty_proxy import FaultyProxy

from .conftest import QUICK_TIMINGS, Connect, Serve, join_runs, read_to_end, wait_until
from .gate import Gate
from .gateway import Call, Gateway, Reply, forward
from .graphs import Graph, make_empty_graph, make_sleep_graph, make_text_to_image_graph

OLDER_VERSIONS = ["0.3.64", "0.3.40", "2024-01"]
VERSIONS = ["0.33.0", *(pytest.param(older, marks=pytest.mark.deep) for older in OLDER_VERSIONS)]
CHECKPOINT = "photo-xl.safetensors"


def finish(client: ComfyClient, graph: Graph | None = None) -> PromptProgress:
    *_, last = client.run(graph or make_text_to_image_graph(CHECKPOINT))
    return last


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version(version: str, serve: Serve, connect: Connect) -> None:
    client = connect(serve(version=version, preview_method="latent2rgb").url)
    graph = make_text_to_image_graph(CHECKPOINT)
    last = finish(client, graph)
    assert last.outputs[0].read().startswith(b"\x89PNG")
    assert last.preview_count == 8 and last.warnings == ()
    assert finish(client, graph).outputs == last.outputs


def close_by_clock(
    run: Generator[PromptProgress, None, None], clock: ManualClock, waiters: int = 1
) -> None:
    """Close a run that cannot cancel just now: it waits for so long and no longer.

    `waiters`: the threads that wait by the clock then, this one included.
    """
    closing = threading.Thread(target=run.close, daemon=True)
    closing.start()
    clock.await_waiters(waiters)
    clock.advance(CANCEL_SECONDS)
    closing.join(HANG_SECONDS)
    assert not closing.is_alive()


@pytest.mark.deep
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("waiting", [False, True])
def test_cancelling_on_every_version(
    version: str, waiting: bool, serve: Serve, connect: Connect, gate: Gate
) -> None:
    client = connect(serve(version=version).url)
    gate.hold(after=1)
    other = (
        client.queue_prompt(make_text_to_image_graph(CHECKPOINT, steps=100)) if waiting else None
    )
    run = client.run(make_text_to_image_graph(CHECKPOINT, steps=500))
    state = next(state for state in run if (state.queue_position if waiting else state.step))
    run.close()
    wait_until(lambda: client.queue().position(state.prompt_id) is None)
    gate.release()
    if other:
        wait_until(lambda: client.history(other.prompt_id) is not None)
        entry = client.history(other.prompt_id)
        assert entry and entry.status in ("success", "") and entry.outputs


@pytest.mark.parametrize("version", VERSIONS)
def test_an_interrupt_before_the_start_is_repeated(
    version: str, serve: Serve, connect: Connect, gate: Gate
) -> None:
    clock = ManualClock()
    client = connect(serve(version=version, start_gap=1.0, step_seconds=1.0).url, clock=clock)
    gate.hold()
    queued = client.queue_prompt(make_text_to_image_graph(CHECKPOINT, steps=500))
    assert queued.prompt_id in await_running(client)
    cancelled: list[bool] = []
    cancelling = threading.Thread(
        target=lambda: cancelled.append(client.cancel(queued.prompt_id)), daemon=True
    )
    gate.await_held()
    cancelling.start()
    clock.await_waiters()
    gate.step()
    gate.await_held()
    assert client.queue_remaining() == 1
    clock.advance(RECHECK_SECONDS[0])
    wait_until(lambda: not client.queue_remaining())
    clock.await_waiters()
    clock.advance(RECHECK_SECONDS[1])
    cancelling.join(HANG_SECONDS)
    assert cancelled == [True] and not client.queue_remaining()


def await_running(client: ComfyClient) -> list[str]:
    wait_until(lambda: bool(client.queue().running))
    return [item.prompt_id for item in client.queue().running]


def test_cancel_of_what_is_over_or_unknown(serve: Serve, connect: Connect) -> None:
    for version in ("0.33.0", *OLDER_VERSIONS):
        client = connect(serve(version=version).url)
        assert client.cancel("6f2d2c3e-7a43-4c0c-a3c1-0d1d5a9b7e11") is False
        assert client.cancel(finish(client, make_empty_graph()).prompt_id) is False


def test_an_old_server_is_not_interrupted_for_a_waiting_prompt(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    client = connect(serve(version="2024-01").url)
    gate.hold()
    first, second = (
        client.queue_prompt(make_text_to_image_graph(CHECKPOINT, steps=40)) for _ in range(2)
    )
    gate.await_held()
    assert client.cancel(second.prompt_id)
    gate.release()
    wait_until(lambda: not client.queue_remaining())
    entry = client.history(first.prompt_id)
    assert entry and entry.outputs


@pytest.mark.parametrize(
    "faults",
    [
        {"lose_types": ("executed",)},
        {"lose_types": ("execution_success",)},
        {"lose_types": ("executing",)},
        {"lose_types": ("executing", "execution_success", "executed")},
        {"lose_types": ("execution_start", "execution_cached", "progress", "progress_state")},
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
        {"double_types": ("preview", "execution_start", "execution_cached")},
        {"unknown_messages": True},
        {"mute_socket_after": 1},
        {"mute_socket_after": 8},
        {"drop_socket_after": 1},
        {"drop_socket_after": 8},
        {"fail_on": {"/ws": 404}},
        {"fail_on": {"/ws": 500}},
        {"html_on": ("/ws",)},
        {"fail_on": {"/queue": 502}, "drop_socket_after": 8},
    ],
    ids=str,
)
def test_it_ends_well_all_the_same(faults: dict[str, Any], serve: Serve, connect: Connect) -> None:
    client = connect(serve(**faults).url, patience=QUICK_TIMINGS)
    check_good_end(list(client.run(make_text_to_image_graph(CHECKPOINT))))


def check_good_end(states: list[PromptProgress]) -> None:
    fractions = [state.progress for state in states]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert states[-1].status == "done"
    assert states[-1].outputs[0].read().startswith(b"\x89PNG")


@pytest.mark.parametrize("lost", ["executed", "none"])
def test_a_late_history_is_waited_for(lost: str, serve: Serve, connect: Connect) -> None:
    """By the clock of the run it comes before the second look."""
    clock = ManualClock()
    client = connect(serve(no_history_delay=0.05, lose_types=(lost,)).url, clock=clock)
    states: list[PromptProgress] = []
    for state in read_to_end(
        client.run(make_text_to_image_graph(CHECKPOINT), heartbeat_seconds=0.0)
    ):
        states.append(state)
        if client.history(state.prompt_id) is not None:
            clock.advance(0.5)
    check_good_end(states)


def test_looks_in_quick_succession_wait_for_a_late_history_too(
    serve: Serve, connect: Connect
) -> None:
    hasty = replace(QUICK_TIMINGS, settle=HANG_SECONDS)
    server = serve(no_history_delay=0.3, lose_types=("executed",))
    client = connect(server.url, patience=hasty)
    check_good_end(list(client.run(make_text_to_image_graph(CHECKPOINT))))


def test_a_failing_node(serve: Serve, connect: Connect) -> None:
    client = connect(serve(fail_at_step=3).url)
    with pytest.raises(ExecutionFailed, match=r"^Paint \(node 3, KSampler\) failed: ") as caught:
        finish(client)
    assert caught.value.node_id == "3" and caught.value.exception_type == "RuntimeError"
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    "faults", [{}, {"lose_types": ("execution_error",)}, {"mute_socket_after": 3}]
)
def test_failures_are_told_by_socket_or_by_history(
    faults: dict[str, Any], serve: Serve, connect: Connect
) -> None:
    with pytest.raises(ExecutionFailed, match="failed: "):
        finish(connect(serve(fail_at_step=3, **faults).url, patience=QUICK_TIMINGS))


def test_out_of_memory(serve: Serve, connect: Connect) -> None:
    with pytest.raises(
        ExecutionFailed, match="The server ran out of memory: choose a smaller size"
    ):
        finish(connect(serve(oom_at_step=2).url))


def test_what_was_made_before_a_failure_is_kept(serve: Serve, connect: Connect) -> None:
    graph = make_empty_graph() | {
        "3": {
            "class_type": "LabRaise",
            "inputs": {"message": "boom /comfyui/x.py", "value": ["4", 0]},
        },
        "4": {"class_type": "PreviewAny", "inputs": {"source": ["2", 0]}},
        "5": {"class_type": "PreviewAny", "inputs": {"source": ["3", 0]}},
    }
    states = []
    with pytest.raises(ExecutionFailed, match=r"LabRaise \(node 3\) failed: boom x\.py\."):
        for state in connect(serve(lab_nodes=True).url).run(graph):
            states.append(state)
    assert "2" in {output.node_id for output in states[-1].outputs}


def test_an_interrupt_heard_from_the_history(serve: Serve, connect: Connect, gate: Gate) -> None:
    gate.hold(after=1)
    client = connect(serve(lose_types=("execution_interrupted",)).url, patience=QUICK_TIMINGS)
    with pytest.raises(JobInterrupted):
        for state in client.run(make_text_to_image_graph(CHECKPOINT, steps=200)):
            if state.step:
                client.interrupt()


def test_somebody_deletes_the_waiting_prompt(serve: Serve, connect: Connect, gate: Gate) -> None:
    gate.hold()
    client = connect(serve().url, patience=QUICK_TIMINGS)
    first = client.queue_prompt(make_text_to_image_graph(CHECKPOINT, steps=500))
    with pytest.raises(JobLost, match="lost this job"):
        for state in client.run(make_empty_graph()):
            client.delete_from_queue(state.prompt_id)
    client.cancel(first.prompt_id)


def test_the_server_dies_and_comes_back(serve: Serve, connect: Connect, gate: Gate) -> None:
    server = serve()
    client = connect(server.url, patience=QUICK_TIMINGS)
    is_dead = is_back = False
    gate.hold(after=1)
    with pytest.raises(JobLost, match="it was restarted"):
        for state in read_to_end(client.run(make_text_to_image_graph(CHECKPOINT, steps=500))):
            if state.step and not is_dead:
                server.kill()
                is_dead = True
            # That the connection is slow may be said before, but not for long.
            elif is_dead and not state.is_answered and not is_back:
                server.start()
                is_back = True
    assert is_back


def test_a_killed_server_ends_the_time_left_before_any_time_has_passed(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    server, clock = serve(), ManualClock()
    began = clock.monotonic()
    prompt = make_text_to_image_graph(CHECKPOINT, steps=500)
    weights = dict.fromkeys(prompt, 10.0)
    run = connect(server.url, clock=clock).run(prompt, weights=weights, heartbeat_seconds=0.0)
    gate.hold(after=1)
    before = next(state for state in read_to_end(run) if state.step)
    assert before.is_answered and before.seconds_left is not None
    server.kill()
    after = next(state for state in read_to_end(run) if not state.is_answered)
    assert after.status == "running" and after.seconds_left is None
    assert SLOW_CONNECTION not in after.warnings
    assert clock.monotonic() == began
    close_by_clock(run, clock, waiters=2)
    for pause in CANCEL_PAUSES:
        clock.await_waiters()
        clock.advance(pause)
    join_runs(clock)


def test_a_server_that_falls_silent_is_noticed_and_so_is_its_return(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    clock = ManualClock()
    prompt = make_text_to_image_graph(CHECKPOINT, steps=20)
    weights = dict.fromkeys(prompt, 10.0)
    gate.hold(after=1)
    with FaultyProxy(serve().url) as line:
        client = connect(line.url, clock=clock)
        run = client.run(prompt, weights=weights, heartbeat_seconds=0.0)
        assert next(state for state in read_to_end(run) if state.step).is_answered
        line.pause()
        for state in read_to_end(run):
            if not state.is_answered:
                break
            clock.advance(0.05)
        assert state.seconds_left is None
        line.resume()
        state = next(state for state in read_to_end(run) if state.is_answered)
        assert state.seconds_left is not None and state.warnings == ()
        gate.release()
        *_, last = read_to_end(run)
        assert last.status == "done"


def test_the_server_dies_for_good(serve: Serve, connect: Connect, gate: Gate) -> None:
    server = serve()
    patience = replace(QUICK_TIMINGS, reconnect=(0.01, 0.01))
    run = connect(server.url, patience=patience).run(
        make_text_to_image_graph(CHECKPOINT, steps=500)
    )
    gate.hold(after=1)
    next(state for state in run if state.step)
    server.kill()
    with pytest.raises(ServerUnreachable, match="stopped answering while the job ran"):
        list(run)


def test_closing_when_the_server_is_gone_is_quick_and_quiet(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    server, clock = serve(), ManualClock()
    run = connect(server.url, clock=clock).run(make_text_to_image_graph(CHECKPOINT, steps=500))
    gate.hold(after=1)
    next(state for state in run if state.step)
    server.kill()
    close_by_clock(run, clock, waiters=2)
    for pause in CANCEL_PAUSES:
        clock.await_waiters()
        clock.advance(pause)
    join_runs(clock)


@pytest.mark.parametrize("version", ["0.33.0", pytest.param("2024-01", marks=pytest.mark.deep)])
def test_closing_while_the_post_hangs_is_quick_and_cancels(
    version: str, serve: Serve, connect: Connect, gate: Gate
) -> None:
    url, clock = serve(version=version).url, ManualClock()
    has_come, may_go = threading.Event(), threading.Event()

    def answer(call: Call) -> Reply:
        if call.path == "/prompt" and call.method == "POST":
            has_come.set()
            assert may_go.wait(HANG_SECONDS)
            reply = forward(call, url)
            # The client cancels as soon as it has the answer. The prompt has to run by then.
            gate.await_held()
            return reply
        return forward(call, url)

    gate.hold()
    with Gateway(answer) as gateway:
        client = connect(gateway.url, clock=clock)
        run = client.run(make_text_to_image_graph(CHECKPOINT, steps=500), heartbeat_seconds=0.0)
        next(run)
        assert has_come.wait(HANG_SECONDS)
        close_by_clock(run, clock)
        may_go.set()
        wait_until(lambda: not client.queue_remaining())
        join_runs(clock)


@pytest.mark.parametrize("version", ["0.33.0", pytest.param("2024-01", marks=pytest.mark.deep)])
def test_what_is_closed_while_the_post_hangs_closes_its_socket_too(
    version: str, serve: Serve, connect: Connect, gate: Gate
) -> None:
    server = serve(version=version, slow_on={"/prompt": 0.2})
    gate.hold()
    client = connect(server.url)
    run = client.run(
        make_text_to_image_graph(CHECKPOINT, steps=500), heartbeat_seconds=0.0, client_id="ours"
    )
    next(run)
    wait_until(lambda: server.has_client("ours"))
    run.close()
    join_runs()
    wait_until(lambda: not client.queue_remaining() and not server.has_client("ours"))


def test_a_lost_answer_of_prompt_is_looked_up(serve: Serve, connect: Connect) -> None:
    last = finish(connect(serve(cut_on=("/prompt",)).url), make_empty_graph())
    assert last.status == "done" and last.outputs


def test_a_dropped_socket_is_opened_again_and_hears_on(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    """Each socket brings 30 messages, two for each step; the first one is lost before step 25."""
    server = serve(drop_socket_after=30)
    client = connect(server.url, patience=QUICK_TIMINGS)
    gate.hold(after=25)
    made, heard = 25, 0
    states: list[PromptProgress] = []
    for state in client.run(make_text_to_image_graph(CHECKPOINT, steps=40), client_id="ours"):
        states.append(state)
        heard = max(heard, state.step or 0)
        if heard > 30:
            gate.release()
        elif server.connections["ours"] > 1 and server.has_client("ours") and made < 40:
            gate.step()  # the client may lose one, where it opens yet another socket
            made += 1
    steps = [state.step for state in states if state.step]
    assert max(steps) > 30 and states[-1].status == "done"


class LookingClient(ComfyClient):
    """Counts the looks at the queue that are over."""

    looks = 0

    def queue(self) -> Queue:
        seen = super().queue()
        self.looks += 1
        return seen


def test_silence_is_no_failure(serve: Serve, gate: Gate) -> None:
    """After 2 seconds of silence the server is asked, 3 after that, then 4.5 after that.

    Each look has to be over before the node may end: one under way would tell the end sooner than
    the socket tells what ran.
    """
    clock = ManualClock(0.0)
    gate.hold()
    client = LookingClient(serve(lab_nodes=True).url, clock=clock)
    with client:
        for last in read_to_end(client.run(make_sleep_graph(9.0), heartbeat_seconds=0.0)):
            if last.node != "LabSleep":
                continue
            is_looking = (clock.time() > 3.0 and client.looks < 1) or (
                clock.time() > 6.5 and client.looks < 2
            )
            if clock.time() >= 9.0:
                gate.release()
            elif not is_looking:
                clock.advance(0.1)
    assert (last.outputs[0].text, last.warnings) == ("slept", ())
    assert last.node_seconds["1"] >= 8.9
    assert client.looks == 2


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ({"token": "sesame"}, AccessDenied),
        ({"html_on": ("/prompt",)}, AccessDenied),
        ({"fail_on": {"/prompt": 403}}, AccessDenied),
        ({"fail_on": {"/prompt": 500}}, UnexpectedResponse),
        ({"fail_on": {"/prompt": 404}}, NotFound),
        ({"fail_on": {"/prompt": 502}}, ServerUnreachable),
        ({"missing_classes": ("SaveImage",)}, PromptRejected),
        ({"max_upload_size": 100}, UnexpectedResponse),
    ],
    ids=str,
)
def test_posting_fails(
    faults: dict[str, Any], expected: type[Exception], serve: Serve, connect: Connect
) -> None:
    with pytest.raises(expected):
        finish(connect(serve(**faults).url), make_empty_graph())


def test_results_that_are_gone(serve: Serve, connect: Connect) -> None:
    last = finish(connect(serve(lose_outputs=True).url), make_empty_graph())
    with pytest.raises(NotFound):
        last.outputs[0].read()


def test_previews_of_an_anonymous_prompt_are_not_ours(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    client = connect(serve(preview_method="latent2rgb").url)
    gate.hold()
    client.queue_prompt(make_text_to_image_graph(CHECKPOINT, steps=20))
    states: list[PromptProgress] = []
    for state in client.run(make_empty_graph()):
        states.append(state)
        if state.status == "queued":
            gate.release()
    assert states[-1].preview_count == 0 and max(state.steps or 0 for state in states) == 0


def test_the_queue_position_falls(serve: Serve, connect: Connect, gate: Gate) -> None:
    """Each of the two before it is stopped once its place is known."""
    gate.hold()
    client = connect(serve(lab_nodes=True).url, patience=QUICK_TIMINGS)
    for _ in range(2):
        client.queue_prompt(make_sleep_graph(30))
    places: list[int] = []
    for state in read_to_end(client.run(make_empty_graph())):
        place = state.queue_position
        if place and place not in places:
            places.append(place)
            client.cancel(await_running(client).pop())
    assert places == [2, 1]
