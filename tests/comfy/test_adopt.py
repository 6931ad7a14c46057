"""Taking over prompts that a server has already, on a demo server or on the real one that
COMFYUI_URL names.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.submit import open_socket
from comfygradio.comfy.websocket_client import Socket
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import ExecutionFailed, JobError, JobInterrupted
from tests.clocks import ManualClock

from .conftest import Connect, Serve, read_to_end, wait_until
from .gate import Gate
from .graphs import Graph, make_empty_graph, make_text_to_image_graph

needs_real_time = pytest.mark.skipif(
    "COMFYUI_URL" not in os.environ,
    reason="only a real ComfyUI takes time; for the demo server it is moved by hand below",
)


@dataclass(frozen=True)
class Left:
    """A prompt whose app has died right after posting it."""

    client: ComfyClient
    graph: Graph
    prompt_id: str
    client_id: str | None

    def follow(self, **options: Any) -> Generator[PromptProgress, None, None]:
        ids: dict[str, Any] = {"client_id": self.client_id, "prompt_id": self.prompt_id}
        return self.client.run(self.graph, may_exist=True, **ids, **options)

    def adopt(self, **options: Any) -> list[PromptProgress]:
        return list(self.follow(**options))


def leave(client: ComfyClient, graph: Graph) -> Left:
    left = Left(client, graph, str(uuid.uuid4()), uuid.uuid4().hex)
    extra = {"preview_method": "auto"}
    client.queue_prompt(graph, extra_data=extra, client_id=left.client_id, prompt_id=left.prompt_id)
    return left


def leave_running(client: ComfyClient, graph: Graph) -> Left:
    left = leave(client, graph)
    wait_until(lambda: client.sight(left.prompt_id).running)
    return left


def leave_ended(client: ComfyClient, graph: Graph) -> Left:
    left = leave(client, graph)
    wait_until(lambda: client.sight(left.prompt_id).entry is not None)
    return left


def adopt_held(left: Left, gate: Gate) -> list[PromptProgress]:
    """All states of a prompt that goes on as soon as it is adopted."""
    states: list[PromptProgress] = []
    for state in left.follow():
        states.append(state)
        if state.status == "running":
            gate.release()
    return states


def follow_to_steps(left: Left, gate: Gate) -> Generator[PromptProgress, None, None]:
    """Like `follow` for a prompt that is held; a few steps are heard once it is adopted."""
    moved = False
    for state in left.follow():
        if state.status == "running" and not moved:
            gate.hold(after=5)
            moved = True
        yield state


def adopt_hearing_steps(left: Left, gate: Gate) -> list[PromptProgress]:
    """The same, and it ends only when a step was heard."""
    states: list[PromptProgress] = []
    for state in follow_to_steps(left, gate):
        states.append(state)
        if state.step:
            gate.release()
    return states


def hold_socket(left: Left) -> Socket:
    """An older socket of the same client_id, which somebody reads."""
    assert left.client_id
    socket = open_socket(left.client, left.client_id)
    assert socket
    threading.Thread(
        target=socket.listen, args=(lambda *_: None, lambda _: None), daemon=True
    ).start()
    return socket


def test_a_running_prompt_is_heard_again(comfy: ComfyClient, checkpoint: str, gate: Gate) -> None:
    gate.hold()
    left = leave_running(comfy, make_text_to_image_graph(checkpoint, steps=40))
    states = adopt_hearing_steps(left, gate)
    last = states[-1]
    assert last.status == "done" and last.progress == 1.0 and last.prompt_id == left.prompt_id
    assert {state.step for state in states} - {None} and {"Paint"} <= {
        state.node for state in states
    }
    fractions = [state.progress for state in states]
    assert fractions == sorted(fractions) and max(fractions[:-1]) < 1
    assert last.outputs[0].read().startswith(b"\x89PNG") and last.warnings == ()
    version = comfy.server_version()
    if version and version >= (0, 5, 0):
        assert 0 < last.preview_count <= 40 and last.preview and last.preview.node_id == "3"


def test_it_is_heard_although_the_client_id_was_forgotten(
    comfy: ComfyClient, checkpoint: str, gate: Gate
) -> None:
    gate.hold()
    left = leave_running(comfy, make_text_to_image_graph(checkpoint, steps=40))
    states = adopt_hearing_steps(replace(left, client_id=None), gate)
    assert any(state.step for state in states) and states[-1].status == "done"


def test_a_pending_prompt_keeps_its_place(comfy: ComfyClient, checkpoint: str, gate: Gate) -> None:
    gate.hold()
    leave_running(comfy, make_text_to_image_graph(checkpoint, steps=40))
    states: list[PromptProgress] = []
    for state in leave(comfy, make_empty_graph()).follow():
        states.append(state)
        if state.status == "queued":
            gate.release()
    queued = [state for state in states if state.status == "queued"]
    assert (
        queued
        and {state.queue_position for state in queued} <= {0, 1}
        and queued[0].queue_position == 1
    )
    assert states[-1].status == "done" and states[-1].outputs and states[-1].warnings == ()


def test_what_ended_well_is_there_at_once(comfy: ComfyClient) -> None:
    left = leave_ended(comfy, make_empty_graph())
    states = left.adopt(heartbeat_seconds=60.0)
    assert len(states) == 1
    assert states[0].status == "done" and states[0].progress == 1.0
    entry = comfy.history(left.prompt_id)
    assert (
        entry
        and states[0].outputs == entry.outputs
        and states[0].outputs[0].read().startswith(b"\x89PNG")
    )


def test_only_the_wanted_outputs_are_taken_from_the_history(comfy: ComfyClient) -> None:
    graph = make_empty_graph()
    graph["5"] = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
    left = leave_ended(comfy, graph)
    *_, last = comfy.run(Prompt(graph, outputs=("5",)), prompt_id=left.prompt_id, may_exist=True)
    assert [output.node_id for output in last.outputs] == ["5"]


def fail_live(client: ComfyClient, graph: Graph) -> JobError:
    with pytest.raises(JobError) as caught:
        list(client.run(graph))
    return caught.value


def test_what_failed_fails_as_it_did_live(comfy: ComfyClient) -> None:
    graph = make_empty_graph()
    graph["2"]["inputs"]["images"] = "no picture"
    live = fail_live(comfy, graph)
    with pytest.raises(ExecutionFailed) as caught:
        leave_ended(comfy, graph).adopt()
    assert isinstance(live, ExecutionFailed)
    assert (str(caught.value), caught.value.node_id) == (str(live), live.node_id)
    assert caught.value.exception_type == live.exception_type


def test_what_was_interrupted_stays_so(comfy: ComfyClient, checkpoint: str, gate: Gate) -> None:
    gate.hold()
    left = leave_running(comfy, make_text_to_image_graph(checkpoint, steps=400))
    assert comfy.cancel(left.prompt_id)
    wait_until(lambda: comfy.sight(left.prompt_id).entry is not None)
    with pytest.raises(JobInterrupted, match=r"^The job was stopped") as caught:
        left.adopt()
    assert caught.value.prompt_id == left.prompt_id


def test_an_interrupt_after_the_adoption(comfy: ComfyClient, checkpoint: str, gate: Gate) -> None:
    gate.hold()
    left = leave_running(comfy, make_text_to_image_graph(checkpoint, steps=400))
    stopped = False
    with pytest.raises(
        JobInterrupted, match=r"^The job was stopped at Paint \(node 3, KSampler\)\.$"
    ):
        for state in follow_to_steps(left, gate):
            if state.step and not stopped:
                stopped = comfy.cancel(state.prompt_id)


def test_an_older_socket_that_closes_later_ends_nothing(
    asking: ComfyClient, checkpoint: str, gate: Gate
) -> None:
    gate.hold()
    left = leave(asking, make_text_to_image_graph(checkpoint, steps=40))
    old, closed = hold_socket(left), False
    for state in follow_to_steps(left, gate):
        if state.step and not closed:
            old.close()
            closed = True
            gate.release()
    assert closed and state.status == "done" and state.outputs[0].read().startswith(b"\x89PNG")


def test_an_unknown_prompt_is_posted(comfy: ComfyClient) -> None:
    prompt_id = str(uuid.uuid4())
    assert comfy.sight(prompt_id).absent
    *_, last = comfy.run(make_empty_graph(), prompt_id=prompt_id, may_exist=True)
    assert (last.prompt_id, last.status) == (prompt_id, "done") and last.outputs
    (again,) = comfy.run(make_empty_graph(), prompt_id=prompt_id, may_exist=True)
    assert again.outputs == last.outputs


@pytest.mark.parametrize("waiting", [False, True])
def test_closing_cancels_what_was_adopted(
    waiting: bool, comfy: ComfyClient, asking: ComfyClient, checkpoint: str, gate: Gate
) -> None:
    gate.hold()
    other = (
        leave_running(comfy, make_text_to_image_graph(checkpoint, steps=40)) if waiting else None
    )
    left = leave(asking, make_text_to_image_graph(checkpoint, steps=400))
    run = left.follow() if waiting else follow_to_steps(left, gate)
    next(state for state in run if (state.queue_position if waiting else state.step))
    run.close()
    wait_until(lambda: comfy.queue().position(left.prompt_id) is None)
    gate.release()
    if other:
        assert other.adopt()[-1].status == "done"


def test_closing_while_it_still_looks_cancels_too(
    comfy: ComfyClient, checkpoint: str, gate: Gate
) -> None:
    gate.hold()
    left = leave_running(comfy, make_text_to_image_graph(checkpoint, steps=400))
    run = comfy.run(left.graph, prompt_id=left.prompt_id, may_exist=True, heartbeat_seconds=0.0)
    next(run)
    run.close()
    wait_until(lambda: comfy.queue().position(left.prompt_id) is None)


def test_sightings(comfy: ComfyClient, checkpoint: str, gate: Gate) -> None:
    gate.hold()
    running = leave_running(comfy, make_text_to_image_graph(checkpoint, steps=40))
    waiting = leave(comfy, make_empty_graph())
    seen = comfy.sight(waiting.prompt_id)
    assert (seen.position, seen.running, seen.client_id, seen.prompt_id) == (
        1,
        False,
        waiting.client_id,
        waiting.prompt_id,
    )
    seen = comfy.sight(running.prompt_id)
    assert (seen.position, seen.running, seen.client_id) == (0, True, running.client_id)
    gate.release()
    wait_until(lambda: comfy.sight(waiting.prompt_id).entry is not None)
    nowhere = comfy.sight(str(uuid.uuid4()))
    assert (
        nowhere.absent and not nowhere.found and nowhere.error is None and nowhere.prompt_id == ""
    )


@needs_real_time
def test_earlier_times_give_the_seconds_left(comfy: ComfyClient, checkpoint: str) -> None:
    *_, first = comfy.run(make_text_to_image_graph(checkpoint, steps=40))
    states = list(
        comfy.run(make_text_to_image_graph(checkpoint, steps=40), weights=first.node_seconds)
    )
    assert {state.seconds_left for state in states if state.status != "running"} == {None}
    lefts = [
        state.seconds_left
        for state in states
        if state.status == "running" and state.seconds_left is not None
    ]
    assert (
        lefts and min(lefts) >= 0 and lefts[-1] < max(lefts) <= 3 * sum(first.node_seconds.values())
    )
    fractions = [state.progress for state in states]
    assert fractions == sorted(fractions) and max(fractions[:-1]) < 1 == fractions[-1]


@needs_real_time
def test_an_adopted_run_knows_its_seconds_left_too(comfy: ComfyClient, checkpoint: str) -> None:
    *_, first = comfy.run(make_text_to_image_graph(checkpoint, steps=40))
    left = leave_running(comfy, make_text_to_image_graph(checkpoint, steps=40))
    states = left.adopt(weights=first.node_seconds)
    assert all(state.seconds_left is None or state.seconds_left >= 0 for state in states)
    assert (
        any(state.seconds_left is not None for state in states) and states[-1].seconds_left is None
    )
    assert states[-1].node_seconds.get("3", 0.0) <= 1.5 * first.node_seconds["3"] + 1


def take_a_second_each(
    run: Generator[PromptProgress, None, None], gate: Gate, clock: ManualClock, steps: int
) -> list[PromptProgress]:
    """All states of a prompt that is held, of which each step takes a second by its clock."""
    states: list[PromptProgress] = []
    made = 0
    for state in read_to_end(run):
        states.append(state)
        if state.node == "Paint" and (state.step or 0) == made < steps:
            clock.advance(1.0)
            gate.step()
            made += 1
    return states


def test_earlier_times_give_the_seconds_left_by_the_clock(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    clock = ManualClock()
    client = connect(serve().url, clock=clock)

    def run(**options: Any) -> list[PromptProgress]:
        gate.hold()
        graph = make_text_to_image_graph("photo-xl.safetensors", steps=40)
        running = client.run(graph, heartbeat_seconds=0.0, **options)
        return take_a_second_each(running, gate, clock, 40)

    first = run()[-1]
    assert first.node_seconds["3"] == pytest.approx(40.0)
    states = run(weights=first.node_seconds)
    assert {state.seconds_left for state in states if state.status != "running"} == {None}
    lefts = [
        state.seconds_left
        for state in states
        if state.status == "running" and state.seconds_left is not None
    ]
    assert lefts and min(lefts) >= 0 and lefts[-1] < max(lefts) <= 40.01
    assert next(state.seconds_left for state in states if state.step == 20) == pytest.approx(
        20.0, abs=0.01
    )
    fractions = [state.progress for state in states]
    assert fractions == sorted(fractions) and max(fractions[:-1]) < 1 == fractions[-1]


def test_an_adopted_run_knows_its_seconds_left_by_the_clock(
    serve: Serve, connect: Connect, gate: Gate
) -> None:
    clock = ManualClock()
    client = connect(serve().url, clock=clock)
    gate.hold()
    left = leave_running(client, make_text_to_image_graph("photo-xl.safetensors", steps=40))
    gate.await_held()
    running = left.follow(weights={"3": 40.0}, heartbeat_seconds=0.0)
    states = take_a_second_each(running, gate, clock, 40)
    assert all(state.seconds_left is None or state.seconds_left >= 0 for state in states)
    assert (
        any(state.seconds_left is not None for state in states) and states[-1].seconds_left is None
    )
    assert states[-1].node_seconds.get("3", 0.0) <= 40.0
