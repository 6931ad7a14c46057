"""What comes over the WebSocket frame by frame: lost, doubled, disordered, broken, and what is none
of our business.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.faulty_proxy import Exchange
from tests.faults.scenario import (
    LONG_SECONDS,
    Scenario,
    make_graph_order,
    make_unique_order,
    open_scenario,
)
from tests.faults.websocket_frame import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    Alter,
    make_frame,
    make_message,
    parse_message,
)
from tests.jobs.lines import count_files, is_running, wait

pytestmark = pytest.mark.deep

STRANGER = "11111111-2222-4333-8444-555555555555"


def lose_every(nth: int) -> Alter:
    """Every so many frames, one is lost, the greeting never."""
    count = itertools.count()
    return lambda frame: () if next(count) % nth == nth - 1 else (frame,)


def double(frame: bytes) -> Iterable[bytes]:
    return frame, frame


def swap() -> Alter:
    """Each one comes after the one that follows it; the last one never."""
    held: list[bytes] = []

    def alter(frame: bytes) -> Iterable[bytes]:
        held.append(frame)
        return (
            (held.pop(),)
            if parse_message(frame)[0] == "status"
            else (held.pop(0),)
            if len(held) > 1
            else ()
        )

    return alter


def break_once(*frames: bytes) -> Alter:
    """These come in the place of the first frame that tells of a prompt; everything else comes
    through.
    """
    left = [frames]

    def alter(frame: bytes) -> Iterable[bytes]:
        return left.pop() if left and "prompt_id" in parse_message(frame)[1] else (frame,)

    return alter


def add(*frames: bytes) -> Alter:
    """These come after every frame."""
    return lambda frame: (frame, *frames)


def halve(frame: bytes) -> Iterable[bytes]:
    """The text of every message about a prompt ends in the middle."""
    kind, data = parse_message(frame)
    text = json.dumps({"type": kind, "data": data}).encode()
    return (make_frame(text[: len(text) // 2]) if "prompt_id" in data else frame,)


def tell_of(prompt_id: str | None) -> list[bytes]:
    """The end of a prompt in every form, with a file that nobody made."""
    about = {"prompt_id": prompt_id} if prompt_id else {}
    file = {"filename": "absent.png", "subfolder": "", "type": "output"}
    error = {
        "node_id": "2",
        "node_type": "SaveImage",
        "exception_message": "no",
        "exception_type": "RuntimeError",
    }
    return [
        make_message("execution_start", **about),
        make_message("executed", node="2", display_node="2", output={"images": [file]}, **about),
        make_message("execution_error", **error, **about),
        make_message(
            "execution_interrupted", node_id="2", node_type="SaveImage", executed=[], **about
        ),
        make_message("execution_success", **about),
        make_message("executing", node=None, **about),
    ]


ODD = [
    make_frame(b"\xff\xfe not text", TEXT),
    make_frame(b"null"),
    make_frame(b"[" * 100_000),
    make_frame(b'{"type": 7, "data": [NaN]}'),
    make_frame(b'{"type": "executing"}'),
    make_message("progress", value="many", max=None, prompt_id={"no": "id"}, node=[]),
    make_message("progress_state", nodes=["none"]),
    make_message("status", status=None),
    *(make_frame(b"\0\0\0\4\0\0\0\7xy"[:size], BINARY) for size in range(11)),
    make_frame(b"", TEXT),
    make_frame(b"hello?", PING),
]

ALTERATIONS: dict[str, Callable[[], Alter]] = {
    "every second is lost": lambda: lose_every(2),
    "every third is lost": lambda: lose_every(3),
    "all are doubled": lambda: double,
    "they come in another order": swap,
    "their text is cut": lambda: halve,
    "odd ones in between": lambda: add(*ODD),
    "somebody else's prompt": lambda: add(*tell_of(STRANGER)),
    "a prompt without an id": lambda: add(*tell_of(None)),
    "a polite end": lambda: break_once(make_frame(b"\x03\xe9", CLOSE)),
    "an opcode that does not exist": lambda: break_once(make_frame(b"x", 3)),
    "a bit that means nothing": lambda: break_once(b"\xf1\x01x"),
    "a masked frame": lambda: break_once(b"\x81\x81\1\2\3\4x"),
    "a frame without an end": lambda: break_once(b"\x82\x7f\0\0\1\0\0\0\0\0x"),
    "half a frame, then silence": lambda: break_once(make_message("executing", node="1")[:9]),
}


@pytest.mark.deep
@pytest.mark.parametrize("name", ALTERATIONS)
def test_frames_go_wrong(name: str, scenario: Scenario) -> None:
    scenario.proxy.alter = ALTERATIONS[name]()
    neighbour = scenario.post_other(0.1)
    scenario.check_done(scenario.submit(0.1), scenario.submit())
    scenario.check_other(neighbour)


def test_frames_come_byte_by_byte(scenario: Scenario) -> None:
    scenario.proxy.chunk_size = 1
    neighbour = scenario.post_other(0.1)
    scenario.check_done(scenario.submit(0.1), scenario.submit())
    scenario.check_other(neighbour)


@pytest.mark.deep
@pytest.mark.parametrize("lost", ["status", "execution_cached", "feature_flags", "preview"])
def test_what_only_informs_may_be_missing(lost: str, tmp_path: Path) -> None:
    """Without the greeting, which is a status, a socket counts as none."""
    with open_scenario(tmp_path / "outputs", lose_types=(lost,), timeout_seconds=0.4) as scenario:
        neighbour = scenario.post_other(0.1)
        scenario.check_done(scenario.submit(0.1), scenario.submit())
        scenario.check_other(neighbour)


FAILURES = ("execution_error", "execution_interrupted")


@pytest.mark.parametrize("fault", ["lose_types", "double_types"])
@pytest.mark.parametrize("is_interrupted", [False, True])
def test_a_bad_end_is_told_never_or_twice(is_interrupted: bool, fault: str, tmp_path: Path) -> None:
    bad = {"9": {"class_type": "LabRaise", "inputs": {"message": "kaputt", "value": ["1", 0]}}}
    failing = dict(make_unique_order().prompt.graph) | bad
    failing["2"] = {
        "class_type": "SaveImage",
        "inputs": {"filename_prefix": "x", "images": ["9", 0]},
    }
    options: dict[str, Any] = {fault: FAILURES}
    with open_scenario(tmp_path / "outputs", **options) as scenario:
        job = (
            scenario.submit(LONG_SECONDS)
            if is_interrupted
            else scenario.queue.submit(make_graph_order(failing))
        )
        neighbour = scenario.post_other()
        if is_interrupted:
            wait(job, is_running)
            scenario.direct.interrupt()
        end = scenario.wait_for_end(job)
        assert (end.phase, end.results) == ("stopped" if is_interrupted else "failed", ())
        assert is_interrupted or "kaputt" in end.error
        assert scenario.proxy.posted[job.id] == 1 and count_files(scenario.outputs) == 0
        scenario.check_other(neighbour)
        scenario.check_done(scenario.submit())


BLOCKED = {
    "node_id": "9",
    "node_type": "SaveImage",
    "executed": ["1", "2"],
    "exception_message": "Execution Blocked: nothing to save",
    "exception_type": "ExecutionBlocked",
    "traceback": [],
    "current_inputs": [],
    "current_outputs": [],
}
"""As ComfyUI 0.33.0 says it (tests/data/recordings_client); the prompt goes on and ends well
without that node.
"""


def block(frame: bytes) -> Iterator[bytes]:
    """Node 9 is blocked instead of executed."""
    kind, data = parse_message(frame)
    is_blocked = kind == "executed" and data.get("node") == "9"
    yield (
        make_message("execution_error", prompt_id=data["prompt_id"], **BLOCKED)
        if is_blocked
        else frame
    )


def forget_node(exchange: Exchange) -> None:
    """The history knows nothing of what node 9 made."""
    history: dict[str, Any] = json.loads(exchange.forward().partition(b"\r\n\r\n")[2])
    for entry in history.values():
        entry["outputs"].pop("9", None)
    body = json.dumps(history).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    exchange.client.sendall(head.encode() + body)


def test_a_node_is_blocked_and_the_others_count(scenario: Scenario) -> None:
    scenario.proxy.alter = block
    scenario.proxy.inject("GET /history", forget_node, times=1000)
    neighbour = scenario.post_other(0.1)
    graph = dict(make_unique_order(0.1).prompt.graph)
    graph["9"] = {"class_type": "SaveImage", "inputs": {"filename_prefix": "y", "images": ["1", 0]}}
    job = scenario.queue.submit(make_graph_order(graph))
    scenario.check_done(job)
    assert job.snapshot.state and "was skipped: nothing to save" in " ".join(
        job.snapshot.state.warnings
    )
    scenario.check_other(neighbour)
