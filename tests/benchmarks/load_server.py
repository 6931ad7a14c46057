"""Many demo servers in one process, whose previews say when they were sent.

`python -m tests.benchmarks.load_server COUNT` prints the addresses, separated by spaces, and serves
until Ctrl-C. The last eight bytes of every preview, behind the picture, are when it was handed to
the WebSocket (seconds since 1970).
"""

from __future__ import annotations

import struct
import sys
import threading
import time
from contextlib import ExitStack, suppress

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.demo.execution.node_run import NodeResult, NodeRun
from comfygradio.demo.execution.values import NodeInputs
from comfygradio.demo.media.pictures import encode_image
from comfygradio.demo.nodes import lab

STAMP = struct.Struct(">d")
FRAMES = 10
SIZE = 384
"""Pixels: with the lab's grain that gives previews of 32 kB."""


def main() -> None:
    """COUNT servers."""
    images = list(lab.draw_frames(FRAMES, SIZE, SIZE))
    frames = [encode_image(image, "JPEG") for image in images]

    def send_frames(run: NodeRun, inputs: NodeInputs) -> NodeResult:
        count, fps, start = inputs.integer("count"), inputs.real("fps"), time.monotonic()
        for index in range(count):
            run.wait(start + index / fps - time.monotonic())
            data, kind = frames[index % FRAMES]
            run.step(index + 1, count, (data + STAMP.pack(time.time()), kind))
        return NodeResult(([images[-1]],))

    lab.send_frames = send_frames
    with ExitStack() as stack:
        servers = [
            stack.enter_context(DemoServer(DemoOptions(lab_nodes=True)))
            for _ in range(int(sys.argv[1]))
        ]
        print(*(server.url for server in servers), flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
