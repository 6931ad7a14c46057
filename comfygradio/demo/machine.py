"""State of a running server: its folders, queue, executor, sockets and worker thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.websockets import WebSocket

from comfygradio.demo.examples import write_examples
from comfygradio.demo.execution.catalog import Catalog
from comfygradio.demo.execution.executor import Executor
from comfygradio.demo.execution.folders import Folders
from comfygradio.demo.execution.messages import status_event
from comfygradio.demo.execution.node_timing import NodeTiming
from comfygradio.demo.execution.options import DemoOptions
from comfygradio.demo.execution.prompts import HistoryEntry, PromptQueue, QueuedPrompt
from comfygradio.demo.nodes import all_nodes
from comfygradio.demo.sockets import Sockets
from comfygradio.demo.validation import Validator


class Machine:
    """Everything that is lost when the server dies (files in input/ and output/ stay)."""

    def __init__(
        self,
        options: DemoOptions,
        root: Path,
        drop: Callable[[WebSocket], None],
        timing: NodeTiming,
    ) -> None:
        self.options = options
        self.folders = Folders(root)
        write_examples(self.folders.top("input"))
        self.catalog = Catalog(options, self.folders)
        self.validator = Validator(self.catalog, self.folders, options)
        self.sockets = Sockets(options, describe_features(options), drop)
        self.queue = PromptQueue(self._announce_status)
        self.executor = Executor(
            options=options,
            folders=self.folders,
            catalog=self.catalog,
            publish=self.sockets.publish,
            functions=all_nodes(),
            timing=timing,
        )
        self.counter = 0
        self.wants_empty_cache = threading.Event()
        self._timing = timing
        self._closed = threading.Event()
        self._worker = threading.Thread(
            target=self._work, name="comfygradio-demo-worker", daemon=True
        )

    def start(self) -> None:
        self._worker.start()

    def close(self) -> None:
        """Lets the worker end soon; a running prompt is interrupted."""
        self.queue.close()
        self._closed.set()
        self.executor.interrupt.close()

    def stop(self) -> None:
        """Ends the worker."""
        self.close()
        self._worker.join(timeout=5)

    def interrupt(self) -> None:
        """Interrupts whatever runs; no effect when nothing does."""
        self.executor.interrupt.set()

    def _announce_status(self) -> None:
        event = status_event(self.queue.remaining())
        self.sockets.publish(event)

    def _work(self) -> None:
        while True:
            item = self.queue.take()
            if item is None:
                return
            # As in ComfyUI, /free takes effect between two prompts.
            if self.wants_empty_cache.is_set():
                self.wants_empty_cache.clear()
                self.executor.cache.clear()
            entry = self._run(item)
            # The history is written before the client hears that the prompt is over.
            self.queue.finish(entry)
            self.executor.end(item)

    def _run(self, item: QueuedPrompt) -> HistoryEntry:
        if self.options.start_gap:
            self._timing.wait(self.options.start_gap, self._closed)
        try:
            return self.executor.run(item)
        except Exception:  # a bug here must not leave the queue without its worker
            return HistoryEntry(
                item=item,
                outputs={},
                status_str="error",
                messages=[],
                meta={},
                visible_at=time.monotonic(),
            )


def describe_features(options: DemoOptions) -> dict[str, Any]:
    """What /features and the feature_flags message tell."""
    features: dict[str, Any] = {"supports_preview_metadata": True}
    if options.can("node_replacements"):
        features["supports_model_type_tags"] = True
    features["max_upload_size"] = options.max_upload_size
    if options.can("node_replacements"):
        manager = {"manager": {"supports_v4": True}}
        features |= {"extension": manager, "node_replacements": True, "assets": False}
    return features
