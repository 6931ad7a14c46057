"""Watches one prompt on a demo server over a plain WebSocket."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import httpx
import websocket
from PIL import Image

from comfygradio.demo import DemoServer

Message = dict[str, Any]
Graph = dict[str, dict[str, Any]]
PATIENCE = 60.0
"""Seconds; what has not come by then will not come."""


def connect(server: DemoServer, client_id: str = "watcher", query: str = "") -> websocket.WebSocket:
    """A greeted socket."""
    address = f"{server.url.replace('http', 'ws', 1)}/ws?clientId={client_id}{query}"
    socket = websocket.create_connection(address, timeout=PATIENCE, suppress_origin=True)
    socket.recv()
    return socket


def post(server: DemoServer, graph: Graph, **more: Any) -> str:
    body = {"prompt": graph, "client_id": "watcher", **more}
    answer = httpx.post(f"{server.url}/prompt", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["prompt_id"])


def receive_message(socket: websocket.WebSocket) -> Message:
    frame = socket.recv()
    if not isinstance(frame, bytes):
        return dict(json.loads(frame))
    return {"type": "binary", "data": frame}


def watch(socket: websocket.WebSocket, prompt_id: str) -> list[Message]:
    """The prompt's messages up to `executing` null, status left out."""
    found: list[Message] = []
    while True:
        message = receive_message(socket)
        is_binary = message["type"] == "binary"
        if is_binary or message["data"].get("prompt_id") == prompt_id:
            found.append(message)
        if found and is_end(found[-1]):
            return found


def is_end(message: Message) -> bool:
    """Whether this is the last message of a prompt."""
    return bool(message["type"] == "executing" and message["data"]["node"] is None)


def run(server: DemoServer, graph: Graph, **more: Any) -> list[Message]:
    socket = connect(server)
    try:
        prompt_id = post(server, graph, **more)
        return watch(socket, prompt_id)
    finally:
        socket.close()


def only(messages: list[Message], kind: str) -> list[Any]:
    """The data of the messages of one type."""
    return [message["data"] for message in messages if message["type"] == kind]


def picture(server: DemoServer, graph: Graph) -> Image.Image:
    """The first picture a graph shows."""
    file = first_file(server, graph)
    answer = httpx.get(f"{server.url}/view", params=file)
    with Image.open(io.BytesIO(answer.content)) as image:
        return image.convert("RGB")


def first_file(server: DemoServer, graph: Graph) -> dict[str, str]:
    """The first file that the first node with a result tells."""
    executed = only(run(server, graph), "executed")[0]
    file: dict[str, str] = executed["output"]["images"][0]
    return file


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def text_graph(steps: int = 2, size: int = 64, **sampler: Any) -> Graph:
    """Text to image on the demo server's first checkpoint."""
    values = {
        "seed": 1,
        "steps": steps,
        "cfg": 7.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
    }
    links = {
        "model": ["4", 0],
        "positive": ["6", 0],
        "negative": ["7", 0],
        "latent_image": ["5", 0],
    }
    return {
        "4": node("CheckpointLoaderSimple", ckpt_name="dream-sd15.safetensors"),
        "5": node("EmptyLatentImage", width=size, height=size, batch_size=1),
        "6": node("CLIPTextEncode", text="a lighthouse", clip=["4", 1]),
        "7": node("CLIPTextEncode", text="blurry", clip=["4", 1]),
        "3": node("KSampler", **{**values, **links, **sampler}),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", filename_prefix="demo", images=["8", 0]),
    }


def wait_for_history(server: DemoServer, prompt_id: str) -> float:
    """Seconds until /history shows the prompt."""
    start = time.monotonic()
    while time.monotonic() - start < PATIENCE:
        if httpx.get(f"{server.url}/history/{prompt_id}").json():
            return time.monotonic() - start
    raise TimeoutError(prompt_id)
