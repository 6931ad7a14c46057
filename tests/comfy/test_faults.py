"""Runs against a demo server that misbehaves."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.state import JobState
from comfygradio.comfy.watch import Patience
from comfygradio.errors import (
    AccessDenied,
    ExecutionFailed,
    JobInterrupted,
    JobLost,
    NotFound,
    PromptRejected,
    ServerUnreachable,
    UnexpectedAnswer,
)

from .conftest import Connect, Serve
from .graphs import Graph, draw_empty, draw_text, sleep_for

QUICK = Patience(0.2, 0.3, 0.02, 0.05, (0.05, 0.1, 0.2))
VERSIONS = ["0.33.0", "0.3.64", "0.3.40", "2024-01"]
CHECKPOINT = "photo-xl.safetensors"


def finish(client: ComfyClient, graph: Graph | None = None) -> JobState:
    *_, last = client.run(graph or draw_text(CHECKPOINT))
    return last


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version(version: str, serve: Serve, connect: Connect) -> None:
    client = connect(serve(version=version, preview_method="latent2rgb").url)
    graph = draw_text(CHECKPOINT)
    last = finish(client, graph)
    assert last.outputs[0].read().startswith(b"\x89PNG")
    assert last.preview_count == 8 and last.warnings == ()
    assert finish(client, graph).outputs == last.outputs


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("waiting", [False, True])
def test_cancelling_on_every_version(
    version: str, waiting: bool, serve: Serve, connect: Connect
) -> None:
    client = connect(serve(version=version, step_seconds=0.02).url)
    other = client.queue_prompt(draw_text(CHECKPOINT, steps=100)) if waiting else None
    run = client.run(draw_text(CHECKPOINT, steps=500))
    state = next(state for state in run if (state.queue_position if waiting else state.step))
    begun = time.monotonic()
    run.close()
    assert time.monotonic() - begun < 3
    while client.queue().position(state.prompt_id) is not None:
        assert time.monotonic() - begun < 15
    if other:
        while (entry := client.history(other.prompt_id)) is None:
            assert time.monotonic() - begun < 15
        assert entry.status in ("success", "") and entry.outputs


@pytest.mark.parametrize("version", VERSIONS)
def test_an_interrupt_before_the_start_is_repeated(
    version: str, serve: Serve, connect: Connect
) -> None:
    client = connect(serve(version=version, start_gap=0.05, step_seconds=0.05).url)
    queued = client.queue_prompt(draw_text(CHECKPOINT, steps=500))
    assert queued.prompt_id in await_running(client)
    assert client.cancel(queued.prompt_id)
    begun = time.monotonic()
    while client.queue_remaining():
        assert time.monotonic() - begun < 15


def await_running(client: ComfyClient) -> list[str]:
    while not (running := client.queue().running):
        pass
    return [item.prompt_id for item in running]


def test_cancel_of_what_is_over_or_unknown(serve: Serve, connect: Connect) -> None:
    for version in VERSIONS:
        client = connect(serve(version=version).url)
        assert client.cancel("6f2d2c3e-7a43-4c0c-a3c1-0d1d5a9b7e11") is False
        assert client.cancel(finish(client, draw_empty()).prompt_id) is False


def test_an_old_server_is_not_interrupted_for_a_waiting_prompt(
    serve: Serve, connect: Connect
) -> None:
    client = connect(serve(version="2024-01").url)
    first, second = (client.queue_prompt(draw_text(CHECKPOINT, steps=40)) for _ in range(2))
    assert client.cancel(second.prompt_id)
    while client.queue_remaining():
        pass
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
        {"no_history_delay": 0.3},
        {"no_history_delay": 0.3, "lose_types": ("executed",)},
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
    client = connect(serve(**faults).url, patience=QUICK)
    states = list(client.run(draw_text(CHECKPOINT)))
    fractions = [state.progress for state in states]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert states[-1].status == "done"
    assert states[-1].outputs[0].read().startswith(b"\x89PNG")


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
        finish(connect(serve(fail_at_step=3, **faults).url, patience=QUICK))


def test_out_of_memory(serve: Serve, connect: Connect) -> None:
    with pytest.raises(
        ExecutionFailed, match="The server ran out of memory: choose a smaller size"
    ):
        finish(connect(serve(oom_at_step=2).url))


def test_what_was_made_before_a_failure_is_kept(serve: Serve, connect: Connect) -> None:
    graph = draw_empty() | {
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


def test_an_interrupt_heard_from_the_history(serve: Serve, connect: Connect) -> None:
    client = connect(serve(lose_types=("execution_interrupted",)).url, patience=QUICK)
    with pytest.raises(JobInterrupted):
        for state in client.run(draw_text(CHECKPOINT, steps=200)):
            if state.step:
                client.interrupt()


def test_somebody_deletes_the_waiting_prompt(serve: Serve, connect: Connect) -> None:
    client = connect(serve().url, patience=QUICK)
    first = client.queue_prompt(draw_text(CHECKPOINT, steps=500))
    with pytest.raises(JobLost, match="lost this job"):
        for state in client.run(draw_empty()):
            client.delete_from_queue(state.prompt_id)
    client.cancel(first.prompt_id)


def test_the_server_dies_and_comes_back(serve: Serve, connect: Connect) -> None:
    server = serve()
    client = connect(server.url, patience=Patience(0.2, 0.3, 0.02, 0.05, (0.1, 0.2, 0.4, 0.8, 1.6)))
    states: list[JobState] = []
    with pytest.raises(JobLost, match="it was restarted"):
        for state in client.run(draw_text(CHECKPOINT, steps=500)):
            if state.step and not states:
                server.kill()
                threading.Timer(0.2, server.start).start()
            states += [state] if state.step else []
    assert any("was lost" in warning for state in states for warning in state.warnings)


def test_the_server_dies_for_good(serve: Serve, connect: Connect) -> None:
    server = serve()
    run = connect(server.url, patience=QUICK).run(draw_text(CHECKPOINT, steps=500))
    next(state for state in run if state.step)
    server.kill()
    begun = time.monotonic()
    with pytest.raises(ServerUnreachable, match="stopped answering while the job ran"):
        list(run)
    assert time.monotonic() - begun < 10


def test_closing_when_the_server_is_gone_is_quick_and_quiet(serve: Serve, connect: Connect) -> None:
    server = serve()
    run = connect(server.url).run(draw_text(CHECKPOINT, steps=500))
    next(state for state in run if state.step)
    server.kill()
    begun = time.monotonic()
    run.close()
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("version", ["0.33.0", "2024-01"])
def test_closing_while_the_post_hangs_is_quick_and_cancels(
    version: str, serve: Serve, connect: Connect
) -> None:
    client = connect(serve(version=version, slow_on={"/prompt": 2.0}, step_seconds=0.05).url)
    run = client.run(draw_text(CHECKPOINT, steps=500), heartbeat_seconds=0.01)
    next(run)
    begun = time.monotonic()
    run.close()
    assert time.monotonic() - begun < 1.5
    for thread in threading.enumerate():
        if thread.name == "comfy-run":
            thread.join(20)
    while client.queue_remaining():
        assert time.monotonic() - begun < 20


def test_a_lost_answer_of_prompt_is_looked_up(serve: Serve, connect: Connect) -> None:
    last = finish(connect(serve(cut_on=("/prompt",)).url), draw_empty())
    assert last.status == "done" and last.outputs


def test_a_dropped_socket_is_opened_again_and_hears_on(serve: Serve, connect: Connect) -> None:
    client = connect(serve(drop_socket_after=30, step_seconds=0.05).url, patience=QUICK)
    states = list(client.run(draw_text(CHECKPOINT, steps=40)))
    steps = [state.step for state in states if state.step]
    assert max(steps) > 30 and states[-1].status == "done"


def test_silence_is_no_failure(serve: Serve, connect: Connect) -> None:
    client = connect(serve(lab_nodes=True).url, patience=QUICK)
    last = finish(client, sleep_for(1.0))
    assert (last.outputs[0].text, last.warnings) == ("slept", ())
    assert last.node_seconds["1"] >= 0.9


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ({"token": "sesame"}, AccessDenied),
        ({"html_on": ("/prompt",)}, AccessDenied),
        ({"fail_on": {"/prompt": 403}}, AccessDenied),
        ({"fail_on": {"/prompt": 500}}, UnexpectedAnswer),
        ({"fail_on": {"/prompt": 404}}, NotFound),
        ({"fail_on": {"/prompt": 502}}, ServerUnreachable),
        ({"missing_classes": ("SaveImage",)}, PromptRejected),
        ({"max_upload_size": 100}, UnexpectedAnswer),
    ],
    ids=str,
)
def test_posting_fails(
    faults: dict[str, Any], expected: type[Exception], serve: Serve, connect: Connect
) -> None:
    with pytest.raises(expected):
        finish(connect(serve(**faults).url), draw_empty())


def test_results_that_are_gone(serve: Serve, connect: Connect) -> None:
    last = finish(connect(serve(lose_outputs=True).url), draw_empty())
    with pytest.raises(NotFound):
        last.outputs[0].read()


def test_previews_of_an_anonymous_prompt_are_not_ours(serve: Serve, connect: Connect) -> None:
    client = connect(serve(preview_method="latent2rgb").url)
    client.queue_prompt(draw_text(CHECKPOINT, steps=20))
    states = list(client.run(draw_empty()))
    assert states[-1].preview_count == 0 and max(state.steps or 0 for state in states) == 0


def test_the_queue_position_falls(serve: Serve, connect: Connect) -> None:
    """Each of the two before it is stopped once its place is known."""
    client = connect(serve(lab_nodes=True).url, patience=QUICK)
    for _ in range(2):
        client.queue_prompt(sleep_for(30))
    places: list[int] = []
    for state in client.run(draw_empty()):
        place = state.queue_position
        if place and place not in places:
            places.append(place)
            client.cancel(await_running(client).pop())
    assert places == [2, 1]
