"""What a node may do while it runs: report steps, send previews and texts, wait, be interrupted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from comfygradio.demo.execution.folders import Folders
from comfygradio.demo.execution.messages import Message, NodeText, Preview
from comfygradio.demo.execution.node_timing import NodeTiming
from comfygradio.demo.execution.options import DemoOptions
from comfygradio.demo.execution.prompts import QueuedPrompt
from comfygradio.demo.execution.values import NodeInputs

PREVIEW_METHODS = ("none", "auto", "latent2rgb", "taesd")


@dataclass(frozen=True)
class NodeResult:
    """Outputs of a node by slot, and what it shows (`ui`), if anything."""

    outputs: tuple[Any, ...] = ()
    ui: dict[str, Any] | None = None


class Interrupted(Exception):
    """The running prompt was told to stop."""


class InterruptFlag:
    """The server's one interrupt flag; the first check that finds it set clears it."""

    def __init__(self, timing: NodeTiming) -> None:
        self.timing = timing
        self._event = threading.Event()
        self._closed = False

    def close(self) -> None:
        """Sets the flag for good, because the server stops."""
        self._closed = True
        self._event.set()

    def set(self) -> None:
        self._event.set()

    def clear(self) -> None:
        # Once the server stops, every wait has to end at once.
        if not self._closed:
            self._event.clear()

    def check(self) -> None:
        """Raises Interrupted if the flag is set, and clears it."""
        if self._event.is_set():
            self.clear()
            raise Interrupted

    def wait(self, seconds: float) -> None:
        """Waits, at most until the flag is set; it stays set for `check`."""
        if seconds > 0:
            self.timing.wait(seconds, self._event)

    def wait_step(self) -> None:
        """Waits as long as a step takes, at most until the flag is set."""
        self.timing.wait_step(self._event)


@dataclass(frozen=True)
class NodeRun:
    """One node of one prompt while it runs."""

    node_id: str
    item: QueuedPrompt
    options: DemoOptions
    folders: Folders
    temp_prefix: str
    interrupt: InterruptFlag
    report: Callable[[str, float, float], None]
    publish: Callable[[Message], None]

    @property
    def class_type(self) -> str:
        """The class of this node."""
        node = self.item.prompt[self.node_id]
        return str(node["class_type"])

    def step(self, value: int, maximum: int, image: tuple[bytes, str] | None = None) -> None:
        """Reports progress, then sends the image (encoded bytes, `JPEG` or `PNG`) if
        there is one.
        """
        self.interrupt.check()
        self.report(self.node_id, value, maximum)
        if image is None:
            return
        data, format = image
        preview = Preview(data, format, self.node_id, self.item.prompt_id)
        self.publish(preview)

    def wait(self, seconds: float) -> None:
        """Waits unless the prompt is interrupted meanwhile."""
        self.interrupt.wait(seconds)
        self.interrupt.check()

    def wait_step(self) -> None:
        """Waits as long as a step takes now: the server may be told another time meanwhile."""
        self.interrupt.wait_step()
        self.interrupt.check()

    def send_text(self, text: str) -> None:
        """Sends a text to everybody (binary type 3)."""
        message = NodeText(text, self.node_id)
        self.publish(message)

    def wants_preview(self) -> bool:
        """Whether this prompt asked for frames, or the server sends them anyway."""
        asked = self.item.extra_data.get("preview_method")
        if not self.options.can("preview_method") or asked not in PREVIEW_METHODS:
            asked = self.options.preview_method
        return asked != "none"

    def png_texts(self) -> dict[str, Any]:
        """What SaveImage writes into a PNG: the prompt and every key of extra_pnginfo."""
        extra = self.item.extra_data.get("extra_pnginfo") or {}
        return {"prompt": self.item.prompt, **extra}

    def tag_texts(self) -> dict[str, str]:
        """The same as JSON texts, for the tags of audio and video files."""
        texts: dict[str, str] = {}
        for key, value in self.png_texts().items():
            texts[key] = json.dumps(value)
        return texts


NodeFunction = Callable[[NodeRun, NodeInputs], NodeResult]
"""What a node class does when a prompt runs it."""
