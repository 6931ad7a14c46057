"""Traffic log: a line for every HTTP call to a ComfyUI server and every message of its socket.

Bodies, headers, logins and tokens are not logged.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.address import Address
from comfygradio.comfy.masking import MASK, SECRET_NAME, mask_text
from comfygradio.comfy.messages import (
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    Message,
    PreviewFrame,
    Progress,
    ProgressState,
    ProgressText,
    Status,
    UnknownMessage,
)

log = logging.getLogger(__name__)

MAX_CHARACTERS = 200
"""Maximum number of characters logged of a text that the server chose."""

CAPITAL = r"(?<!^)(?=[A-Z])"
"""Where a word starts in a class name, except the first."""

WIRE_NAMES = {PreviewFrame: "preview", ProgressText: "progress_text"}
"""ComfyUI's names of its binary messages."""


class CallRecord:
    """Times one HTTP call and writes its line into the log."""

    def __init__(
        self,
        address: Address,
        method: str,
        path: str,
        params: Mapping[str, Any],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._address = address
        self._method = method
        self._path = path
        self._params = params
        self._clock = clock
        self._started = clock.monotonic()

    def end(self, status: int, received: int, sent: int = 0) -> None:
        """Log a call that got a response. `received` and `sent` count the bytes of the bodies."""
        rest = f"{received} bytes"
        if sent:
            rest += f", {sent} bytes sent"
        self._write(str(status), rest)

    def fail(self, error: BaseException) -> None:
        """Log a call that got no response."""
        # The text of the error may contain the address with its login.
        kind = type(error).__name__
        self._write(kind, "no answer")

    def _write(self, outcome: str, rest: str) -> None:
        # Formatting the line would cost every call something, also while nobody reads the log.
        if not log.isEnabledFor(logging.DEBUG):
            return
        target = format_target(self._path, self._params, self._address)
        milliseconds = (self._clock.monotonic() - self._started) * 1000
        log.debug(
            "%s %s %s %.0f ms, %s (%s)",
            self._method,
            target,
            outcome,
            milliseconds,
            rest,
            self._address,
        )


def format_target(path: str, params: Mapping[str, Any], address: Address) -> str:
    """Format the path and query of a call with every secret masked: the parameters of the server's
    address, and parameters with the name of a secret.
    """
    masked = dict(params)
    for name in params:
        if name in address.params or SECRET_NAME.search(name):
            masked[name] = MASK
    query = urlencode(masked, doseq=True, safe="*/")
    shown = quote(path, safe="/%:@!$&'()*+,;=~-._")
    if not query:
        return shown
    return f"{shown}?{query}"


def log_message(message: Message) -> None:
    """Log a message: its type, prompt, node and value."""
    if not log.isEnabledFor(logging.DEBUG):
        return
    words = [f"socket {name_message(message)}"]
    details = {"prompt": message.prompt_id, **describe_message(message)}
    for name, value in details.items():
        if value is not None:
            words.append(f"{name}={_show(value)}")
    log.debug("%s", " ".join(words))


def name_message(message: Message) -> str:
    """Name the type of a message as ComfyUI writes it."""
    if isinstance(message, UnknownMessage):
        return _show(message.type or "unknown")
    kind = type(message)
    if kind in WIRE_NAMES:
        return WIRE_NAMES[kind]
    return re.sub(CAPITAL, "_", kind.__name__).lower()


def describe_message(message: Message) -> dict[str, Any]:
    """Describe the node and the value of a message; None for what it does not have."""
    match message:
        case Status():
            return {"queue_remaining": message.queue_remaining}
        case ExecutionCached():
            return {"nodes": ",".join(message.nodes) or None}
        case Executing():
            return {"node": message.node or "none"}
        case Progress():
            return {"node": message.node, "value": f"{message.value:g}/{message.max:g}"}
        case ProgressState():
            return {"running": _describe_running(message) or None}
        case Executed():
            keys = ",".join(str(key) for key in message.output)
            return {"node": message.node, "value": keys or "nothing"}
        case ExecutionError():
            text = f"{message.exception_type}: {message.exception_message}"
            return {"node": message.node_id, "value": text}
        case ExecutionInterrupted():
            return {"node": message.node_id}
        case PreviewFrame():
            return {"node": message.node, "value": f"{message.mime}, {len(message.data)} bytes"}
        case ProgressText():
            return {"node": message.node, "value": message.text}
        case _:
            return {}


def _describe_running(message: ProgressState) -> str:
    running: list[str] = []
    for node, progress in message.nodes.items():
        if progress.state == "running":
            steps = f"{progress.value:g}/{progress.max:g}"
            running.append(f"{node}:{steps}")
    return ",".join(running)


def _show(value: Any) -> str:
    """Format a text that the server chose as one line, without secrets and control characters."""
    line = " ".join(str(value).split())
    masked = mask_text(line)
    plain = "".join(letter if letter.isprintable() else "?" for letter in masked)
    if len(plain) <= MAX_CHARACTERS:
        return plain
    return f"{plain[:MAX_CHARACTERS]}…"
