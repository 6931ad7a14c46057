"""A page in a browser, without the browser: the requests that Chromium was seen to send for our
page, and no others.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.benchmarks.http_connection import HttpConnection
from tests.benchmarks.load_server import STAMP

REVISION_SECONDS = 4.0
PEEK_SECONDS = 1.0
"""A page without a stream asks so often."""
ENDS = ("done", "failed", "stopped")
JOIN = "/gradio_api/queue/join"
STREAM = "/gradio_api/queue/data"
PREDICT = "/gradio_api/run/predict"
CALL = "/gradio_api/component_server/"
JOB = "/gradio_api/comfygradio/job"
ACKNOWLEDGE = "/gradio_api/comfygradio/stream"
ONE_PICTURE = "×1"


@dataclass
class Seen:
    """What one page saw of its job: seconds from the click to the first word, how late each preview
    came.
    """

    first: float = 0.0
    delays: list[float] = field(default_factory=list)
    messages: int = 0
    asked: int = 0
    """How many of the messages came by asking."""
    phase: str = ""


class Page:
    """One open page of any Gradio app."""

    def __init__(self, url: str) -> None:
        self._connection, self._stream = HttpConnection(url), HttpConnection(url)
        self._session = secrets.token_hex(5)
        self._person = secrets.token_hex(16)
        self._config: dict[str, Any] = {}
        self._names: dict[int, str] = {}

    async def load(self) -> None:
        """Load the page itself."""
        html = (await self._connection.get("/")).decode()
        match = re.search(r"window\.gradio_config = (\{.*?\});</script>", html, re.DOTALL)
        self._config = json.loads(match[1]) if match else {}
        self._names = {
            one["id"]: one["props"].get("elem_id") or "" for one in self._config["components"]
        }

    async def await_first(self, name: str) -> float:
        """Call a queued function to its end; returns the seconds until it gave something."""
        began, first = time.perf_counter(), 0.0
        async for _ in self._follow(self._find(name), [], None):
            first = first or time.perf_counter() - began
        return first

    def close(self) -> None:
        """Close the page."""
        for connection in (self._connection, self._stream):
            connection.close()

    async def _follow(self, function: int, data: list[Any], event: Any) -> AsyncIterator[Any]:
        """What a queued function gives, first whole, then as changes."""
        await self._connection.post(JOIN, self._ask(function, data, event))
        async for message in self._stream.events(f"{STREAM}?session_hash={self._session}"):
            if message["msg"] in ("process_generating", "process_completed") and message.get(
                "output"
            ):
                values = message["output"].get("data") or [None]
                yield values[0]

    async def _predict(self, function: int, data: list[Any], event: Any = None) -> Any:
        return await self._connection.post(PREDICT, self._ask(function, data, event))

    async def _call(self, connection: HttpConnection, component: int, name: str, data: Any) -> Any:
        asked = {
            "data": data,
            "component_id": component,
            "fn_name": name,
            "session_hash": self._session,
        }
        return await connection.post(CALL, asked)

    def _ask(self, function: int, data: list[Any], event: Any) -> dict[str, Any]:
        asked = {"data": data, "event_data": event, "fn_index": function, "trigger_id": 0}
        return {**asked, "session_hash": self._session}

    def _has(self, name: str) -> bool:
        return any(one["api_name"] == name for one in self._config["dependencies"])

    def _find(self, name: str) -> int:
        return int(
            next(one["id"] for one in self._config["dependencies"] if one["api_name"] == name)
        )

    def _find_component(self, name: str) -> int:
        return next(number for number, one in self._names.items() if one == name)


class Visitor(Page):
    """One open page of ours."""

    async def open(self) -> None:
        """Load the page, and do what its script does then."""
        await self.load()
        if self._has("issue_token"):  # apps whose page operators use
            await self._predict(self._find("issue_token"), [])
        async for _ in self._follow(self._find("attach"), [self._person], {"token": ""}):
            pass

    async def stay(self) -> None:
        """Ask now and then whether the forms have changed, for as long as the page is open."""
        while True:
            await asyncio.sleep(REVISION_SECONDS)
            await self._connection.get("/gradio_api/comfygradio/revision")

    async def look_back(self) -> float:
        """Open the history; returns the seconds until it is there."""
        began, view = time.perf_counter(), self._find_component("cg-history")
        answer = await self._predict(self._find("enter"), [], {"person": self._person})
        access = answer["data"][0]["access"]
        await self._call(self._connection, view, "search", [access, {"text": "", "values": {}}])
        return time.perf_counter() - began

    async def press(self, values: list[Any]) -> AsyncIterator[dict[str, Any]]:
        """Press the button of the first form; every message about the job, painted at once."""
        state: dict[str, Any] = {}
        number = 0
        data = [self._person, ONE_PICTURE, *values]
        async for output in self._follow(self._find("generate"), data, None):
            image = take_in(state, output)
            if "token" not in state or state.get("number", 1) == number:
                continue  # nothing about the job yet, or what Gradio sends twice
            number = state.get("number", 0)
            yield {**state, "image": image}
            if "stream" in state and state["phase"] not in ENDS:
                await self._connection.post(
                    f"{ACKNOWLEDGE}/{state['stream']}?painted={number}", None
                )
        if state.get("ask"):
            async for message in self.watch(state):
                yield {**message, "ask": True}

    async def watch(self, message: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Everything that is told about a job after a message, until its end, by asking
        once a second."""
        while message["phase"] not in ENDS:
            await asyncio.sleep(PEEK_SECONDS)
            asked = urlencode({name: message[name] for name in ("version", "frames", "ended")})
            message = json.loads(await self._stream.get(f"{JOB}/{message['token']}?{asked}"))
            yield message

    async def generate(self, values: list[Any]) -> Seen:
        """Press the button and watch the job until its end."""
        seen, began = Seen(), time.perf_counter()
        async for message in self.press(values):
            seen.first = seen.first or time.perf_counter() - began
            seen.messages += 1
            seen.asked += "ask" in message
            seen.phase = message["phase"]
            if image := message.get("image"):
                seen.delays.append(time.time() - read_stamp(image))
        return seen


def take_in(state: dict[str, Any], output: Any) -> str:
    """Bring what a page knows up to date with a whole message or with what has changed in it;
    returns the picture that came with it, or "".
    """
    if isinstance(output, dict):
        state.clear()
        state |= output
        return str(output.get("image") or "")
    image = ""
    for action, path, value in output or ():
        if not path:
            return take_in(state, value)
        place: Any = state
        for step in path[:-1]:
            place = place[step]
        if action == "delete":
            del place[path[-1]]
        elif action == "append":
            place[path[-1]] += value
        elif isinstance(place, list) and path[-1] == len(place):
            place.append(value)
        else:
            place[path[-1]] = value
        if path == ["image"] and action != "delete":
            image = str(state["image"] or "")
    return image


def read_stamp(image: str) -> float:
    """When a preview was sent, in seconds since 1970."""
    return float(STAMP.unpack(base64.b64decode(image[-16:])[-STAMP.size :])[0])
