"""A demo server with lab nodes that writes down when it sends each frame.

`python -m tests.benchmarks.lab_server LOG GRAIN` prints the address and serves until Ctrl-C. A line
of the log is
JSON: `at` (seconds since 1970, taken just before the frame is handed to the WebSocket), `digest`
  (SHA-256 of the
JPEG, by which a browser recognises it), `bytes`, `number` (from 1) and `prompt`.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.demo.execution.node_run import NodeRun
from comfygradio.demo.nodes import lab

DEFAULT_GRAIN = 2.0
"""Gives frames of 66 kB, as heavy as photographic previews; the grain that the lab has by itself
doubles that.
"""


@dataclass(frozen=True)
class SentFrame:
    """One line of the log."""

    at: float
    digest: str
    bytes: int
    number: int
    prompt: str


def read_log(path: Path, start: int = 0) -> list[SentFrame]:
    """The frames that were logged from byte `start` on; a line still being written is left out."""
    lines = path.read_bytes()[start:].split(b"\n")[:-1] if path.exists() else []
    return [SentFrame(**json.loads(line)) for line in lines]


def serve_lab(log: Path, grain: float) -> None:
    """Serve on a free port until Ctrl-C; prints the address."""
    lab.GRAIN = grain
    with (
        log.open("a", buffering=1) as file,
        DemoServer(DemoOptions(lab_nodes=True, step_seconds=0.0)) as server,
    ):
        _log_frames(file.write)
        print(server.url, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


def _log_frames(write: Callable[[str], object]) -> None:
    step = NodeRun.step

    def logged(
        run: NodeRun, value: int, maximum: int, image: tuple[bytes, str] | None = None
    ) -> None:
        if image is None:
            return step(run, value, maximum)
        digest = hashlib.sha256(image[0]).hexdigest()
        at = time.time()
        step(run, value, maximum, image)
        line = {
            "at": at,
            "digest": digest,
            "bytes": len(image[0]),
            "number": value,
            "prompt": run.item.prompt_id,
        }
        write(json.dumps(line) + "\n")

    NodeRun.step = logged  # type: ignore[method-assign, assignment]


def main(arguments: Sequence[str]) -> None:
    """LOG and GRAIN from the command line."""
    serve_lab(Path(arguments[0]), float(arguments[1]) if len(arguments) > 1 else DEFAULT_GRAIN)


if __name__ == "__main__":
    main(sys.argv[1:])
