from __future__ import annotations

import json
import struct

import pytest

from comfygradio.comfy.messages import (
    Executed,
    Executing,
    Message,
    PreviewFrame,
    Progress,
    ProgressState,
    ProgressText,
    Status,
    UnknownMessage,
    may_be_result,
    parse_binary,
    parse_text,
)
from comfygradio.comfy.websocket_client import coalescing_key

ABOUT = json.dumps(
    {"node_id": "2.0.0.1", "display_node_id": "2", "prompt_id": "p", "image_type": "image/png"}
).encode()
FRAMES = [
    struct.pack(">II", 1, 1) + b"\xff\xd8jpeg",
    struct.pack(">II", 1, 2) + b"\x89PNG",
    struct.pack(">II", 3, 1) + b"7" + "hälf".encode(),
    struct.pack(">II", 4, len(ABOUT)) + ABOUT + b"\x89PNG",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"type":"status","data":{"status":{"exec_info":{"queue_remaining":3}},"sid":"a"}}',
            Status(3, "a"),
        ),
        ('{"type":"status","data":{"status":null}}', Status(None)),
        (
            '{"type":"executing","data":{"node":null,"prompt_id":"p"}}',
            Executing(None, None, prompt_id="p"),
        ),
        ('{"type":"executing","data":{"node":"3"}}', Executing("3", "3")),
        ('{"type":"executing","data":{"node":7,"display_node":"2"}}', Executing("7", "2")),
        (
            '{"type":"progress","data":{"value":1,"max":NaN,"node":"3","prompt_id":"p"}}',
            Progress(1.0, 0.0, "3", prompt_id="p"),
        ),
        (
            '{"type":"progress","data":{"value":true,"max":Infinity,"node":"3"}}',
            Progress(0.0, 0.0, "3"),
        ),
        (
            f'{{"type":"progress","data":{{"value":1,"max":{10**400},"node":"3"}}}}',
            Progress(1.0, 0.0, "3"),
        ),
        (
            '{"type":"status","data":{"status":{"exec_info":{"queue_remaining":true}}}}',
            Status(None),
        ),
        (
            '{"type":"progress_state","data":{"nodes":{"1":null},"prompt_id":"p"}}',
            ProgressState({}, prompt_id="p"),
        ),
        (
            '{"type":"executed","data":{"node":"9","output":null,"prompt_id":"p"}}',
            Executed("9", "9", {}, prompt_id="p"),
        ),
        ('{"type":"crystools.monitor","data":[1]}', UnknownMessage("crystools.monitor")),
        ("{", UnknownMessage("")),
        ("[]", UnknownMessage("")),
        ("null", UnknownMessage("")),
        ("[" * 100_000, UnknownMessage("")),
    ],
)
def test_text_frames(text: str, expected: Message) -> None:
    assert parse_text(text) == expected
    assert parse_text(text.encode()) == expected


def test_a_text_frame_that_is_no_utf8_is_unknown_or_read() -> None:
    assert parse_text(b'{"type":"\xff","data":{}}') == UnknownMessage("\ufffd")


def test_binary_frames() -> None:
    jpeg, png, text, named = (parse_binary(frame) for frame in FRAMES)
    assert jpeg == PreviewFrame(b"\xff\xd8jpeg", "image/jpeg")
    assert png == PreviewFrame(b"\x89PNG", "image/png")
    assert text == ProgressText("7", "hälf")
    assert named == PreviewFrame(b"\x89PNG", "image/png", "2", prompt_id="p")


@pytest.mark.parametrize("node", [b"", b"\x0212".ljust(16, b"\0")])
def test_a_preview_of_a_video_is_its_newest_picture(node: bytes) -> None:
    """VideoHelperSuite sends the pictures of a video in turn, each behind a head of its own."""
    picture = b"\xff\xd8jpeg"
    frame = struct.pack(">IIII", 1, 1, 1, 5) + node + picture
    assert parse_binary(frame) == PreviewFrame(picture, "image/jpeg")
    assert parse_binary(frame[:-6]) == PreviewFrame(frame[8:-6], "image/jpeg")


@pytest.mark.parametrize("frame", FRAMES)
def test_truncated_binary_frames_never_raise(frame: bytes) -> None:
    assert all(isinstance(parse_binary(frame[:end]), Message) for end in range(len(frame)))


@pytest.mark.parametrize(
    ("frame", "is_kept"),
    [
        (PreviewFrame(b"\xff\xd8jpeg", "image/jpeg"), False),
        (PreviewFrame(b"\x89PNG", "image/png"), True),
    ],
)
def test_a_frame_that_may_be_a_result_gives_way_to_no_other(
    frame: PreviewFrame, is_kept: bool
) -> None:
    assert may_be_result(frame) == is_kept
    assert (coalescing_key(frame) is None) == is_kept


def test_unknown_binary_frames() -> None:
    assert parse_binary(struct.pack(">II", 99, 5) + b"12345") == UnknownMessage("binary")
    assert parse_binary(struct.pack(">II", 4, 2) + b"[]image") == UnknownMessage("binary")
    assert parse_binary(struct.pack(">II", 4, 4_000_000_000) + b"{}") == UnknownMessage("binary")
