"""The ways from a colour to the bytes of a picture: a bare script, the library, and the web app
called twice.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import websocket
from gradio_client import Client

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.client import ComfyClient
from tests.benchmarks.presets import COLOR

TIMEOUT = 60.0
NAME = "color"

Caller = Callable[[int], bytes]


class BareScript:
    """What a good programmer writes by hand: kept HTTP connections, a fresh WebSocket per picture,
    no safety nets.
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT)
        self._socket_url = url.replace("http", "ws", 1) + "/ws?clientId="

    def __call__(self, color: int) -> bytes:
        return self.run(
            {**COLOR, "1": {**COLOR["1"], "inputs": {**COLOR["1"]["inputs"], "color": color}}}
        )

    def run(self, graph: Any) -> bytes:
        """The bytes of the picture that a graph makes."""
        client_id = uuid.uuid4().hex
        with closing(
            websocket.create_connection(self._socket_url + client_id, timeout=TIMEOUT)
        ) as socket:
            socket.recv()  # the greeting: from here on the server knows this client
            answer = self._http.post(
                "/prompt", json={"prompt": graph, "client_id": client_id}
            ).json()
            file = await_file(socket, answer["prompt_id"])
        return self._http.get("/view", params=file).raise_for_status().content

    def close(self) -> None:
        """Close the kept connections."""
        self._http.close()


def await_file(socket: websocket.WebSocket, prompt_id: str) -> dict[str, str]:
    """The file of the prompt, once the server says that it is over."""
    file: dict[str, str] = {}
    while True:
        frame = socket.recv()
        message: dict[str, Any] = {} if isinstance(frame, bytes) else json.loads(frame)
        data = message.get("data", {})
        if data.get("prompt_id") != prompt_id:
            continue
        if message["type"] == "executed":
            file = data["output"]["images"][0]
        elif message["type"] == "executing" and data["node"] is None:
            return file


class Library:
    """ComfyClient.run with a form, and the first output read."""

    def __init__(self, url: str, preset: Path) -> None:
        self._client = ComfyClient(url)
        self._form = load_preset(preset).bind(self._client.object_info("EmptyImage", "SaveImage"))

    def __call__(self, color: int) -> bytes:
        *_, state = self._client.run(self._form.fill({"color": color}))
        return state.outputs[0].read()

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()


class WebAppClient:
    """The web app's endpoint through gradio_client, which downloads the file."""

    def __init__(self, url: str, folder: Path) -> None:
        self._client = Client(url, download_files=str(folder), verbose=False)

    def __call__(self, color: int) -> bytes:
        files, _ = self._client.predict(color=color, api_name=f"/{NAME}")
        return Path(_find_path(files[0])).read_bytes()

    def close(self) -> None:
        """End the client's threads."""
        self._client.close()


class WebAppHttp:
    """The web app's endpoint over plain HTTP: post, read the events, get the file.

    Keeps where its time went.
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT)
        self.parts: list[dict[str, float]] = []

    def __call__(self, color: int) -> bytes:
        times = [time.perf_counter()]
        call = f"/gradio_api/call/{NAME}"
        event = self._http.post(call, json={"data": [color]}).raise_for_status().json()["event_id"]
        times.append(time.perf_counter())
        with self._http.stream("GET", f"{call}/{event}") as events:
            files, info = read_result(events.iter_lines())
        times.append(time.perf_counter())
        content = (
            self._http.get(f"/gradio_api/file={_find_path(files[0])}").raise_for_status().content
        )
        times.append(time.perf_counter())
        self._note(times, float(info["seconds"]))
        return content

    def close(self) -> None:
        """Close the kept connections."""
        self._http.close()

    def _note(self, times: list[float], job: float) -> None:
        post, events, file = (1000 * (end - start) for start, end in pairwise(times))
        self.parts.append(
            {"post": post, "events": events, "file": file, "job in the app": 1000 * job}
        )


def read_result(lines: Iterator[str]) -> Any:
    """The data of the `complete` event. Raises RuntimeError for an `error` event or none at all."""
    event = ""
    for line in lines:
        if line.startswith("event:"):
            event = line[6:].strip()
        elif line.startswith("data:") and event in ("complete", "error"):
            if event == "complete":
                return json.loads(line[5:])
            raise RuntimeError(f"The endpoint failed: {line[5:].strip()}")
    raise RuntimeError("The endpoint's answer broke off.")


@contextmanager
def open_callers(
    server_url: str, app_url: str, minimal_url: str, preset: Path, folder: Path
) -> Iterator[dict[str, Caller]]:
    """All callers by name, closed at the end."""
    with ExitStack() as stack:
        yield {
            "bare script": stack.enter_context(closing(BareScript(server_url))),
            "library": stack.enter_context(closing(Library(server_url, preset))),
            "web app, gradio_client": stack.enter_context(closing(WebAppClient(app_url, folder))),
            "web app, plain HTTP": stack.enter_context(closing(WebAppHttp(app_url))),
            "Gradio alone, gradio_client": stack.enter_context(
                closing(WebAppClient(minimal_url, folder))
            ),
            "Gradio alone, plain HTTP": stack.enter_context(closing(WebAppHttp(minimal_url))),
        }


def _find_path(file: Any) -> str:
    return str(file["path"]) if isinstance(file, dict) else str(file)
