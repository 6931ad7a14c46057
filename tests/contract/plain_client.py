"""Drives a server with plain HTTP and WebSocket libraries: nothing of the package under test."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import websocket

Graph = dict[str, dict[str, Any]]
Message = dict[str, Any]
PATIENCE = 60.0


@dataclass
class Listener:
    """One WebSocket; binary frames become messages of type `binary` with their bytes as data."""

    socket: websocket.WebSocket
    client_id: str
    seen: list[Message] = field(default_factory=list)

    def next(self, timeout: float = PATIENCE) -> Message:
        self.socket.settimeout(timeout)
        frame = self.socket.recv()
        message = (
            {"type": "binary", "data": frame} if isinstance(frame, bytes) else json.loads(frame)
        )
        self.seen.append(message)
        return dict(message)

    def until(self, wanted: Callable[[Message], bool]) -> list[Message]:
        """Messages up to and with the first wanted one."""
        end = time.monotonic() + PATIENCE
        found: list[Message] = []
        while not found or not wanted(found[-1]):
            found.append(self.next(max(0.01, end - time.monotonic())))
        return found

    def until_end(self, prompt_id: str) -> list[Message]:
        """Messages up to `executing` null of that prompt; those of other prompts and status left
        out.
        """
        found = self.until(lambda m: is_end(m, prompt_id))
        return [
            m for m in found if m["type"] == "binary" or m["data"].get("prompt_id") == prompt_id
        ]

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing but status comes for that long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                if self.next(left)["type"] != "status":
                    return False
            except websocket.WebSocketTimeoutException:
                return True
        return True


def is_end(message: Message, prompt_id: str) -> bool:
    data = message["data"]
    return (
        message["type"] == "executing"
        and data["node"] is None
        and data.get("prompt_id") == prompt_id
    )


@dataclass
class PlainClient:
    """A server under test; `version` as numbers, `real` unless it is the demo server."""

    url: str
    real: bool
    http: httpx.Client
    version: tuple[int, ...]
    checkpoint: str

    def since(self, *version: int) -> bool:
        return self.version >= version

    @contextmanager
    def listen(
        self, client_id: str | None = None, flags: bool = False, path: str = "/ws"
    ) -> Iterator[Listener]:
        """A greeted WebSocket, closed at the end; `flags` announces that previews of type 4 are
        understood.
        """
        client_id = client_id or uuid.uuid4().hex
        listener = self.open(client_id, path)
        try:
            listener.until(lambda m: m["type"] == "status")
            if flags:
                text = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
                listener.socket.send(json.dumps(text))
                listener.until(lambda m: m["type"] == "feature_flags")
            yield listener
        finally:
            listener.socket.close()

    def open(self, client_id: str, path: str = "/ws") -> Listener:
        address = self.url.replace("http", "ws", 1) + f"{path}?clientId={client_id}"
        return Listener(
            websocket.create_connection(address, timeout=PATIENCE, suppress_origin=True), client_id
        )

    def post(self, graph: Any, client_id: str | None = None, **more: Any) -> httpx.Response:
        body = {"prompt": graph, **more}
        if client_id is not None:
            body["client_id"] = client_id
        return self.http.post("/prompt", json=body)

    def queue(self, graph: Graph, client_id: str | None = None, **more: Any) -> str:
        answer = self.post(graph, client_id, **more)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["prompt_id"])

    def run(self, graph: Graph, **more: Any) -> tuple[str, list[Message]]:
        """Runs a graph to its end: prompt id and its messages."""
        with self.listen() as listener:
            prompt_id = self.queue(graph, listener.client_id, **more)
            return prompt_id, listener.until_end(prompt_id)

    def entry(self, prompt_id: str) -> dict[str, Any]:
        entry: dict[str, Any] = self.http.get(f"/history/{prompt_id}").json()[prompt_id]
        return entry

    def text_graph(
        self, seed: int | None = None, steps: int = 2, size: int = 64, batch: int = 1
    ) -> Graph:
        """Text to image; without a seed nothing of the sampler is cached."""
        sampler: dict[str, Any] = {
            "seed": random.getrandbits(63) if seed is None else seed,
            "steps": steps,
            "cfg": 7.0,
        }
        sampler |= {"sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
        links = {
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        }
        return {
            "4": node("CheckpointLoaderSimple", ckpt_name=self.checkpoint),
            "5": node("EmptyLatentImage", width=size, height=size, batch_size=batch),
            "6": node("CLIPTextEncode", text="a cat", clip=["4", 1]),
            "7": node("CLIPTextEncode", text="bad", clip=["4", 1]),
            "3": node("KSampler", **sampler, **links),
            "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
            "9": node("SaveImage", filename_prefix="contract", images=["8", 0]),
        }


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def plain_graph(color: int | None = None, size: int = 32) -> Graph:
    """EmptyImage to SaveImage; without a colour nothing is cached."""
    color = random.getrandbits(24) if color is None else color
    image = node("EmptyImage", width=size, height=size, batch_size=1, color=color)
    return {"1": image, "2": node("SaveImage", filename_prefix="contract", images=["1", 0])}


def types_of(messages: list[Message], but: tuple[str, ...] = ("progress_state",)) -> list[str]:
    return [m["type"] for m in messages if m["type"] not in but]


def only(messages: list[Message], kind: str) -> list[Any]:
    return [m["data"] for m in messages if m["type"] == kind]
