"""Running prompts, on a demo server or on the real one that COMFYUI_URL names."""

from __future__ import annotations

import io
import itertools
import math
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.clock import Clock
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.workflow import Prompt, Upload
from comfygradio.errors import JobInterrupted, PromptRejected
from tests.clocks import HANG_SECONDS, ManualClock
from tests.faults.faulty_proxy import FaultyProxy
from tests.faults.websocket_frame import parse_message

from .conftest import LISTENING, QUICK_TIMINGS, Connect, Serve, join_runs, wait_until
from .gate import Gate
from .graphs import Graph, make_empty_graph, make_text_to_image_graph


def run_all(client: ComfyClient, prompt: Prompt | Graph) -> list[PromptProgress]:
    return list(client.run(prompt))


def test_text_to_image(comfy: ComfyClient, checkpoint: str, tmp_path: Path, gate: Gate) -> None:
    gate.hold(after=1)
    states: list[PromptProgress] = []
    for state in comfy.run(make_text_to_image_graph(checkpoint)):
        states.append(state)
        if state.step:
            gate.release()
    last = states[-1]
    assert last.status == "done" and last.progress == 1.0 and last.node is None
    fractions = [state.progress for state in states]
    assert fractions == sorted(fractions) and max(fractions[:-1]) < 1
    assert "Paint" in {state.node for state in states}
    steps = [state.step for state in states if state.step]
    assert steps == sorted(steps) and steps[-1] <= 8 == max(state.steps or 0 for state in states)
    assert {"3", "8", "9"} <= last.node_seconds.keys() and last.node_seconds["3"] > 0
    (output,) = last.outputs
    assert (output.node_id, output.kind, output.type) == ("9", "image", "output")
    saved = output.save(tmp_path / "new" / "picture.png")
    assert saved.read_bytes() == output.read() and Image.open(saved).size == (64, 64)
    assert last.warnings == ()


def test_carried_nodes_are_no_part_of_the_progress(comfy: ComfyClient, checkpoint: str) -> None:
    graph = make_text_to_image_graph(checkpoint)
    carried = {"comfygradio-carried-4": graph["4"], "comfygradio-carried-5": graph["5"]}
    states = run_all(comfy, {**graph, **carried})
    last = states[-1]
    assert last.status == "done" and last.progress == 1.0 and last.warnings == ()
    assert [output.node_id for output in last.outputs] == [
        "9"
    ] and not carried.keys() & last.node_seconds.keys()


def test_previews_where_the_server_can_switch_them_on(comfy: ComfyClient, checkpoint: str) -> None:
    version = comfy.server_version()
    if version is None or version < (0, 5, 0):
        pytest.skip("extra_data.preview_method came with v0.5.0")
    states = run_all(comfy, make_text_to_image_graph(checkpoint))
    assert states[-1].preview_count == 8
    preview = next(state.preview for state in states if state.preview)
    assert preview.mime == "image/jpeg" and preview.node_id == "3"
    Image.open(io.BytesIO(preview.data)).load()
    *_, last = comfy.run(make_text_to_image_graph(checkpoint), preview_method="none")
    assert last.preview_count == 0


def test_everything_cached(comfy: ComfyClient) -> None:
    graph = make_empty_graph()
    first, again = run_all(comfy, graph)[-1], run_all(comfy, graph)[-1]
    assert first.outputs == again.outputs and again.status == "done"


def test_pictures_by_socket(comfy: ComfyClient) -> None:
    last = run_all(comfy, make_empty_graph("SaveImageWebsocket"))[-1]
    (output,) = last.outputs
    assert output.read().startswith(b"\x89PNG") and output.filename == "2_00001.png"
    assert last.preview_count == 0


def count_histories(line: FaultyProxy) -> int:
    """How often somebody asked for a history."""
    return sum(call.startswith("GET /history") for call in line.calls)


def test_pictures_by_socket_that_come_after_the_history(serve: Serve, connect: Connect) -> None:
    """The history tells the end while the last messages are still on their way."""
    server = serve()
    direct = connect(server.url)
    is_held = [True]
    with FaultyProxy(server.url) as line:

        def delay(frame: bytes) -> list[bytes]:
            if is_held and parse_message(frame)[0] == "executing":
                wait_until(lambda: bool(direct.history()))
                asked = count_histories(line) + 2
                wait_until(lambda: count_histories(line) >= asked)
                is_held.clear()
            return [frame]

        line.alter = delay
        patience = replace(QUICK_TIMINGS, socket_images=HANG_SECONDS)
        last = run_all(
            connect(line.url, patience=patience), make_empty_graph("SaveImageWebsocket")
        )[-1]
    (output,) = last.outputs
    assert output.read().startswith(b"\x89PNG") and last.warnings == ()


def test_pictures_by_socket_that_never_come_are_told_of(serve: Serve, connect: Connect) -> None:
    server = serve()
    with FaultyProxy(server.url) as line:
        line.alter = lambda frame: [frame] if parse_message(frame)[0] == "status" else []
        patience = replace(QUICK_TIMINGS, socket_images=0.05)
        last = run_all(
            connect(line.url, patience=patience), make_empty_graph("SaveImageWebsocket")
        )[-1]
    assert last.status == "done" and last.outputs == ()
    (warning,) = last.warnings
    assert warning.endswith("sends its pictures only live; they were missed.")


def test_a_big_picture_by_socket(comfy: ComfyClient) -> None:
    graph = make_empty_graph("SaveImageWebsocket")
    graph["1"]["inputs"] |= {"width": 1024, "height": 1024, "batch_size": 3}
    assert [
        Image.open(io.BytesIO(output.read())).size for output in run_all(comfy, graph)[-1].outputs
    ] == [(1024, 1024)] * 3


def test_uploads_and_what_pictures_remember(comfy: ComfyClient, tmp_path: Path) -> None:
    picture = tmp_path / "client upload.png"
    Image.new("RGB", (48, 48), (time.time_ns() % 256, 7, 9)).save(picture)
    graph: Graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "not yet.png"}},
        "2": {
            "class_type": "SaveImage",
            "inputs": {"images": ["1", 0], "filename_prefix": "client"},
        },
    }
    prompt = Prompt(
        graph,
        (Upload(picture, "client upload.png", (("1", "image"),)),),
        {"comfygradio": {"seed": 7}},
        ("2",),
    )
    states = run_all(comfy, prompt)
    saved = Image.open(io.BytesIO(states[-1].outputs[0].read()))
    assert saved.size == (48, 48) and saved.info["comfygradio"] == '{"seed": 7}'
    assert graph["1"]["inputs"]["image"] == "not yet.png"


def test_only_the_outputs_that_are_asked_for(comfy: ComfyClient) -> None:
    graph = make_empty_graph()
    graph["5"] = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
    assert [
        output.node_id for output in run_all(comfy, Prompt(graph, outputs=("5",)))[-1].outputs
    ] == ["5"]
    assert {output.node_id for output in run_all(comfy, Prompt(graph))[-1].outputs} == {"2", "5"}


def test_a_partial_refusal_is_a_warning(comfy: ComfyClient) -> None:
    graph = make_empty_graph()
    graph["5"] = {"class_type": "PreviewImage", "inputs": {}}
    last = run_all(comfy, graph)[-1]
    assert [output.node_id for output in last.outputs] == ["2"]
    assert last.warnings == (
        "Not everything runs. PreviewImage (node 5): the input images is missing.",
    )


def test_refusals(comfy: ComfyClient) -> None:
    with pytest.raises(PromptRejected, match="It has no output node"):
        run_all(comfy, {"1": make_empty_graph()["1"]})
    with pytest.raises(PromptRejected, match="NoSuchNode"):
        run_all(comfy, make_empty_graph("NoSuchNode"))


def test_closing_cancels_the_running_prompt(
    comfy: ComfyClient, checkpoint: str, gate: Gate
) -> None:
    gate.hold(after=1)
    run = comfy.run(make_text_to_image_graph(checkpoint, steps=400))
    state = next(state for state in run if state.step)
    run.close()
    assert wait_for_end(comfy, state.prompt_id) == "error"


def test_closing_cancels_only_the_own_pending_prompt(
    comfy: ComfyClient, checkpoint: str, gate: Gate
) -> None:
    gate.hold(after=1)
    running, waiting = (
        comfy.run(make_text_to_image_graph(checkpoint, steps=60)),
        comfy.run(make_empty_graph()),
    )
    next(state for state in running if state.step)
    state = next(state for state in waiting if state.queue_position is not None)
    assert (state.status, state.queue_position) == ("queued", 1)
    waiting.close()
    assert (
        comfy.history(state.prompt_id) is None and comfy.queue().position(state.prompt_id) is None
    )
    gate.release()
    *_, last = running
    assert last.status == "done"


def test_closing_before_the_first_look_posts_or_cancels(
    comfy: ComfyClient, checkpoint: str, gate: Gate
) -> None:
    gate.hold()
    prompt_id = "0b8ad2cd-0d8b-4a5d-9f5d-2f1d3a4b5c6d"
    run = comfy.run(
        make_text_to_image_graph(checkpoint, steps=400), prompt_id=prompt_id, heartbeat_seconds=0.0
    )
    next(run)
    run.close()
    wait_for_end(comfy, prompt_id)
    assert comfy.queue().position(prompt_id) is None


def test_somebody_else_stops_it(comfy: ComfyClient, checkpoint: str, gate: Gate) -> None:
    gate.hold(after=1)
    stopped = False
    with pytest.raises(
        JobInterrupted, match=r"^The job was stopped at Paint \(node 3, KSampler\)\.$"
    ) as caught:
        for state in comfy.run(make_text_to_image_graph(checkpoint, steps=400)):
            if state.step and not stopped:
                stopped = comfy.cancel(state.prompt_id)
    wait_for_end(comfy, caught.value.prompt_id)
    assert not comfy.cancel(caught.value.prompt_id)


def test_many_threads_share_a_client(comfy: ComfyClient) -> None:
    graphs = [make_empty_graph() for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        names = [
            states[-1].outputs[0].filename
            for states in pool.map(lambda graph: run_all(comfy, graph), graphs)
        ]
    assert len(set(names)) == 12


def test_heartbeats_while_it_waits(serve: Serve, connect: Connect, gate: Gate) -> None:
    """No state comes later than it should by the clock of the run."""
    clock = ManualClock()
    client = connect(serve().url, clock=clock)
    gate.hold()
    client.queue_prompt(make_text_to_image_graph("photo-xl.safetensors", steps=200))
    times: list[float] = []
    over = threading.Event()

    def listen() -> None:
        run = client.run(make_empty_graph(), heartbeat_seconds=0.05)
        while not over.is_set():
            next(run)
            times.append(clock.monotonic())
        run.close()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    while len(times) < 40:
        clock.await_waiters()
        clock.advance(0.05)
    assert max(b - a for a, b in itertools.pairwise(times)) <= 0.051
    assert times[-1] > times[0]
    over.set()
    clock.advance(math.inf)
    listener.join(HANG_SECONDS)
    join_runs(clock)


class ReaderClock(Clock):
    """Counts what the thread that reads a socket has heard: each message is stamped once."""

    def __init__(self) -> None:
        self.heard = 0

    def monotonic(self) -> float:
        if threading.current_thread() is not threading.main_thread():
            self.heard += 1
        return super().monotonic()


def test_a_slow_consumer_gets_the_newest_preview_and_stalls_nobody(
    comfy: ComfyClient, checkpoint: str, gate: Gate
) -> None:
    clock = ReaderClock()
    steps = 30
    gate.hold(after=1)
    with ComfyClient(comfy.url, patience=LISTENING, clock=clock) as client:
        slow = client.run(make_text_to_image_graph(checkpoint, steps=steps))
        next(state for state in slow if state.step)
        gate.release()
        assert run_all(comfy, make_empty_graph())[-1].status == "done"
        # At least a report of progress and a state of all nodes came with each step.
        wait_until(lambda: clock.heard >= 2 * steps)
        rest = list(slow)
    assert len(rest) < 25 and rest[-1].status == "done"
    version = comfy.server_version()
    if version and version >= (0, 5, 0):
        assert rest[-1].preview_count == 30


def test_no_thread_is_left(comfy: ComfyClient, checkpoint: str) -> None:
    run_all(comfy, make_empty_graph())
    comfy.run(make_text_to_image_graph(checkpoint)).close()
    join_runs()


def wait_for_end(client: ComfyClient, prompt_id: str) -> str | None:
    """The status in the history once the prompt has left the queue."""
    wait_until(lambda: client.queue().position(prompt_id) is None)
    entry = client.history(prompt_id)
    return entry.status if entry else None


def test_png_bytes_arrive_unchanged(comfy: ComfyClient) -> None:
    data = run_all(comfy, make_empty_graph())[-1].outputs[0].read()
    position = 8
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        body = data[position + 4 : position + 8 + length]
        assert struct.unpack_from(">I", data, position + 8 + length)[0] == zlib.crc32(body)
        position += 12 + length
