"""`comfygradio watch`: what happens on a server, one line an event, until Ctrl-C."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import re
import select
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from comfygradio.cli.server import advise, open_client
from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.events import CAPACITY, Events, estimate_size
from comfygradio.comfy.failures import clean_text
from comfygradio.comfy.inbox import Inbox, TaskThread
from comfygradio.comfy.messages import Message, PreviewFrame, Status, UnknownMessage
from comfygradio.comfy.prompt_monitor import PromptChange, PromptMonitor, poll_prompts
from comfygradio.comfy.websocket_client import coalescing_key
from comfygradio.errors import ServerError
from comfygradio.settings import Settings

POLL_SECONDS = 5.0
"""Between two looks at queue and history where the server says nothing."""
RETRY_SECONDS = 1.0
"""The same where it says that the queue has changed: its answers may be megabytes."""
READER_SECONDS = 1.0
"""Between two looks whether anybody still reads what is printed."""
MAX_VALUE_LENGTH = 200
MAX_DEPTH = 20
"""Levels of what a server sent that are shown."""

Json = dict[str, Any]


@dataclass(frozen=True)
class PollResult:
    """What queue and history showed in one look."""

    changes: list[PromptChange]
    error: ServerError | None = None


def watch_server(settings: Settings, as_json: bool, clock: Clock = SYSTEM_CLOCK) -> int:
    """Print what happens on the server until Ctrl-C.

    Raises ServerError where it cannot be reached, or no longer, and BrokenPipeError once nobody
    reads.
    """
    with suppress(KeyboardInterrupt), open_client(settings) as client:
        try:
            Watcher(client, Printer(as_json, clock), clock).run()
        except ServerError as error:
            raise advise(error, settings) from error
    return 0


class Printer:
    """Prints events, a line each."""

    def __init__(self, as_json: bool, clock: Clock) -> None:
        self._as_json = as_json
        self._clock = clock

    def print(self, source: str, event: str, values: Json) -> None:
        """Print an event at once. Raises BrokenPipeError where nobody reads."""
        now = self._clock.time()
        if self._as_json:
            described = {"time": round(now, 3), "source": source, "event": event, **values}
            plain = to_plain_data(described)
            print(json.dumps(plain), flush=True)
            return
        moment = datetime.datetime.fromtimestamp(now)
        words = [f"{moment:%H:%M:%S}", f"{source:7}", clean_text(event, 60)]
        for key, value in values.items():
            words.append(f"{key}={format_value(value)}")
        print(" ".join(words), flush=True)


class Watcher:
    """Joins what the socket says with what queue and history show."""

    def __init__(self, client: ComfyClient, printer: Printer, clock: Clock) -> None:
        self._client = client
        self._printer = printer
        self._clock = clock
        self._mailbox = Inbox(clock, CAPACITY)
        self._worker = TaskThread("comfygradio-watch")
        self._prompts = PromptMonitor()
        self._looked_at = -math.inf
        self._look_at = clock.monotonic()
        self._is_looking = False
        self._is_changed = False
        """Whether the queue has changed since the last look began."""
        self._is_answered = True

    def run(self) -> None:
        """Print events. Ends only by raising ServerError, BrokenPipeError or KeyboardInterrupt."""
        with self._client.listen() as events:
            hearing = threading.Thread(target=self._hear, args=(events,), daemon=True)
            hearing.start()
            try:
                while True:
                    self._turn()
            finally:
                self._worker.stop()

    def _hear(self, events: Events) -> None:
        """Pass on what the socket says; runs on a thread of its own."""
        try:
            for event in events:
                self._mailbox.put(event, coalescing_key(event), estimate_size(event))
        except ServerError as error:
            self._mailbox.put(error)

    def _turn(self) -> None:
        now = self._clock.monotonic()
        if not self._is_looking and now >= self._look_at:
            self._is_looking = True
            self._is_changed = False
            self._worker.submit(self._look)
        left = READER_SECONDS if self._is_looking else self._look_at - now
        # Each turn ends in time to look whether anybody still reads.
        wait = min(max(left, 0.0), READER_SECONDS)
        for letter in self._mailbox.take(wait):
            self._open(letter.content)
        if is_reader_gone():
            raise BrokenPipeError

    def _open(self, content: Any) -> None:
        match content:
            case Message():
                self._printer.print("socket", name_event(content), list_values(content))
                if isinstance(content, Status):
                    self._is_changed = True
                    self._look_at = min(self._look_at, self._looked_at + RETRY_SECONDS)
            case PollResult():
                self._take_look(content)
            case ServerError():
                raise content

    def _look(self) -> None:
        """Fetch queue and history; runs on the thread of the worker."""
        try:
            looked = PollResult(poll_prompts(self._client, self._prompts))
        except ServerError as error:
            looked = PollResult([], error)
        self._mailbox.put(looked)

    def _take_look(self, looked: PollResult) -> None:
        self._is_looking = False
        self._looked_at = self._clock.monotonic()
        pause = RETRY_SECONDS if self._is_changed else POLL_SECONDS
        self._look_at = self._looked_at + pause
        for change in looked.changes:
            values = {"prompt_id": change.prompt_id, "ahead": change.ahead, "text": change.text}
            shown = drop_empty(values)
            self._printer.print(change.source, change.kind, shown)
        # Only the first of several looks that fail is told.
        if looked.error is not None and self._is_answered:
            self._printer.print("queue", "unanswered", {"text": str(looked.error)})
        self._is_answered = looked.error is None


def name_event(message: Message) -> str:
    """Name an event: as ComfyUI does, if it is one of its messages."""
    if isinstance(message, UnknownMessage):
        return message.type or "unknown"
    if isinstance(message, PreviewFrame):
        return "preview"
    name = type(message).__name__
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def list_values(message: Message) -> Json:
    """List the values of an event, all JSON; of bytes their number."""
    values: Json = {}
    for field in dataclasses.fields(message):
        value = getattr(message, field.name)
        if isinstance(value, bytes):
            values["bytes"] = len(value)
        elif field.name != "type" or not isinstance(message, UnknownMessage):
            values[field.name] = value
    return drop_empty(values)


def drop_empty(values: Json) -> Json:
    """Drop the values that are empty."""
    kept: Json = {}
    for key, value in values.items():
        if value not in (None, "", ()):
            kept[key] = value
    return kept


def to_plain_data(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Turn a value into what JSON knows: parts into objects and lists, NaN and Infinity into null.
    What lies deeper than so many levels is left out.
    """
    if depth == 0:
        return None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_plain_data(vars(value), depth)
    if isinstance(value, dict):
        return {str(key): to_plain_data(one, depth - 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain_data(one, depth - 1) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def format_value(value: Any) -> str:
    """Write a value as one short word or line, whatever the server sent."""
    if isinstance(value, str):
        text = value
    else:
        plain = to_plain_data(value)
        text = json.dumps(plain)
    return clean_text(text, MAX_VALUE_LENGTH)


def is_reader_gone() -> bool:
    """Return whether what is printed goes into a pipe that nobody reads any more.

    Otherwise that is found out with the next line alone, which may take for ever.
    """
    if not hasattr(select, "poll"):
        return False
    try:
        output = sys.stdout.fileno()
    except (OSError, ValueError):
        return False
    poll = select.poll()
    # POLLERR comes without being asked for: the other end of the pipe was closed.
    poll.register(output, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))
