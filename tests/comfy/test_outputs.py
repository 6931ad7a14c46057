from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.http_responses import (
    HistoryEntry,
    Queue,
    QueuedPrompt,
    QueueItem,
    UploadedFile,
)
from comfygradio.comfy.outputs import Output, decide_kind, parse_outputs, write_file

FILE = {"filename": "a_00001_.png", "subfolder": "", "type": "output"}


@pytest.mark.parametrize(
    ("ui", "expected"),
    [
        ({"images": [FILE], "animated": [True]}, [("image", "a_00001_.png", "")]),
        (
            {"images": [{**FILE, "filename": "v.MP4", "subfolder": "video"}]},
            [("video", "v.MP4", "")],
        ),
        ({"gifs": [{**FILE, "filename": "v.gif", "fullpath": "/x"}]}, [("image", "v.gif", "")]),
        ({"audio": [{**FILE, "filename": "x.flac"}]}, [("audio", "x.flac", "")]),
        ({"latents": [{**FILE, "filename": "x.latent"}]}, [("file", "x.latent", "")]),
        (
            {"text": ["hi"], "files": [{**FILE, "filename": "t.txt"}]},
            [("text", "", "hi"), ("file", "t.txt", "")],
        ),
        ({"result": ["3d/a.glb [output]", None, {"x": 1}]}, [("3d", "a.glb", "")]),
        ({"3d": [{**FILE, "filename": "a.glb"}]}, [("3d", "a.glb", "")]),
        (
            {"images": [None, "x", 3, {}, {"filename": None}, {"filename": ""}, FILE, FILE]},
            [("image", FILE["filename"], "")],
        ),
        ({"images": None, "text": "hi", "tags": ["a"]}, []),
        (None, []),
        ([FILE], []),
    ],
)
def test_ui_dicts(ui: Any, expected: list[tuple[str, str, str]]) -> None:
    assert [
        (output.kind, output.filename, output.text) for output in parse_outputs("9", ui)
    ] == expected


def test_the_place_of_a_path() -> None:
    (output,) = parse_outputs("9", {"result": [r"3d\sub\a.glb [temp]"]})
    assert (output.filename, output.subfolder, output.type) == ("a.glb", r"3d\sub", "temp")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.PNG", "image"), ("a.webm", "video"), ("a", "file"), ("a.b.opus", "audio")],
)
def test_kinds(name: str, kind: str) -> None:
    assert decide_kind(name) == kind


def test_inline_outputs_need_no_client(tmp_path: Path) -> None:
    picture = Output("5", "image", "5_00001.png", type="", data=b"png")
    assert picture.read() == b"png"
    assert picture.save(tmp_path / "new" / "x.png").read_bytes() == b"png"
    assert picture.save(tmp_path) == tmp_path / "5_00001.png"
    assert (
        Output("6", "text", text="hä").save(tmp_path / "t.txt").read_text(encoding="utf-8") == "hä"
    )


def test_a_name_never_leaves_the_folder(tmp_path: Path) -> None:
    evil = Output("5", "image", "../../evil\\..\\x.png", data=b"")
    assert evil.save(tmp_path) == tmp_path / "x.png"


def test_a_broken_download_leaves_nothing_behind(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    (tmp_path / "x.png").write_bytes(b"old")
    with pytest.raises(ConnectionError):
        write_file(tmp_path / "x.png", chunks())
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_history_of_any_age() -> None:
    data = json.loads(
        '{"prompt":[1,"p",{},{},["2"],{}],"outputs":{"2.0.0.2":{"images":[{"filename":"a.png"}],"x":NaN},"3":null},'
        '"status":null,"meta":{"2.0.0.2":{"display_node":"2"}}}'
    )
    entry = HistoryEntry.from_json("p", data)
    assert [output.node_id for output in entry.outputs] == ["2"]
    assert (entry.status, entry.messages) == ("", ())
    assert HistoryEntry.from_json("p", None).outputs == ()


def test_a_queue_is_sorted_and_tolerant() -> None:
    queue = Queue.from_json(
        {
            "queue_running": [[3, "r", {}, {}, [], {"secret": 1}]],
            "queue_pending": [[7, "c"], [5.5, "b", {}, {}, []], [-1, "a", {}, {}, []], None],
        }
    )
    assert [item.prompt_id for item in queue.pending if item.prompt_id] == ["a", "b", "c"]
    assert (queue.position("r"), queue.position("a"), queue.position("x")) == (0, 1, None)
    assert Queue.from_json([]) == Queue((), ())


@pytest.mark.parametrize("number", [math.nan, math.inf, True, "7", None, [7]])
def test_what_is_no_number_counts_as_0(number: object) -> None:
    assert QueueItem.from_json([number, "p"]).number == 0
    assert QueuedPrompt.from_json({"prompt_id": "p", "number": number}).number == 0


def test_what_goes_into_a_load_node() -> None:
    assert UploadedFile("a (1).png", "", "input").value == "a (1).png"
    assert UploadedFile("a.png", "sub", "temp").value == "sub/a.png [temp]"


def test_the_answer_of_prompt() -> None:
    assert QueuedPrompt.from_json(
        {"prompt_id": "p", "number": 1.5, "node_errors": []}
    ) == QueuedPrompt("p", 1.5)
