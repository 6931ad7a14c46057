"""Reads the recorded traffic of real servers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from comfygradio.comfy.messages import Message, parse_binary, parse_text

FOLDER = Path(__file__).parent.parent / "data" / "recordings_client"


@dataclass
class RecordedPost:
    """One POST /prompt and everything that was heard on the sockets of its client."""

    name: str
    note: str
    graph: dict[str, Any]
    status: int
    answer: Any
    messages: list[tuple[float, Message]] = field(default_factory=list)
    reopened_at: float = 1e9
    history: dict[str, Any] | None = None

    @property
    def prompt_id(self) -> str:
        return str(self.answer["prompt_id"])


@cache
def load_posts() -> tuple[RecordedPost, ...]:
    return tuple(post for path in sorted(FOLDER.glob("*.jsonl")) for post in load_file(path))


def load_file(path: Path) -> Iterator[RecordedPost]:
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    for event in events:
        if "post" in event:
            yield parse_post(path.stem, event["post"], events)


def parse_post(name: str, data: dict[str, Any], events: list[dict[str, Any]]) -> RecordedPost:
    post = RecordedPost(name, data["note"], data["graph"], data["status"], data["answer"])
    sockets: list[str] = []
    for event in events:
        if "open" in event and event["open"] == data["conn"]:
            post.reopened_at = event["t"] if sockets else post.reopened_at
            sockets.append(event["conn"])
        elif event.get("conn") in sockets:
            post.messages.append((event["t"], parse_frame(event)))
        elif "history" in event and post.status == 200 and post.prompt_id in event["history"]:
            post.history = event["history"][post.prompt_id]
    return post


def parse_frame(event: dict[str, Any]) -> Message:
    return (
        parse_text(event["text"])
        if "text" in event
        else parse_binary(base64.b64decode(event["b64"]))
    )
